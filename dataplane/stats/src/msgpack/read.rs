//! Tolerant reading: numbers in any encoding, text as text or binary data, nil for nothing.

#![expect(clippy::wildcard_enum_match_arm, reason = "every other type is the wrong one")]

use std::borrow::Cow;

/// Why bytes cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// The bytes end within a value.
    Truncated,
    /// A value is of another type than asked for.
    Type,
}

type Read<T> = Result<T, Malformed>;

/// Values within a value that is passed over, which happens in one go.
const SKIPPED_MAX: usize = 1 << 19;

/// Reads values one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

/// A value without what it contains.
enum Item<'a> {
    Nil,
    Flag(bool),
    Uint(u64),
    Int(i64),
    Float(f64),
    Text(&'a [u8]),
    Bin(&'a [u8]),
    Array(usize),
    Map(usize),
    Extension,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes that were not read.
    pub(crate) const fn left(&self) -> usize {
        self.rest.len()
    }

    /// Number of entries of a map; `None` for nil.
    pub(crate) fn map(&mut self) -> Read<Option<usize>> {
        match self.item()? {
            Item::Map(count) => Ok(Some(count)),
            Item::Nil => Ok(None),
            _ => Err(Malformed::Type),
        }
    }

    /// Number of values of an array; 0 for nil.
    pub(crate) fn array(&mut self) -> Read<usize> {
        match self.item()? {
            Item::Array(count) => Ok(count),
            Item::Nil => Ok(0),
            _ => Err(Malformed::Type),
        }
    }

    /// A text; bytes that are no UTF-8 become U+FFFD.
    pub(crate) fn text(&mut self) -> Read<Cow<'a, str>> {
        self.bin().map(String::from_utf8_lossy)
    }

    pub(crate) fn bin(&mut self) -> Read<&'a [u8]> {
        match self.item()? {
            Item::Text(bytes) | Item::Bin(bytes) => Ok(bytes),
            Item::Nil => Ok(&[]),
            _ => Err(Malformed::Type),
        }
    }

    /// A number that is not negative. Floating-point numbers are cut off.
    #[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
    #[expect(clippy::cast_sign_loss, reason = "negative numbers are refused")]
    pub(crate) fn uint(&mut self) -> Read<u64> {
        match self.item()? {
            Item::Uint(number) => Ok(number),
            Item::Int(number) => u64::try_from(number).map_err(|_| Malformed::Type),
            Item::Float(number) if number >= 0.0 => Ok(number as u64),
            Item::Nil => Ok(0),
            _ => Err(Malformed::Type),
        }
    }

    pub(crate) fn int(&mut self) -> Read<i64> {
        match self.item()? {
            Item::Uint(number) => i64::try_from(number).map_err(|_| Malformed::Type),
            Item::Int(number) => Ok(number),
            Item::Nil => Ok(0),
            _ => Err(Malformed::Type),
        }
    }

    pub(crate) fn flag(&mut self) -> Read<bool> {
        match self.item()? {
            Item::Flag(is_set) => Ok(is_set),
            Item::Uint(number) => Ok(number != 0),
            Item::Nil => Ok(false),
            _ => Err(Malformed::Type),
        }
    }

    /// Passes over a value and all that it contains, without recursion.
    pub(crate) fn skip(&mut self) -> Read<()> {
        let mut left = 1_usize;
        for _ in 0..SKIPPED_MAX {
            if left == 0 {
                return Ok(());
            }
            left -= 1;
            let inside = match self.item()? {
                Item::Array(count) => count,
                Item::Map(count) => count.saturating_mul(2),
                _ => 0,
            };
            left = left.saturating_add(inside);
        }
        Err(Malformed::Type)
    }

    fn item(&mut self) -> Read<Item<'a>> {
        let [marker] = self.take()?;
        Ok(match marker {
            0x00..=0x7f => Item::Uint(u64::from(marker)),
            0x80..=0x8f => Item::Map(usize::from(marker & 0x0f)),
            0x90..=0x9f => Item::Array(usize::from(marker & 0x0f)),
            0xa0..=0xbf => Item::Text(self.bytes(usize::from(marker & 0x1f))?),
            0xc0 => Item::Nil,
            0xc1 => return Err(Malformed::Type),
            0xc2 => Item::Flag(false),
            0xc3 => Item::Flag(true),
            0xc4..=0xc6 => Item::Bin(self.sized(marker - 0xc4)?),
            0xc7..=0xc9 => {
                let len = self.len(marker - 0xc7)?;
                self.bytes(len.saturating_add(1))?;
                Item::Extension
            }
            0xca => Item::Float(f64::from(f32::from_be_bytes(self.take()?))),
            0xcb => Item::Float(f64::from_be_bytes(self.take()?)),
            0xcc => Item::Uint(u64::from(u8::from_be_bytes(self.take()?))),
            0xcd => Item::Uint(u64::from(u16::from_be_bytes(self.take()?))),
            0xce => Item::Uint(u64::from(u32::from_be_bytes(self.take()?))),
            0xcf => Item::Uint(u64::from_be_bytes(self.take()?)),
            0xd0 => Item::Int(i64::from(i8::from_be_bytes(self.take()?))),
            0xd1 => Item::Int(i64::from(i16::from_be_bytes(self.take()?))),
            0xd2 => Item::Int(i64::from(i32::from_be_bytes(self.take()?))),
            0xd3 => Item::Int(i64::from_be_bytes(self.take()?)),
            0xd4..=0xd8 => {
                self.bytes(1 + (1 << (marker - 0xd4)))?;
                Item::Extension
            }
            0xd9..=0xdb => Item::Text(self.sized(marker - 0xd9)?),
            0xdc => Item::Array(self.len(1)?),
            0xdd => Item::Array(self.len(2)?),
            0xde => Item::Map(self.len(1)?),
            0xdf => Item::Map(self.len(2)?),
            0xe0..=0xff => Item::Int(i64::from(marker.cast_signed())),
        })
    }

    /// A length in 1, 2 or 4 bytes.
    fn len(&mut self, width: u8) -> Read<usize> {
        Ok(match width {
            0 => usize::from(u8::from_be_bytes(self.take()?)),
            1 => usize::from(u16::from_be_bytes(self.take()?)),
            _ => usize::try_from(u32::from_be_bytes(self.take()?)).unwrap_or(usize::MAX),
        })
    }

    /// Bytes behind their length.
    fn sized(&mut self, width: u8) -> Read<&'a [u8]> {
        let len = self.len(width)?;
        self.bytes(len)
    }

    fn bytes(&mut self, len: usize) -> Read<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn take<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(*array)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rmpv::Value;

    use super::*;

    /// Bytes of a value, by an encoder that shares nothing with the reader.
    fn bytes(value: &Value) -> Vec<u8> {
        let mut bytes = Vec::new();
        rmpv::encode::write_value(&mut bytes, value).unwrap();
        bytes
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Nil),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<i8>().prop_map(Value::from),
            any::<f32>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,300}".prop_map(Value::from),
            prop::collection::vec(any::<u8>(), 0..300).prop_map(Value::from),
            (any::<i8>(), prop::collection::vec(any::<u8>(), 0..40))
                .prop_map(|(kind, bytes)| Value::Ext(kind, bytes)),
        ];
        leaf.prop_recursive(4, 64, 20, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..20).prop_map(Value::Array),
                prop::collection::vec((inner.clone(), inner), 0..20).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_is_passed_over(value in value()) {
            let mut bytes = bytes(&value);
            bytes.push(0x2a);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.skip(), Ok(()));
            prop_assert_eq!(reader.uint(), Ok(42));
            for len in 0..bytes.len() - 1 {
                let cut = bytes.get(..len).unwrap_or_default();
                prop_assert_eq!(Reader::new(cut).skip(), Err(Malformed::Truncated));
            }
        }

        #[test]
        fn integers_are_read_in_any_encoding(number: i64) {
            let bytes = bytes(&Value::from(number));
            prop_assert_eq!(Reader::new(&bytes).int(), Ok(number));
            let unsigned = u64::try_from(number).map_err(|_| Malformed::Type);
            prop_assert_eq!(Reader::new(&bytes).uint(), unsigned);
        }
    }

    #[test]
    fn nil_is_nothing() {
        let nil = || Reader::new(&[0xc0]);
        assert_eq!(nil().map(), Ok(None));
        assert_eq!(nil().array(), Ok(0));
        assert_eq!(nil().text().as_deref(), Ok(""));
        assert_eq!((nil().uint(), nil().int(), nil().flag()), (Ok(0), Ok(0), Ok(false)));
    }

    #[test]
    fn what_is_no_utf8_is_repaired() {
        let bytes = bytes(&Value::from(vec![b'a', 0xff, b'b']));
        assert_eq!(Reader::new(&bytes).text().as_deref(), Ok("a\u{fffd}b"));
    }

    #[test]
    fn other_types_are_refused() {
        for wrong in [&[0x90_u8] as &[u8], &[0xc1], &[0xd4, 0, 0]] {
            assert_eq!(Reader::new(wrong).uint(), Err(Malformed::Type));
        }
        assert_eq!(Reader::new(&[0x01]).text(), Err(Malformed::Type));
        assert_eq!(Reader::new(&[0xa0]).flag(), Err(Malformed::Type));
    }

    /// A header may promise more than memory holds.
    #[test]
    fn huge_promises_end_with_the_bytes() {
        let nested = [0xdf, 0xff, 0xff, 0xff, 0xff].repeat(1000);
        assert_eq!(Reader::new(&nested).skip(), Err(Malformed::Truncated));
    }
}
