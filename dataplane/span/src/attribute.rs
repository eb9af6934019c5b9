//! One attribute: a key and a typed value, 16 bytes.

use crate::list::Slice;
use crate::{Key, Str};

/// A key and its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attribute {
    /// The key; empty for an element of an array.
    pub key: Str,
    /// The key, where processing knows it.
    pub name: Key,
    kind: Kind,
    bits: u64,
}

/// A typed value. spec: apm §5.4.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// Text; an entry of `meta` in the formats before v1.0.
    Text(Str),
    /// Boolean.
    Bool(bool),
    /// Number; an entry of `metrics` in the formats before v1.0.
    Double(f64),
    /// Integer.
    Int(i64),
    /// Binary data; an entry of `meta_struct` in the formats before v1.0.
    Bytes(Str),
    /// Elements in [`crate::Batch::nested`], without keys.
    Array(Slice),
    /// Entries in [`crate::Batch::nested`].
    Map(Slice),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    #[default]
    Text,
    Bool,
    Double,
    Int,
    Bytes,
    Array,
    Map,
}

const _: () = assert!(size_of::<Attribute>() == 16);

impl Attribute {
    /// A key and its value.
    #[must_use]
    #[inline]
    pub const fn new(key: Str, name: Key, value: Value) -> Self {
        let (kind, bits) = match value {
            Value::Text(text) => (Kind::Text, text.raw() as u64),
            Value::Bool(is_set) => (Kind::Bool, is_set as u64),
            Value::Double(number) => (Kind::Double, number.to_bits()),
            Value::Int(number) => (Kind::Int, number.cast_unsigned()),
            Value::Bytes(bytes) => (Kind::Bytes, bytes.raw() as u64),
            Value::Array(slice) => (Kind::Array, pack(slice)),
            Value::Map(slice) => (Kind::Map, pack(slice)),
        };
        Self { key, name, kind, bits }
    }

    /// The value.
    #[must_use]
    pub const fn value(self) -> Value {
        match self.kind {
            Kind::Text => Value::Text(Str::from_raw(low(self.bits))),
            Kind::Bool => Value::Bool(self.bits != 0),
            Kind::Double => Value::Double(f64::from_bits(self.bits)),
            Kind::Int => Value::Int(self.bits.cast_signed()),
            Kind::Bytes => Value::Bytes(Str::from_raw(low(self.bits))),
            Kind::Array => Value::Array(unpack(self.bits)),
            Kind::Map => Value::Map(unpack(self.bits)),
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub const fn text(self) -> Option<Str> {
        if matches!(self.kind, Kind::Text) { Some(Str::from_raw(low(self.bits))) } else { None }
    }

    /// The number, if it is a floating-point one.
    #[must_use]
    pub const fn double(self) -> Option<f64> {
        if matches!(self.kind, Kind::Double) { Some(f64::from_bits(self.bits)) } else { None }
    }

    /// Changes the value, keeping the key.
    pub const fn set(&mut self, value: Value) {
        *self = Self::new(self.key, self.name, value);
    }
}

const fn pack(slice: Slice) -> u64 {
    (slice.start as u64) << 32 | slice.len as u64
}

const fn unpack(bits: u64) -> Slice {
    Slice { start: low(bits >> 32), len: low(bits) }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
const fn low(bits: u64) -> u32 {
    bits as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_survives_packing() {
        let slice = Slice { start: 7, len: u32::MAX };
        for value in [
            Value::Text(Str::from_raw(u32::MAX)),
            Value::Bool(true),
            Value::Double(-0.5),
            Value::Int(i64::MIN),
            Value::Bytes(Str::EMPTY),
            Value::Array(slice),
            Value::Map(slice),
        ] {
            let attribute = Attribute::new(Str::from_raw(3), Key::Env, value);
            assert_eq!(attribute.value(), value);
            assert_eq!((attribute.key, attribute.name), (Str::from_raw(3), Key::Env));
        }
    }
}
