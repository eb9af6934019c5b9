//! The payload of v1.0, whose strings are in one table. spec: apm §10.1.

use std::collections::HashMap;

use super::wire::{
    begin_message, end_message, put_bytes, put_fixed, put_len, put_some_fixed, put_some_int,
    put_some_uint, put_uint, varint_len,
};
use crate::{Attribute, Batch, Chunk, Event, Link, Span, SpanKind, Str, Value};

/// Bytes of a span for which the length of its chunk is guessed.
const SPAN_BYTES: usize = 150;

/// Strings of a payload for which room is made at once.
const STRINGS: usize = 512;

/// Appends a batch as `idx.TracerPayload`: its header, its attributes and the chunks that it still
/// has, with the strings that these refer to and no others.
pub fn idx_payload(batch: &Batch, out: &mut Vec<u8>) {
    idx_payload_of(batch, &batch.chunks, out);
}

/// The same with some of the chunks.
pub fn idx_payload_of(batch: &Batch, chunks: &[Chunk], out: &mut Vec<u8>) {
    let start = out.len();
    let count = batch.strings.count();
    let room = count.min(STRINGS);
    let mut writer = Writer {
        batch,
        out,
        references: vec![0; count],
        strings: Vec::with_capacity(room),
        indices: HashMap::with_capacity(room),
    };
    writer.payload(chunks);
    let Writer { strings, .. } = writer;
    // Which strings are needed is known now; the table stands first all the same.
    let messages_len = out.len() - start;
    put_bytes(out, 1, &[]);
    for string in strings {
        put_bytes(out, 1, batch.strings.bytes(string));
    }
    out.get_mut(start..).unwrap_or_default().rotate_left(messages_len);
}

struct Writer<'a> {
    batch: &'a Batch,
    out: &'a mut Vec<u8>,
    /// For each string of the batch its index in the table, 0 for none yet.
    references: Vec<u32>,
    /// The table behind the empty string.
    strings: Vec<Str>,
    /// Indices by text: processing may have written the same text more than once.
    indices: HashMap<&'a [u8], u32>,
}

impl Writer<'_> {
    fn payload(&mut self, chunks: &[Chunk]) {
        let header = &self.batch.header;
        let texts = [
            header.container_id,
            header.language_name,
            header.language_version,
            header.tracer_version,
            header.runtime_id,
            header.env,
            header.hostname,
            header.app_version,
        ];
        for (field, text) in (2..).zip(texts) {
            self.text(field, text);
        }
        self.attributes(10, self.batch.attributes.get(self.batch.tags));
        for chunk in chunks {
            let width = varint_len((chunk.spans.range().len() * SPAN_BYTES) as u64);
            self.message(11, width, |writer| writer.chunk(chunk));
        }
    }

    fn chunk(&mut self, chunk: &Chunk) {
        put_some_int(self.out, 1, chunk.priority.into());
        self.text(2, chunk.origin);
        self.attributes(3, self.batch.attributes.get(chunk.attributes));
        for span in self.batch.spans.get(chunk.spans.range()).unwrap_or_default() {
            self.message(4, 2, |writer| writer.span(span));
        }
        put_some_uint(self.out, 5, chunk.is_dropped_trace.into());
        self.trace_id(6, chunk.trace_id_high, chunk.trace_id);
        put_some_uint(self.out, 7, chunk.sampling_mechanism.into());
    }

    fn span(&mut self, span: &Span) {
        self.text(1, span.service);
        self.text(2, span.name);
        self.text(3, span.resource);
        put_some_fixed(self.out, 4, span.span_id);
        put_some_uint(self.out, 5, span.parent_id);
        put_some_fixed(self.out, 6, span.start_ns.cast_unsigned());
        put_some_int(self.out, 7, span.duration_ns);
        put_some_uint(self.out, 8, u64::from(span.error != 0));
        self.attributes(9, self.batch.attributes.get(span.attributes));
        self.text(10, span.span_type);
        for link in self.batch.links.get(span.links.range()).unwrap_or_default() {
            self.message(11, 1, |writer| writer.link(link));
        }
        for event in self.batch.events.get(span.events.range()).unwrap_or_default() {
            self.message(12, 1, |writer| writer.event(event));
        }
        self.text(13, span.env);
        self.text(14, span.version);
        self.text(15, span.component);
        if span.kind != SpanKind::Unspecified {
            // Field 16, a varint.
            self.out.extend_from_slice(&[0x80, 0x01, span.kind as u8]);
        }
    }

    fn link(&mut self, link: &Link) {
        self.trace_id(1, link.trace_id_high, link.trace_id);
        put_some_fixed(self.out, 2, link.span_id);
        self.attributes(3, self.batch.nested.slice(link.attributes));
        self.text(4, link.tracestate);
        put_some_uint(self.out, 5, link.flags.into());
    }

    fn event(&mut self, event: &Event) {
        put_some_fixed(self.out, 1, event.time_ns);
        self.text(2, event.name);
        self.attributes(3, self.batch.nested.slice(event.attributes));
    }

    /// A map of attributes, or the entries of a list of them: both have the same form.
    fn attributes(&mut self, field: u8, attributes: &[Attribute]) {
        for attribute in attributes {
            let key = self.reference(attribute.key);
            if let Value::Text(text) = attribute.value() {
                // The length of most entries is known.
                let text = self.reference(text);
                let value_len = 1 + varint_len(text.into());
                put_len(self.out, field, 3 + varint_len(key.into()) + value_len);
                put_uint(self.out, 1, key.into());
                put_len(self.out, 2, value_len);
                put_uint(self.out, 1, text.into());
            } else {
                self.message(field, 1, |writer| {
                    put_uint(writer.out, 1, key.into());
                    writer.message(2, 1, |writer| writer.value(attribute.value()));
                });
            }
        }
    }

    /// The one member that a value has.
    fn value(&mut self, value: Value) {
        match value {
            Value::Text(text) => {
                let text = self.reference(text);
                put_uint(self.out, 1, text.into());
            }
            Value::Bool(is_true) => put_uint(self.out, 2, is_true.into()),
            Value::Double(number) => put_fixed(self.out, 3, number.to_bits()),
            Value::Int(number) => put_uint(self.out, 4, number.cast_unsigned()),
            Value::Bytes(bytes) => put_bytes(self.out, 5, self.batch.strings.bytes(bytes)),
            Value::Array(slice) => self.message(6, 1, |writer| {
                for element in writer.batch.nested.slice(slice) {
                    writer.message(1, 1, |writer| writer.value(element.value()));
                }
            }),
            Value::Map(slice) => self.message(7, 1, |writer| {
                writer.attributes(1, writer.batch.nested.slice(slice));
            }),
        }
    }

    fn trace_id(&mut self, field: u8, high: u64, low: u64) {
        put_len(self.out, field, 16);
        self.out.extend_from_slice(&high.to_be_bytes());
        self.out.extend_from_slice(&low.to_be_bytes());
    }

    #[inline]
    fn text(&mut self, field: u8, text: Str) {
        if !text.is_empty() {
            let reference = self.reference(text);
            put_uint(self.out, field, reference.into());
        }
    }

    /// The index of a string in the table of the payload.
    #[inline]
    fn reference(&mut self, text: Str) -> u32 {
        match self.references.get_mut(text.index()) {
            Some(held) if *held == 0 && !text.is_empty() => {
                let next = index(self.strings.len() + 1);
                let bytes = self.batch.strings.bytes(text);
                *held = *self.indices.entry(bytes).or_insert_with(|| {
                    self.strings.push(text);
                    next
                });
                *held
            }
            Some(held) => *held,
            None => 0,
        }
    }

    #[inline]
    fn message(&mut self, field: u8, width: usize, write: impl FnOnce(&mut Self)) {
        let start = begin_message(self.out, field, width);
        write(self);
        end_message(self.out, start, width);
    }
}

/// Strings have indices of 32 bits.
fn index(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
