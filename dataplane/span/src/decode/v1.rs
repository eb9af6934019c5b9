//! A payload with numbered keys, a string table and typed attributes. spec: apm §5.4.

mod attributes;
mod intern;
mod span;

pub(super) use intern::Interned;

use super::msgpack::Msgpack;
use super::output::Output;
use super::payload::{Met, Schema};
use super::reader::Reader;
use super::span::{Open, Read};
use super::{Budget, DecodeError};
use crate::{Chunk, Key, Str};

/// Strings that may be sent ahead, which are read in one go. No tracer does it.
const PRELOADED_MAX: u32 = 1 << 16;

/// The fields of v1.0, and the strings that were seen.
#[derive(Debug)]
pub(super) struct Numbered<'a>(pub(super) &'a mut Interned);

impl Schema for Numbered<'_> {
    fn payload_field(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
    ) -> Result<Met, DecodeError> {
        match reader.small_unsigned()? {
            1 => self.preload(reader)?,
            2 => out.header.container_id = self.text(reader)?,
            3 => out.header.language_name = self.text(reader)?,
            4 => out.header.language_version = self.text(reader)?,
            5 => out.header.tracer_version = self.text(reader)?,
            6 => out.header.runtime_id = self.text(reader)?,
            7 => out.header.env = self.text(reader)?,
            8 => out.header.hostname = self.text(reader)?,
            9 => out.header.app_version = self.text(reader)?,
            10 => *out.tags = self.list(reader, out)?,
            11 => return Ok(Met::List),
            _ => self.skip(reader)?,
        }
        Ok(Met::Field)
    }

    fn chunk_field(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
        chunk: &mut Chunk,
    ) -> Result<Met, DecodeError> {
        match reader.small_unsigned()? {
            1 => chunk.priority = reader.small()?,
            2 => chunk.origin = self.text(reader)?,
            3 => chunk.attributes = self.list(reader, out)?,
            4 => return Ok(Met::List),
            5 => chunk.is_dropped_trace = reader.boolean()?,
            6 => (chunk.trace_id_high, chunk.trace_id) = trace_id(reader)?,
            7 => chunk.sampling_mechanism = reader.small_unsigned()?,
            _ => self.skip(reader)?,
        }
        Ok(Met::Field)
    }

    fn span(
        &mut self,
        reader: &mut Msgpack<'_>,
        out: &mut Output<'_>,
        open: &mut Open,
        budget: Budget,
    ) -> Result<Read, DecodeError> {
        self.read_span(reader, out, open, budget)
    }
}

impl Numbered<'_> {
    /// A streaming string: a new one, or the index of one that was seen.
    #[inline]
    fn text(&mut self, reader: &mut Msgpack<'_>) -> Result<Str, DecodeError> {
        self.entry(reader).map(|(text, _)| text)
    }

    /// A streaming string, and the key it is if it is one.
    #[inline]
    fn entry(&mut self, reader: &mut Msgpack<'_>) -> Result<(Str, Key), DecodeError> {
        if matches!(reader.peek()?, 0xa0..=0xbf | 0xd9..=0xdb) {
            let (start, text) = reader.raw_text()?;
            self.0.intern(reader, start, text)
        } else {
            let index = reader.small_unsigned()?;
            self.0.get(index).ok_or(DecodeError::UnseenString)
        }
    }

    /// Fills the table ahead of all strings.
    fn preload(&mut self, reader: &mut Msgpack<'_>) -> Result<(), DecodeError> {
        if !self.0.is_new() {
            return Err(DecodeError::LateStrings);
        }
        let mut strings = reader.array()?;
        if strings.0 > PRELOADED_MAX {
            return Err(DecodeError::TooMany);
        }
        while reader.has_next(&mut strings)? {
            let (start, text) = reader.raw_text()?;
            self.0.append(reader, start, text)?;
        }
        Ok(())
    }

    /// Passes over a value of which nothing is known but that its strings count.
    fn skip(&mut self, reader: &mut Msgpack<'_>) -> Result<(), DecodeError> {
        reader.skip_with(|reader, start, text| self.0.intern(reader, start, text).map(|_| ()))
    }
}

/// High and low half of a trace id.
fn trace_id(reader: &mut Msgpack<'_>) -> Result<(u64, u64), DecodeError> {
    let (_, bytes) = reader.raw_text()?;
    if bytes.is_empty() {
        return Ok((0, 0));
    }
    let bytes: [u8; 16] = bytes.try_into().map_err(|_| DecodeError::TraceIdLength)?;
    let [high, low] = [&bytes[..8], &bytes[8..]]
        .map(|half| half.iter().fold(0u64, |sum, &byte| sum << 8 | u64::from(byte)));
    Ok((high, low))
}
