//! Where the spans of a resource lie, by their traces. spec: otlp §4.1.
//!
//! Spans of a trace need not be neighbours. They are found first, and then translated trace by
//! trace: what is sorted are 16 bytes for each span.

use std::collections::HashMap;

use super::limits::SCOPES_MAX;
use crate::wire::{Fields, WireError};

/// A range of the body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Range {
    start: u32,
    len: u32,
}

/// A span of the request.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    pub(super) message: Range,
    /// Number of its trace, in order of arrival.
    pub(super) chunk: u32,
    /// Its scope, in [`Index::scopes`].
    pub(super) scope: u32,
}

/// The spans and scopes of one resource.
#[derive(Debug, Default)]
pub(super) struct Index {
    at: usize,
    end: usize,
    /// End of the list of spans in work; 0 between two of them.
    scope_end: usize,
    pub(super) resource: Range,
    /// Messages of the scopes.
    pub(super) scopes: Vec<Range>,
    spans: Vec<Entry>,
    /// For each trace the number of its spans, then the place of its next one.
    chunks: Vec<u32>,
    by_id: HashMap<u64, u32>,
    /// Spans in the order of their traces; not needed when they came in it.
    order: Vec<u32>,
    is_ordered: bool,
    placed: usize,
}

/// Bytes of a body that cost as much as putting a span into its place.
const PLACE_BYTES: usize = 16;

impl Range {
    pub(super) fn of(self, body: &[u8]) -> &[u8] {
        let start = self.start as usize;
        body.get(start..start + self.len as usize).unwrap_or_default()
    }

    pub(super) const fn len(self) -> usize {
        self.len as usize
    }

    /// Bodies are at most 1 GiB long.
    fn new(start: usize, len: usize) -> Self {
        let index = |n| u32::try_from(n).unwrap_or(u32::MAX);
        Self { start: index(start), len: index(len) }
    }
}

/// A field of the body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) number: u32,
    /// Its content, where that is a message.
    pub(super) content: Result<Range, WireError>,
    /// The place behind it.
    pub(super) next: usize,
}

/// Reads a field of the message that lies between two places of the body.
pub(super) fn field(body: &[u8], at: usize, end: usize) -> Result<Option<Found>, WireError> {
    let mut fields = Fields::new(body.get(at..end).unwrap_or_default());
    let Some(field) = fields.read()? else { return Ok(None) };
    let next = end - fields.rest().len();
    let content = field.bytes().map(|content| Range::new(next - content.len(), content.len()));
    Ok(Some(Found { number: field.number, content, next }))
}

impl Index {
    /// Begins with a message `ResourceSpans`.
    pub(super) fn begin(&mut self, message: Range) {
        (self.at, self.end) = (message.start as usize, message.start as usize + message.len());
        (self.scope_end, self.placed) = (0, 0);
        self.resource = Range::default();
        self.is_ordered = true;
        self.scopes.clear();
        self.spans.clear();
        self.chunks.clear();
        self.by_id.clear();
        self.order.clear();
    }

    /// Looks at more of the resource, until `left` is used up; whether all is done.
    /// `spans_max` is how many spans it may have.
    pub(super) fn step(
        &mut self,
        body: &[u8],
        left: &mut usize,
        spans_max: usize,
    ) -> Result<bool, WireError> {
        while *left > 0 {
            let end = if self.scope_end > 0 { self.scope_end } else { self.end };
            match field(body, self.at, end)? {
                None if self.scope_end > 0 => self.scope_end = 0,
                None => return Ok(self.place(left)),
                Some(Found { number, content, next }) => {
                    let start = std::mem::replace(&mut self.at, next);
                    if self.scope_end > 0 {
                        self.note_of_scope(body, number, content, spans_max)?;
                    } else {
                        self.note(number, content)?;
                    }
                    *left = left.saturating_sub(self.at - start);
                }
            }
        }
        Ok(false)
    }

    /// Notes a field of the resource; a list of spans is entered.
    fn note(&mut self, number: u32, content: Result<Range, WireError>) -> Result<(), WireError> {
        match number {
            1 => self.resource = content?,
            2 => {
                let list = content?;
                if self.scopes.len() >= SCOPES_MAX {
                    return Err(WireError::TooMany);
                }
                self.scopes.push(Range::default());
                self.at = list.start as usize;
                self.scope_end = self.at + list.len();
            }
            _ => {}
        }
        Ok(())
    }

    fn note_of_scope(
        &mut self,
        body: &[u8],
        number: u32,
        content: Result<Range, WireError>,
        spans_max: usize,
    ) -> Result<(), WireError> {
        match number {
            1 => {
                if let Some(scope) = self.scopes.last_mut() {
                    *scope = content?;
                }
            }
            2 => self.push(body, content?, spans_max)?,
            _ => {}
        }
        Ok(())
    }

    fn push(&mut self, body: &[u8], message: Range, spans_max: usize) -> Result<(), WireError> {
        if self.spans.len() >= spans_max {
            return Err(WireError::TooMany);
        }
        let next = count(self.chunks.len());
        let chunk = *self.by_id.entry(trace_of(message.of(body))?).or_insert(next);
        if chunk == next {
            self.chunks.push(0);
        }
        if let Some(count) = self.chunks.get_mut(chunk as usize) {
            *count += 1;
        }
        self.is_ordered &= chunk + 1 >= count(self.chunks.len());
        let scope = count(self.scopes.len()).saturating_sub(1);
        self.spans.push(Entry { message, chunk, scope });
        Ok(())
    }

    /// Puts spans in the order of their traces; whether all are.
    fn place(&mut self, left: &mut usize) -> bool {
        if self.is_ordered {
            return true;
        }
        if self.order.is_empty() {
            let mut next = 0;
            for count in &mut self.chunks {
                next += std::mem::replace(count, next);
            }
            self.order.resize(self.spans.len(), 0);
        }
        while *left > 0 {
            let Some(span) = self.spans.get(self.placed) else { return true };
            if let Some(next) = self.chunks.get_mut(span.chunk as usize) {
                if let Some(place) = self.order.get_mut(*next as usize) {
                    *place = count(self.placed);
                }
                *next += 1;
            }
            self.placed += 1;
            *left = left.saturating_sub(PLACE_BYTES);
        }
        false
    }

    /// The span at a place in the order of traces.
    pub(super) fn span(&self, at: usize) -> Option<Entry> {
        let at = if self.is_ordered { at } else { *self.order.get(at)? as usize };
        self.spans.get(at).copied()
    }

    pub(super) const fn count(&self) -> usize {
        self.spans.len()
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.scopes.capacity() * size_of::<Range>()
            + self.spans.capacity() * size_of::<Entry>()
            + (self.chunks.capacity() + self.order.capacity()) * size_of::<u32>()
            + self.by_id.capacity() * size_of::<(u64, u32)>()
    }
}

/// Low 64 bits of the trace id of a span.
fn trace_of(span: &[u8]) -> Result<u64, WireError> {
    let mut fields = Fields::new(span);
    while let Some(field) = fields.read()? {
        if field.number == 1 {
            return Ok(low_bits(trace_id(field.bytes()?)));
        }
    }
    Ok(0)
}

/// A trace id; that of another length is none.
pub(super) fn trace_id(bytes: &[u8]) -> u128 {
    bytes.try_into().map(u128::from_be_bytes).unwrap_or_default()
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is asked for")]
pub(super) const fn low_bits(id: u128) -> u64 {
    id as u64
}

/// There are at most some million of each.
fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
