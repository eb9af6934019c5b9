//! A cursor over msgpack. spec: apm §5.1.

use super::DecodeError;
use super::reader::{Items, Reader, repair};
use crate::strings::{TEXT_BYTES_MAX, Table};
use crate::{Key, Str};

/// Elements that a list may announce.
const ELEMENTS_MAX: u32 = 25_000_000;
/// Bytes of one binary value.
const BINARY_BYTES_MAX: usize = 10 << 20;

/// Values within a value that is passed over, which happens in one go.
pub(super) const SKIPPED_MAX: u32 = 1 << 19;

/// A cursor over a body in msgpack, and the table its strings go to.
#[derive(Debug)]
pub(super) struct Msgpack<'a> {
    body: &'a [u8],
    at: usize,
    pub(super) table: Table<'a>,
}

/// A number as it was written.
#[derive(Clone, Copy)]
enum Number {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
}

/// Where a value without structure ends, or how many values it holds.
enum Extent {
    Bytes(usize),
    Text(usize),
    Values(u64),
}

impl<'a> Msgpack<'a> {
    pub(super) const fn new(body: &'a [u8], at: usize, table: Table<'a>) -> Self {
        Self { body, at, table }
    }

    /// The next byte, which stays.
    #[inline]
    pub(super) fn peek(&self) -> Result<u8, DecodeError> {
        self.body.get(self.at).copied().ok_or(DecodeError::ShortMsgpack)
    }

    /// The elements of an array, which must not be nil.
    #[inline]
    pub(super) fn array_len(&mut self) -> Result<u32, DecodeError> {
        let len = match self.byte()? {
            marker @ 0x90..=0x9f => u32::from(marker & 0x0f),
            0xdc => self.length16()?,
            0xdd => self.length32()?,
            marker => return Err(mismatch(marker)),
        };
        if len > ELEMENTS_MAX { Err(DecodeError::TooLong) } else { Ok(len) }
    }

    /// The next str or bin, as it is in the body; nil is empty.
    #[inline]
    pub(super) fn raw_text(&mut self) -> Result<(usize, &'a [u8]), DecodeError> {
        let len = match self.byte()? {
            marker @ 0xa0..=0xbf => usize::from(marker & 0x1f),
            marker => self.text_len(marker)?,
        };
        let start = self.at;
        Ok((start, self.take(len)?))
    }

    fn text_len(&mut self, marker: u8) -> Result<usize, DecodeError> {
        Ok(match marker {
            0xa0..=0xbf => usize::from(marker & 0x1f),
            0xd9 | 0xc4 => usize::from(self.byte()?),
            0xda | 0xc5 => self.length16()? as usize,
            0xdb | 0xc6 => self.length32()? as usize,
            0xc0 => 0,
            _ => return Err(mismatch(marker)),
        })
    }

    /// Bytes that were read before.
    #[inline]
    pub(super) fn range(&self, start: u32, len: u32) -> &'a [u8] {
        let (start, len) = (start as usize, len as usize);
        self.body.get(start..start + len).unwrap_or_default()
    }

    /// Passes over any value, telling of each str within it.
    pub(super) fn skip_with(
        &mut self,
        mut on_text: impl FnMut(&mut Self, usize, &'a [u8]) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        let (mut left, mut count) = (1u64, 0);
        while left > 0 {
            left -= 1;
            count += 1;
            if count > SKIPPED_MAX {
                return Err(DecodeError::TooMany);
            }
            match self.extent()? {
                Extent::Bytes(len) => {
                    self.take(len)?;
                }
                Extent::Text(len) => {
                    let start = self.at;
                    let text = self.take(len)?;
                    on_text(self, start, text)?;
                }
                Extent::Values(count) => left = left.saturating_add(count),
            }
        }
        Ok(())
    }

    fn extent(&mut self) -> Result<Extent, DecodeError> {
        Ok(match self.byte()? {
            0x00..=0x7f | 0xc0 | 0xc2 | 0xc3 | 0xe0..=0xff => Extent::Bytes(0),
            marker @ 0x80..=0x8f => Extent::Values(2 * u64::from(marker & 0x0f)),
            marker @ 0x90..=0x9f => Extent::Values(u64::from(marker & 0x0f)),
            marker @ 0xa0..=0xbf => Extent::Text(usize::from(marker & 0x1f)),
            0xd9 => Extent::Text(usize::from(self.byte()?)),
            0xda => Extent::Text(self.length16()? as usize),
            0xdb => Extent::Text(self.length32()? as usize),
            0xc4 => Extent::Bytes(usize::from(self.byte()?)),
            0xc5 => Extent::Bytes(self.length16()? as usize),
            0xc6 => Extent::Bytes(self.length32()? as usize),
            // An extension has a byte for its type.
            0xc7 => Extent::Bytes(1 + usize::from(self.byte()?)),
            0xc8 => Extent::Bytes(1 + self.length16()? as usize),
            0xc9 => Extent::Bytes(1 + self.length32()? as usize),
            0xcc | 0xd0 => Extent::Bytes(1),
            0xcd | 0xd1 | 0xd4 => Extent::Bytes(2),
            0xd5 => Extent::Bytes(3),
            0xca | 0xce | 0xd2 => Extent::Bytes(4),
            0xd6 => Extent::Bytes(5),
            0xcb | 0xcf | 0xd3 => Extent::Bytes(8),
            0xd7 => Extent::Bytes(9),
            0xd8 => Extent::Bytes(17),
            0xdc => Extent::Values(u64::from(self.length16()?)),
            0xdd => Extent::Values(u64::from(self.length32()?)),
            0xde => Extent::Values(2 * u64::from(self.length16()?)),
            0xdf => Extent::Values(2 * u64::from(self.length32()?)),
            0xc1 => return Err(DecodeError::BadMarker),
        })
    }

    fn number(&mut self, marker: u8) -> Result<Number, DecodeError> {
        Ok(match marker {
            0x00..=0x7f => Number::Unsigned(u64::from(marker)),
            0xc0 => Number::Unsigned(0),
            0xcf => Number::Unsigned(u64::from_be_bytes(self.fixed()?)),
            0xcb => Number::Float(f64::from_be_bytes(self.fixed()?)),
            0xcc => Number::Unsigned(u64::from(self.byte()?)),
            0xcd => Number::Unsigned(u64::from(u16::from_be_bytes(self.fixed()?))),
            0xce => Number::Unsigned(u64::from(u32::from_be_bytes(self.fixed()?))),
            0xe0..=0xff => Number::Signed(i64::from(marker.cast_signed())),
            0xd0 => Number::Signed(i64::from(self.byte()?.cast_signed())),
            0xd1 => Number::Signed(i64::from(i16::from_be_bytes(self.fixed()?))),
            0xd2 => Number::Signed(i64::from(i32::from_be_bytes(self.fixed()?))),
            0xd3 => Number::Signed(i64::from_be_bytes(self.fixed()?)),
            0xca => Number::Float(f64::from(f32::from_be_bytes(self.fixed()?))),
            _ => return Err(mismatch(marker)),
        })
    }

    fn unsigned_of(&mut self, marker: u8) -> Result<u64, DecodeError> {
        match self.number(marker)? {
            Number::Unsigned(number) => Ok(number),
            Number::Signed(number) => Ok(number.cast_unsigned()),
            Number::Float(_) => Err(DecodeError::WrongType),
        }
    }

    fn signed_of(&mut self, marker: u8) -> Result<i64, DecodeError> {
        match self.number(marker)? {
            Number::Unsigned(number) => i64::try_from(number).map_err(|_| DecodeError::OutOfRange),
            Number::Signed(number) => Ok(number),
            Number::Float(_) => Err(DecodeError::WrongType),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "an integer where a float is due is rounded")]
    fn double_of(&mut self, marker: u8) -> Result<f64, DecodeError> {
        Ok(match self.number(marker)? {
            Number::Float(number) => number,
            Number::Unsigned(number) => number as f64,
            Number::Signed(number) => number as f64,
        })
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, DecodeError> {
        let byte = self.peek()?;
        self.at += 1;
        Ok(byte)
    }

    #[inline]
    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        let bytes = rest.first_chunk().ok_or(DecodeError::ShortMsgpack)?;
        self.at += N;
        Ok(*bytes)
    }

    fn length16(&mut self) -> Result<u32, DecodeError> {
        self.fixed().map(|bytes| u32::from(u16::from_be_bytes(bytes)))
    }

    fn length32(&mut self) -> Result<u32, DecodeError> {
        self.fixed().map(u32::from_be_bytes)
    }

    #[inline]
    fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        let bytes = rest.get(..len).ok_or(DecodeError::ShortMsgpack)?;
        self.at += len;
        Ok(bytes)
    }
}

impl Reader for Msgpack<'_> {
    fn at(&self) -> usize {
        self.at
    }

    #[inline]
    fn nil(&mut self) -> bool {
        let is_nil = self.peek() == Ok(0xc0);
        self.at += usize::from(is_nil);
        is_nil
    }

    fn top(&mut self) -> Result<Items, DecodeError> {
        self.array_len().map(Items)
    }

    fn array(&mut self) -> Result<Items, DecodeError> {
        if self.nil() { Ok(Items(0)) } else { self.top() }
    }

    #[inline]
    fn map(&mut self) -> Result<Items, DecodeError> {
        let len = match self.byte()? {
            marker @ 0x80..=0x8f => u32::from(marker & 0x0f),
            0xde => self.length16()?,
            0xdf => self.length32()?,
            0xc0 => 0,
            marker => return Err(mismatch(marker)),
        };
        if len > ELEMENTS_MAX { Err(DecodeError::TooLong) } else { Ok(Items(len)) }
    }

    #[inline]
    fn has_next(&mut self, items: &mut Items) -> Result<bool, DecodeError> {
        let has_next = items.0 > 0;
        items.0 = items.0.saturating_sub(1);
        Ok(has_next)
    }

    #[inline]
    fn field<F>(&mut self, of: impl FnOnce(&[u8]) -> F) -> Result<F, DecodeError> {
        self.raw_text().map(|(_, name)| of(name))
    }

    #[inline]
    fn name(&mut self) -> Result<(Str, Key), DecodeError> {
        let (start, name) = self.raw_text()?;
        Ok((self.table.text(start, name), Key::of(name)))
    }

    #[inline]
    fn text(&mut self) -> Result<Str, DecodeError> {
        let (start, text) = self.raw_text()?;
        Ok(self.table.text(start, text))
    }

    fn bytes(&mut self) -> Result<Str, DecodeError> {
        let (start, bytes) = self.raw_text()?;
        if bytes.len() > BINARY_BYTES_MAX {
            return Err(DecodeError::TooLong);
        }
        Ok(self.table.at(start, bytes.len()))
    }

    // The forms that tracers write come first; all others are read out of line.

    #[inline]
    fn unsigned(&mut self) -> Result<u64, DecodeError> {
        match self.byte()? {
            marker @ 0x00..=0x7f => Ok(u64::from(marker)),
            0xcf => self.fixed().map(u64::from_be_bytes),
            marker => self.unsigned_of(marker),
        }
    }

    #[inline]
    fn signed(&mut self) -> Result<i64, DecodeError> {
        match self.byte()? {
            marker @ 0x00..=0x7f => Ok(i64::from(marker)),
            0xd3 => self.fixed().map(i64::from_be_bytes),
            marker => self.signed_of(marker),
        }
    }

    #[inline]
    fn double(&mut self) -> Result<f64, DecodeError> {
        match self.byte()? {
            0xcb => self.fixed().map(f64::from_be_bytes),
            marker => self.double_of(marker),
        }
    }

    #[inline]
    fn small_unsigned(&mut self) -> Result<u32, DecodeError> {
        match self.byte()? {
            marker @ 0x00..=0x7f => Ok(u32::from(marker)),
            0xcc => self.byte().map(u32::from),
            0xcd => self.fixed().map(|bytes| u32::from(u16::from_be_bytes(bytes))),
            marker => u32::try_from(self.signed_of(marker)?).map_err(|_| DecodeError::OutOfRange),
        }
    }

    fn boolean(&mut self) -> Result<bool, DecodeError> {
        match self.byte()? {
            0xc2 | 0xc0 => Ok(false),
            0xc3 => Ok(true),
            marker => Err(mismatch(marker)),
        }
    }

    fn skip(&mut self) -> Result<(), DecodeError> {
        self.skip_with(|_, _, _| Ok(()))
    }
}

impl Table<'_> {
    /// The text at a place of the body, repaired if need be.
    #[inline]
    pub(super) fn text(&mut self, start: usize, bytes: &[u8]) -> Str {
        let bytes = if bytes.len() > TEXT_BYTES_MAX { self.cut(bytes) } else { bytes };
        if is_ascii(bytes) || std::str::from_utf8(bytes).is_ok() {
            self.at(start, bytes.len())
        } else {
            self.repaired(bytes)
        }
    }

    #[cold]
    fn repaired(&mut self, bytes: &[u8]) -> Str {
        let mut text = Vec::new();
        repair(bytes, &mut text);
        self.add(&text)
    }
}

/// Whether all bytes are ASCII, quick for the short texts of spans.
#[inline]
fn is_ascii(bytes: &[u8]) -> bool {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let Some(last) = bytes.last_chunk::<8>() else {
        return bytes.iter().fold(0, |all, byte| all | byte) < 0x80;
    };
    let whole = bytes.as_chunks::<8>().0.iter();
    let all = whole.fold(u64::from_le_bytes(*last), |all, chunk| all | u64::from_le_bytes(*chunk));
    all & HIGH == 0
}

#[cold]
const fn mismatch(marker: u8) -> DecodeError {
    if marker == 0xc1 { DecodeError::BadMarker } else { DecodeError::WrongType }
}
