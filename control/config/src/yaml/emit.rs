//! Values to YAML text, in block style.

use serde_json::Value as Json;

/// Writes a value; collections start on a new line below `indent` blanks.
pub(crate) fn emit(value: &Json, indent: usize, out: &mut String) {
    match value {
        Json::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                out.push_str(&format!("\n{:indent$}", ""));
                emit_key(key, out);
                out.push(':');
                emit_after(value, indent, out);
            }
        }
        Json::Array(items) if !items.is_empty() => {
            for item in items {
                out.push_str(&format!("\n{:indent$}-", ""));
                emit_after(item, indent, out);
            }
        }
        Json::Null
        | Json::Bool(_)
        | Json::Number(_)
        | Json::String(_)
        | Json::Array(_)
        | Json::Object(_) => emit_scalar(value, out),
    }
}

fn emit_after(value: &Json, indent: usize, out: &mut String) {
    let is_block = match value {
        Json::Object(map) => !map.is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    };
    if !is_block {
        out.push(' ');
    }
    emit(value, indent + 2, out);
}

/// Writes a key, quoted where it could be read as something else.
pub(crate) fn emit_key(key: &str, out: &mut String) {
    emit_scalar(&Json::from(key), out);
}

/// Writes a scalar, or an empty collection.
pub(crate) fn emit_scalar(value: &Json, out: &mut String) {
    match value {
        Json::String(text) if is_plain(text) => out.push_str(text),
        // JSON is YAML: quoted texts, numbers, `[]` and `{}` need no form of their own.
        Json::Null
        | Json::Bool(_)
        | Json::Number(_)
        | Json::String(_)
        | Json::Array(_)
        | Json::Object(_) => out.push_str(&value.to_string()),
    }
}

/// Whether a text reads back as the same text without quotes, in YAML 1.1 and 1.2.
fn is_plain(text: &str) -> bool {
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_');
    let has_good_chars = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_-./+@%=$()".contains(c) || c == ':' || c == ' ');
    starts_well
        && has_good_chars
        && !text.contains(": ")
        && !text.ends_with([':', ' '])
        && crate::parse::bool(text).is_none()
        && !matches!(text.to_ascii_lowercase().as_str(), "null")
}
