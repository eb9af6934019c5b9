//! Spans as arrays of twelve, whose strings are in a dictionary. spec: apm §5.2.

use super::msgpack::Msgpack;
use super::output::{Output, STRINGS_MAX};
use super::reader::{Items, Reader};
use super::span::{Open, Place, Read};
use super::v04::Lists;
use super::{Budget, DecodeError, Progress};
use crate::{Attribute, Key, Span, Str, Value};

/// Elements of a span.
const SPAN_LEN: u32 = 12;

/// A string of the dictionary, and the key it is if it is one.
type Entry = (Str, Key);

/// How far a body has been read.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    entries: Vec<Entry>,
    part: Part,
    strings: Items,
    lists: Lists,
}

#[derive(Clone, Copy, Debug, Default)]
enum Part {
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
        self.part = Part::Start;
        self.lists = Lists::default();
    }

    /// Reads strings, then traces, until all are read or the budget is used up.
    pub(super) fn step(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
        open: &mut Open,
        budget: Budget,
    ) -> Result<Progress, DecodeError> {
        loop {
            match self.part {
                Part::Start => {
                    if reader.array_len()? != 2 {
                        return Err(DecodeError::WrongType);
                    }
                    self.strings = reader.top()?;
                    self.part = Part::Strings;
                }
                Part::Strings => {
                    while reader.has_next(&mut self.strings)? {
                        if self.entries.len() >= STRINGS_MAX {
                            return Err(DecodeError::TooMany);
                        }
                        let (start, text) = reader.raw_text()?;
                        self.entries.push((reader.table.text(start, text), Key::of(text)));
                        if budget.is_used_up(reader) {
                            return Ok(Progress::More);
                        }
                    }
                    self.part = Part::Traces;
                }
                Part::Traces => {
                    let entries = &self.entries;
                    return self.lists.step(reader, out, budget, |reader, out| {
                        span(reader, out, open, budget, entries)
                    });
                }
            }
        }
    }
}

fn span(
    reader: &mut Msgpack<'_>,
    out: &mut Output<'_>,
    open: &mut Open,
    budget: Budget,
    entries: &[Entry],
) -> Result<Read, DecodeError> {
    if matches!(open.place, Place::Start) {
        if reader.nil() {
            return Ok(Read::Nil);
        }
        if reader.array_len()? != SPAN_LEN {
            return Err(DecodeError::SpanLength);
        }
        open.begin(Items::default(), out);
        let span = &mut open.span;
        span.service = entry(reader, entries)?.0;
        span.name = entry(reader, entries)?.0;
        span.resource = entry(reader, entries)?.0;
        span.trace_id = reader.unsigned()?;
        span.span_id = reader.unsigned()?;
        span.parent_id = reader.unsigned()?;
        span.start_ns = reader.signed()?;
        span.duration_ns = reader.signed()?;
        span.error = reader.small()?;
        open.entries = reader.map()?;
        open.place = Place::Meta;
    }
    if matches!(open.place, Place::Meta) {
        while reader.has_next(&mut open.entries)? {
            let key = entry(reader, entries)?;
            let value = Value::Text(entry(reader, entries)?.0);
            push(out, &mut open.span, key, value)?;
            if budget.is_used_up(reader) {
                return Ok(Read::More);
            }
        }
        open.entries = reader.map()?;
        open.place = Place::Metrics;
    }
    while reader.has_next(&mut open.entries)? {
        let key = entry(reader, entries)?;
        let value = Value::Double(reader.double()?);
        push(out, &mut open.span, key, value)?;
        if budget.is_used_up(reader) {
            return Ok(Read::More);
        }
    }
    open.span.span_type = entry(reader, entries)?.0;
    open.end(out)
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
