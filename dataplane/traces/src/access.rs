//! Reading and writing attributes by key, in both models of spans.
//!
//! Before v1.0 text and numbers are two key spaces: [`text_of`] reads `meta` and [`number_of`]
//! reads `metrics`. In v1.0 an attribute has one value of any type, which is read as text or as a
//! number, and `env`, `version`, `component` and `span.kind` are fields of the span. spec: apm
//! §5.4.

use std::fmt::Write;

use span::{Attribute, Batch, Key, Slice, Span, SpanKind, Str, Strings, Value};

/// Nested values below this level are left out of a text; decoders refuse them anyway.
const DEPTH_MAX: usize = 64;

/// What a span has under a key, as text. `scratch` holds it when it had to be written.
pub(crate) fn text_of<'a>(
    batch: &'a Batch,
    span: &Span,
    key: Key,
    scratch: &'a mut String,
) -> Option<&'a str> {
    if !batch.format.is_v1() {
        return batch.meta(span, key).map(|text| batch.strings.text(text));
    }
    if let Some(field) = field(span, key) {
        return field.text(&batch.strings);
    }
    let value = last(batch, span, key)?.value();
    Some(as_text(batch, value, scratch))
}

/// The text that a span has under a key, when it is a text already: what may be edited.
pub(crate) fn str_of(batch: &Batch, span: &Span, key: Key) -> Option<Str> {
    if batch.format.is_v1()
        && let Some(field) = field(span, key)
    {
        return match field {
            Field::Text(text) => (!text.is_empty()).then_some(text),
            Field::Kind(_) => None,
        };
    }
    batch.meta(span, key)
}

/// What a span has under a key, as a number.
pub(crate) fn number_of(batch: &Batch, span: &Span, key: Key) -> Option<f64> {
    if !batch.format.is_v1() {
        return batch.metric(span, key);
    }
    if let Some(field) = field(span, key) {
        return field.text(&batch.strings)?.parse().ok();
    }
    as_number(batch, last(batch, span, key)?.value())
}

/// The number that a span has under a key, if it is one by its type: an entry of `metrics` before
/// v1.0.
pub(crate) fn typed_number_of(batch: &Batch, span: &Span, key: Key) -> Option<f64> {
    if !batch.format.is_v1() {
        return batch.metric(span, key);
    }
    let value = last(batch, span, key)?.value();
    let is_number = matches!(value, Value::Double(_) | Value::Int(_));
    is_number.then(|| as_number(batch, value)).flatten()
}

/// Whether a number is there and equal to 1.
pub(crate) fn is_one(batch: &Batch, span: &Span, key: Key) -> bool {
    #[expect(clippy::float_cmp, reason = "a flag is exactly 1")]
    number_of(batch, span, key).is_some_and(|number| number == 1.0)
}

/// Sets what a span has under a key. Before v1.0 a value of the same kind is replaced, in v1.0 any.
pub(crate) fn set(batch: &mut Batch, at: usize, key: Key, value: Value) {
    let is_v1 = batch.format.is_v1();
    let Some(span) = batch.spans.get_mut(at) else { return };
    if is_v1 && set_field(span, &batch.strings, key, value) {
        return;
    }
    if is_v1 && span.keys.has(key) {
        let mut held = batch.attributes.get_mut(span.attributes).iter_mut().rev();
        if let Some(held) = held.find(|held| held.name == key) {
            held.set(value);
            return;
        }
    }
    batch.set(at, key, value);
}

/// Sets a number, under a key that mostly is not there yet and whose name is in the table already.
pub(crate) fn set_number(batch: &mut Batch, at: usize, key: Key, name: Str, number: f64) {
    let value = Value::Double(number);
    match batch.spans.get_mut(at) {
        Some(span) if !span.keys.has(key) => {
            span.keys.insert(key);
            batch.attributes.push(&mut span.attributes, Attribute::new(name, key, value));
        }
        _ => set(batch, at, key, value),
    }
}

/// Removes the text that a span has under a key; in v1.0 whatever it has.
pub(crate) fn remove_text(batch: &mut Batch, at: usize, key: Key) {
    let is_v1 = batch.format.is_v1();
    batch.remove(at, key, |value| is_v1 || matches!(value, Value::Text(_)));
}

/// Removes the number that a span has under a key; in v1.0 whatever it has.
pub(crate) fn remove_number(batch: &mut Batch, at: usize, key: Key) {
    let is_v1 = batch.format.is_v1();
    batch.remove(at, key, |value| is_v1 || matches!(value, Value::Double(_)));
}

/// A value as text: that of the batch, or written to `scratch`.
pub(crate) fn as_text<'a>(batch: &'a Batch, value: Value, scratch: &'a mut String) -> &'a str {
    if let Value::Text(text) = value {
        return batch.strings.text(text);
    }
    scratch.clear();
    write_value(batch, value, DEPTH_MAX, scratch);
    scratch
}

/// A value as a number, if it is or reads as one.
pub(crate) fn as_number(batch: &Batch, value: Value) -> Option<f64> {
    match value {
        Value::Text(text) => batch.strings.text(text).parse().ok(),
        Value::Bool(is_set) => Some(f64::from(u8::from(is_set))),
        Value::Double(number) => Some(number),
        #[expect(clippy::cast_precision_loss, reason = "the model reads integers so")]
        Value::Int(number) => Some(number as f64),
        Value::Bytes(_) | Value::Array(_) | Value::Map(_) => None,
    }
}

/// The beginning of a text: a little more than `bytes_max` bytes, so that what is cut from it is
/// what would be cut from the whole, which may be long.
pub(crate) fn head_of(strings: &Strings, text: Str, bytes_max: usize) -> &str {
    let bytes = strings.bytes(text);
    let head = bytes.get(..bytes_max + 4).unwrap_or(bytes);
    match std::str::from_utf8(head) {
        Ok(head) => head,
        Err(error) => {
            let valid = head.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
    }
}

/// Appends a number in the shortest decimal form, without an exponent.
pub(crate) fn write_number(number: f64, out: &mut String) {
    let text = if number.is_nan() {
        "NaN"
    } else if number == f64::INFINITY {
        "+Inf"
    } else if number == f64::NEG_INFINITY {
        "-Inf"
    } else {
        write(out, format_args!("{number}"));
        return;
    };
    out.push_str(text);
}

/// Appends formatted text, which a string never refuses.
pub(crate) fn write(out: &mut String, what: std::fmt::Arguments<'_>) {
    out.write_fmt(what).unwrap_or_default();
}

/// A key as a configuration names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyName {
    pub(crate) key: Key,
    pub(crate) text: Box<str>,
}

impl KeyName {
    pub(crate) fn new(text: &str) -> Self {
        Self { key: Key::of(text.as_bytes()), text: text.into() }
    }

    /// Whether an attribute has this key.
    pub(crate) fn is_of(&self, held: &Attribute, strings: &Strings) -> bool {
        held.name == self.key
            && (self.key != Key::Other || strings.bytes(held.key) == self.text.as_bytes())
    }

    /// What a span has under this key, as text: an entry of `meta` before v1.0.
    pub(crate) fn text_of<'a>(
        &self,
        batch: &'a Batch,
        span: &Span,
        scratch: &'a mut String,
    ) -> Option<&'a str> {
        if self.key != Key::Other {
            return text_of(batch, span, self.key, scratch);
        }
        let is_v1 = batch.format.is_v1();
        let mut held = batch.attributes.get(span.attributes).iter().rev();
        let found =
            held.find(|held| self.is_of(held, &batch.strings) && (is_v1 || held.text().is_some()))?;
        Some(as_text(batch, found.value(), scratch))
    }
}

/// Whether the key sets of spans tell if a key is there: not of other keys, and not of those that
/// are fields in v1.0.
pub(crate) const fn is_told(key: Key) -> bool {
    !matches!(key, Key::Other | Key::Env | Key::Version | Key::Component | Key::SpanKind)
}

/// A promoted field of v1.0.
enum Field {
    Text(Str),
    Kind(SpanKind),
}

impl Field {
    fn text(self, strings: &Strings) -> Option<&str> {
        match self {
            Self::Text(text) => (!text.is_empty()).then(|| strings.text(text)),
            Self::Kind(kind) => Some(kind.as_str()),
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "four of a hundred keys are fields")]
const fn field(span: &Span, key: Key) -> Option<Field> {
    match key {
        Key::Env => Some(Field::Text(span.env)),
        Key::Version => Some(Field::Text(span.version)),
        Key::Component => Some(Field::Text(span.component)),
        Key::SpanKind => Some(Field::Kind(span.kind)),
        _ => None,
    }
}

/// Sets a promoted field; false when the key is none.
#[expect(clippy::wildcard_enum_match_arm, reason = "four of a hundred keys are fields")]
fn set_field(span: &mut Span, strings: &Strings, key: Key, value: Value) -> bool {
    let text = if let Value::Text(text) = value { text } else { Str::EMPTY };
    match key {
        Key::Env => span.env = text,
        Key::Version => span.version = text,
        Key::Component => span.component = text,
        Key::SpanKind => {
            let name = strings.text(text);
            let kinds = (0..=5).map(SpanKind::from_number);
            span.kind = kinds.into_iter().find(|kind| kind.as_str() == name).unwrap_or_default();
        }
        _ => return false,
    }
    true
}

fn last(batch: &Batch, span: &Span, key: Key) -> Option<Attribute> {
    if !span.keys.has(key) {
        return None;
    }
    batch.attributes.get(span.attributes).iter().rev().find(|held| held.name == key).copied()
}

fn write_value(batch: &Batch, value: Value, depth: usize, out: &mut String) {
    match value {
        Value::Text(text) => out.push_str(batch.strings.text(text)),
        Value::Bool(is_set) => out.push_str(if is_set { "true" } else { "false" }),
        Value::Double(number) => write_number(number, out),
        Value::Int(number) => write(out, format_args!("{number}")),
        Value::Bytes(bytes) => {
            for chunk in batch.strings.bytes(bytes).utf8_chunks() {
                out.push_str(chunk.valid());
                if !chunk.invalid().is_empty() {
                    out.push(char::REPLACEMENT_CHARACTER);
                }
            }
        }
        Value::Array(slice) => write_list(batch, slice, ['[', ']'], depth, out),
        Value::Map(slice) => write_list(batch, slice, ['{', '}'], depth, out),
    }
}

fn write_list(batch: &Batch, of: Slice, [open, close]: [char; 2], depth: usize, out: &mut String) {
    out.push(open);
    let held = batch.nested.slice(of);
    for (n, entry) in held.iter().enumerate().take_while(|_| depth > 0) {
        if n > 0 {
            out.push(',');
        }
        if open == '{' {
            out.push_str(batch.strings.text(entry.key));
            out.push('=');
        }
        write_value(batch, entry.value(), depth - 1, out);
    }
    out.push(close);
}
