//! Quoted identifiers without their quotes. spec: apm-obfuscation §3.3

use std::ops::Range;

use crate::chars::{self, LEXER_SPACE};

/// What the quotes of identifiers are.
const fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'[' | b']' | b'`')
}

/// Where the name stands in the input, if it is one piece between two quotes.
pub(super) fn inner(input: &[u8], range: &Range<usize>) -> Option<Range<usize>> {
    let inner = range.start + 1..range.end.checked_sub(1)?;
    let name = input.get(inner.clone())?;
    if name.iter().any(|&byte| is_quote(byte)) { None } else { Some(inner) }
}

/// Appends the identifier without its quotes.
pub(super) fn push_unquoted(bytes: &mut Vec<u8>, quoted: &[u8]) {
    bytes.extend(quoted.iter().filter(|&&byte| !is_quote(byte)));
}

/// Whether the quotes matter: the identifier has white space, or it is an alias that could not
/// stand without them.
pub(super) fn are_needed(quoted: &str, is_alias: bool) -> bool {
    quoted.bytes().any(|byte| chars::is(byte, LEXER_SPACE)) || (is_alias && !is_simple(quoted))
}

/// Whether a quoted identifier is a letter and then letters and digits.
fn is_simple(quoted: &str) -> bool {
    let mut name = quoted.chars();
    name.next();
    name.next_back();
    let is_letter = |found: char| found == '_' || chars::is_letter(found);
    name.next().is_some_and(is_letter)
        && name.all(|found| is_letter(found) || found.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_that_matter_stay() {
        assert!(are_needed("\"a b\"", false));
        assert!(!are_needed("\"a-b\"", false));
        assert!(are_needed("\"a-b\"", true));
        assert!(are_needed("\"1a\"", true));
        assert!(are_needed("\"\"", true));
        assert!(!are_needed("[ab_1]", true));
    }

    #[test]
    fn one_piece_is_found_in_place() {
        assert_eq!(inner(b"x \"ab\"", &(2..6)), Some(3..5));
        assert_eq!(inner(b"[a].[b]", &(0..7)), None);
        let mut bytes = Vec::new();
        push_unquoted(&mut bytes, b"[a].[b]");
        assert_eq!(bytes, b"a.b");
    }
}
