//! Characters that look like nothing, or like a blank, and are neither.

/// A suspicious character in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Suspicious {
    pub(crate) code_point: char,
    /// Byte position in the text.
    pub(crate) position: usize,
}

/// The first zero-width, bidirectional or exotic blank character. spec: config §1
pub(crate) fn find(text: &str) -> Option<Suspicious> {
    if text.is_ascii() {
        return None;
    }
    text.char_indices()
        .find(|(_, c)| is_suspicious(*c))
        .map(|(position, code_point)| Suspicious { code_point, position })
}

fn is_suspicious(c: char) -> bool {
    matches!(c,
        '\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{1680}' | '\u{180e}'
        | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}'
        | '\u{3000}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_that_are_none_are_found() {
        assert_eq!(find("key\u{200b}"), Some(Suspicious { code_point: '\u{200b}', position: 3 }));
        assert_eq!(find("ü\u{202e}x").map(|found| found.position), Some(2));
        assert_eq!(find("Zürich 東京"), None);
    }
}
