//! The few pieces of the protobuf wire format that capture files need.

/// A message that is not protobuf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The value of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// Integers and booleans.
    Varint(u64),
    /// Strings, bytes and messages.
    Bytes(&'a [u8]),
    /// A kind that no message here has; skipped.
    Fixed,
}

impl<'a> Value<'a> {
    pub(crate) const fn bytes(self) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Varint(_) | Self::Fixed => &[],
        }
    }

    /// As `int64`: the same bits.
    pub(crate) const fn int64(self) -> i64 {
        match self {
            Self::Varint(value) => value.cast_signed(),
            Self::Bytes(_) | Self::Fixed => 0,
        }
    }

    /// As `int32`: the low half, as every protobuf reader takes it.
    #[expect(clippy::cast_possible_truncation, reason = "defined so by protobuf")]
    pub(crate) const fn int32(self) -> i32 {
        self.int64() as i32
    }
}

/// The fields of a message in order. Ends after the first malformed one.
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) const fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn field(&mut self) -> Result<(u64, Value<'a>), Malformed> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let len = self.varint()?;
                Value::Bytes(self.take(len)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            _ => return Err(Malformed),
        };
        Ok((tag >> 3, value))
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first().ok_or(Malformed)?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8], Malformed> {
        let len = usize::try_from(len).map_err(|_| Malformed)?;
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

/// Appends an integer field; zero is left out, as proto3 does.
pub(crate) fn put_int(out: &mut Vec<u8>, number: u64, value: i64) {
    if value != 0 {
        put_varint(out, number << 3);
        put_varint(out, value.cast_unsigned());
    }
}

/// Appends a string, bytes or message field; an empty one is left out.
pub(crate) fn put_bytes(out: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    if !bytes.is_empty() {
        put_item(out, number, bytes);
    }
}

/// Appends an item of a repeated field, empty or not.
pub(crate) fn put_item(out: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    put_size(out, number, bytes.len());
    out.extend_from_slice(bytes);
}

/// Appends what stands before the bytes of an item.
pub(crate) fn put_size(out: &mut Vec<u8>, number: u64, bytes: usize) {
    put_varint(out, number << 3 | 2);
    put_varint(out, bytes as u64);
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(Fields::new(&bytes).count() <= bytes.len());
        }

        #[test]
        fn fields_round_trip(number in 1..1000_u64, value: i64, bytes: Vec<u8>) {
            let mut out = Vec::new();
            put_int(&mut out, number, value);
            put_item(&mut out, number, &bytes);
            let fields: Vec<_> = Fields::new(&out).flatten().collect();
            let mut expected = vec![(number, Value::Bytes(&bytes))];
            if value != 0 {
                expected.insert(0, (number, Value::Varint(value.cast_unsigned())));
            }
            prop_assert_eq!(fields, expected);
        }
    }

    #[test]
    fn negative_numbers_take_ten_bytes() {
        let mut out = Vec::new();
        put_int(&mut out, 4, -1);
        assert_eq!(out.len(), 11);
        let (_, value) = Fields::new(&out).next().expect("a field").expect("well-formed");
        assert_eq!(value.int32(), -1);
    }

    #[test]
    fn overlong_and_cut_fields_are_malformed() {
        for bytes in [&[0x80; 11][..], &[0x0a, 5, 1], &[0x0b], &[0x09, 1, 2], &[0x08]] {
            assert_eq!(Fields::new(bytes).last(), Some(Err(Malformed)), "{bytes:?}");
        }
    }
}
