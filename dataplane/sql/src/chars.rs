//! Classes of characters, shared by both tokenizers.

/// White space of ASCII as Unicode defines it. spec: apm-obfuscation §2.1
pub(crate) const SPACE: u16 = 1;
/// Starts an identifier: letters, `_`, `@`.
pub(crate) const LEAD: u16 = 2;
/// A letter inside of a word: letters, `_`, `@`, `#`.
pub(crate) const LETTER: u16 = 4;
/// `0` to `9`.
pub(crate) const DIGIT: u16 = 8;
/// Continues an identifier: letters, digits, `.`, `*`, `$`.
pub(crate) const WORD: u16 = 16;
/// Continues a bind variable: letters, digits, `.`.
pub(crate) const BIND: u16 = 32;
/// Continues an identifier of the lexer modes: letters of ASCII, digits, `_".?$#/@!`. spec: §3.1
pub(crate) const LEXER_WORD: u16 = 64;
/// Continues a run of operators of the lexer modes. spec: §3.1
pub(crate) const OPERATOR: u16 = 128;
/// White space of the lexer modes.
pub(crate) const LEXER_SPACE: u16 = 256;
/// Punctuation of the lexer modes; `:` is an operator, but it ends a keyword. spec: §3.1
pub(crate) const PUNCTUATION: u16 = 512;
/// Ends a keyword of the lexer modes as punctuation does.
pub(crate) const COLON: u16 = 1024;
/// Letters of ASCII and `_`.
pub(crate) const LEXER_LETTER: u16 = 2048;

/// Whether a byte belongs to one of the classes. Bytes of characters outside of ASCII belong to
/// none.
#[inline(always)]
pub(crate) fn is(byte: u8, classes: u16) -> bool {
    CLASSES[byte as usize] & classes != 0
}

static CLASSES: [u16; 256] = classes();

const fn classes() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        let mut classes = 0;
        if matches!(byte, 9..=13 | b' ') {
            classes |= SPACE;
        }
        if byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'@') {
            classes |= LEAD;
        }
        if byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'@' | b'#') {
            classes |= LETTER | WORD | BIND;
        }
        if byte.is_ascii_digit() {
            classes |= DIGIT | WORD | BIND;
        }
        if matches!(byte, b'*' | b'$') {
            classes |= WORD;
        }
        if byte == b'.' {
            classes |= WORD | BIND;
        }
        if byte.is_ascii_alphanumeric()
            || matches!(byte, b'_' | b'"' | b'.' | b'?' | b'$' | b'#' | b'/' | b'@' | b'!')
        {
            classes |= LEXER_WORD;
        }
        if matches!(
            byte,
            b'+' | b'-' | b'*' | b'/' | b'=' | b'<' | b'>' | b'!' | b'&' | b'|' | b'^' | b'%'
        ) || matches!(byte, b'~' | b'?' | b'@' | b':' | b'#')
        {
            classes |= OPERATOR;
        }
        if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            classes |= LEXER_SPACE;
        }
        if matches!(byte, b'(' | b')' | b',' | b';' | b'.' | b'[' | b']' | b'{' | b'}') {
            classes |= PUNCTUATION;
        }
        if byte.is_ascii_alphabetic() || byte == b'_' {
            classes |= LEXER_LETTER;
        }
        if byte == b':' {
            classes |= COLON;
        }
        table[byte as usize] = classes;
        byte += 1;
    }
    table
}

/// The character that starts at byte `at`, if there is one.
pub(crate) fn char_at(text: &str, at: usize) -> Option<char> {
    text.get(at..).and_then(|rest| rest.chars().next())
}

/// Bytes of the letter outside of ASCII that starts at byte `at`; none if it is anything else.
pub(crate) fn wide_letter_bytes(text: &str, at: usize) -> Option<usize> {
    char_at(text, at).filter(|&found| !found.is_ascii() && is_letter(found)).map(char::len_utf8)
}

/// Whether a character is of the Unicode category `L`.
pub(crate) fn is_letter(found: char) -> bool {
    let is_within = |ranges: &[(char, char)]| ranges.iter().any(|&(a, b)| a <= found && found <= b);
    if found.is_ascii() {
        found.is_ascii_alphabetic()
    } else if unicode_ident::is_xid_start(found) {
        !is_within(STARTS_BUT_NO_LETTERS)
    } else {
        is_within(LETTERS_BUT_NO_STARTS)
    }
}

/// What Unicode lets start an identifier although it is a number or a symbol.
const STARTS_BUT_NO_LETTERS: &[(char, char)] = &[
    ('\u{16ee}', '\u{16f0}'),
    ('\u{1885}', '\u{1886}'),
    ('\u{2118}', '\u{2118}'),
    ('\u{212e}', '\u{212e}'),
    ('\u{2160}', '\u{2182}'),
    ('\u{2185}', '\u{2188}'),
    ('\u{3007}', '\u{3007}'),
    ('\u{3021}', '\u{3029}'),
    ('\u{3038}', '\u{303a}'),
    ('\u{a6e6}', '\u{a6ef}'),
    ('\u{10140}', '\u{10174}'),
    ('\u{10341}', '\u{10341}'),
    ('\u{1034a}', '\u{1034a}'),
    ('\u{103d1}', '\u{103d5}'),
    ('\u{12400}', '\u{1246e}'),
];

/// Letters that Unicode lets start no identifier, since their normal forms do not.
const LETTERS_BUT_NO_STARTS: &[(char, char)] = &[
    ('\u{37a}', '\u{37a}'),
    ('\u{e33}', '\u{e33}'),
    ('\u{eb3}', '\u{eb3}'),
    ('\u{2e2f}', '\u{2e2f}'),
    ('\u{fc5e}', '\u{fc63}'),
    ('\u{fdfa}', '\u{fdfb}'),
    ('\u{fe70}', '\u{fe70}'),
    ('\u{fe72}', '\u{fe72}'),
    ('\u{fe74}', '\u{fe74}'),
    ('\u{fe76}', '\u{fe76}'),
    ('\u{fe78}', '\u{fe78}'),
    ('\u{fe7a}', '\u{fe7a}'),
    ('\u{fe7c}', '\u{fe7c}'),
    ('\u{fe7e}', '\u{fe7e}'),
    ('\u{ff9e}', '\u{ff9f}'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_neither_marks_nor_numbers() {
        for letter in ['a', 'é', 'ſ', '構', 'ª', '\u{37a}', '\u{2184}', 'ᾈ'] {
            assert!(is_letter(letter), "{letter:?}");
        }
        // A vowel sign, a Roman numeral, a circled letter, a digit, an emoji.
        for other in ['\u{93e}', '\u{2167}', '\u{24b6}', '7', '_', '🥒', '\u{a0}'] {
            assert!(!is_letter(other), "{other:?}");
        }
    }

    #[test]
    fn spaces_of_ascii_agree_with_unicode() {
        for byte in 0..=127 {
            assert_eq!(is(byte, SPACE), char::from(byte).is_whitespace(), "{byte}");
        }
    }
}
