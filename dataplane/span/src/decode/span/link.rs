//! Span links. spec: apm §5.1.

use crate::decode::DecodeError;
use crate::decode::output::Output;
use crate::decode::reader::Reader;
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

/// Reads the links of a span; nil among them is left out.
pub(super) fn links<R: Reader>(reader: &mut R, out: &mut Output<'_>) -> Result<Slice, DecodeError> {
    let first = out.links.len();
    let mut links = reader.array()?;
    while reader.has_next(&mut links)? {
        if !reader.nil() {
            let link = link(reader, out)?;
            out.push_link(link)?;
        }
    }
    Ok(out.links_since(first))
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
