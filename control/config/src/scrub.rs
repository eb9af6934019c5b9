//! Removes secrets from text and structures before anybody sees them. spec: config §10.
//!
//! Two levels: the text rules run on anything (log lines, files); the structured ones look at key
//! names of YAML and JSON first, which catches secrets that have no telling shape.

mod rules;
mod structured;

use std::borrow::Cow;

pub use structured::{json, settings, yaml};

/// What stands for a secret that leaves no trace.
pub const HIDDEN: &str = "********";

/// A key or password for display: `***` and the last five characters, or less if it is short.
#[must_use]
pub fn secret(text: &str) -> String {
    const SHOWN_CHARS: usize = 5;
    // A short secret would be shown nearly whole.
    const LEAST_CHARS: usize = 12;
    let count = text.chars().count();
    match count {
        0 => String::new(),
        _ if crate::secrets::handle(text).is_some() => text.to_owned(),
        _ if count < LEAST_CHARS => "***".to_owned(),
        _ => format!("***{}", text.chars().skip(count - SHOWN_CHARS).collect::<String>()),
    }
}

/// Hides every text inside a value that is secret as a whole.
pub(crate) fn all_texts(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => *text = secret(text),
        serde_json::Value::Array(items) => items.iter_mut().for_each(all_texts),
        serde_json::Value::Object(map) => map.values_mut().for_each(all_texts),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

/// One line, such as a log message: the single-line rules only. Borrows when nothing was found.
#[must_use]
pub fn log_line(line: &str) -> Cow<'_, str> {
    rules::apply(rules::single_line(), line)
}

/// A text of many lines: comment lines are dropped, the single-line rules run on each line and the
/// multi-line rules on the whole.
#[must_use]
pub fn text(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.split('\n') {
        if line.trim_ascii_start().starts_with('#') {
            continue;
        }
        lines.push(match line.trim_ascii().is_empty() {
            true => Cow::Borrowed(""),
            false => log_line(line),
        });
    }
    rules::apply(rules::multi_line(), &lines.join("\n")).into_owned()
}

#[cfg(test)]
mod tests;
