//! Words that name a file or a type without saying what it is.

use super::{Finding, Tree, numbered};

const FORBIDDEN: &[&str] =
    &["manager", "handler", "helper", "helpers", "util", "utils", "common", "misc"];

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files() {
        if let Some(word) = path.split(['/', '.', '_', '-']).find_map(forbidden) {
            findings.push(Finding::new(path, 0, format!("`{word}` in a name says nothing")));
        }
        if !path.ends_with(".rs") {
            continue;
        }
        for (number, line) in numbered(text) {
            if let Some(word) = type_name(line).and_then(|name| words(name).find_map(forbidden)) {
                findings.push(Finding::new(
                    path,
                    number,
                    format!("`{word}` in a type's name says nothing"),
                ));
            }
        }
    }
    findings
}

fn forbidden(word: &str) -> Option<&'static str> {
    FORBIDDEN.iter().find(|forbidden| forbidden.eq_ignore_ascii_case(word)).copied()
}

/// The name of the type that a line defines.
fn type_name(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = if line.starts_with("pub") { line.split_once(' ')?.1 } else { line };
    let line = line.strip_prefix("unsafe ").unwrap_or(line);
    let name = ["struct ", "enum ", "trait ", "type ", "union "]
        .iter()
        .find_map(|keyword| line.strip_prefix(keyword))?;
    name.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

/// The words of a name in upper camel case.
fn words(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.char_indices().skip(1).find(|(_, c)| c.is_uppercase());
        let (word, tail) = rest.split_at_checked(end.map_or(rest.len(), |(at, _)| at))?;
        rest = tail;
        Some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;
    use super::*;

    #[test]
    fn empty_words_in_paths_are_found() {
        assert_eq!(shown(findings, &[("a/src/string_utils.rs", "")]).len(), 1);
        assert_eq!(shown(findings, &[("a/common/b.py", "")]).len(), 1);
        assert!(shown(findings, &[("a/src/utility.rs", "")]).is_empty());
    }

    #[test]
    fn empty_words_in_types_are_found() {
        let text = "pub(crate) struct QueueManager<T> {\n    handler: fn(),\n}\ntrait Handled {}\n";
        assert_eq!(
            shown(findings, &[("a.rs", text)]),
            ["a.rs:1: `manager` in a type's name says nothing"]
        );
    }

    #[test]
    fn names_split_into_words() {
        assert_eq!(words("HTTPLaneÄnd").collect::<Vec<_>>(), ["H", "T", "T", "P", "Lane", "Änd"]);
    }
}
