//! Span events, whose attributes have a type each. spec: apm §5.1.

use super::{Open, Place};
use crate::decode::output::Output;
use crate::decode::reader::Reader;
use crate::decode::{Budget, DecodeError};
use crate::list::Slice;
use crate::{Attribute, Event, Key, Str, Value};

#[derive(Clone, Copy)]
enum Field {
    Time,
    Name,
    Attributes,
    Unknown,
}

impl Field {
    fn of(name: &[u8]) -> Self {
        match name {
            b"time_unix_nano" => Self::Time,
            b"name" => Self::Name,
            b"attributes" => Self::Attributes,
            _ => Self::Unknown,
        }
    }
}

#[derive(Clone, Copy)]
enum Member {
    Type,
    Text,
    Bool,
    Int,
    Double,
    Array,
    Unknown,
}

impl Member {
    fn of(name: &[u8]) -> Self {
        match name {
            b"type" => Self::Type,
            b"string_value" => Self::Text,
            b"bool_value" => Self::Bool,
            b"int_value" => Self::Int,
            b"double_value" => Self::Double,
            b"array_value" => Self::Array,
            _ => Self::Unknown,
        }
    }
}

/// The members of a value, of which its type chooses one.
#[derive(Default)]
struct Members {
    chosen: i32,
    text: Str,
    is_true: bool,
    int: i64,
    double: f64,
    array: Slice,
}

/// Reads the events of a span, leaving out nil; false when the slice ends before.
pub(super) fn events<R: Reader>(
    reader: &mut R,
    out: &mut Output<'_>,
    open: &mut Open,
    budget: Budget,
) -> Result<bool, DecodeError> {
    while reader.has_next(&mut open.entries)? {
        if !reader.nil() {
            let start = reader.at();
            out.begin_part();
            let event = event(reader, out)?;
            Output::end_part(start, reader.at())?;
            out.push_event(event)?;
            Output::check_parts(open.first, out.events.len())?;
        }
        if budget.is_used_up(reader) {
            return Ok(false);
        }
    }
    open.span.events = out.events_since(open.first);
    open.place = Place::Fields;
    Ok(true)
}

fn event<R: Reader>(reader: &mut R, out: &mut Output<'_>) -> Result<Event, DecodeError> {
    let mut event = Event::default();
    let mut fields = reader.map()?;
    while reader.has_next(&mut fields)? {
        match reader.field(Field::of)? {
            Field::Time => event.time_ns = reader.unsigned()?,
            Field::Name => event.name = reader.text()?,
            Field::Attributes => event.attributes = attributes(reader, out)?,
            Field::Unknown => reader.skip()?,
        }
    }
    Ok(event)
}

fn attributes<R: Reader>(reader: &mut R, out: &mut Output<'_>) -> Result<Slice, DecodeError> {
    let first = out.open.len();
    let mut entries = reader.map()?;
    while reader.has_next(&mut entries)? {
        let (key, name) = reader.name()?;
        if let Some(value) = value(reader, out, true)? {
            out.push_open(Attribute::new(key, name, value))?;
        }
    }
    Ok(out.close(first))
}

/// Reads a value; none for nil or a type that is unknown here. Only the outermost may be an array.
fn value<R: Reader>(
    reader: &mut R,
    out: &mut Output<'_>,
    is_outermost: bool,
) -> Result<Option<Value>, DecodeError> {
    if reader.nil() {
        return Ok(None);
    }
    let mut members = Members::default();
    let mut fields = reader.map()?;
    while reader.has_next(&mut fields)? {
        match reader.field(Member::of)? {
            Member::Type => members.chosen = reader.small()?,
            Member::Text => members.text = reader.text()?,
            Member::Bool => members.is_true = reader.boolean()?,
            Member::Int => members.int = reader.signed()?,
            Member::Double => members.double = reader.double()?,
            Member::Array if is_outermost => members.array = array(reader, out)?,
            Member::Array | Member::Unknown => reader.skip()?,
        }
    }
    Ok(match members.chosen {
        0 => Some(Value::Text(members.text)),
        1 => Some(Value::Bool(members.is_true)),
        2 => Some(Value::Int(members.int)),
        3 => Some(Value::Double(members.double)),
        4 if is_outermost => Some(Value::Array(members.array)),
        _ => None,
    })
}

fn array<R: Reader>(reader: &mut R, out: &mut Output<'_>) -> Result<Slice, DecodeError> {
    let first = out.open.len();
    let mut fields = reader.map()?;
    while reader.has_next(&mut fields)? {
        if !reader.field(|name| name == b"values")? {
            reader.skip()?;
            continue;
        }
        out.open.truncate(first);
        let mut values = reader.array()?;
        while reader.has_next(&mut values)? {
            if let Some(value) = value(reader, out, false)? {
                out.push_open(Attribute::new(Str::EMPTY, Key::Other, value))?;
            }
        }
    }
    Ok(out.close(first))
}
