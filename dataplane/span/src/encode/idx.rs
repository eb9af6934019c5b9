//! The payload of v1.0, whose strings are in one table. spec: apm §10.1.

use xxhash_rust::xxh3::xxh3_64;

use super::wire::{
    begin_message, end_message, put_bytes, put_fixed, put_len, put_some_fixed, put_some_int,
    put_some_uint, put_uint, varint_len,
};
use crate::{Attribute, Batch, Chunk, Event, Link, Span, SpanKind, Str, Value};

/// Bytes of a span for which the length of its chunk is guessed.
pub(super) const SPAN_BYTES: usize = 150;

/// Texts of the table that are remembered to find others that are equal; most payloads have far
/// fewer. A text that was forgotten is in the table twice, which readers do not mind.
const REMEMBERED: usize = 4096;

/// Places where a text may be remembered. Only when all of them are taken is one forgotten.
const PROBES: usize = 16;

/// References that are emptied instead of made anew.
const REFERENCES_KEPT: usize = 1 << 16;

/// The table of strings of a payload.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// For each string of the batch its index in the table, 0 for none yet.
    references: Vec<u32>,
    /// The table behind the empty string.
    strings: Vec<Str>,
    /// Indices by hash of the text, 0 for none: processing may have written the same text more than
    /// once.
    remembered: Vec<u32>,
}

impl Table {
    /// Begins a payload of a batch with `count` strings.
    pub(super) fn begin(&mut self, count: usize) {
        if count <= REFERENCES_KEPT {
            self.references.clear();
            self.references.resize(count, 0);
        } else {
            // The allocator gives many zeroes without writing them.
            self.references = vec![0; count];
        }
        self.strings.clear();
        self.remembered.clear();
        self.remembered.resize(REMEMBERED, 0);
    }

    /// Appends string `n` of the table, of which the first is empty; whether there was one.
    pub(super) fn put(&self, n: usize, batch: &Batch, out: &mut Vec<u8>) -> bool {
        let text = match n.checked_sub(1) {
            None => Some(Str::EMPTY),
            Some(n) => self.strings.get(n).copied(),
        };
        if let Some(text) = text {
            put_bytes(out, 1, batch.strings.bytes(text));
        }
        text.is_some()
    }

    /// The index of a string in the table.
    #[inline]
    fn reference(&mut self, batch: &Batch, text: Str) -> u32 {
        match self.references.get(text.index()) {
            Some(0) if !text.is_empty() => self.first_reference(batch, text),
            Some(held) => *held,
            None => 0,
        }
    }

    /// The index of a string that was not referred to: that of an equal one, or a new one.
    fn first_reference(&mut self, batch: &Batch, text: Str) -> u32 {
        let bytes = batch.strings.bytes(text);
        #[expect(clippy::cast_possible_truncation, reason = "some bits of a hash do")]
        let home = xxh3_64(bytes) as usize % REMEMBERED;
        let mut vacant = home;
        let mut found = 0;
        for slot in (home..home + PROBES).map(|slot| slot % REMEMBERED) {
            let held = self.remembered.get(slot).copied().unwrap_or_default();
            let Some(known) = held.checked_sub(1).and_then(|n| self.strings.get(n as usize)) else {
                vacant = slot;
                break;
            };
            if batch.strings.bytes(*known) == bytes {
                found = held;
                break;
            }
        }
        if found == 0 {
            self.strings.push(text);
            found = index(self.strings.len());
            if let Some(remembered) = self.remembered.get_mut(vacant) {
                *remembered = found;
            }
        }
        if let Some(held) = self.references.get_mut(text.index()) {
            *held = found;
        }
        found
    }
}

/// Writes parts of an `idx.TracerPayload`.
pub(super) struct Idx<'a> {
    pub(super) batch: &'a Batch,
    pub(super) out: &'a mut Vec<u8>,
    pub(super) table: &'a mut Table,
}

/// Appends what stands behind the spans of a chunk.
pub(super) fn chunk_tail(chunk: &Chunk, out: &mut Vec<u8>) {
    put_some_uint(out, 5, chunk.is_dropped_trace.into());
    trace_id(out, 6, chunk.trace_id_high, chunk.trace_id);
    put_some_uint(out, 7, chunk.sampling_mechanism.into());
}

fn trace_id(out: &mut Vec<u8>, field: u8, high: u64, low: u64) {
    put_len(out, field, 16);
    out.extend_from_slice(&high.to_be_bytes());
    out.extend_from_slice(&low.to_be_bytes());
}

impl Idx<'_> {
    /// Appends what stands before the chunks, but for the strings.
    pub(super) fn head(&mut self) {
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
    }

    /// Appends what stands before the spans of a chunk.
    pub(super) fn chunk_head(&mut self, chunk: &Chunk) {
        put_some_int(self.out, 1, chunk.priority.into());
        self.text(2, chunk.origin);
        self.attributes(3, self.batch.attributes.get(chunk.attributes));
    }

    /// Appends a span of a chunk.
    pub(super) fn chunk_span(&mut self, span: &Span) {
        self.message(4, 2, |writer| writer.span(span));
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
        trace_id(self.out, 1, link.trace_id_high, link.trace_id);
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

    #[inline]
    fn text(&mut self, field: u8, text: Str) {
        if !text.is_empty() {
            let reference = self.reference(text);
            put_uint(self.out, field, reference.into());
        }
    }

    #[inline]
    fn reference(&mut self, text: Str) -> u32 {
        self.table.reference(self.batch, text)
    }

    #[inline]
    fn message(&mut self, field: u8, width: usize, write: impl FnOnce(&mut Self)) {
        let start = begin_message(self.out, field, width);
        write(self);
        end_message(self.out, start, width, false);
    }
}

/// Strings have indices of 32 bits.
fn index(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
