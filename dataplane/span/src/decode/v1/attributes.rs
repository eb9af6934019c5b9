//! Attribute lists: flat arrays of key, type and value. spec: apm §5.4.

use super::Numbered;
use crate::decode::DecodeError;
use crate::decode::msgpack::Msgpack;
use crate::decode::output::Output;
use crate::decode::reader::{Items, Reader};
use crate::list::Slice;
use crate::{Attribute, Key, List, Str, Value};

/// Arrays and lists within each other.
const DEPTH_MAX: u32 = 64;

impl Numbered<'_> {
    /// Reads the attributes of a chunk or the payload.
    pub(super) fn list(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
    ) -> Result<List, DecodeError> {
        let mut list = out.attributes.list();
        let mut elements = triples(reader)?;
        while reader.has_next(&mut elements)? {
            let attribute = self.attribute(reader, out)?;
            out.push_attribute(&mut list, attribute)?;
        }
        Ok(list)
    }

    /// Reads the attributes of a link or event, or a nested list.
    pub(super) fn nested(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
        depth: u32,
    ) -> Result<Slice, DecodeError> {
        let first = out.open.len();
        let mut elements = triples(reader)?;
        while reader.has_next(&mut elements)? {
            let (key, name) = self.entry(reader)?;
            let value = self.value(reader, out, depth)?;
            out.push_open(Attribute::new(key, name, value))?;
        }
        Ok(out.close(first))
    }

    /// Reads an attribute that is not within another.
    #[inline]
    pub(super) fn attribute(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
    ) -> Result<Attribute, DecodeError> {
        let (key, name) = self.entry(reader)?;
        out.begin_part();
        let start = reader.at();
        let value = self.value(reader, out, 0)?;
        if matches!(value, Value::Array(_) | Value::Map(_)) {
            Output::end_part(start, reader.at())?;
        }
        Ok(Attribute::new(key, name, value))
    }

    #[inline]
    fn value(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
        depth: u32,
    ) -> Result<Value, DecodeError> {
        Ok(match reader.small_unsigned()? {
            1 => Value::Text(self.text(reader)?),
            2 => Value::Bool(reader.boolean()?),
            3 => Value::Double(reader.double()?),
            4 => Value::Int(reader.signed()?),
            5 => Value::Bytes(reader.bytes()?),
            6 => Value::Array(self.array(reader, out, deeper(depth)?)?),
            7 => Value::Map(self.nested(reader, out, deeper(depth)?)?),
            _ => return Err(DecodeError::AttributeType),
        })
    }

    fn array(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
        depth: u32,
    ) -> Result<Slice, DecodeError> {
        let first = out.open.len();
        let mut elements = grouped(reader, 2)?;
        while reader.has_next(&mut elements)? {
            let value = self.value(reader, out, depth)?;
            out.push_open(Attribute::new(Str::EMPTY, Key::Other, value))?;
        }
        Ok(out.close(first))
    }
}

/// Enters an attribute list.
pub(super) fn triples(reader: &mut Msgpack<'_>) -> Result<Items, DecodeError> {
    grouped(reader, 3)
}

fn grouped(reader: &mut Msgpack<'_>, by: u32) -> Result<Items, DecodeError> {
    let Items(len) = reader.array()?;
    if len.is_multiple_of(by) { Ok(Items(len / by)) } else { Err(DecodeError::AttributeCount) }
}

const fn deeper(depth: u32) -> Result<u32, DecodeError> {
    if depth < DEPTH_MAX { Ok(depth + 1) } else { Err(DecodeError::TooDeep) }
}
