//! How large spans become, roughly. spec: apm §6 step o, §10.1.

use crate::list::Slice;
use crate::{Batch, Chunk, Span, Value};

/// Keys and numbers of a span in msgpack, each at its largest.
const SPAN_BYTES: usize = 220;
const CHUNK_BYTES: usize = 70;
const LINK_BYTES: usize = 110;
const EVENT_BYTES: usize = 60;
/// Marker and length of a key, and of its value.
const ATTRIBUTE_BYTES: usize = 10;
/// Keys within a value of an event.
const VALUE_BYTES: usize = 30;
/// Values within each other that decoders accept.
const DEPTH_MAX: u32 = 65;

/// Bytes that the spans of a chunk take in msgpack, at most. Strings of v1.0 count wherever they
/// are used.
#[must_use]
pub fn chunk_bytes(batch: &Batch, chunk: &Chunk) -> usize {
    let spans = batch.spans.get(chunk.spans.range()).unwrap_or_default();
    let spans: usize = spans.iter().map(|span| span_bytes(batch, span)).sum();
    let attributes = batch.attributes.get(chunk.attributes).iter();
    let attributes: usize = attributes.map(|held| attribute_bytes(batch, held, 0)).sum();
    CHUNK_BYTES + batch.strings.len_of(chunk.origin) + spans + attributes
}

/// Bytes that a span takes in msgpack, at most.
#[must_use]
pub fn span_bytes(batch: &Batch, span: &Span) -> usize {
    let texts = [
        span.service,
        span.name,
        span.resource,
        span.span_type,
        span.env,
        span.version,
        span.component,
    ];
    let texts: usize = texts.map(|text| batch.strings.len_of(text)).iter().sum();
    let attributes = batch.attributes.get(span.attributes).iter();
    let attributes: usize = attributes.map(|held| attribute_bytes(batch, held, 0)).sum();
    let links = batch.links.get(span.links.range()).unwrap_or_default().iter().map(|link| {
        let tracestate = batch.strings.len_of(link.tracestate);
        LINK_BYTES + tracestate + nested_bytes(batch, link.attributes, 0)
    });
    let events = batch.events.get(span.events.range()).unwrap_or_default().iter().map(|event| {
        let name = batch.strings.len_of(event.name);
        EVENT_BYTES + name + nested_bytes(batch, event.attributes, 0)
    });
    SPAN_BYTES + texts + attributes + links.sum::<usize>() + events.sum::<usize>()
}

fn nested_bytes(batch: &Batch, slice: Slice, depth: u32) -> usize {
    let attributes = batch.nested.slice(slice).iter();
    attributes.map(|held| VALUE_BYTES + attribute_bytes(batch, held, depth)).sum()
}

fn attribute_bytes(batch: &Batch, attribute: &crate::Attribute, depth: u32) -> usize {
    let value = match attribute.value() {
        Value::Text(text) | Value::Bytes(text) => batch.strings.len_of(text),
        Value::Bool(_) | Value::Double(_) | Value::Int(_) => 9,
        Value::Array(slice) | Value::Map(slice) if depth < DEPTH_MAX => {
            nested_bytes(batch, slice, depth + 1)
        }
        Value::Array(_) | Value::Map(_) => 0,
    };
    ATTRIBUTE_BYTES + batch.strings.len_of(attribute.key) + value
}
