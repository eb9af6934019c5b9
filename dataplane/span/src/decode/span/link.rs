//! Span links. spec: apm §5.1.

use super::{Open, Place};
use crate::decode::output::Output;
use crate::decode::reader::Reader;
use crate::decode::{Budget, DecodeError};
use crate::list::Slice;
use crate::{Attribute, Link, Value};

#[derive(Clone, Copy)]
enum Field {
    TraceId,
    TraceIdHigh,
    SpanId,
    Attributes,
    Tracestate,
    Flags,
    Unknown,
}

impl Field {
    fn of(name: &[u8]) -> Self {
        match name {
            b"trace_id" => Self::TraceId,
            b"trace_id_high" => Self::TraceIdHigh,
            b"span_id" => Self::SpanId,
            b"attributes" => Self::Attributes,
            b"tracestate" => Self::Tracestate,
            b"flags" => Self::Flags,
            _ => Self::Unknown,
        }
    }
}

/// Reads the links of a span, leaving out nil; false when the slice ends before.
pub(super) fn links<R: Reader>(
    reader: &mut R,
    out: &mut Output<'_>,
    open: &mut Open,
    budget: Budget,
) -> Result<bool, DecodeError> {
    while reader.has_next(&mut open.entries)? {
        if !reader.nil() {
            let start = reader.at();
            out.begin_part();
            let link = link(reader, out)?;
            Output::end_part(start, reader.at())?;
            out.push_link(link)?;
            Output::check_parts(open.first, out.links.len())?;
        }
        if budget.is_used_up(reader) {
            return Ok(false);
        }
    }
    open.span.links = out.links_since(open.first);
    open.place = Place::Fields;
    Ok(true)
}

fn link<R: Reader>(reader: &mut R, out: &mut Output<'_>) -> Result<Link, DecodeError> {
    let mut link = Link::default();
    let mut fields = reader.map()?;
    while reader.has_next(&mut fields)? {
        match reader.field(Field::of)? {
            Field::TraceId => link.trace_id = reader.unsigned()?,
            Field::TraceIdHigh => link.trace_id_high = reader.unsigned()?,
            Field::SpanId => link.span_id = reader.unsigned()?,
            Field::Attributes => link.attributes = attributes(reader, out)?,
            Field::Tracestate => link.tracestate = reader.text()?,
            Field::Flags => link.flags = reader.small_unsigned()?,
            Field::Unknown => reader.skip()?,
        }
    }
    Ok(link)
}

fn attributes<R: Reader>(reader: &mut R, out: &mut Output<'_>) -> Result<Slice, DecodeError> {
    let first = out.open.len();
    let mut entries = reader.map()?;
    while reader.has_next(&mut entries)? {
        let (key, name) = reader.name()?;
        let value = Value::Text(reader.text()?);
        out.push_open(Attribute::new(key, name, value))?;
    }
    Ok(out.close(first))
}
