//! Reading msgpack by hand, for stats payloads: any encoding of a number or string is taken.

#![expect(clippy::wildcard_enum_match_arm, reason = "each reader takes some heads, refuses others")]

use std::sync::Arc;

use super::message::Notes;
use super::wire::Cursor;
use super::{DecodeError, invalid};

/// Nesting of values that are skipped.
const DEPTH_MAX: u32 = 64;

/// What is left of a msgpack value.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    cursor: Cursor<'a>,
}

/// The head of a value; elements of collections follow it.
#[derive(Clone, Copy, Debug)]
enum Head<'a> {
    Nil,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    /// Texts and byte strings.
    Bytes(&'a [u8]),
    /// Floating-point numbers and extensions, which stats do not have.
    Other,
    Array(u64),
    Map(u64),
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { cursor: Cursor::new("msgpack", bytes) }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.cursor.is_empty()
    }

    /// Calls `read` for each key of a map; it must read the value. Nil is an empty map.
    pub(super) fn map(
        &mut self,
        notes: &mut Notes,
        mut read: impl FnMut(&mut Self, &str, &mut Notes) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        let count = match self.head()? {
            Head::Nil => 0,
            Head::Map(count) => count,
            head => return unexpected("a map", head),
        };
        let mut seen: Vec<Arc<str>> = Vec::new();
        for _ in 0..count {
            notes.count_element()?;
            let key = self.text()?;
            read(self, &key, notes)?;
            if seen.contains(&key) {
                notes.remark(|| format!("msgpack: the key {key:?} is twice in one map"));
            } else if seen.len() < 64 {
                seen.push(key);
            }
        }
        Ok(())
    }

    /// Calls `read` for each element of an array; it must read it. Nil is an empty array.
    pub(super) fn array(
        &mut self,
        notes: &mut Notes,
        mut read: impl FnMut(&mut Self, &mut Notes) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        let count = match self.head()? {
            Head::Nil => 0,
            Head::Array(count) => count,
            head => return unexpected("an array", head),
        };
        for _ in 0..count {
            notes.count_element()?;
            read(self, notes)?;
        }
        Ok(())
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, notes: &mut Notes) -> Result<Vec<Arc<str>>, DecodeError> {
        let mut texts = Vec::new();
        self.array(notes, |reader, _| {
            texts.push(reader.text()?);
            Ok(())
        })?;
        Ok(texts)
    }

    pub(super) fn text(&mut self) -> Result<Arc<str>, DecodeError> {
        let bytes = self.bytes()?;
        std::str::from_utf8(bytes)
            .map(Arc::from)
            .or_else(|error| invalid(format!("msgpack: a string is not UTF-8: {error}")))
    }

    /// A text or a byte string; nil is empty.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        match self.head()? {
            Head::Nil => Ok(&[]),
            Head::Bytes(bytes) => Ok(bytes),
            head => unexpected("a string", head),
        }
    }

    pub(super) fn boolean(&mut self) -> Result<bool, DecodeError> {
        match self.head()? {
            Head::Nil => Ok(false),
            Head::Bool(value) => Ok(value),
            head => unexpected("a truth value", head),
        }
    }

    pub(super) fn unsigned(&mut self) -> Result<u64, DecodeError> {
        match self.head()? {
            Head::Nil => Ok(0),
            Head::Unsigned(value) => Ok(value),
            head => unexpected("a number from 0", head),
        }
    }

    pub(super) fn unsigned32(&mut self) -> Result<u32, DecodeError> {
        let value = self.unsigned()?;
        u32::try_from(value).or_else(|_| invalid(format!("msgpack: {value} is over 32 bits")))
    }

    pub(super) fn signed(&mut self) -> Result<i64, DecodeError> {
        match self.head()? {
            Head::Nil => Ok(0),
            Head::Signed(value) => Ok(value),
            Head::Unsigned(value) => i64::try_from(value)
                .or_else(|_| invalid(format!("msgpack: {value} is over 63 bits"))),
            head => unexpected("an integer", head),
        }
    }

    /// Passes over a value of any kind.
    pub(super) fn skip(&mut self, notes: &mut Notes) -> Result<(), DecodeError> {
        self.skip_within(notes, DEPTH_MAX)
    }

    fn skip_within(&mut self, notes: &mut Notes, depth_left: u32) -> Result<(), DecodeError> {
        let Some(depth_left) = depth_left.checked_sub(1) else {
            return invalid(format!("msgpack: nested more than {DEPTH_MAX} deep"));
        };
        let count = match self.head()? {
            Head::Array(count) => count,
            Head::Map(count) => count * 2,
            _ => 0,
        };
        for _ in 0..count {
            notes.count_element()?;
            self.skip_within(notes, depth_left)?;
        }
        Ok(())
    }

    fn head(&mut self) -> Result<Head<'a>, DecodeError> {
        let [marker] = self.cursor.array()?;
        Ok(match marker {
            0x00..=0x7f => Head::Unsigned(u64::from(marker)),
            0x80..=0x8f => Head::Map(u64::from(marker & 0x0f)),
            0x90..=0x9f => Head::Array(u64::from(marker & 0x0f)),
            0xa0..=0xbf => Head::Bytes(self.cursor.take(u64::from(marker & 0x1f))?),
            0xc0 => Head::Nil,
            0xc1 => return invalid("msgpack: the byte c1 has no meaning"),
            0xc2 | 0xc3 => Head::Bool(marker == 0xc3),
            0xc4..=0xc6 => Head::Bytes(self.sized(marker - 0xc4)?),
            0xc7..=0xc9 => {
                let length = self.big_endian(marker - 0xc7)?;
                self.cursor.take(length + 1).map(|_| Head::Other)?
            }
            0xca => self.cursor.take(4).map(|_| Head::Other)?,
            0xcb => self.cursor.take(8).map(|_| Head::Other)?,
            0xcc..=0xcf => Head::Unsigned(self.big_endian(marker - 0xcc)?),
            0xd0 => signed(i64::from(i8::from_be_bytes(self.cursor.array()?))),
            0xd1 => signed(i64::from(i16::from_be_bytes(self.cursor.array()?))),
            0xd2 => signed(i64::from(i32::from_be_bytes(self.cursor.array()?))),
            0xd3 => signed(i64::from_be_bytes(self.cursor.array()?)),
            0xd4..=0xd8 => self.cursor.take(1 + (1 << (marker - 0xd4))).map(|_| Head::Other)?,
            0xd9..=0xdb => Head::Bytes(self.sized(marker - 0xd9)?),
            0xdc | 0xdd => Head::Array(self.big_endian(marker - 0xdb)?),
            0xde | 0xdf => Head::Map(self.big_endian(marker - 0xdd)?),
            0xe0..=0xff => Head::Signed(i64::from(marker.cast_signed())),
        })
    }

    /// A number of 1, 2, 4 or 8 bytes, for the widths 0 to 3.
    fn big_endian(&mut self, width: u8) -> Result<u64, DecodeError> {
        let bytes = self.cursor.take(1 << width)?;
        Ok(bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn sized(&mut self, width: u8) -> Result<&'a [u8], DecodeError> {
        let length = self.big_endian(width)?;
        self.cursor.take(length)
    }
}

const fn signed<'a>(value: i64) -> Head<'a> {
    if value < 0 { Head::Signed(value) } else { Head::Unsigned(value.cast_unsigned()) }
}

fn unexpected<T>(expected: &str, head: Head<'_>) -> Result<T, DecodeError> {
    let given = match head {
        Head::Nil => "nil",
        Head::Bool(_) => "a truth value",
        Head::Unsigned(_) => "a number",
        Head::Signed(_) => "a negative number",
        Head::Bytes(_) => "a string",
        Head::Other => "a float or extension",
        Head::Array(_) => "an array",
        Head::Map(_) => "a map",
    };
    invalid(format!("msgpack: {given} is not {expected}"))
}

#[cfg(test)]
mod tests {
    use super::{Notes, Reader};

    #[test]
    fn numbers_of_every_encoding_are_read() {
        for (bytes, value) in [
            (&[0x07][..], 7),
            (&[0xcc, 0xff], 255),
            (&[0xcd, 1, 0], 256),
            (&[0xce, 0, 1, 0, 0], 65_536),
            (&[0xcf, 0, 0, 0, 1, 0, 0, 0, 0], 1 << 32),
            (&[0xd0, 0x7f], 127),
            (&[0xd3, 0, 0, 0, 0, 0, 0, 0, 1], 1),
            (&[0xc0], 0),
        ] {
            assert_eq!(Reader::new(bytes).unsigned().unwrap(), value, "{bytes:x?}");
        }
        assert_eq!(Reader::new(&[0xff]).signed().unwrap(), -1);
        assert_eq!(Reader::new(&[0xd1, 0xff, 0]).signed().unwrap(), -256);
        assert!(Reader::new(&[0xff]).unsigned().is_err());
        assert!(Reader::new(&[0xcd, 1]).unsigned().is_err());
    }

    #[test]
    fn anything_can_be_skipped_within_bounds() {
        let mut notes = Notes::default();
        let bytes = [0x82, 0xa1, b'a', 0x92, 0xcb, 0, 0, 0, 0, 0, 0, 0, 0, 0xc3, 0xa1, b'b', 0xd4];
        let mut reader = Reader::new(&bytes);
        assert!(reader.skip(&mut notes).is_err(), "the extension is cut");
        let whole = [&bytes[..], &[1, 2]].concat();
        let mut reader = Reader::new(&whole);
        reader.skip(&mut notes).unwrap();
        assert!(reader.is_empty());
        assert!(Reader::new(&[0x91; 1000]).skip(&mut notes).is_err());
        assert!(Reader::new(&[0xdd, 0xff, 0xff, 0xff, 0xff]).skip(&mut notes).is_err());
    }
}
