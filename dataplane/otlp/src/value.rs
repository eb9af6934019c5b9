//! Attributes and their values. spec: otlp §2.1, §2.3.

use std::borrow::Cow;
use std::fmt::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use crate::wire::{Field, Fields, WireError};

/// How deep values may lie within each other.
pub const DEPTH_MAX: usize = 64;
/// Attributes of one resource, scope, span, point or record; also elements of one list or map. What
/// takes two bytes on the wire must not become some fifty bytes of memory without end.
pub const ATTRIBUTES_MAX: usize = 1 << 14;

/// A value. Lists and maps stay encoded until somebody reads them.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value<'a> {
    /// None is given.
    #[default]
    Unset,
    /// Text, repaired.
    Text(Cow<'a, str>),
    /// Boolean.
    Bool(bool),
    /// Integer.
    Int(i64),
    /// Number.
    Double(f64),
    /// List, as the message `ArrayValue`.
    Array(&'a [u8]),
    /// Map, as the message `KeyValueList`.
    Map(&'a [u8]),
    /// Binary data.
    Bytes(&'a [u8]),
}

/// A key and its value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attribute<'a> {
    /// The key, repaired.
    pub key: Cow<'a, str>,
    /// The value.
    pub value: Value<'a>,
}

/// A list of attributes in order of arrival; of a key that is there twice a lookup finds the first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes<'a>(pub Vec<Attribute<'a>>);

impl<'a> Attribute<'a> {
    /// Reads a message `KeyValue`.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn read(message: &'a [u8]) -> Result<Self, WireError> {
        let (mut fields, mut read) = (Fields::new(message), Self::default());
        while let Some(field) = fields.read()? {
            match field.number {
                1 => read.key = field.text()?,
                2 => read.value = Value::read(field.bytes()?)?,
                _ => {}
            }
        }
        Ok(read)
    }
}

impl<'a> Attributes<'a> {
    /// Adds the attribute in a field that holds a message `KeyValue`.
    ///
    /// # Errors
    /// [`WireError`], such as that there are [`ATTRIBUTES_MAX`].
    pub fn push(&mut self, field: Field<'a>) -> Result<(), WireError> {
        if self.0.len() >= ATTRIBUTES_MAX {
            return Err(WireError::TooMany);
        }
        self.0.push(Attribute::read(field.bytes()?)?);
        Ok(())
    }

    /// The first value under a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.0.iter().find(|held| held.key == key).map(|held| &held.value)
    }

    /// The first value under a key as text, if it is one and not empty.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Value::Text(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Attribute<'a>> {
        self.0.iter()
    }
}

impl<'a> Value<'a> {
    /// Reads a message `AnyValue`. Of several members the last counts.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn read(message: &'a [u8]) -> Result<Self, WireError> {
        let (mut fields, mut value) = (Fields::new(message), Self::Unset);
        while let Some(field) = fields.read()? {
            value = match field.number {
                1 => Self::Text(field.text()?),
                2 => Self::Bool(field.boolean()?),
                3 => Self::Int(field.signed()?),
                4 => Self::Double(field.double()?),
                5 => Self::Array(field.bytes()?),
                6 => Self::Map(field.bytes()?),
                7 => Self::Bytes(field.bytes()?),
                _ => value,
            };
        }
        Ok(value)
    }

    /// The text that it has as a tag or entry of `meta`. spec: otlp §2.3.
    ///
    /// # Errors
    /// [`WireError`] of a list or map.
    pub fn to_text(&self) -> Result<Cow<'_, str>, WireError> {
        Ok(match self {
            Self::Unset => Cow::Borrowed(""),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Int(number) => Cow::Owned(number.to_string()),
            Self::Double(number) => Cow::Owned(double_text(*number)),
            Self::Bytes(bytes) => Cow::Owned(STANDARD.encode(bytes)),
            Self::Array(_) | Self::Map(_) => {
                let mut text = String::new();
                self.write_json(&mut text, 0)?;
                Cow::Owned(text)
            }
        })
    }

    /// Appends it as compact JSON: keys of maps sorted, binary data as base64.
    ///
    /// # Errors
    /// [`WireError`] of what lies within.
    pub fn push_json(&self, json: &mut String) -> Result<(), WireError> {
        self.write_json(json, 0)
    }

    fn write_json(&self, json: &mut String, depth: usize) -> Result<(), WireError> {
        if depth > DEPTH_MAX {
            return Err(WireError::TooDeep);
        }
        match self {
            Self::Unset => json.push_str("null"),
            Self::Text(text) => push_quoted(json, text),
            Self::Bool(is_set) => json.push_str(if *is_set { "true" } else { "false" }),
            Self::Int(number) => push_shown(json, number),
            Self::Double(number) if number.is_finite() => json.push_str(&double_text(*number)),
            // JSON has no such numbers.
            Self::Double(number) => push_quoted(json, &number.to_string()),
            Self::Bytes(bytes) => push_quoted(json, &STANDARD.encode(bytes)),
            Self::Array(message) => {
                json.push('[');
                let mut is_first = true;
                for value in elements(message)? {
                    separate(json, &mut is_first);
                    value.write_json(json, depth + 1)?;
                }
                json.push(']');
            }
            Self::Map(message) => {
                let mut entries = entries(message)?;
                entries.0.sort_by(|a, b| a.key.cmp(&b.key));
                json.push('{');
                let mut is_first = true;
                for Attribute { key, value } in entries.iter() {
                    separate(json, &mut is_first);
                    push_quoted(json, key);
                    json.push(':');
                    value.write_json(json, depth + 1)?;
                }
                json.push('}');
            }
        }
        Ok(())
    }
}

/// The elements of a message `ArrayValue`.
///
/// # Errors
/// [`WireError`].
pub fn elements(message: &[u8]) -> Result<Vec<Value<'_>>, WireError> {
    let (mut fields, mut elements) = (Fields::new(message), Vec::new());
    while let Some(field) = fields.read()? {
        if field.number == 1 {
            if elements.len() >= ATTRIBUTES_MAX {
                return Err(WireError::TooMany);
            }
            elements.push(Value::read(field.bytes()?)?);
        }
    }
    Ok(elements)
}

/// The entries of a message `KeyValueList`.
///
/// # Errors
/// [`WireError`].
pub fn entries(message: &[u8]) -> Result<Attributes<'_>, WireError> {
    let (mut fields, mut entries) = (Fields::new(message), Attributes::default());
    while let Some(field) = fields.read()? {
        if field.number == 1 {
            entries.push(field)?;
        }
    }
    Ok(entries)
}

/// A text as JSON, quotes included.
pub fn push_quoted(json: &mut String, text: &str) {
    push_shown(json, &Json::from(text));
}

fn push_shown(json: &mut String, shown: &dyn std::fmt::Display) {
    // Writing to a string cannot fail.
    write!(json, "{shown}").ok();
}

fn separate(json: &mut String, is_first: &mut bool) {
    if !std::mem::take(is_first) {
        json.push(',');
    }
}

/// A number as JSON of the reference has it: decimal from 1e-6 up to 1e21, an exponent beyond, and
/// no fraction where there is none. spec: otlp §2.3.
#[must_use]
pub fn double_text(number: f64) -> String {
    if number.is_nan() {
        return "json: unsupported value: NaN".to_owned();
    }
    if number.is_infinite() {
        let sign = if number > 0.0 { '+' } else { '-' };
        return format!("json: unsupported value: {sign}Inf");
    }
    let magnitude = number.abs();
    if number == 0.0 || (1e-6..1e21).contains(&magnitude) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u8, content: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2][..], &length(content.len()), content].concat()
    }

    fn text(value: &str) -> Vec<u8> {
        message(1, value.as_bytes())
    }

    fn entry(key: &str, value: &[u8]) -> Vec<u8> {
        message(1, &[message(1, key.as_bytes()), message(2, value)].concat())
    }

    #[test]
    fn numbers_are_written_as_the_reference_does() {
        let shown =
            [3.0, -0.5, 1e-7, 1e21, 123_456_789_012_345_680_000.0, 0.000_001].map(double_text);
        assert_eq!(shown, ["3", "-0.5", "1e-7", "1e+21", "123456789012345680000", "0.000001"]);
        assert_eq!(double_text(f64::NAN), "json: unsupported value: NaN");
        assert_eq!(double_text(f64::NEG_INFINITY), "json: unsupported value: -Inf");
    }

    #[test]
    fn lists_and_maps_become_json_with_sorted_keys() {
        let list = [message(1, &text("a\"b")), message(1, &[0x18, 5])].concat();
        let map = [entry("z", &message(5, &list)), entry("b", &message(7, b"hi"))].concat();
        let map_message = message(6, &map);
        let value = Value::read(&map_message).unwrap();
        assert_eq!(value.to_text().unwrap(), r#"{"b":"aGk=","z":["a\"b",5]}"#);
    }

    #[test]
    fn depth_is_bounded() {
        let mut value = text("x");
        for _ in 0..DEPTH_MAX {
            value = message(5, &message(1, &value));
        }
        assert!(Value::read(&value).unwrap().to_text().is_ok());
        value = message(5, &message(1, &value));
        assert_eq!(Value::read(&value).unwrap().to_text(), Err(WireError::TooDeep));
    }

    fn length(mut n: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while n >= 0x80 {
            bytes.push(u8::try_from(n & 0x7f).unwrap() | 0x80);
            n >>= 7;
        }
        bytes.push(u8::try_from(n).unwrap());
        bytes
    }

    #[test]
    fn of_equal_keys_the_first_is_found() {
        let list = [entry("k", &text("one")), entry("k", &text("two"))].concat();
        let held = entries(&list).unwrap();
        assert_eq!(held.text("k"), Some("one"));
        assert_eq!(held.get("none"), None);
    }
}
