//! What must hold for any bytes, for fuzzing.

use crate::decode::{DecodeError, Decoder, Progress};
use crate::encode::{chunk_bytes, payload};
use crate::{Attribute, Batch, Format, List, Slice, Str, Value};

/// Checks the formats that are JSON alone: v0.1 and v0.2.
pub fn check_json(body: &[u8]) {
    check(Format::V01, body);
    check(Format::V02, body);
}

/// Checks v0.3 and v0.4, msgpack or JSON.
pub fn check_v04(body: &[u8]) {
    check(Format::V04, body);
}

/// Checks v0.5.
pub fn check_v05(body: &[u8]) {
    check(Format::V05, body);
}

/// Checks v0.7.
pub fn check_v07(body: &[u8]) {
    check(Format::V07, body);
}

/// Checks v1.0.
pub fn check_v1(body: &[u8]) {
    check(Format::V1, body);
}

/// Decoding neither panics nor depends on its slices; what it gives is whole and can be encoded.
fn check(format: Format, body: &[u8]) {
    let (whole, end) = decoded(format, body, usize::MAX);
    let (sliced, sliced_end) = decoded(format, body, 1);
    assert_eq!(end, sliced_end, "slices change the result");
    if end.is_err() {
        return;
    }
    assert_eq!(whole.spans, sliced.spans);
    assert_eq!(whole.chunks, sliced.chunks);
    assert_eq!((&whole.links, &whole.events), (&sliced.links, &sliced.events));
    assert_eq!((whole.header, whole.tags), (sliced.header, sliced.tags));
    check_batch(&whole);

    let mut out = Vec::new();
    payload(&whole, 0..whole.chunks.len(), &mut out);
    assert!(whole.chunks.iter().all(|chunk| chunk_bytes(&whole, chunk) > 0));
}

fn decoded(format: Format, body: &[u8], bytes_max: usize) -> (Batch, Result<(), DecodeError>) {
    let (mut batch, mut decoder) = (Batch::default(), Decoder::default());
    decoder.start(format, true, body.to_vec(), &mut batch);
    loop {
        match decoder.step(&mut batch, bytes_max) {
            Ok(Progress::More) => {}
            Ok(Progress::Done) => return (batch, Ok(())),
            Err(error) => return (batch, Err(error)),
        }
    }
}

/// The invariants of a batch.
fn check_batch(batch: &Batch) {
    let header = &batch.header;
    for text in [header.container_id, header.language_name, header.env, header.app_version] {
        check_text(batch, text);
    }
    check_list(batch, batch.tags);
    for chunk in &batch.chunks {
        check_text(batch, chunk.origin);
        check_list(batch, chunk.attributes);
        assert!(chunk.spans.range().end <= batch.spans.len());
    }
    for span in &batch.spans {
        for text in [span.service, span.name, span.resource, span.span_type, span.env] {
            check_text(batch, text);
        }
        check_list(batch, span.attributes);
        assert!(batch.attributes.get(span.attributes).iter().all(|held| span.keys.has(held.name)));
        assert!(span.links.range().end <= batch.links.len());
        assert!(span.events.range().end <= batch.events.len());
    }
    for link in &batch.links {
        check_text(batch, link.tracestate);
        check_slice(batch, link.attributes);
    }
    for event in &batch.events {
        check_text(batch, event.name);
        check_slice(batch, event.attributes);
    }
}

fn check_list(batch: &Batch, list: List) {
    let attributes = batch.attributes.get(list);
    assert_eq!(attributes.len(), list.len());
    attributes.iter().for_each(|held| check_attribute(batch, held));
}

fn check_slice(batch: &Batch, slice: Slice) {
    let attributes = batch.nested.slice(slice);
    assert_eq!(attributes.len(), slice.range().len());
    attributes.iter().for_each(|held| check_attribute(batch, held));
}

fn check_attribute(batch: &Batch, attribute: &Attribute) {
    check_text(batch, attribute.key);
    match attribute.value() {
        Value::Text(text) => check_text(batch, text),
        Value::Bytes(bytes) => check_string(batch, bytes),
        Value::Array(slice) | Value::Map(slice) => check_slice(batch, slice),
        Value::Bool(_) | Value::Double(_) | Value::Int(_) => {}
    }
}

fn check_text(batch: &Batch, text: Str) {
    check_string(batch, text);
    assert!(std::str::from_utf8(batch.strings.bytes(text)).is_ok(), "a text is UTF-8");
}

fn check_string(batch: &Batch, string: Str) {
    assert!(string.index() < batch.strings.count());
    assert_eq!(batch.strings.bytes(string).is_empty(), string.is_empty());
}
