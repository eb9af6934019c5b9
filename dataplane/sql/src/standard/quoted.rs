//! The text of quoted tokens. spec: apm-obfuscation §2.1, "String with delimiter d"

use super::token::{Form, Token};

/// The text of a quoted token, character by character: a doubled delimiter is one, and a backslash
/// makes the next character plain unless escapes are literal.
pub(super) fn contents(
    raw: &str,
    delimiter: u8,
    has_literal_escapes: bool,
) -> impl Iterator<Item = char> {
    let delimiter = char::from(delimiter);
    let mut chars = raw.chars();
    std::iter::from_fn(move || {
        let found = chars.next()?;
        if found == delimiter {
            chars.next();
            Some(found)
        } else if found == '\\' && !has_literal_escapes {
            chars.next()
        } else {
            Some(found)
        }
    })
}

/// Whether only the delimiters would tell that the token is there.
pub(super) fn is_blank(raw: &str) -> bool {
    raw.chars().all(char::is_whitespace)
}

/// Appends the text of a quoted token; two delimiters if it is blank.
pub(super) fn push_text(bytes: &mut Vec<u8>, text: &str, token: &Token, has_literal_escapes: bool) {
    let raw = text.get(token.start..token.end).unwrap_or_default();
    match token.form {
        Form::Plain => bytes.extend_from_slice(raw.as_bytes()),
        Form::Quoted { delimiter, .. } => {
            let start = bytes.len();
            let mut is_blank = true;
            for found in contents(raw, delimiter, has_literal_escapes) {
                is_blank &= found.is_whitespace();
                let mut encoded = [0; 4];
                bytes.extend_from_slice(found.encode_utf8(&mut encoded).as_bytes());
            }
            if is_blank {
                bytes.truncate(start);
                bytes.extend_from_slice(&[delimiter; 2]);
            }
        }
    }
}

/// The first character of a token's text, as [`push_text`] writes it.
pub(super) fn first_char(text: &str, token: &Token, has_literal_escapes: bool) -> Option<char> {
    let raw = text.get(token.start..token.end).unwrap_or_default();
    match token.form {
        Form::Plain => raw.chars().next(),
        Form::Quoted { delimiter, .. } => {
            let mut chars = contents(raw, delimiter, has_literal_escapes);
            let first = chars.next().filter(|first| !first.is_whitespace());
            // What starts with a space starts with no letter, blank or not.
            first.or_else(|| Some(char::from(delimiter)))
        }
    }
}
