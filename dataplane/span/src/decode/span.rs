//! Spans as maps with named keys: v0.1 to v0.4, and v0.7. spec: apm §5.1.

mod event;
mod link;

use super::output::{Output, since};
use super::reader::{Items, Reader};
use super::{Budget, DecodeError};
use crate::{Attribute, List, Span, Value};

/// Room that a span's attributes get for what processing adds.
pub(super) const ATTRIBUTES_ROOM: u32 = 3;

/// Values within the links, events and attributes of one span.
const SPAN_NESTED_MAX: u32 = 1 << 16;

#[derive(Clone, Copy)]
enum Field {
    Service,
    Name,
    Resource,
    Type,
    TraceId,
    SpanId,
    ParentId,
    Start,
    Duration,
    Error,
    Meta,
    Metrics,
    MetaStruct,
    Links,
    Events,
    Unknown,
}

impl Field {
    #[inline]
    fn of(name: &[u8]) -> Self {
        match name {
            b"service" => Self::Service,
            b"name" => Self::Name,
            b"resource" => Self::Resource,
            b"type" => Self::Type,
            b"trace_id" => Self::TraceId,
            b"span_id" => Self::SpanId,
            b"parent_id" => Self::ParentId,
            b"start" => Self::Start,
            b"duration" => Self::Duration,
            b"error" => Self::Error,
            b"meta" => Self::Meta,
            b"metrics" => Self::Metrics,
            b"meta_struct" => Self::MetaStruct,
            b"span_links" => Self::Links,
            b"span_events" => Self::Events,
            _ => Self::Unknown,
        }
    }
}

/// The maps that a span had so far.
#[derive(Debug, Default)]
struct Maps {
    seen: u8,
    replaced_count: u8,
}

const META: u8 = 1;
const METRICS: u8 = 2;
const META_STRUCT: u8 = 4;
/// Maps of one span that take the place of earlier ones, which costs a pass over its attributes.
const REPLACED_MAX: u8 = 8;

impl Maps {
    /// Begins a map, which takes the place of an earlier one.
    #[inline]
    fn begin(&mut self, map: u8, out: &mut Output<'_>, span: &mut Span) -> Result<(), DecodeError> {
        if self.seen & map != 0 {
            self.replaced_count += 1;
            if self.replaced_count > REPLACED_MAX {
                return Err(DecodeError::TooMany);
            }
            let is_kept = |held: &Attribute| map_of(held.value()) != map;
            out.attributes.retain(&mut span.attributes, is_kept);
        }
        self.seen |= map;
        Ok(())
    }
}

const fn map_of(value: Value) -> u8 {
    match value {
        Value::Text(_) => META,
        Value::Double(_) => METRICS,
        Value::Bytes(_) => META_STRUCT,
        Value::Bool(_) | Value::Int(_) | Value::Array(_) | Value::Map(_) => 0,
    }
}

/// A span that is being read, in any of the formats.
#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) span: Span,
    pub(super) place: Place,
    /// What is left of the span, and of its list that is being read.
    pub(super) fields: Items,
    pub(super) entries: Items,
    /// Where the links or events of the span begin.
    pub(super) first: usize,
    /// Where the values within its links, events and attributes begin.
    nested: usize,
    maps: Maps,
}

/// What of a span is being read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Place {
    #[default]
    Start,
    Fields,
    Meta,
    Metrics,
    MetaStruct,
    Links,
    Events,
}

/// What became of a span.
#[derive(Debug)]
pub(super) enum Read {
    /// It has been read.
    Span(Span),
    /// There is nil in its place.
    Nil,
    /// The slice ends within it.
    More,
}

impl Open {
    /// Begins a span.
    #[inline]
    pub(super) fn begin(&mut self, fields: Items, out: &Output<'_>) {
        self.span = Span { attributes: out.attributes.list(), ..Span::default() };
        self.maps = Maps::default();
        self.nested = out.nested.count();
        self.fields = fields;
        self.place = Place::Fields;
    }

    /// Ends the span, whose attributes get some room.
    #[inline]
    pub(super) fn end(&mut self, out: &mut Output<'_>) -> Result<Read, DecodeError> {
        self.place = Place::Start;
        self.span.nested_count = since(self.nested, out.nested.count()).len;
        if self.span.nested_count > SPAN_NESTED_MAX {
            return Err(DecodeError::TooMany);
        }
        out.attributes.reserve(&mut self.span.attributes, ATTRIBUTES_ROOM);
        Ok(Read::Span(self.span))
    }
}

/// Reads a span, or goes on with the one that is open.
pub(super) fn span<R: Reader>(
    reader: &mut R,
    out: &mut Output<'_>,
    open: &mut Open,
    budget: Budget,
) -> Result<Read, DecodeError> {
    loop {
        let is_read = match open.place {
            Place::Start => {
                if reader.nil() {
                    return Ok(Read::Nil);
                }
                open.begin(reader.map()?, out);
                true
            }
            Place::Fields => {
                if !fields(reader, out, open, budget)? {
                    return open.end(out);
                }
                // A field that was read by itself leaves the place; the slice may end here.
                !matches!(open.place, Place::Fields)
            }
            Place::Meta => attributes(reader, out, open, budget, |r| r.text().map(Value::Text))?,
            Place::Metrics => {
                attributes(reader, out, open, budget, |r| r.double().map(Value::Double))?
            }
            Place::MetaStruct => {
                attributes(reader, out, open, budget, |r| r.bytes().map(Value::Bytes))?
            }
            Place::Links => link::links(reader, out, open, budget)?,
            Place::Events => event::events(reader, out, open, budget)?,
        };
        if !is_read {
            return Ok(Read::More);
        }
    }
}

/// Reads fields up to a list, which is then entered; false when there are no more. When the slice
/// ends, the place stays at the fields.
#[inline]
fn fields<R: Reader>(
    reader: &mut R,
    out: &mut Output<'_>,
    open: &mut Open,
    budget: Budget,
) -> Result<bool, DecodeError> {
    let span = &mut open.span;
    while reader.has_next(&mut open.fields)? {
        match reader.field(Field::of)? {
            Field::Service => span.service = reader.text()?,
            Field::Name => span.name = reader.text()?,
            Field::Resource => span.resource = reader.text()?,
            Field::Type => span.span_type = reader.text()?,
            Field::TraceId => span.trace_id = reader.unsigned()?,
            Field::SpanId => span.span_id = reader.unsigned()?,
            Field::ParentId => span.parent_id = reader.unsigned()?,
            Field::Start => span.start_ns = reader.signed()?,
            Field::Duration => span.duration_ns = reader.signed()?,
            Field::Error => span.error = reader.small()?,
            Field::Meta => {
                open.maps.begin(META, out, span)?;
                open.entries = reader.map()?;
                open.place = Place::Meta;
                return Ok(true);
            }
            Field::Metrics => {
                open.maps.begin(METRICS, out, span)?;
                open.entries = reader.map()?;
                open.place = Place::Metrics;
                return Ok(true);
            }
            Field::MetaStruct => {
                open.maps.begin(META_STRUCT, out, span)?;
                open.entries = reader.map()?;
                open.place = Place::MetaStruct;
                return Ok(true);
            }
            Field::Links => {
                open.entries = reader.array()?;
                open.first = out.links.len();
                open.place = Place::Links;
                return Ok(true);
            }
            Field::Events => {
                open.entries = reader.array()?;
                open.first = out.events.len();
                open.place = Place::Events;
                return Ok(true);
            }
            Field::Unknown => reader.skip()?,
        }
        if budget.is_used_up(reader) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads the entries of one of the maps of a span; false when the slice ends before.
#[inline]
fn attributes<R: Reader>(
    reader: &mut R,
    out: &mut Output<'_>,
    open: &mut Open,
    budget: Budget,
    mut value: impl FnMut(&mut R) -> Result<Value, DecodeError>,
) -> Result<bool, DecodeError> {
    let span = &mut open.span;
    while reader.has_next(&mut open.entries)? {
        let (key, name) = reader.name()?;
        let value = value(reader)?;
        span.keys.insert(name);
        out.push_attribute(&mut span.attributes, Attribute::new(key, name, value))?;
        if budget.is_used_up(reader) {
            return Ok(false);
        }
    }
    open.place = Place::Fields;
    Ok(true)
}

/// Reads a map of texts into a list, which takes the place of an earlier one.
pub(super) fn tags<R: Reader>(reader: &mut R, out: &mut Output<'_>) -> Result<List, DecodeError> {
    let mut list = out.attributes.list();
    let mut entries = reader.map()?;
    while reader.has_next(&mut entries)? {
        let (key, name) = reader.name()?;
        let value = Value::Text(reader.text()?);
        out.push_attribute(&mut list, Attribute::new(key, name, value))?;
    }
    Ok(list)
}
