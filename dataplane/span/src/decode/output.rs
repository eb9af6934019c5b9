//! The parts of a batch that decoders fill, and how much of each they accept.

use super::DecodeError;
use crate::list::Slice;
use crate::{Arena, Attribute, Chunk, Event, Header, Link, List, Span};

/// Chunks, spans, links and events of one payload. Even the shortest span that means anything takes
/// more than the 25 bytes at which a body of 25 MiB holds as many; a byte for each must not become
/// a hundred bytes of memory.
const ITEMS_MAX: usize = 1 << 20;
/// Attributes of one payload.
const ATTRIBUTES_MAX: usize = 1 << 22;
/// Attributes of one span, and values within one link, event or attribute: a lane works on them in
/// one go.
const PART_ATTRIBUTES_MAX: usize = 1 << 14;
/// Bytes of one link, event or attribute with values within it.
const PART_BYTES_MAX: usize = 4 << 20;
/// Links or events of one span.
const SPAN_PARTS_MAX: usize = 1 << 14;
/// Strings of one dictionary or string table.
pub(super) const STRINGS_MAX: usize = 1 << 21;

/// The parts of a batch beside its strings.
#[derive(Debug)]
pub(super) struct Output<'a> {
    pub(super) header: &'a mut Header,
    pub(super) tags: &'a mut List,
    pub(super) chunks: &'a mut Vec<Chunk>,
    pub(super) spans: &'a mut Vec<Span>,
    pub(super) attributes: &'a mut Arena<Attribute>,
    pub(super) nested: &'a mut Arena<Attribute>,
    pub(super) links: &'a mut Vec<Link>,
    pub(super) events: &'a mut Vec<Event>,
    /// Attributes of what is open: nested lists must end up next to each other.
    pub(super) open: &'a mut Vec<Attribute>,
    /// Attributes that may be open or nested when the link, event or value in work is read.
    pub(super) nested_max: usize,
}

impl Output<'_> {
    /// Begins a link, an event, or an attribute with values within it.
    #[inline]
    pub(super) fn begin_part(&mut self) {
        let held = self.open.len() + self.nested.count();
        self.nested_max = (held + PART_ATTRIBUTES_MAX).min(ATTRIBUTES_MAX);
    }

    /// Checks a part that lies between two positions.
    pub(super) const fn end_part(start: usize, end: usize) -> Result<(), DecodeError> {
        if end - start > PART_BYTES_MAX { Err(DecodeError::TooLong) } else { Ok(()) }
    }

    /// Checks how many links or events a span has since `first`.
    pub(super) const fn check_parts(first: usize, end: usize) -> Result<(), DecodeError> {
        if end - first > SPAN_PARTS_MAX { Err(DecodeError::TooMany) } else { Ok(()) }
    }

    pub(super) fn push_chunk(&mut self, chunk: Chunk) -> Result<(), DecodeError> {
        push(self.chunks, chunk)
    }

    pub(super) fn push_span(&mut self, span: Span) -> Result<(), DecodeError> {
        push(self.spans, span)
    }

    pub(super) fn push_link(&mut self, link: Link) -> Result<(), DecodeError> {
        push(self.links, link)
    }

    pub(super) fn push_event(&mut self, event: Event) -> Result<(), DecodeError> {
        push(self.events, event)
    }

    #[inline(always)]
    pub(super) fn push_attribute(
        &mut self,
        list: &mut List,
        attribute: Attribute,
    ) -> Result<(), DecodeError> {
        if self.attributes.count() >= ATTRIBUTES_MAX || list.len() >= PART_ATTRIBUTES_MAX {
            return Err(DecodeError::TooMany);
        }
        self.attributes.push(list, attribute);
        Ok(())
    }

    pub(super) fn push_open(&mut self, attribute: Attribute) -> Result<(), DecodeError> {
        if self.open.len() + self.nested.count() >= self.nested_max {
            return Err(DecodeError::TooMany);
        }
        self.open.push(attribute);
        Ok(())
    }

    /// Closes the list whose attributes were pushed since `first`.
    pub(super) fn close(&mut self, first: usize) -> Slice {
        let slice = self.nested.extend(self.open.get(first..).unwrap_or_default());
        self.open.truncate(first);
        slice
    }

    pub(super) fn links_since(&self, first: usize) -> Slice {
        since(first, self.links.len())
    }

    pub(super) fn events_since(&self, first: usize) -> Slice {
        since(first, self.events.len())
    }

    pub(super) fn spans_since(&self, first: usize) -> Slice {
        since(first, self.spans.len())
    }
}

fn push<T>(items: &mut Vec<T>, item: T) -> Result<(), DecodeError> {
    if items.len() >= ITEMS_MAX {
        return Err(DecodeError::TooMany);
    }
    items.push(item);
    Ok(())
}

/// There are at most [`ITEMS_MAX`] of each.
#[expect(clippy::cast_possible_truncation, reason = "bounded when they are pushed")]
pub(super) const fn since(first: usize, end: usize) -> Slice {
    Slice { start: first as u32, len: (end - first) as u32 }
}
