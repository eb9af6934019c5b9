//! Scrubbing by key name, for YAML and JSON.

use std::sync::LazyLock;

use regex::bytes::Regex;
use serde_json::Value;

use super::{HIDDEN, rules, text};
use crate::{keys, yaml};

/// Hides the values of telling keys in a structure, and runs the text rules on other texts.
/// `stripped` names further keys (`flare_stripped_keys`).
pub fn json(value: &mut Value, stripped: &[String]) {
    walk(value, stripped);
}

/// Scrubs a YAML text by key names and then by the text rules; a text that is no YAML gets the text
/// rules alone.
#[must_use]
pub fn yaml(source: &str, stripped: &[String]) -> String {
    text(&named(source, stripped, |_| {}))
}

/// Scrubs a file of settings by key names alone, those that the table calls secret included, as
/// sections or with dots. A text that is no YAML stays as it is: [`text`] comes next for both.
#[must_use]
pub fn settings(source: &str, stripped: &[String]) -> String {
    named(source, stripped, |value| hide_entries(value, ""))
}

fn named(source: &str, stripped: &[String], hide: impl Fn(&mut Value)) -> String {
    let Ok(node) = yaml::parse(source) else { return source.to_owned() };
    let mut value = node.to_json();
    if !value.is_object() && !value.is_array() {
        return source.to_owned();
    }
    hide(&mut value);
    hide_keys(&mut value, stripped);
    let mut out = String::new();
    yaml::emit(&value, 0, &mut out);
    out.trim_start_matches('\n').to_owned()
}

fn hide_entries(value: &mut Value, section: &str) {
    let Value::Object(map) = value else { return };
    for (key, value) in map.iter_mut() {
        let path = if section.is_empty() { key.clone() } else { format!("{section}.{key}") };
        if keys::find(&path).is_some_and(crate::Entry::is_secret) {
            hide_whole(value);
        } else {
            hide_entries(value, &path);
        }
    }
}

/// A key of digits reads as a number.
fn hide_whole(value: &mut Value) {
    match value {
        Value::Number(_) => *value = Value::from(HIDDEN),
        Value::Array(items) => items.iter_mut().for_each(hide_whole),
        Value::Object(map) => map.values_mut().for_each(hide_whole),
        Value::String(_) | Value::Null | Value::Bool(_) => super::all_texts(value),
    }
}

fn walk(value: &mut Value, stripped: &[String]) {
    hide_keys(value, stripped);
    scrub_texts(value);
}

fn hide_keys(value: &mut Value, stripped: &[String]) {
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                match hidden_as(key, value, stripped) {
                    Some(hidden) => *value = hidden,
                    None => hide_keys(value, stripped),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hide_keys(item, stripped)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn scrub_texts(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let std::borrow::Cow::Owned(clean) = super::log_line(text) {
                *text = clean;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(scrub_texts),
        Value::Object(map) => map.values_mut().for_each(scrub_texts),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What replaces the value of a telling key, or nothing if the key tells nothing.
fn hidden_as(key: &str, value: &Value, stripped: &[String]) -> Option<Value> {
    static TELLING: LazyLock<Regex> = LazyLock::new(|| {
        rules::ascii_regex(concat!(
            r"pass(word)?|pwd|^.*token$|^community_strings$",
            r"|^(community_string|authKey|privKey|community|authentication_key",
            r"|privacy_key|Authorization|authorization)$"
        ))
    });
    if key.contains("api_key") {
        return value.as_str().map(|text| key_with_tail(text, 32));
    }
    if key.contains("app_key") || key.contains("application_key") {
        return value.as_str().map(|text| key_with_tail(text, 40));
    }
    let is_telling = TELLING.is_match(key.as_bytes()) || stripped.iter().any(|name| name == key);
    (is_telling && !value.is_null()).then(|| Value::from(HIDDEN))
}

/// A key of the usual length keeps its last five characters.
fn key_with_tail(text: &str, usual_chars: usize) -> Value {
    if text.is_empty() {
        return Value::from("");
    }
    // Hidden already, because the table calls it secret.
    if text.starts_with("***") && text.chars().count() <= 8 {
        return Value::from(text);
    }
    match text.char_indices().nth(usual_chars.saturating_sub(5)) {
        Some((tail_at, _)) if text.chars().count() == usual_chars => {
            let tail = text.get(tail_at..).unwrap_or_default();
            Value::from(format!("{}{tail}", "*".repeat(usual_chars - 5)))
        }
        _ => Value::from(HIDDEN),
    }
}
