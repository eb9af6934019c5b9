//! Spans as maps with named keys: v0.1 to v0.4, and v0.7. spec: apm §5.1.

mod event;
mod link;

use super::DecodeError;
use super::output::Output;
use super::reader::Reader;
use crate::{Attribute, List, Span, Value};

/// Room that a span's attributes get for what processing adds.
pub(super) const ATTRIBUTES_ROOM: u32 = 3;

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
#[derive(Default)]
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

/// Reads a span; none for nil.
pub(super) fn span<R: Reader>(
    reader: &mut R,
    out: &mut Output<'_>,
) -> Result<Option<Span>, DecodeError> {
    if reader.nil() {
        return Ok(None);
    }
    let mut span = Span { attributes: out.attributes.list(), ..Span::default() };
    let mut maps = Maps::default();
    let mut fields = reader.map()?;
    while reader.has_next(&mut fields)? {
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
                maps.begin(META, out, &mut span)?;
                attributes(reader, out, &mut span, |r| r.text().map(Value::Text))?;
            }
            Field::Metrics => {
                maps.begin(METRICS, out, &mut span)?;
                attributes(reader, out, &mut span, |r| r.double().map(Value::Double))?;
            }
            Field::MetaStruct => {
                maps.begin(META_STRUCT, out, &mut span)?;
                attributes(reader, out, &mut span, |r| r.bytes().map(Value::Bytes))?;
            }
            Field::Links => span.links = link::links(reader, out)?,
            Field::Events => span.events = event::events(reader, out)?,
            Field::Unknown => reader.skip()?,
        }
    }
    out.attributes.reserve(&mut span.attributes, ATTRIBUTES_ROOM);
    Ok(Some(span))
}

/// Reads one of the maps of a span.
#[inline]
fn attributes<R: Reader>(
    reader: &mut R,
    out: &mut Output<'_>,
    span: &mut Span,
    mut value: impl FnMut(&mut R) -> Result<Value, DecodeError>,
) -> Result<(), DecodeError> {
    let mut entries = reader.map()?;
    while reader.has_next(&mut entries)? {
        let (key, name) = reader.name()?;
        let value = value(reader)?;
        span.keys.insert(name);
        out.push_attribute(&mut span.attributes, Attribute::new(key, name, value))?;
    }
    Ok(())
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
