//! Reading wire formats by hand, for columnar payloads, traces and stats.

use super::{DecodeError, invalid};

/// What is left of a byte string, with a name for error messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    name: &'static str,
    rest: &'a [u8],
}

/// One field of a message.
#[derive(Debug)]
pub(super) enum Field<'a> {
    /// A length-delimited field.
    Bytes(u32, &'a [u8]),
    /// A field of another wire type; its value was skipped.
    Other(u32),
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(name: &'static str, rest: &'a [u8]) -> Self {
        Self { name, rest }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Bytes left; a bound for the number of elements, each of which takes at least one.
    pub(super) const fn len(&self) -> usize {
        self.rest.len()
    }

    /// A varint of at most 64 bits.
    pub(super) fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0_u64;
        for (index, &byte) in self.rest.iter().enumerate().take(10) {
            let bits = u64::from(byte & 0x7f);
            if index == 9 && byte > 1 {
                break;
            }
            value |= bits << (7 * index);
            if byte < 0x80 {
                self.rest = self.rest.get(index + 1..).unwrap_or_default();
                return Ok(value);
            }
        }
        if self.rest.len() < 10 {
            self.ends_early()
        } else {
            invalid(format!("{}: a varint has more than 64 bits", self.name))
        }
    }

    /// A varint that must fit 32 bits.
    pub(super) fn varint32(&mut self) -> Result<u32, DecodeError> {
        let value = self.varint()?;
        u32::try_from(value)
            .or_else(|_| invalid(format!("{}: {value} does not fit 32 bits", self.name)))
    }

    /// A zigzag varint.
    #[expect(clippy::cast_possible_wrap, reason = "zigzag is defined on the bits")]
    pub(super) fn zigzag(&mut self) -> Result<i64, DecodeError> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A number of elements that this or another column must still hold.
    pub(super) fn count(&mut self, available: usize) -> Result<usize, DecodeError> {
        let value = self.varint()?;
        match usize::try_from(value) {
            Ok(count) if count <= available => Ok(count),
            _ => invalid(format!(
                "{}: counts {value} elements, there are at most {available}",
                self.name
            )),
        }
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let Some((head, rest)) = self.rest.split_first_chunk::<N>() else {
            return self.ends_early();
        };
        self.rest = rest;
        Ok(*head)
    }

    /// A byte string with its length in front.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.varint()?;
        self.take(length)
    }

    /// The next `length` bytes.
    pub(super) fn take(&mut self, length: u64) -> Result<&'a [u8], DecodeError> {
        let Some((head, rest)) =
            usize::try_from(length).ok().and_then(|length| self.rest.split_at_checked(length))
        else {
            return self.ends_early();
        };
        self.rest = rest;
        Ok(head)
    }

    /// The next field of a message.
    pub(super) fn field(&mut self) -> Result<Field<'a>, DecodeError> {
        let key = self.varint32()?;
        let number = key >> 3;
        if number == 0 {
            return invalid(format!("{}: field number 0", self.name));
        }
        match key & 7 {
            0 => self.varint().map(|_| Field::Other(number)),
            1 => self.array::<8>().map(|_| Field::Other(number)),
            2 => Ok(Field::Bytes(number, self.bytes()?)),
            5 => self.array::<4>().map(|_| Field::Other(number)),
            kind => invalid(format!("{}: field {number} has wire type {kind}", self.name)),
        }
    }

    fn ends_early<T>(&self) -> Result<T, DecodeError> {
        invalid(format!("{}: ends inside an element", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::{Cursor, Field};

    #[test]
    fn varints_up_to_64_bits_are_read() {
        let max = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(Cursor::new("t", &max).varint().unwrap(), u64::MAX);
        assert_eq!(Cursor::new("t", &[0x96, 0x01]).varint().unwrap(), 150);
        let over = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02];
        assert!(Cursor::new("t", &over).varint().is_err());
        assert!(Cursor::new("t", &[0x80]).varint().is_err());
        assert!(Cursor::new("t", &[]).varint().is_err());
    }

    #[test]
    fn zigzag_alternates() {
        let bytes = [0, 1, 2, 3];
        let mut cursor = Cursor::new("t", &bytes);
        let values: Vec<i64> = (0..4).map(|_| cursor.zigzag().unwrap()).collect();
        assert_eq!(values, [0, -1, 1, -2]);
        assert!(cursor.is_empty());
    }

    #[test]
    fn fields_are_read_or_skipped_by_wire_type() {
        let bytes = [0x0a, 0x01, b'x', 0x10, 0x05, 0x1d, 1, 2, 3, 4, 0x0b];
        let mut cursor = Cursor::new("t", &bytes);
        assert!(matches!(cursor.field().unwrap(), Field::Bytes(1, b"x")));
        assert!(matches!(cursor.field().unwrap(), Field::Other(2)));
        assert!(matches!(cursor.field().unwrap(), Field::Other(3)));
        assert!(cursor.field().is_err());
    }
}
