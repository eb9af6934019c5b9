//! OTLP/JSON to protobuf, so that there is one reader. spec: otlp §2.2.
//!
//! ```text
//! text --serde_json, a token at a time--> schema: which field, of what kind --> protobuf
//! ```
//!
//! Nothing is built between the two: the output is all that is allocated, at most some three times
//! the text (of empty messages). What the text holds is written even when it is zero, since some
//! fields tell zero from absent; null is absent. Texts that are no Unicode are passed on for the
//! reader to repair. `serde_json` bounds how deep values may lie within each other.

mod number;
mod schema;

use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};

use crate::Signal;
use crate::output::{self, Output};
use number::Number;
pub use schema::Message;
use schema::{Field, Kind};

/// Why a text was refused.
#[derive(Debug, thiserror::Error)]
#[error("the body is no OTLP/JSON: {0}")]
pub struct JsonError(#[from] serde_json::Error);

/// Turns a request into protobuf.
///
/// # Errors
/// [`JsonError`], with the place in the text.
pub fn to_protobuf(signal: Signal, json: &[u8]) -> Result<Vec<u8>, JsonError> {
    let message = match signal {
        Signal::Traces => Message::TracesRequest,
        Signal::Metrics => Message::MetricsRequest,
        Signal::Logs => Message::LogsRequest,
    };
    let mut text = serde_json::Deserializer::from_slice(json);
    let mut out = Output::default();
    Fields { message, out: &mut out }.deserialize(&mut text)?;
    text.end()?;
    Ok(out.into_bytes())
}

/// Turns a single message into protobuf, such as a span or a metric.
///
/// # Errors
/// [`JsonError`].
pub fn message_to_protobuf(
    message: Message,
    json: &serde_json::Value,
) -> Result<Vec<u8>, JsonError> {
    let mut out = Output::default();
    Fields { message, out: &mut out }.deserialize(json)?;
    Ok(out.into_bytes())
}

/// Senders differ in whether they pad.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads an object as the fields of a message.
struct Fields<'o> {
    message: Message,
    out: &'o mut Output,
}

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with the fields of {:?}", self.message)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(field) = entries.next_key_seed(Name(self.message))? {
            match field {
                Some(field) => entries.next_value_seed(Content { field, out: &mut *self.out })?,
                None => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Reads the name of a field; none for one that nobody knows.
struct Name(Message);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<&'static Field>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<&'static Field>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.field(name))
    }
}

/// Reads what a field holds: nothing, one value, or a list.
struct Content<'o> {
    field: &'static Field,
    out: &'o mut Output,
}

impl<'de> DeserializeSeed<'de> for Content<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Content<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list for {}", self.field.name)
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        if self.field.is_list {
            return json.deserialize_seq(self);
        }
        self.out.tag(self.field.number, self.field.kind.wire());
        Value { field: self.field, out: self.out }.deserialize(json)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let Self { field, out } = self;
        let packed = field.kind.is_packed().then(|| {
            out.tag(field.number, output::BYTES);
            out.begin()
        });
        while elements.next_element_seed(Element { field, out: &mut *out })?.is_some() {}
        match packed {
            Some(start) => out.end(start).map_err(A::Error::custom),
            None => Ok(()),
        }
    }
}

/// Reads an element of a list; null is none.
struct Element<'o> {
    field: &'static Field,
    out: &'o mut Output,
}

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Element<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an element of {}", self.field.name)
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        if !self.field.kind.is_packed() {
            self.out.tag(self.field.number, self.field.kind.wire());
        }
        Value { field: self.field, out: self.out }.deserialize(json)
    }
}

/// Reads one value, whose tag is written.
struct Value<'o> {
    field: &'static Field,
    out: &'o mut Output,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        if let Kind::Message(message) = self.field.kind {
            let start = self.out.begin();
            Fields { message, out: &mut *self.out }.deserialize(json)?;
            return self.out.end(start).map_err(D::Error::custom);
        }
        if matches!(self.field.kind, Kind::Text) {
            // As bytes, texts are not refused for half a surrogate pair.
            return json.deserialize_bytes(self);
        }
        json.deserialize_any(self)
    }
}

impl Value<'_> {
    fn number<E: Error>(self, number: Number) -> Result<(), E> {
        match number.write(self.field.kind, self.out) {
            Some(()) => Ok(()),
            None => Err(E::custom(format_args!("{} expects {}", self.field.name, self.field.kind))),
        }
    }
}

impl Visitor<'_> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {}", self.field.kind, self.field.name)
    }

    fn visit_bool<E: Error>(self, is_set: bool) -> Result<(), E> {
        if !matches!(self.field.kind, Kind::Bool) {
            return Err(E::invalid_type(Unexpected::Bool(is_set), &self));
        }
        self.out.varint(u64::from(is_set));
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.number(Number::Whole(number.into()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.number(Number::Whole(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.number(Number::Double(number))
    }

    fn visit_bytes<E: Error>(self, text: &[u8]) -> Result<(), E> {
        self.out.bytes(text).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let kind = self.field.kind;
        if matches!(kind, Kind::Text) {
            return self.visit_bytes(text.as_bytes());
        }
        if matches!(kind, Kind::Id | Kind::Bytes) {
            let is_hexadecimal = matches!(kind, Kind::Id);
            return match if is_hexadecimal { hexadecimal(text) } else { base64(text) } {
                Some(bytes) => self.out.bytes(&bytes).map_err(E::custom),
                None => Err(E::invalid_value(Unexpected::Str(text), &self)),
            };
        }
        if let Kind::Enum(names) = kind
            && let Some(place) = names.iter().position(|name| *name == text)
        {
            self.out.varint(place as u64);
            return Ok(());
        }
        match Number::parse(text) {
            Some(number) => self.number(number),
            None => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}

/// Bytes in either alphabet.
fn base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.replace('-', "+").replace('_', "/")).ok()
}

/// Bytes of an id, whose digits are of either case.
fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|n| u8::try_from(n).ok());
    let byte = |&[high, low]: &[u8; 2]| Some(digit(high)? << 4 | digit(low)?);
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

#[cfg(test)]
mod tests;
