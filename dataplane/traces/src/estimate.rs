//! How many bytes a chunk will have on the wire, about. spec: apm §6 step 4 o.

use span::{Attribute, Batch, Chunk, Slice, Span, Value};

/// Names and numbers of a chunk.
const CHUNK_BYTES: usize = 64;
/// Names and numbers of a span.
const SPAN_BYTES: usize = 170;
/// Names and numbers of a link or event.
const LINK_BYTES: usize = 64;
/// Length or number before or of a value.
const VALUE_BYTES: usize = 9;

/// Size of a chunk without its spans, as a map with string keys, the largest of its forms.
pub(crate) fn chunk_bytes(batch: &Batch, chunk: &Chunk) -> usize {
    let origin = batch.strings.len_of(chunk.origin);
    CHUNK_BYTES + origin + list_bytes(batch, batch.attributes.get(chunk.attributes))
}

/// Size of one of its spans.
pub(crate) fn span_bytes(batch: &Batch, span: &Span) -> usize {
    let strings = &batch.strings;
    let texts = [
        span.service,
        span.name,
        span.resource,
        span.span_type,
        span.env,
        span.version,
        span.component,
    ];
    let mut bytes = SPAN_BYTES + texts.into_iter().map(|text| strings.len_of(text)).sum::<usize>();
    bytes += list_bytes(batch, batch.attributes.get(span.attributes));
    for link in batch.links.get(span.links.range()).unwrap_or_default() {
        bytes += LINK_BYTES + strings.len_of(link.tracestate);
        bytes += nested_bytes(batch, link.attributes);
    }
    for event in batch.events.get(span.events.range()).unwrap_or_default() {
        bytes += LINK_BYTES + strings.len_of(event.name);
        bytes += nested_bytes(batch, event.attributes);
    }
    bytes
}

fn nested_bytes(batch: &Batch, slice: Slice) -> usize {
    list_bytes(batch, batch.nested.slice(slice))
}

fn list_bytes(batch: &Batch, held: &[Attribute]) -> usize {
    let bytes = held.iter().map(|held| {
        let key = batch.strings.len_of(held.key) + VALUE_BYTES;
        key + match held.value() {
            Value::Text(text) | Value::Bytes(text) => batch.strings.len_of(text),
            Value::Bool(_) | Value::Double(_) | Value::Int(_) => VALUE_BYTES,
            Value::Array(slice) | Value::Map(slice) => nested_bytes(batch, slice),
        }
    });
    bytes.sum()
}
