//! A cursor over the fields of a protobuf message. spec: otlp §2.1.
//!
//! It borrows from the body and allocates nothing: a field is a number or a range of bytes. What a
//! field means belongs to whoever reads it; fields that nobody knows are passed over.

use std::borrow::Cow;

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// It ends within a field.
    #[error("a message ends within a field")]
    Truncated,
    /// A number has more than 64 bits.
    #[error("a number is longer than 64 bits")]
    LongNumber,
    /// A field is of a kind that protobuf gave up, or that never was one, or has number 0.
    #[error("a field has no valid tag")]
    BadTag,
    /// A field is there, but its content is of another kind.
    #[error("field {0} has content of another kind")]
    WrongKind(u32),
    /// Values lie within each other deeper than [`crate::DEPTH_MAX`].
    #[error("values are nested deeper than {}", crate::DEPTH_MAX)]
    TooDeep,
    /// A span, a resource or a scope is longer than 4 MiB.
    #[error("a span, a resource or a scope is longer than 4 MiB")]
    TooLong,
    /// More items than are taken of one request, or more attributes than of one item.
    #[error("more items than one request may have, or attributes than one item")]
    TooMany,
}

/// One field: its number and its content.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field<'a> {
    /// Number of the field, never 0.
    pub number: u32,
    content: Content<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Content<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

/// The fields of a message, in the order in which they lie in it.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields of a message.
    #[must_use]
    pub const fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// Bytes that are not read yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next field; none at the end.
    ///
    /// # Errors
    /// [`WireError`]; nothing more can be read then.
    #[inline]
    pub fn read(&mut self) -> Result<Option<Field<'a>>, WireError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).map_err(|_| WireError::BadTag)?;
        if number == 0 {
            return Err(WireError::BadTag);
        }
        let content = match tag & 7 {
            0 => Content::Varint(self.varint()?),
            1 => Content::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| WireError::Truncated)?;
                Content::Bytes(self.take(length)?)
            }
            5 => Content::Fixed32(u32::from_le_bytes(self.array()?)),
            _ => return Err(WireError::BadTag),
        };
        Ok(Some(Field { number, content }))
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, WireError> {
        let mut value = 0_u64;
        for (at, &byte) in self.rest.iter().enumerate().take(10) {
            let part = u64::from(byte & 0x7f);
            if at == 9 && byte > 1 {
                return Err(WireError::LongNumber);
            }
            value |= part << (7 * at);
            if byte < 0x80 {
                self.rest = self.rest.get(at + 1..).unwrap_or_default();
                return Ok(value);
            }
        }
        Err(if self.rest.len() < 10 { WireError::Truncated } else { WireError::LongNumber })
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }
}

impl<'a> Field<'a> {
    /// A message, text or binary value.
    ///
    /// # Errors
    /// [`WireError::WrongKind`].
    pub const fn bytes(self) -> Result<&'a [u8], WireError> {
        match self.content {
            Content::Bytes(bytes) => Ok(bytes),
            Content::Varint(_) | Content::Fixed64(_) | Content::Fixed32(_) => {
                Err(WireError::WrongKind(self.number))
            }
        }
    }

    /// A text. What is no UTF-8 is replaced by U+FFFD: exporters in some languages cut texts within
    /// a character.
    ///
    /// # Errors
    /// [`WireError::WrongKind`].
    pub fn text(self) -> Result<Cow<'a, str>, WireError> {
        self.bytes().map(String::from_utf8_lossy)
    }

    /// An integer as `uint64`, or an enum or boolean.
    ///
    /// # Errors
    /// [`WireError::WrongKind`].
    pub const fn unsigned(self) -> Result<u64, WireError> {
        match self.content {
            Content::Varint(value) => Ok(value),
            Content::Bytes(_) | Content::Fixed64(_) | Content::Fixed32(_) => {
                Err(WireError::WrongKind(self.number))
            }
        }
    }

    /// An integer as `int64`.
    ///
    /// # Errors
    /// [`WireError::WrongKind`].
    pub fn signed(self) -> Result<i64, WireError> {
        self.unsigned().map(u64::cast_signed)
    }

    /// An integer as `sint32` or `sint64`.
    ///
    /// # Errors
    /// [`WireError::WrongKind`].
    pub fn zigzag(self) -> Result<i64, WireError> {
        self.unsigned().map(|value| (value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// A boolean.
    ///
    /// # Errors
    /// [`WireError::WrongKind`].
    pub fn boolean(self) -> Result<bool, WireError> {
        self.unsigned().map(|value| value != 0)
    }

    /// A number of eight bytes, as `fixed64`.
    ///
    /// # Errors
    /// [`WireError::WrongKind`].
    pub const fn fixed64(self) -> Result<u64, WireError> {
        match self.content {
            Content::Fixed64(value) => Ok(value),
            Content::Bytes(_) | Content::Varint(_) | Content::Fixed32(_) => {
                Err(WireError::WrongKind(self.number))
            }
        }
    }

    /// A number of four bytes, as `fixed32`.
    ///
    /// # Errors
    /// [`WireError::WrongKind`].
    pub const fn fixed32(self) -> Result<u32, WireError> {
        match self.content {
            Content::Fixed32(value) => Ok(value),
            Content::Bytes(_) | Content::Varint(_) | Content::Fixed64(_) => {
                Err(WireError::WrongKind(self.number))
            }
        }
    }

    /// A `double`.
    ///
    /// # Errors
    /// [`WireError::WrongKind`].
    pub fn double(self) -> Result<f64, WireError> {
        self.fixed64().map(f64::from_bits)
    }

    /// Adds the numbers of a repeated `fixed64` or `double` field, packed or one by one.
    ///
    /// # Errors
    /// [`WireError::WrongKind`], or [`WireError::Truncated`] when the bytes are no whole numbers.
    pub fn fixed64_list(self, add: &mut impl FnMut(u64)) -> Result<(), WireError> {
        match self.content {
            Content::Fixed64(value) => add(value),
            Content::Bytes(bytes) => {
                let (numbers, rest) = bytes.as_chunks::<8>();
                if !rest.is_empty() {
                    return Err(WireError::Truncated);
                }
                numbers.iter().for_each(|number| add(u64::from_le_bytes(*number)));
            }
            Content::Varint(_) | Content::Fixed32(_) => {
                return Err(WireError::WrongKind(self.number));
            }
        }
        Ok(())
    }

    /// Adds the numbers of a repeated `uint64` field, packed or one by one.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn unsigned_list(self, add: &mut impl FnMut(u64)) -> Result<(), WireError> {
        match self.content {
            Content::Varint(value) => add(value),
            Content::Bytes(bytes) => {
                let mut numbers = Fields::new(bytes);
                while !numbers.rest.is_empty() {
                    add(numbers.varint()?);
                }
            }
            Content::Fixed64(_) | Content::Fixed32(_) => {
                return Err(WireError::WrongKind(self.number));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(message: &[u8]) -> Result<Vec<Field<'_>>, WireError> {
        let (mut fields, mut all) = (Fields::new(message), Vec::new());
        while let Some(field) = fields.read()? {
            all.push(field);
        }
        Ok(all)
    }

    #[test]
    fn every_kind_of_field_is_read() {
        let message = [
            &[0x08, 0x96, 0x01][..],
            &[0x11, 1, 0, 0, 0, 0, 0, 0, 0],
            &[0x1a, 2, b'h', b'i'],
            &[0x25, 7, 0, 0, 0],
        ]
        .concat();
        let fields = all(&message).unwrap();
        assert_eq!(fields[0].unsigned(), Ok(150));
        assert_eq!(fields[1].fixed64(), Ok(1));
        assert_eq!(fields[2].text().unwrap(), "hi");
        assert_eq!(fields[3].fixed32(), Ok(7));
        assert_eq!(fields[3].bytes(), Err(WireError::WrongKind(4)));
    }

    #[test]
    fn broken_messages_are_refused() {
        assert_eq!(all(&[0x08]), Err(WireError::Truncated));
        assert_eq!(all(&[0x1a, 3, 1]), Err(WireError::Truncated));
        assert_eq!(all(&[0x00]), Err(WireError::BadTag));
        assert_eq!(all(&[0x0b]), Err(WireError::BadTag));
        assert_eq!(
            all(&[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2]),
            Err(WireError::LongNumber)
        );
    }

    #[test]
    fn signs_are_read() {
        let minus_one = [0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1];
        assert_eq!(all(&[0x08, 1]).unwrap()[0].zigzag(), Ok(-1));
        assert_eq!(all(&[0x08, 4]).unwrap()[0].zigzag(), Ok(2));
        assert_eq!(all(&minus_one).unwrap()[0].signed(), Ok(-1));
    }

    #[test]
    fn lists_are_packed_or_not() {
        let (mut packed, mut single) = (Vec::new(), Vec::new());
        let message = [0x0a, 3, 1, 0x96, 1];
        all(&message).unwrap()[0].unsigned_list(&mut |n| packed.push(n)).unwrap();
        for field in all(&[0x08, 1, 0x08, 0x96, 1]).unwrap() {
            field.unsigned_list(&mut |n| single.push(n)).unwrap();
        }
        assert_eq!(packed, [1, 150]);
        assert_eq!(packed, single);
        let cut = all(&[0x0a, 7, 0, 0, 0, 0, 0, 0, 0]).unwrap()[0];
        assert_eq!(cut.fixed64_list(&mut |_| {}), Err(WireError::Truncated));
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(message: Vec<u8>) {
            if let Ok(fields) = all(&message) {
                for field in fields {
                    field.fixed64_list(&mut |_| {}).ok();
                    field.unsigned_list(&mut |_| {}).ok();
                }
            }
        }
    }
}
