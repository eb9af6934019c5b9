//! Protobuf messages read field by field, with every wire type checked.

use std::sync::Arc;

use super::wire::Cursor;
use super::{DecodeError, invalid};

/// Elements (messages, map entries, list items) of one body. Each takes at least two bytes on the
/// wire and up to 500 here; real payloads stay below a fifth of this.
const ELEMENTS_MAX: usize = 1_000_000;

/// What is noted while reading one body.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Departures that can be read all the same.
    pub(super) remarks: Vec<String>,
    elements: usize,
}

impl Notes {
    /// Departures that are described.
    const REMARKS_MAX: usize = 1000;

    pub(super) fn remark(&mut self, text: impl FnOnce() -> String) {
        if self.remarks.len() < Self::REMARKS_MAX {
            self.remarks.push(text());
        }
    }

    /// Counts one more element.
    pub(super) fn count_element(&mut self) -> Result<(), DecodeError> {
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            return invalid(format!("more than {ELEMENTS_MAX} elements in one body"));
        }
        Ok(())
    }
}

/// A message that is being read.
#[derive(Debug)]
pub(super) struct Message<'a> {
    name: &'static str,
    cursor: Cursor<'a>,
}

/// One field with its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    message: &'static str,
    pub(super) number: u32,
    value: Wire<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32,
    Bytes(&'a [u8]),
}

impl<'a> Message<'a> {
    pub(super) const fn new(name: &'static str, bytes: &'a [u8]) -> Self {
        Self { name, cursor: Cursor::new(name, bytes) }
    }

    /// The next field, `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Part<'a>>, DecodeError> {
        if self.cursor.is_empty() {
            return Ok(None);
        }
        let key = self.cursor.varint32()?;
        let number = key >> 3;
        let value = match (number, key & 7) {
            (0, _) => return invalid(format!("{}: field number 0", self.name)),
            (_, 0) => Wire::Varint(self.cursor.varint()?),
            (_, 1) => Wire::Fixed64(u64::from_le_bytes(self.cursor.array()?)),
            (_, 2) => Wire::Bytes(self.cursor.bytes()?),
            (_, 5) => self.cursor.array::<4>().map(|_| Wire::Fixed32)?,
            (_, kind) => {
                return invalid(format!("{}: field {number} has wire type {kind}", self.name));
            }
        };
        Ok(Some(Part { message: self.name, number, value }))
    }
}

impl<'a> Part<'a> {
    pub(super) fn bytes(self) -> Result<&'a [u8], DecodeError> {
        if let Wire::Bytes(bytes) = self.value { Ok(bytes) } else { self.wrong("bytes") }
    }

    /// A nested message, which counts as an element.
    pub(super) fn message(
        self,
        name: &'static str,
        notes: &mut Notes,
    ) -> Result<Message<'a>, DecodeError> {
        notes.count_element()?;
        Ok(Message::new(name, self.bytes()?))
    }

    pub(super) fn text(self) -> Result<Arc<str>, DecodeError> {
        match std::str::from_utf8(self.bytes()?) {
            Ok(text) => Ok(Arc::from(text)),
            Err(error) => {
                invalid(format!("{}: field {} is not UTF-8: {error}", self.message, self.number))
            }
        }
    }

    pub(super) fn unsigned(self) -> Result<u64, DecodeError> {
        if let Wire::Varint(value) = self.value { Ok(value) } else { self.wrong("a varint") }
    }

    pub(super) fn unsigned32(self) -> Result<u32, DecodeError> {
        u32::try_from(self.unsigned()?).or_else(|_| self.wrong("at most 32 bits"))
    }

    /// A signed number that is not zigzag: two's complement of 64 bits.
    pub(super) fn signed(self) -> Result<i64, DecodeError> {
        self.unsigned().map(u64::cast_signed)
    }

    pub(super) fn signed32(self) -> Result<i32, DecodeError> {
        i32::try_from(self.signed()?).or_else(|_| self.wrong("at most 32 bits"))
    }

    /// A signed number in zigzag form.
    pub(super) fn zigzag32(self) -> Result<i32, DecodeError> {
        let value = self.unsigned()?;
        let signed = (value >> 1).cast_signed() ^ -(value & 1).cast_signed();
        i32::try_from(signed).or_else(|_| self.wrong("at most 32 bits"))
    }

    pub(super) fn boolean(self) -> Result<bool, DecodeError> {
        match self.unsigned()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => self.wrong("a truth value"),
        }
    }

    pub(super) fn fixed64(self) -> Result<u64, DecodeError> {
        if let Wire::Fixed64(value) = self.value { Ok(value) } else { self.wrong("eight bytes") }
    }

    pub(super) fn double(self) -> Result<f64, DecodeError> {
        self.fixed64().map(f64::from_bits)
    }

    /// Says that nobody knows the field.
    pub(super) fn unknown(self, notes: &mut Notes) {
        notes.remark(|| format!("{}: field {} is not known", self.message, self.number));
    }

    pub(super) fn wrong<T>(self, expected: &str) -> Result<T, DecodeError> {
        invalid(format!("{}: field {} is not {expected}", self.message, self.number))
    }
}

/// Reads one entry of a map: its key, and its value by `read_value`. Both may be left out when they
/// are defaults.
pub(super) fn entry<'a, K: Default, V>(
    part: Part<'a>,
    notes: &mut Notes,
    default: V,
    read_key: impl Fn(Part<'a>) -> Result<K, DecodeError>,
    mut read_value: impl FnMut(Part<'a>, &mut Notes) -> Result<V, DecodeError>,
) -> Result<(K, V), DecodeError> {
    let mut entry = (K::default(), default);
    let mut message = part.message("a map entry", notes)?;
    while let Some(part) = message.next()? {
        match part.number {
            1 => entry.0 = read_key(part)?,
            2 => entry.1 = read_value(part, notes)?,
            _ => part.unknown(notes),
        }
    }
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use super::{Message, Notes, entry};

    #[test]
    fn every_wire_type_is_checked() {
        let bytes = [0x08, 0x96, 0x01, 0x11, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x1a, 0x01, b'x'];
        let mut message = Message::new("m", &bytes);
        let first = message.next().unwrap().unwrap();
        assert_eq!((first.number, first.unsigned32().unwrap()), (1, 150));
        assert!(first.boolean().is_err() && first.text().is_err() && first.double().is_err());
        let second = message.next().unwrap().unwrap();
        assert!((second.double().unwrap() - 1.0).abs() < 1e-12);
        let third = message.next().unwrap().unwrap();
        assert_eq!(&*third.text().unwrap(), "x");
        assert!(third.signed().is_err() && message.next().unwrap().is_none());
        assert!(Message::new("m", &[0x0b]).next().is_err());
    }

    #[test]
    fn absent_parts_of_an_entry_are_defaults() {
        let mut notes = Notes::default();
        let bytes = [0x0a, 0x03, 0x12, 0x01, b'v'];
        let part = Message::new("m", &bytes).next().unwrap().unwrap();
        let read = entry(part, &mut notes, "".into(), |key| key.text(), |value, _| value.text());
        assert_eq!(read.unwrap(), ("".into(), "v".into()));
        assert!(notes.remarks.is_empty());
    }
}
