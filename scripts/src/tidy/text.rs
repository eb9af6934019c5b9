//! Lengths of files and of lines of comment, and words that say that something is unfinished.
//!
//! The length of lines of code is the business of `cargo fmt`, which leaves long literals alone.

use super::{Finding, Tree, numbered};

const FILE_LINES_MAX: usize = 700;
const LINE_CHARS_MAX: usize = 100;

/// Written in halves, so that this file does not find itself.
const UNFINISHED: &[&str] = &[
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
];

pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.rust_files() {
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            let message = format!("{lines} lines, more than {FILE_LINES_MAX}: is it one idea?");
            findings.push(Finding::new(path, 0, message));
        }
        for (number, line) in numbered(text) {
            let chars = line.chars().count();
            if chars > LINE_CHARS_MAX && is_breakable_comment(line) {
                let message = format!("{chars} characters, more than {LINE_CHARS_MAX}");
                findings.push(Finding::new(path, number, message));
            }
            if let Some(word) = UNFINISHED.iter().find(|word| line.contains(**word))
                && !line.contains(&format!("{word}(#"))
            {
                findings.push(Finding::new(path, number, format!("`{word}` without an issue")));
            }
        }
    }
    findings
}

/// A comment, unless it is an address or the row of a table.
fn is_breakable_comment(line: &str) -> bool {
    let comment =
        line.trim_start().strip_prefix("//").map(|line| line.trim_start_matches(['/', '!']));
    comment.is_some_and(|text| !text.trim_start().starts_with('|') && !text.contains("://"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;
    use super::*;

    #[test]
    fn long_files_and_lines_are_found() {
        let file = "\n".repeat(FILE_LINES_MAX + 1);
        assert_eq!(shown(findings, &[("a.rs", &file)]).len(), 1);
        let line = format!("// {}", "ä".repeat(LINE_CHARS_MAX - 3));
        assert!(shown(findings, &[("a.rs", &line)]).is_empty());
        assert_eq!(
            shown(findings, &[("a.rs", &format!("{line}ä"))]),
            ["a.rs:1: 101 characters, more than 100"]
        );
        assert!(shown(findings, &[("a.json", &format!("{line}ä"))]).is_empty());
        assert!(shown(findings, &[("a.rs", &format!("{line} http://a"))]).is_empty());
        assert!(shown(findings, &[("a.rs", &format!("//! | {line}"))]).is_empty());
        assert!(shown(findings, &[("a.rs", &format!("let x = \"{line}\";"))]).is_empty());
    }

    #[test]
    fn unfinished_work_needs_an_issue() {
        let word = UNFINISHED[2];
        assert_eq!(shown(findings, &[("a.rs", &format!("// {word} more"))]).len(), 1);
        assert!(shown(findings, &[("a.rs", &format!("// {word}(#12): more"))]).is_empty());
    }
}
