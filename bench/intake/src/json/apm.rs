//! Traces and trace stats as JSON. Ids are texts, since not every reader of JSON has 64-bit
//! numbers.

use serde_json::{Map, Value, json};

use crate::totals::{GroupTotals, StatsTotals, TraceTotals};
use crate::{
    Attribute, Attributes, ClientStats, LatencySketch, ReceivedChunk, ReceivedEvent, ReceivedLink,
    ReceivedSpan, StatsBucket, StatsGroup, StatsPayload, TracerHead,
};

/// A chunk with the payload around it and its spans.
pub(crate) fn chunk(chunk: &ReceivedChunk) -> Value {
    let head = &chunk.head;
    let spans: Vec<Value> = chunk.spans.iter().map(span_alone).collect();
    json!({
        "trace_id": format!("{:032x}", head.trace_id),
        "priority": head.priority,
        "origin": &*head.origin,
        "tags": attributes(&head.tags),
        "dropped": head.is_dropped,
        "sampling_mechanism": head.sampling_mechanism,
        "bytes": head.encoded_bytes,
        "payload": payload(&head.payload),
        "spans": spans,
    })
}

/// A span with what its chunk and payload say.
pub(crate) fn span(span: &ReceivedSpan) -> Value {
    let mut value = span_alone(span);
    let head = &span.chunk;
    value["chunk"] = json!({
        "priority": head.priority,
        "origin": &*head.origin,
        "tags": attributes(&head.tags),
        "dropped": head.is_dropped,
        "sampling_mechanism": head.sampling_mechanism,
    });
    value["payload"] = payload(&head.payload);
    value
}

fn payload(head: &TracerHead) -> Value {
    let agent = &head.agent;
    let tags: Map<String, Value> =
        agent.tags.iter().map(|(key, value)| (key.to_string(), json!(&**value))).collect();
    json!({
        "format": head.format.name(),
        "container_id": &*head.container_id,
        "language": &*head.language,
        "language_version": &*head.language_version,
        "tracer_version": &*head.tracer_version,
        "runtime_id": &*head.runtime_id,
        "env": &*head.env,
        "hostname": &*head.hostname,
        "app_version": &*head.app_version,
        "tags": attributes(&head.tags),
        "agent": {
            "host": &*agent.host, "env": &*agent.env, "version": &*agent.version, "tags": tags,
            "target_tps": agent.target_tps, "error_tps": agent.error_tps,
            "rare_sampler": agent.is_rare_sampler_enabled,
        },
    })
}

fn span_alone(span: &ReceivedSpan) -> Value {
    let meta: Map<String, Value> =
        span.meta.iter().map(|(key, value)| (key.to_string(), json!(&**value))).collect();
    let metrics: Map<String, Value> =
        span.metrics.iter().map(|(key, value)| (key.to_string(), json!(value))).collect();
    let bytes = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let meta_struct: Map<String, Value> = span
        .meta_struct
        .iter()
        .map(|(key, value)| (key.to_string(), bytes(value).into()))
        .collect();
    json!({
        "trace_id": format!("{:032x}", span.trace_id),
        "span_id": span.span_id.to_string(),
        "parent_id": span.parent_id.to_string(),
        "service": &*span.service,
        "name": &*span.name,
        "resource": &*span.resource,
        "type": &*span.span_type,
        "kind": &*span.kind,
        "env": &*span.env,
        "version": &*span.version,
        "component": &*span.component,
        "start": span.start_ns,
        "duration": span.duration_ns,
        "error": span.error,
        "meta": meta,
        "metrics": metrics,
        "meta_struct": meta_struct,
        "others": attributes(&span.others),
        "links": span.links.iter().map(link).collect::<Vec<_>>(),
        "events": span.events.iter().map(event).collect::<Vec<_>>(),
    })
}

fn link(link: &ReceivedLink) -> Value {
    json!({
        "trace_id": format!("{:032x}", link.trace_id),
        "span_id": link.span_id.to_string(),
        "attributes": attributes(&link.attributes),
        "tracestate": &*link.tracestate,
        "flags": link.flags,
    })
}

fn event(event: &ReceivedEvent) -> Value {
    json!({
        "time": event.time_ns, "name": &*event.name, "attributes": attributes(&event.attributes),
    })
}

fn attributes(attributes: &Attributes) -> Value {
    attributes.iter().map(|(key, value)| (key.to_string(), attribute(value))).collect()
}

fn attribute(value: &Attribute) -> Value {
    match value {
        Attribute::Text(text) => json!(&**text),
        Attribute::Bool(value) => json!(value),
        Attribute::Int(value) => json!(value),
        Attribute::Float(value) => json!(value),
        Attribute::Bytes(bytes) => json!({"bytes": bytes.to_vec()}),
        Attribute::List(values) => values.iter().map(attribute).collect(),
        Attribute::Map(values) => attributes(values),
    }
}

/// A stats payload.
pub(crate) fn stats(stats: &StatsPayload) -> Value {
    json!({
        "agent_host": &*stats.agent_host,
        "agent_env": &*stats.agent_env,
        "agent_version": &*stats.agent_version,
        "client_computed": stats.is_client_computed,
        "split": stats.is_split,
        "clients": stats.clients.iter().map(client).collect::<Vec<_>>(),
    })
}

fn client(client: &ClientStats) -> Value {
    json!({
        "hostname": &*client.hostname,
        "env": &*client.env,
        "version": &*client.version,
        "lang": &*client.lang,
        "tracer_version": &*client.tracer_version,
        "runtime_id": &*client.runtime_id,
        "sequence": client.sequence,
        "service": &*client.service,
        "container_id": &*client.container_id,
        "tags": texts(&client.tags),
        "git_commit_sha": &*client.git_commit_sha,
        "image_tag": &*client.image_tag,
        "process_tags_hash": client.process_tags_hash.to_string(),
        "process_tags": &*client.process_tags,
        "buckets": client.buckets.iter().map(bucket).collect::<Vec<_>>(),
    })
}

fn bucket(bucket: &StatsBucket) -> Value {
    json!({
        "start": bucket.start_ns,
        "duration": bucket.duration_ns,
        "agent_time_shift": bucket.agent_time_shift_ns,
        "groups": bucket.groups.iter().map(group).collect::<Vec<_>>(),
    })
}

fn group(group: &StatsGroup) -> Value {
    let key = &group.key;
    json!({
        "service": &*key.service,
        "name": &*key.name,
        "resource": &*key.resource,
        "http_status": key.http_status,
        "type": &*key.span_type,
        "db_type": &*key.db_type,
        "synthetics": key.is_synthetics,
        "span_kind": &*key.span_kind,
        "peer_tags": texts(&key.peer_tags),
        "trace_root": key.trace_root,
        "grpc_status": &*key.grpc_status,
        "http_method": &*key.http_method,
        "http_endpoint": &*key.http_endpoint,
        "service_source": &*key.service_source,
        "primary_tags": texts(&key.primary_tags),
        "metric_tags": texts(&key.metric_tags),
        "hits": group.hits,
        "errors": group.errors,
        "duration": group.duration_ns,
        "top_level_hits": group.top_level_hits,
        "ok": group.ok.as_ref().map(sketch),
        "error": group.error.as_ref().map(sketch),
    })
}

fn sketch(sketch: &LatencySketch) -> Value {
    json!({
        "count": sketch.count(), "zeros": sketch.zero_count, "gamma": sketch.gamma,
        "bins": sketch.bins, "p50": sketch.quantile(0.5), "p99": sketch.quantile(0.99),
    })
}

fn texts(texts: &[std::sync::Arc<str>]) -> Vec<&str> {
    texts.iter().map(|text| &**text).collect()
}

/// Sums over traces.
pub(crate) fn trace_totals(totals: &TraceTotals) -> Value {
    let by_service: Map<String, Value> = totals
        .by_service
        .iter()
        .map(|(service, sums)| {
            let sums = json!({
                "spans": sums.spans, "roots": sums.roots, "errors": sums.errors,
                "duration": sums.duration_ns,
            });
            (service.clone(), sums)
        })
        .collect();
    json!({
        "requests": totals.requests,
        "payloads": totals.payloads,
        "chunks": totals.chunks,
        "dropped_chunks": totals.dropped_chunks,
        "spans": totals.spans,
        "error_spans": totals.error_spans,
        "chunk_bytes": totals.chunk_bytes,
        "by_service": by_service,
    })
}

/// Sums over trace stats.
pub(crate) fn stats_totals(totals: &StatsTotals) -> Value {
    let by_group: Vec<Value> = totals
        .by_group
        .iter()
        .map(|(group, sums)| {
            let mut value = group_totals(sums);
            value["service"] = json!(group.service);
            value["name"] = json!(group.name);
            value["resource"] = json!(group.resource);
            value
        })
        .collect();
    json!({
        "requests": totals.requests,
        "split_requests": totals.split_requests,
        "client_computed_requests": totals.client_computed_requests,
        "groups": totals.groups,
        "sum": group_totals(&totals.sum),
        "by_group": by_group,
    })
}

fn group_totals(sums: &GroupTotals) -> Value {
    json!({
        "hits": sums.hits, "errors": sums.errors, "top_level_hits": sums.top_level_hits,
        "duration": sums.duration_ns, "ok_count": sums.ok_count, "error_count": sums.error_count,
    })
}
