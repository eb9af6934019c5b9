//! The payload of the formats before v1.0. spec: apm §10.1.

use super::wire::{
    bytes_len, put_bytes, put_fixed, put_len, put_message, put_some_bytes, put_some_fixed,
    put_some_int, put_some_uint, put_uint,
};
use crate::{Attribute, Batch, Chunk, Event, Link, List, Span, Str, Strings, Value};

/// Bytes of a span for which the length of its chunk is guessed.
pub(super) const SPAN_BYTES: usize = 400;

/// Appends what stands before the chunks of a `TracerPayload`.
pub(super) fn head(batch: &Batch, out: &mut Vec<u8>) {
    let header = &batch.header;
    put_text(out, 1, batch, header.container_id);
    put_text(out, 2, batch, header.language_name);
    put_text(out, 3, batch, header.language_version);
    put_text(out, 4, batch, header.tracer_version);
    put_text(out, 5, batch, header.runtime_id);
}

/// Appends what stands behind them.
pub(super) fn tail(batch: &Batch, out: &mut Vec<u8>) {
    let header = &batch.header;
    put_tags(out, 7, batch, batch.tags);
    put_text(out, 8, batch, header.env);
    put_text(out, 9, batch, header.hostname);
    put_text(out, 10, batch, header.app_version);
}

/// Appends what stands before the spans of a chunk.
pub(super) fn chunk_head(batch: &Batch, chunk: &Chunk, out: &mut Vec<u8>) {
    put_some_int(out, 1, chunk.priority.into());
    put_text(out, 2, batch, chunk.origin);
}

/// Appends a span of a chunk.
pub(super) fn chunk_span(batch: &Batch, span: &Span, out: &mut Vec<u8>) {
    put_message(out, 3, 2, |out| put_span(out, batch, span));
}

/// Appends what stands behind the spans of a chunk.
pub(super) fn chunk_tail(batch: &Batch, chunk: &Chunk, out: &mut Vec<u8>) {
    put_tags(out, 4, batch, chunk.attributes);
    put_some_uint(out, 5, chunk.is_dropped_trace.into());
}

fn put_span(out: &mut Vec<u8>, batch: &Batch, span: &Span) {
    put_text(out, 1, batch, span.service);
    put_text(out, 2, batch, span.name);
    put_text(out, 3, batch, span.resource);
    put_some_uint(out, 4, span.trace_id);
    put_some_uint(out, 5, span.span_id);
    put_some_uint(out, 6, span.parent_id);
    put_some_int(out, 7, span.start_ns);
    put_some_int(out, 8, span.duration_ns);
    put_some_int(out, 9, span.error.into());
    for attribute in batch.attributes.get(span.attributes) {
        put_attribute(out, &batch.strings, attribute);
    }
    put_text(out, 12, batch, span.span_type);
    for link in batch.links.get(span.links.range()).unwrap_or_default() {
        put_message(out, 14, 1, |out| put_link(out, batch, link));
    }
    for event in batch.events.get(span.events.range()).unwrap_or_default() {
        put_message(out, 15, 1, |out| put_event(out, batch, event));
    }
}

/// Appends an entry of `meta`, `metrics` or `meta_struct`.
fn put_attribute(out: &mut Vec<u8>, strings: &Strings, attribute: &Attribute) {
    match attribute.value() {
        Value::Text(text) => put_entry(out, 10, strings, attribute.key, text),
        Value::Double(number) => put_metric(out, strings, attribute.key, number),
        Value::Bytes(bytes) => put_entry(out, 13, strings, attribute.key, bytes),
        // Decoders of these formats make none of the others.
        Value::Bool(is_true) => put_metric(out, strings, attribute.key, is_true.into()),
        #[expect(clippy::cast_precision_loss, reason = "metrics are floats")]
        Value::Int(number) => put_metric(out, strings, attribute.key, number as f64),
        Value::Array(_) | Value::Map(_) => {}
    }
}

/// Appends an entry of a map of strings.
#[inline]
fn put_entry(out: &mut Vec<u8>, field: u8, strings: &Strings, key: Str, value: Str) {
    let (key, value) = (strings.bytes(key), strings.bytes(value));
    put_len(out, field, bytes_len(key.len()) + bytes_len(value.len()));
    put_bytes(out, 1, key);
    put_bytes(out, 2, value);
}

fn put_metric(out: &mut Vec<u8>, strings: &Strings, key: Str, number: f64) {
    let key = strings.bytes(key);
    put_len(out, 11, bytes_len(key.len()) + 9);
    put_bytes(out, 1, key);
    put_fixed(out, 2, number.to_bits());
}

fn put_link(out: &mut Vec<u8>, batch: &Batch, link: &Link) {
    put_some_uint(out, 1, link.trace_id);
    put_some_uint(out, 2, link.trace_id_high);
    put_some_uint(out, 3, link.span_id);
    for attribute in batch.nested.slice(link.attributes) {
        if let Value::Text(text) = attribute.value() {
            put_entry(out, 4, &batch.strings, attribute.key, text);
        }
    }
    put_text(out, 5, batch, link.tracestate);
    put_some_uint(out, 6, link.flags.into());
}

fn put_event(out: &mut Vec<u8>, batch: &Batch, event: &Event) {
    put_some_fixed(out, 1, event.time_ns);
    put_text(out, 2, batch, event.name);
    for attribute in batch.nested.slice(event.attributes) {
        put_message(out, 3, 1, |out| {
            put_bytes(out, 1, batch.strings.bytes(attribute.key));
            put_message(out, 2, 1, |out| put_any(out, batch, attribute.value()));
        });
    }
}

/// Appends a value with its type; the elements of an array have no array among them.
fn put_any(out: &mut Vec<u8>, batch: &Batch, value: Value) {
    match value {
        Value::Text(text) => put_text(out, 2, batch, text),
        Value::Bool(is_true) => {
            put_uint(out, 1, 1);
            put_some_uint(out, 3, is_true.into());
        }
        Value::Int(number) => {
            put_uint(out, 1, 2);
            put_some_int(out, 4, number);
        }
        Value::Double(number) => {
            put_uint(out, 1, 3);
            put_some_fixed(out, 5, number.to_bits());
        }
        Value::Array(slice) => {
            put_uint(out, 1, 4);
            put_message(out, 6, 1, |out| {
                for element in batch.nested.slice(slice) {
                    let value = element.value();
                    if !matches!(value, Value::Array(_)) {
                        put_message(out, 1, 1, |out| put_any(out, batch, value));
                    }
                }
            });
        }
        // Decoders of these formats make neither; both read as an empty text.
        Value::Bytes(_) | Value::Map(_) => {}
    }
}

fn put_tags(out: &mut Vec<u8>, field: u8, batch: &Batch, tags: List) {
    for attribute in batch.attributes.get(tags) {
        if let Value::Text(text) = attribute.value() {
            put_entry(out, field, &batch.strings, attribute.key, text);
        }
    }
}

#[inline]
fn put_text(out: &mut Vec<u8>, field: u8, batch: &Batch, text: Str) {
    put_some_bytes(out, field, batch.strings.bytes(text));
}
