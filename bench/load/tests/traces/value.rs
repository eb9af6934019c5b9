//! A naive reader of msgpack.

use std::collections::HashMap;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Nil,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    Array(Vec<Self>),
    Map(Vec<(Self, Self)>),
}

impl Value {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let mut rest = bytes;
        let value = Self::take(&mut rest);
        assert!(rest.is_empty(), "bytes after the value");
        value
    }

    fn take(rest: &mut &[u8]) -> Self {
        let marker = number(rest, 1);
        match marker {
            0x00..=0x7f => Self::Int(i128::from(marker)),
            0x80..=0x8f => Self::map(rest, marker & 0xf),
            0x90..=0x9f => Self::array(rest, marker & 0xf),
            0xa0..=0xbf => Self::text(rest, marker & 0x1f),
            0xc0 => Self::Nil,
            0xc2 | 0xc3 => Self::Bool(marker == 0xc3),
            0xc4..=0xc6 => {
                let length = number(rest, 1 << (marker - 0xc4));
                Self::Bytes(split(rest, length).to_vec())
            }
            0xcb => Self::Float(f64::from_bits(number(rest, 8))),
            0xcc..=0xcf => Self::Int(i128::from(number(rest, 1 << (marker - 0xcc)))),
            0xd3 => Self::Int(i128::from(number(rest, 8).cast_signed())),
            0xd9..=0xdb => {
                let length = number(rest, 1 << (marker - 0xd9));
                Self::text(rest, length)
            }
            0xdc | 0xdd => {
                let count = number(rest, 2 << (marker - 0xdc));
                Self::array(rest, count)
            }
            0xde | 0xdf => {
                let count = number(rest, 2 << (marker - 0xde));
                Self::map(rest, count)
            }
            _ => panic!("marker {marker:x} is never written"),
        }
    }

    fn text(rest: &mut &[u8], length: u64) -> Self {
        Self::Text(String::from_utf8(split(rest, length).to_vec()).unwrap())
    }

    fn array(rest: &mut &[u8], count: u64) -> Self {
        Self::Array((0..count).map(|_| Self::take(rest)).collect())
    }

    fn map(rest: &mut &[u8], count: u64) -> Self {
        Self::Map((0..count).map(|_| (Self::take(rest), Self::take(rest))).collect())
    }

    pub(crate) fn items(&self) -> &[Self] {
        if let Self::Array(items) = self { items } else { panic!("{self:?} is no array") }
    }

    pub(crate) fn entries(&self) -> &[(Self, Self)] {
        if let Self::Map(entries) = self { entries } else { panic!("{self:?} is no map") }
    }

    /// The value of a text key.
    pub(crate) fn at(&self, key: &str) -> Option<&Self> {
        let wanted = Self::Text(key.to_owned());
        self.entries().iter().find(|(given, _)| *given == wanted).map(|(_, value)| value)
    }

    /// The value of an integer key.
    pub(crate) fn field(&self, key: i128) -> Option<&Self> {
        self.entries().iter().find(|(given, _)| *given == Self::Int(key)).map(|(_, value)| value)
    }

    pub(crate) fn as_text(&self) -> &str {
        if let Self::Text(text) = self { text } else { panic!("{self:?} is no text") }
    }

    pub(crate) fn as_int(&self) -> i128 {
        if let Self::Int(int) = self { *int } else { panic!("{self:?} is no integer") }
    }

    /// A map of texts or numbers by text.
    pub(crate) fn by_text(&self) -> HashMap<&str, &Self> {
        self.entries().iter().map(|(key, value)| (key.as_text(), value)).collect()
    }
}

fn number(rest: &mut &[u8], width: u64) -> u64 {
    split(rest, width).iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn split<'a>(rest: &mut &'a [u8], length: u64) -> &'a [u8] {
    let (head, tail) = rest.split_at(usize::try_from(length).unwrap());
    *rest = tail;
    head
}
