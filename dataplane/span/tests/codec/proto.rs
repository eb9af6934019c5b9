//! The messages of the intake, read by an independent library. spec: apm §10.1.

use std::collections::BTreeMap;

use prost::Message;

use crate::model;
use crate::model::Any;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct TracerPayload {
    #[prost(string, tag = "1")]
    container_id: String,
    #[prost(string, tag = "2")]
    language_name: String,
    #[prost(string, tag = "3")]
    language_version: String,
    #[prost(string, tag = "4")]
    tracer_version: String,
    #[prost(string, tag = "5")]
    runtime_id: String,
    #[prost(message, repeated, tag = "6")]
    chunks: Vec<TraceChunk>,
    #[prost(btree_map = "string, string", tag = "7")]
    tags: BTreeMap<String, String>,
    #[prost(string, tag = "8")]
    env: String,
    #[prost(string, tag = "9")]
    hostname: String,
    #[prost(string, tag = "10")]
    app_version: String,
}

#[derive(Clone, PartialEq, Message)]
struct TraceChunk {
    #[prost(int32, tag = "1")]
    priority: i32,
    #[prost(string, tag = "2")]
    origin: String,
    #[prost(message, repeated, tag = "3")]
    spans: Vec<Span>,
    #[prost(btree_map = "string, string", tag = "4")]
    tags: BTreeMap<String, String>,
    #[prost(bool, tag = "5")]
    dropped_trace: bool,
}

#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(string, tag = "1")]
    service: String,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "3")]
    resource: String,
    #[prost(uint64, tag = "4")]
    trace_id: u64,
    #[prost(uint64, tag = "5")]
    span_id: u64,
    #[prost(uint64, tag = "6")]
    parent_id: u64,
    #[prost(int64, tag = "7")]
    start: i64,
    #[prost(int64, tag = "8")]
    duration: i64,
    #[prost(int32, tag = "9")]
    error: i32,
    #[prost(btree_map = "string, string", tag = "10")]
    meta: BTreeMap<String, String>,
    #[prost(btree_map = "string, double", tag = "11")]
    metrics: BTreeMap<String, f64>,
    #[prost(string, tag = "12")]
    r#type: String,
    #[prost(btree_map = "string, bytes", tag = "13")]
    meta_struct: BTreeMap<String, Vec<u8>>,
    #[prost(message, repeated, tag = "14")]
    links: Vec<SpanLink>,
    #[prost(message, repeated, tag = "15")]
    events: Vec<SpanEvent>,
}

#[derive(Clone, PartialEq, Message)]
struct SpanLink {
    #[prost(uint64, tag = "1")]
    trace_id: u64,
    #[prost(uint64, tag = "2")]
    trace_id_high: u64,
    #[prost(uint64, tag = "3")]
    span_id: u64,
    #[prost(btree_map = "string, string", tag = "4")]
    attributes: BTreeMap<String, String>,
    #[prost(string, tag = "5")]
    tracestate: String,
    #[prost(uint32, tag = "6")]
    flags: u32,
}

#[derive(Clone, PartialEq, Message)]
struct SpanEvent {
    #[prost(fixed64, tag = "1")]
    time: u64,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(btree_map = "string, message", tag = "3")]
    attributes: BTreeMap<String, AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(int32, tag = "1")]
    r#type: i32,
    #[prost(string, tag = "2")]
    text: String,
    #[prost(bool, tag = "3")]
    is_true: bool,
    #[prost(int64, tag = "4")]
    int: i64,
    #[prost(double, tag = "5")]
    double: f64,
    #[prost(message, optional, tag = "6")]
    array: Option<AnyArray>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyArray {
    #[prost(message, repeated, tag = "1")]
    values: Vec<AnyValue>,
}

impl TracerPayload {
    pub(crate) fn model(self) -> model::Payload {
        model::Payload {
            header: [
                self.container_id,
                self.language_name,
                self.language_version,
                self.tracer_version,
                self.runtime_id,
                self.env,
                self.hostname,
                self.app_version,
            ],
            tags: texts(self.tags),
            chunks: self.chunks.into_iter().map(chunk).collect(),
        }
    }
}

fn chunk(chunk: TraceChunk) -> model::Chunk {
    model::Chunk {
        priority: chunk.priority,
        origin: chunk.origin,
        attributes: texts(chunk.tags),
        spans: chunk.spans.into_iter().map(span).collect(),
        is_dropped_trace: chunk.dropped_trace,
        ..model::Chunk::default()
    }
}

fn span(span: Span) -> model::Span {
    model::Span {
        service: span.service,
        name: span.name,
        resource: span.resource,
        span_type: span.r#type,
        trace_id: span.trace_id,
        span_id: span.span_id,
        parent_id: span.parent_id,
        start_ns: span.start,
        duration_ns: span.duration,
        error: span.error,
        meta: span.meta,
        metrics: span.metrics,
        meta_struct: span.meta_struct,
        links: span.links.into_iter().map(link).collect(),
        events: span.events.into_iter().map(event).collect(),
        ..model::Span::default()
    }
}

fn link(link: SpanLink) -> model::Link {
    model::Link {
        trace_id: [link.trace_id_high, link.trace_id],
        span_id: link.span_id,
        attributes: texts(link.attributes),
        tracestate: link.tracestate,
        flags: link.flags,
    }
}

fn event(event: SpanEvent) -> model::Event {
    let attributes = event.attributes.into_iter();
    model::Event {
        time_ns: event.time,
        name: event.name,
        attributes: attributes.map(|(key, value)| (key, any(value))).collect(),
    }
}

fn any(value: AnyValue) -> Any {
    match value.r#type {
        0 => Any::Text(value.text),
        1 => Any::Bool(value.is_true),
        2 => Any::Int(value.int),
        3 => Any::Double(value.double),
        _ => Any::Array(value.array.unwrap_or_default().values.into_iter().map(any).collect()),
    }
}

fn texts(map: BTreeMap<String, String>) -> BTreeMap<String, Any> {
    map.into_iter().map(|(key, value)| (key, Any::Text(value))).collect()
}
