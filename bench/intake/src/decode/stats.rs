//! `StatsPayload` in msgpack, with sketches in protobuf. spec: apm §9.1, §9.5.

mod sketch;

use super::message::Notes;
use super::msgpack::Reader;
use super::{DecodeError, invalid};
use crate::{ClientStats, Payload, StatsBucket, StatsGroup, StatsPayload};

/// Decodes a `StatsPayload`.
pub(super) fn payload(body: &[u8]) -> Result<Payload, DecodeError> {
    let mut notes = Notes::default();
    let mut stats = StatsPayload::default();
    let mut reader = Reader::new(body);
    reader.map(&mut notes, |reader, key, notes| {
        match key {
            "AgentHostname" => stats.agent_host = reader.text()?,
            "AgentEnv" => stats.agent_env = reader.text()?,
            "Stats" => {
                reader.array(notes, |reader, notes| {
                    stats.clients.push(client(reader, notes)?);
                    Ok(())
                })?;
            }
            "AgentVersion" => stats.agent_version = reader.text()?,
            "ClientComputed" => stats.is_client_computed = reader.boolean()?,
            "SplitPayload" => stats.is_split = reader.boolean()?,
            _ => unknown("StatsPayload", key, reader, notes)?,
        }
        Ok(())
    })?;
    if !reader.is_empty() {
        return invalid("msgpack: more bytes follow the StatsPayload");
    }
    Ok(Payload { stats: Some(stats), remarks: notes.remarks, ..Payload::default() })
}

fn client(reader: &mut Reader<'_>, notes: &mut Notes) -> Result<ClientStats, DecodeError> {
    let mut client = ClientStats::default();
    reader.map(notes, |reader, key, notes| {
        match key {
            "Hostname" => client.hostname = reader.text()?,
            "Env" => client.env = reader.text()?,
            "Version" => client.version = reader.text()?,
            "Stats" => {
                reader.array(notes, |reader, notes| {
                    client.buckets.push(bucket(reader, notes)?);
                    Ok(())
                })?;
            }
            "Lang" => client.lang = reader.text()?,
            "TracerVersion" => client.tracer_version = reader.text()?,
            "RuntimeID" => client.runtime_id = reader.text()?,
            "Sequence" => client.sequence = reader.unsigned()?,
            "AgentAggregation" => client.agent_aggregation = reader.text()?,
            "Service" => client.service = reader.text()?,
            "ContainerID" => client.container_id = reader.text()?,
            "Tags" => client.tags = reader.texts(notes)?,
            "GitCommitSha" => client.git_commit_sha = reader.text()?,
            "ImageTag" => client.image_tag = reader.text()?,
            "ProcessTagsHash" => client.process_tags_hash = reader.unsigned()?,
            "ProcessTags" => client.process_tags = reader.text()?,
            _ => unknown("ClientStatsPayload", key, reader, notes)?,
        }
        Ok(())
    })?;
    Ok(client)
}

fn bucket(reader: &mut Reader<'_>, notes: &mut Notes) -> Result<StatsBucket, DecodeError> {
    let mut bucket = StatsBucket::default();
    reader.map(notes, |reader, key, notes| {
        match key {
            "Start" => bucket.start_ns = reader.unsigned()?,
            "Duration" => bucket.duration_ns = reader.unsigned()?,
            "Stats" => {
                reader.array(notes, |reader, notes| {
                    bucket.groups.push(group(reader, notes)?);
                    Ok(())
                })?;
            }
            "AgentTimeShift" => bucket.agent_time_shift_ns = reader.signed()?,
            _ => unknown("ClientStatsBucket", key, reader, notes)?,
        }
        Ok(())
    })?;
    Ok(bucket)
}

fn group(reader: &mut Reader<'_>, notes: &mut Notes) -> Result<StatsGroup, DecodeError> {
    let mut group = StatsGroup::default();
    reader.map(notes, |reader, name, notes| {
        let key = &mut group.key;
        match name {
            "Service" => key.service = reader.text()?,
            "Name" => key.name = reader.text()?,
            "Resource" => key.resource = reader.text()?,
            "HTTPStatusCode" => key.http_status = reader.unsigned32()?,
            "Type" => key.span_type = reader.text()?,
            "DBType" => key.db_type = reader.text()?,
            "Hits" => group.hits = reader.unsigned()?,
            "Errors" => group.errors = reader.unsigned()?,
            "Duration" => group.duration_ns = reader.unsigned()?,
            "OkSummary" => group.ok = sketch::sketch(reader.bytes()?, notes)?,
            "ErrorSummary" => group.error = sketch::sketch(reader.bytes()?, notes)?,
            "Synthetics" => key.is_synthetics = reader.boolean()?,
            "TopLevelHits" => group.top_level_hits = reader.unsigned()?,
            "SpanKind" => key.span_kind = reader.text()?,
            "PeerTags" => key.peer_tags = reader.texts(notes)?,
            "IsTraceRoot" => key.trace_root = reader.unsigned32()?,
            "GRPCStatusCode" => key.grpc_status = reader.text()?,
            "HTTPMethod" => key.http_method = reader.text()?,
            "HTTPEndpoint" => key.http_endpoint = reader.text()?,
            "srv_src" => key.service_source = reader.text()?,
            "SpanDerivedPrimaryTags" => key.primary_tags = reader.texts(notes)?,
            "AdditionalMetricTags" => key.metric_tags = reader.texts(notes)?,
            _ => unknown("ClientGroupedStats", name, reader, notes)?,
        }
        Ok(())
    })?;
    Ok(group)
}

fn unknown(
    map: &str,
    key: &str,
    reader: &mut Reader<'_>,
    notes: &mut Notes,
) -> Result<(), DecodeError> {
    notes.remark(|| format!("{map}: the key {key:?} is not known"));
    reader.skip(notes)
}

#[cfg(test)]
mod tests;
