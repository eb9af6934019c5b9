//! Reading the body of `/v0.6/stats`: all keys optional, unknown ones passed over.

use super::{ClientBucket, ClientGroup, ClientPayload};
use crate::key::TraceRoot;
use crate::msgpack::{Malformed, Reader};

/// Buckets, groups and tags of one body; a group takes some 600 bytes, so that a body of the size
/// limit cannot fill the memory.
const BUCKETS_MAX: usize = 10_000;
const GROUPS_MAX: usize = 50_000;
const TAGS_MAX: usize = 500_000;

/// Why a body is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientStatsError {
    /// The body ends within a value.
    #[error("stats payload is cut off: send all of it")]
    Truncated,
    /// A value has the wrong type.
    #[error("stats payload has a value of the wrong type: send a ClientStatsPayload in msgpack")]
    Type,
    /// There are more buckets, groups or tags than are taken.
    #[error("stats payload has too many buckets, groups or tags: send smaller payloads")]
    TooMany,
}

impl From<Malformed> for ClientStatsError {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::Truncated => Self::Truncated,
            Malformed::Type => Self::Type,
        }
    }
}

impl ClientPayload {
    /// Reads a body. What follows the message is ignored.
    ///
    /// # Errors
    /// The bytes are no such message, or one that is too large.
    pub fn decode(body: &[u8]) -> Result<Self, ClientStatsError> {
        let mut decoder = Decoder {
            reader: Reader::new(body),
            buckets_left: BUCKETS_MAX,
            groups_left: GROUPS_MAX,
            tags_left: TAGS_MAX,
        };
        let count = decoder.reader.map()?.ok_or(ClientStatsError::Type)?;
        decoder.payload(count)
    }
}

struct Decoder<'a> {
    reader: Reader<'a>,
    buckets_left: usize,
    groups_left: usize,
    tags_left: usize,
}

type Decoded<T> = Result<T, ClientStatsError>;

impl Decoder<'_> {
    fn payload(&mut self, count: usize) -> Decoded<ClientPayload> {
        let mut payload = ClientPayload::default();
        for _ in 0..count {
            match self.reader.bin()? {
                b"Hostname" => payload.hostname = self.text()?,
                b"Env" => payload.env = self.text()?,
                b"Version" => payload.version = self.text()?,
                b"Stats" => payload.buckets = self.buckets()?,
                b"Lang" => payload.lang = self.text()?,
                b"TracerVersion" => payload.tracer_version = self.text()?,
                b"RuntimeID" => payload.runtime_id = self.text()?,
                b"Sequence" => payload.sequence = self.reader.uint()?,
                b"AgentAggregation" => payload.agent_aggregation = self.text()?,
                b"Service" => payload.service = self.text()?,
                b"ContainerID" => payload.container_id = self.text()?,
                b"Tags" => payload.tags = self.tags()?,
                b"GitCommitSha" => payload.git_commit_sha = self.text()?,
                b"ImageTag" => payload.image_tag = self.text()?,
                b"ProcessTags" => payload.process_tags = self.text()?,
                // The hash of process tags is computed from the tags themselves.
                _ => self.reader.skip()?,
            }
        }
        Ok(payload)
    }

    fn buckets(&mut self) -> Decoded<Vec<ClientBucket>> {
        let mut buckets = Vec::new();
        for _ in 0..self.reader.array()? {
            let Some(count) = self.reader.map()? else { continue };
            take(&mut self.buckets_left)?;
            buckets.push(self.bucket(count)?);
        }
        Ok(buckets)
    }

    fn bucket(&mut self, count: usize) -> Decoded<ClientBucket> {
        let mut bucket = ClientBucket::default();
        for _ in 0..count {
            match self.reader.bin()? {
                b"Start" => bucket.start_ns = self.reader.uint()?,
                b"Duration" => bucket.duration_ns = self.reader.uint()?,
                b"Stats" => bucket.groups = self.groups()?,
                _ => self.reader.skip()?,
            }
        }
        Ok(bucket)
    }

    fn groups(&mut self) -> Decoded<Vec<ClientGroup>> {
        let mut groups = Vec::new();
        for _ in 0..self.reader.array()? {
            let Some(count) = self.reader.map()? else { continue };
            take(&mut self.groups_left)?;
            groups.push(self.group(count)?);
        }
        Ok(groups)
    }

    fn group(&mut self, count: usize) -> Decoded<ClientGroup> {
        let mut group = ClientGroup::default();
        for _ in 0..count {
            match self.reader.bin()? {
                b"Service" => group.service = self.text()?,
                b"Name" => group.name = self.text()?,
                b"Resource" => group.resource = self.text()?,
                b"HTTPStatusCode" => group.http_status = self.status()?,
                b"Type" => group.span_type = self.text()?,
                b"DBType" => group.db_type = self.text()?,
                b"Hits" => group.hits = self.reader.uint()?,
                b"Errors" => group.errors = self.reader.uint()?,
                b"Duration" => group.duration_ns = self.reader.uint()?,
                b"OkSummary" => group.ok_summary = self.reader.bin()?.to_vec(),
                b"ErrorSummary" => group.error_summary = self.reader.bin()?.to_vec(),
                b"Synthetics" => group.is_synthetics = self.reader.flag()?,
                b"TopLevelHits" => group.top_level_hits = self.reader.uint()?,
                b"SpanKind" => group.span_kind = self.text()?,
                b"PeerTags" => group.peer_tags = self.tags()?,
                b"IsTraceRoot" => group.trace_root = self.trace_root()?,
                b"GRPCStatusCode" => group.grpc_status = self.text()?,
                b"HTTPMethod" => group.http_method = self.text()?,
                b"HTTPEndpoint" => group.http_endpoint = self.text()?,
                b"srv_src" => group.svc_src = self.text()?,
                b"SpanDerivedPrimaryTags" => group.derived_tags = self.tags()?,
                b"AdditionalMetricTags" => group.additional_tags = self.tags()?,
                _ => self.reader.skip()?,
            }
        }
        Ok(group)
    }

    fn text(&mut self) -> Decoded<String> {
        Ok(self.reader.text()?.into_owned())
    }

    fn tags(&mut self) -> Decoded<Vec<String>> {
        let mut tags = Vec::new();
        for _ in 0..self.reader.array()? {
            take(&mut self.tags_left)?;
            tags.push(self.text()?);
        }
        Ok(tags)
    }

    fn status(&mut self) -> Decoded<u32> {
        Ok(u32::try_from(self.reader.uint()?).unwrap_or(0))
    }

    /// A number; what is unknown, negative ones included, is not set.
    fn trace_root(&mut self) -> Decoded<TraceRoot> {
        let number = self.reader.int()?;
        Ok(TraceRoot::from_number(u64::try_from(number).unwrap_or(0)))
    }
}

fn take(left: &mut usize) -> Decoded<()> {
    *left = left.checked_sub(1).ok_or(ClientStatsError::TooMany)?;
    Ok(())
}

#[cfg(test)]
mod tests;
