//! Replacement texts with `$1`, `${1}`, `$name`, `${name}` and `$$`, read as Go reads them: the
//! longest run of letters, digits and `_` after a `$` is the name of a group. spec: dogstatsd §6.2.

use regex::{Captures, Regex};

/// A replacement text, its group names resolved. Unknown groups expand to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Box<str>),
    Group(usize),
}

impl Template {
    /// Reads `text`, whose groups are those of `pattern`.
    pub(super) fn new(text: &str, pattern: &Regex) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            literal.push_str(before);
            if let Some(tail) = after.strip_prefix('$') {
                literal.push('$');
                rest = tail;
            } else if let Some((name, tail)) = split_name(after) {
                rest = tail;
                if let Some(group) = group_index(name, pattern) {
                    flush(&mut literal, &mut parts);
                    parts.push(Part::Group(group));
                }
            } else {
                literal.push('$');
                rest = after;
            }
        }
        literal.push_str(rest);
        flush(&mut literal, &mut parts);
        Self { parts }
    }

    /// The text for one match.
    pub(super) fn expand(&self, captures: &Captures<'_>) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Group(group) => {
                    text.push_str(captures.get(*group).map_or("", |found| found.as_str()));
                }
            }
        }
        text
    }
}

fn flush(literal: &mut String, parts: &mut Vec<Part>) {
    if !literal.is_empty() {
        parts.push(Part::Text(literal.as_str().into()));
        literal.clear();
    }
}

/// The group name that `text` (what follows a `$`) starts with, and what comes after it.
fn split_name(text: &str) -> Option<(&str, &str)> {
    if let Some(braced) = text.strip_prefix('{') {
        let (name, tail) = braced.split_once('}')?;
        return (!name.is_empty() && name.bytes().all(is_name_byte)).then_some((name, tail));
    }
    let end = text.bytes().position(|byte| !is_name_byte(byte)).unwrap_or(text.len());
    let (name, tail) = text.split_at_checked(end)?;
    (!name.is_empty()).then_some((name, tail))
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Index of the group called `name`: a number without leading zeros, or the name of a group.
fn group_index(name: &str, pattern: &Regex) -> Option<usize> {
    let is_number =
        name.bytes().all(|byte| byte.is_ascii_digit()) && (name == "0" || !name.starts_with('0'));
    if is_number {
        return name.parse().ok().filter(|&index| index < pattern.captures_len());
    }
    pattern.capture_names().position(|group| group == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_read_as_in_go() {
        let pattern = Regex::new("^(?P<first>[a-z]+)-([a-z]+)$").unwrap();
        let captures = pattern.captures("ab-cd").unwrap();
        for (text, expanded) in [
            ("$1", "ab"),
            ("${1}_x", "ab_x"),
            ("$1_x", ""),
            ("$first.$2", "ab.cd"),
            ("${first}${2}", "abcd"),
            ("$$1", "$1"),
            ("$0", "ab-cd"),
            ("$01", ""),
            ("$9.$nope.x", "..x"),
            ("a$", "a$"),
            ("$-$ ", "$-$ "),
            ("${}", "${}"),
            ("${1", "${1"),
            ("${a b}", "${a b}"),
            ("é$1é", "éabé"),
            ("$99999999999999999999", ""),
            ("", ""),
        ] {
            assert_eq!(Template::new(text, &pattern).expand(&captures), expanded, "{text:?}");
        }
    }
}
