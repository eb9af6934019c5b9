//! A batch as a model.

use std::collections::BTreeMap;

use corelane_span::{Attribute, Batch, Key, Slice, Str, Value};

use crate::model::{Any, Chunk, Event, Link, Payload, Span};

/// What a batch means; checks what must hold of every batch on the way.
pub(crate) fn payload(batch: &Batch) -> Payload {
    let text = |of: Str| owned(batch, of);
    let header = &batch.header;
    Payload {
        header: [
            text(header.container_id),
            text(header.language_name),
            text(header.language_version),
            text(header.tracer_version),
            text(header.runtime_id),
            text(header.env),
            text(header.hostname),
            text(header.app_version),
        ],
        tags: map(batch, batch.attributes.get(batch.tags)),
        chunks: batch.chunks.iter().map(|held| chunk(batch, held)).collect(),
    }
}

fn chunk(batch: &Batch, chunk: &corelane_span::Chunk) -> Chunk {
    Chunk {
        priority: chunk.priority,
        origin: owned(batch, chunk.origin),
        attributes: map(batch, batch.attributes.get(chunk.attributes)),
        spans: batch.spans[chunk.spans.range()].iter().map(|held| span(batch, held)).collect(),
        is_dropped_trace: chunk.is_dropped_trace,
        trace_id: [chunk.trace_id_high, chunk.trace_id],
        sampling_mechanism: chunk.sampling_mechanism,
    }
}

fn span(batch: &Batch, span: &corelane_span::Span) -> Span {
    let text = |of: Str| owned(batch, of);
    let mut read = Span {
        service: text(span.service),
        name: text(span.name),
        resource: text(span.resource),
        span_type: text(span.span_type),
        trace_id: span.trace_id,
        span_id: span.span_id,
        parent_id: span.parent_id,
        start_ns: span.start_ns,
        duration_ns: span.duration_ns,
        error: span.error,
        env: text(span.env),
        version: text(span.version),
        component: text(span.component),
        kind: span.kind as u8,
        links: batch.links[span.links.range()].iter().map(|held| link(batch, held)).collect(),
        events: batch.events[span.events.range()].iter().map(|held| event(batch, held)).collect(),
        ..Span::default()
    };
    for attribute in batch.attributes.get(span.attributes) {
        assert!(span.keys.has(attribute.name));
        let key = key(batch, attribute);
        match attribute.value() {
            Value::Text(value) => {
                read.meta.insert(key, text(value));
            }
            Value::Double(value) => {
                read.metrics.insert(key, value);
            }
            Value::Bytes(value) => {
                read.meta_struct.insert(key, batch.strings.bytes(value).to_vec());
            }
            Value::Bool(_) | Value::Int(_) | Value::Array(_) | Value::Map(_) => {
                read.others.insert(key, any(batch, attribute.value()));
            }
        }
    }
    read
}

fn link(batch: &Batch, link: &corelane_span::Link) -> Link {
    Link {
        trace_id: [link.trace_id_high, link.trace_id],
        span_id: link.span_id,
        attributes: nested(batch, link.attributes),
        tracestate: owned(batch, link.tracestate),
        flags: link.flags,
    }
}

fn event(batch: &Batch, event: &corelane_span::Event) -> Event {
    Event {
        time_ns: event.time_ns,
        name: owned(batch, event.name),
        attributes: nested(batch, event.attributes),
    }
}

fn nested(batch: &Batch, slice: Slice) -> BTreeMap<String, Any> {
    map(batch, batch.nested.slice(slice))
}

fn map(batch: &Batch, attributes: &[Attribute]) -> BTreeMap<String, Any> {
    attributes.iter().map(|held| (key(batch, held), any(batch, held.value()))).collect()
}

fn any(batch: &Batch, value: Value) -> Any {
    match value {
        Value::Text(text) => Any::Text(owned(batch, text)),
        Value::Bool(is_true) => Any::Bool(is_true),
        Value::Double(number) => Any::Double(number),
        Value::Int(number) => Any::Int(number),
        Value::Bytes(bytes) => Any::Bytes(batch.strings.bytes(bytes).to_vec()),
        Value::Array(slice) => Any::Array(
            batch.nested.slice(slice).iter().map(|held| any(batch, held.value())).collect(),
        ),
        Value::Map(slice) => Any::Map(nested(batch, slice)),
    }
}

fn key(batch: &Batch, attribute: &Attribute) -> String {
    let key = owned(batch, attribute.key);
    assert_eq!(Key::of(key.as_bytes()), attribute.name);
    key
}

fn owned(batch: &Batch, of: Str) -> String {
    let bytes = batch.strings.bytes(of);
    assert_eq!(bytes.is_empty(), of.is_empty(), "the empty string is the first of the table");
    String::from_utf8(bytes.to_vec()).expect("a text is UTF-8")
}
