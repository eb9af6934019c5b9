//! Spans as arrays of twelve, whose strings are in a dictionary. spec: apm §5.2.

use super::msgpack::Msgpack;
use super::output::{Output, STRINGS_MAX};
use super::reader::{Items, Reader};
use super::span::ATTRIBUTES_ROOM;
use super::v04::Lists;
use super::{Budget, DecodeError, Progress};
use crate::{Attribute, Key, Span, Str, Value};

/// Elements of a span.
const SPAN_LEN: u32 = 12;
/// Strings that cost as much as one span.
const STRINGS_PER_SPAN: u32 = 16;

/// A string of the dictionary, and the key it is if it is one.
type Entry = (Str, Key);

/// How far a body has been read.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    entries: Vec<Entry>,
    place: Place,
    strings: Items,
    lists: Lists,
}

#[derive(Clone, Copy, Debug, Default)]
enum Place {
    #[default]
    Start,
    Strings,
    Traces,
}

impl Dictionary {
    pub(super) const fn heap_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.place = Place::Start;
        self.lists = Lists::default();
    }

    /// Reads strings, then traces, until all are read or the budget is used up.
    pub(super) fn step(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
        budget: &mut Budget,
    ) -> Result<Progress, DecodeError> {
        loop {
            match self.place {
                Place::Start => {
                    if reader.array_len()? != 2 {
                        return Err(DecodeError::WrongType);
                    }
                    self.strings = reader.top()?;
                    self.place = Place::Strings;
                }
                Place::Strings => {
                    while reader.has_next(&mut self.strings)? {
                        if self.entries.len() >= STRINGS_MAX {
                            return Err(DecodeError::TooMany);
                        }
                        let (start, text) = reader.raw_text()?;
                        self.entries.push((reader.table.text(start, text), Key::of(text)));
                        let is_span = self.strings.0.is_multiple_of(STRINGS_PER_SPAN);
                        if is_span && budget.is_used_up() {
                            return Ok(Progress::More);
                        }
                    }
                    self.place = Place::Traces;
                }
                Place::Traces => {
                    let entries = &self.entries;
                    return self.lists.step(reader, out, budget, |r, out| span(r, out, entries));
                }
            }
        }
    }
}

fn span(
    reader: &mut Msgpack<'_>,
    out: &mut Output<'_>,
    entries: &[Entry],
) -> Result<Option<Span>, DecodeError> {
    if reader.nil() {
        return Ok(None);
    }
    if reader.array_len()? != SPAN_LEN {
        return Err(DecodeError::SpanLength);
    }
    let mut span = Span {
        service: entry(reader, entries)?.0,
        name: entry(reader, entries)?.0,
        resource: entry(reader, entries)?.0,
        trace_id: reader.unsigned()?,
        span_id: reader.unsigned()?,
        parent_id: reader.unsigned()?,
        start_ns: reader.signed()?,
        duration_ns: reader.signed()?,
        error: reader.small()?,
        attributes: out.attributes.list(),
        ..Span::default()
    };
    let mut meta = reader.map()?;
    while reader.has_next(&mut meta)? {
        let key = entry(reader, entries)?;
        let value = Value::Text(entry(reader, entries)?.0);
        push(out, &mut span, key, value)?;
    }
    let mut metrics = reader.map()?;
    while reader.has_next(&mut metrics)? {
        let key = entry(reader, entries)?;
        let value = Value::Double(reader.double()?);
        push(out, &mut span, key, value)?;
    }
    span.span_type = entry(reader, entries)?.0;
    out.attributes.reserve(&mut span.attributes, ATTRIBUTES_ROOM);
    Ok(Some(span))
}

#[inline(always)]
fn push(
    out: &mut Output<'_>,
    span: &mut Span,
    (key, name): Entry,
    value: Value,
) -> Result<(), DecodeError> {
    span.keys.insert(name);
    out.push_attribute(&mut span.attributes, Attribute::new(key, name, value))
}

#[inline]
fn entry(reader: &mut Msgpack<'_>, entries: &[Entry]) -> Result<Entry, DecodeError> {
    let index = reader.small_unsigned()?;
    entries.get(index as usize).copied().ok_or(DecodeError::DictionaryIndex)
}
