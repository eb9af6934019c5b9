//! The messages of the intake for v1.0, read by an independent library. spec: apm §10.1.

use std::collections::BTreeMap;

use prost::{Message, Oneof};

use crate::model;
use crate::model::Any;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct TracerPayload {
    #[prost(string, repeated, tag = "1")]
    pub(crate) strings: Vec<String>,
    #[prost(uint32, tag = "2")]
    container_id: u32,
    #[prost(uint32, tag = "3")]
    language_name: u32,
    #[prost(uint32, tag = "4")]
    language_version: u32,
    #[prost(uint32, tag = "5")]
    tracer_version: u32,
    #[prost(uint32, tag = "6")]
    runtime_id: u32,
    #[prost(uint32, tag = "7")]
    env: u32,
    #[prost(uint32, tag = "8")]
    hostname: u32,
    #[prost(uint32, tag = "9")]
    app_version: u32,
    #[prost(btree_map = "uint32, message", tag = "10")]
    attributes: BTreeMap<u32, AnyValue>,
    #[prost(message, repeated, tag = "11")]
    chunks: Vec<TraceChunk>,
}

#[derive(Clone, PartialEq, Message)]
struct TraceChunk {
    #[prost(int32, tag = "1")]
    priority: i32,
    #[prost(uint32, tag = "2")]
    origin: u32,
    #[prost(btree_map = "uint32, message", tag = "3")]
    attributes: BTreeMap<u32, AnyValue>,
    #[prost(message, repeated, tag = "4")]
    spans: Vec<Span>,
    #[prost(bool, tag = "5")]
    dropped_trace: bool,
    #[prost(bytes = "vec", tag = "6")]
    trace_id: Vec<u8>,
    #[prost(uint32, tag = "7")]
    sampling_mechanism: u32,
}

#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(uint32, tag = "1")]
    service: u32,
    #[prost(uint32, tag = "2")]
    name: u32,
    #[prost(uint32, tag = "3")]
    resource: u32,
    #[prost(fixed64, tag = "4")]
    span_id: u64,
    #[prost(uint64, tag = "5")]
    parent_id: u64,
    #[prost(fixed64, tag = "6")]
    start: u64,
    #[prost(uint64, tag = "7")]
    duration: u64,
    #[prost(bool, tag = "8")]
    error: bool,
    #[prost(btree_map = "uint32, message", tag = "9")]
    attributes: BTreeMap<u32, AnyValue>,
    #[prost(uint32, tag = "10")]
    r#type: u32,
    #[prost(message, repeated, tag = "11")]
    links: Vec<SpanLink>,
    #[prost(message, repeated, tag = "12")]
    events: Vec<SpanEvent>,
    #[prost(uint32, tag = "13")]
    env: u32,
    #[prost(uint32, tag = "14")]
    version: u32,
    #[prost(uint32, tag = "15")]
    component: u32,
    #[prost(int32, tag = "16")]
    kind: i32,
}

#[derive(Clone, PartialEq, Message)]
struct SpanLink {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(fixed64, tag = "2")]
    span_id: u64,
    #[prost(btree_map = "uint32, message", tag = "3")]
    attributes: BTreeMap<u32, AnyValue>,
    #[prost(uint32, tag = "4")]
    tracestate: u32,
    #[prost(uint32, tag = "5")]
    flags: u32,
}

#[derive(Clone, PartialEq, Message)]
struct SpanEvent {
    #[prost(fixed64, tag = "1")]
    time: u64,
    #[prost(uint32, tag = "2")]
    name: u32,
    #[prost(btree_map = "uint32, message", tag = "3")]
    attributes: BTreeMap<u32, AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(oneof = "Member", tags = "1, 2, 3, 4, 5, 6, 7")]
    member: Option<Member>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Member {
    #[prost(uint32, tag = "1")]
    Text(u32),
    #[prost(bool, tag = "2")]
    Bool(bool),
    #[prost(double, tag = "3")]
    Double(f64),
    #[prost(int64, tag = "4")]
    Int(i64),
    #[prost(bytes, tag = "5")]
    Bytes(Vec<u8>),
    #[prost(message, tag = "6")]
    Array(ArrayValue),
    #[prost(message, tag = "7")]
    List(KeyValueList),
}

#[derive(Clone, PartialEq, Message)]
struct ArrayValue {
    #[prost(message, repeated, tag = "1")]
    values: Vec<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValueList {
    #[prost(message, repeated, tag = "1")]
    entries: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(uint32, tag = "1")]
    key: u32,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

/// The string table, and which of it was asked for.
pub(crate) struct Table {
    strings: Vec<String>,
    is_used: std::cell::RefCell<Vec<bool>>,
}

impl TracerPayload {
    /// What the payload means; every string of its table must be used.
    pub(crate) fn model(mut self) -> model::Payload {
        let strings = std::mem::take(&mut self.strings);
        assert_eq!(strings.first().map(String::as_str), Some(""));
        let is_used = std::cell::RefCell::new(vec![false; strings.len()]);
        let table = Table { strings, is_used };
        table.text(0);
        let payload = model::Payload {
            header: [
                self.container_id,
                self.language_name,
                self.language_version,
                self.tracer_version,
                self.runtime_id,
                self.env,
                self.hostname,
                self.app_version,
            ]
            .map(|reference| table.text(reference)),
            tags: table.attributes(self.attributes),
            chunks: self.chunks.into_iter().map(|held| table.chunk(held)).collect(),
        };
        assert!(table.is_used.borrow().iter().all(|is_used| *is_used), "a string leaked");
        payload
    }
}

impl Table {
    fn text(&self, reference: u32) -> String {
        self.is_used.borrow_mut()[reference as usize] = true;
        self.strings[reference as usize].clone()
    }

    fn attributes(&self, map: BTreeMap<u32, AnyValue>) -> BTreeMap<String, Any> {
        map.into_iter().map(|(key, value)| (self.text(key), self.any(Some(value)))).collect()
    }

    fn any(&self, value: Option<AnyValue>) -> Any {
        match value.and_then(|value| value.member).expect("a value has a member") {
            Member::Text(reference) => Any::Text(self.text(reference)),
            Member::Bool(is_true) => Any::Bool(is_true),
            Member::Double(number) => Any::Double(number),
            Member::Int(number) => Any::Int(number),
            Member::Bytes(bytes) => Any::Bytes(bytes),
            Member::Array(array) => {
                Any::Array(array.values.into_iter().map(|value| self.any(Some(value))).collect())
            }
            Member::List(list) => {
                let entries = list.entries.into_iter();
                Any::Map(entries.map(|held| (self.text(held.key), self.any(held.value))).collect())
            }
        }
    }

    fn chunk(&self, chunk: TraceChunk) -> model::Chunk {
        let trace_id = trace_id(&chunk.trace_id);
        let spans = chunk.spans.into_iter().map(|held| self.span(held, trace_id[1]));
        model::Chunk {
            priority: chunk.priority,
            origin: self.text(chunk.origin),
            spans: spans.collect(),
            attributes: self.attributes(chunk.attributes),
            is_dropped_trace: chunk.dropped_trace,
            trace_id,
            sampling_mechanism: chunk.sampling_mechanism,
        }
    }

    fn span(&self, span: Span, trace_id: u64) -> model::Span {
        let mut read = model::Span {
            service: self.text(span.service),
            name: self.text(span.name),
            resource: self.text(span.resource),
            span_type: self.text(span.r#type),
            trace_id,
            span_id: span.span_id,
            parent_id: span.parent_id,
            start_ns: span.start.cast_signed(),
            duration_ns: span.duration.cast_signed(),
            error: span.error.into(),
            links: span.links.into_iter().map(|held| self.link(held)).collect(),
            events: span.events.into_iter().map(|held| self.event(held)).collect(),
            env: self.text(span.env),
            version: self.text(span.version),
            component: self.text(span.component),
            kind: span.kind.try_into().expect("a kind"),
            ..model::Span::default()
        };
        for (key, value) in self.attributes(span.attributes) {
            match value {
                Any::Text(text) => drop(read.meta.insert(key, text)),
                Any::Double(number) => drop(read.metrics.insert(key, number)),
                Any::Bytes(bytes) => drop(read.meta_struct.insert(key, bytes)),
                Any::Bool(_) | Any::Int(_) | Any::Array(_) | Any::Map(_) => {
                    read.others.insert(key, value);
                }
            }
        }
        read
    }

    fn link(&self, link: SpanLink) -> model::Link {
        model::Link {
            trace_id: trace_id(&link.trace_id),
            span_id: link.span_id,
            attributes: self.attributes(link.attributes),
            tracestate: self.text(link.tracestate),
            flags: link.flags,
        }
    }

    fn event(&self, event: SpanEvent) -> model::Event {
        model::Event {
            time_ns: event.time,
            name: self.text(event.name),
            attributes: self.attributes(event.attributes),
        }
    }
}

fn trace_id(bytes: &[u8]) -> [u64; 2] {
    assert_eq!(bytes.len(), 16);
    [&bytes[..8], &bytes[8..]].map(|half| u64::from_be_bytes(half.try_into().expect("8 bytes")))
}
