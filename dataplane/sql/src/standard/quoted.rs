//! The text of quoted tokens. spec: apm-obfuscation §2.1, "String with delimiter d"

use super::scanner::Scanner;
use super::token::{Kind, Token};
use crate::{LexicalCause, chars};

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
    if token.delimiter == 0 {
        return bytes.extend_from_slice(raw.as_bytes());
    }
    let start = bytes.len();
    let mut is_blank = true;
    for found in contents(raw, token.delimiter, has_literal_escapes) {
        is_blank &= found.is_whitespace();
        let mut encoded = [0; 4];
        bytes.extend_from_slice(found.encode_utf8(&mut encoded).as_bytes());
    }
    if is_blank {
        bytes.truncate(start);
        bytes.extend_from_slice(&[token.delimiter; 2]);
    }
}

/// The first character of a token's text, as [`push_text`] writes it.
pub(super) fn first_char(text: &str, token: &Token, has_literal_escapes: bool) -> Option<char> {
    let raw = text.get(token.start..token.end).unwrap_or_default();
    if token.delimiter == 0 {
        return raw.chars().next();
    }
    let mut chars = contents(raw, token.delimiter, has_literal_escapes);
    let first = chars.next().filter(|first| !first.is_whitespace());
    // What starts with a space starts with no letter, blank or not.
    first.or_else(|| Some(char::from(token.delimiter)))
}

impl Scanner<'_> {
    /// The rest of a string after its first delimiter.
    pub(super) fn quoted(&mut self, delimiter: u8, kind: Kind) -> Token {
        let start = self.at;
        let mut has_escapes = false;
        loop {
            let rest = self.rest();
            let Some(found) = memchr::memchr2(delimiter, b'\\', rest) else {
                // The reference reads the end as one more character.
                let kind = self.fail_past_end(LexicalCause::EofInString);
                return Token::plain(kind, start, start);
            };
            self.at += found + 1;
            if rest.get(found) == Some(&delimiter) {
                if self.peek() != delimiter {
                    return Token { start, end: self.at - 1, kind, delimiter, has_escapes };
                }
                has_escapes = true;
                self.at += 1;
            } else {
                self.has_seen_escape = true;
                if !self.has_literal_escapes {
                    has_escapes = true;
                    self.at += chars::char_at(self.text, self.at).map_or(0, char::len_utf8);
                }
            }
        }
    }

    /// `$tag$...$tag$` after its first `$`. The tag is read as a string.
    pub(super) fn dollar_quoted(&mut self) -> Token {
        let tag = self.quoted(b'$', Kind::DollarQuoted);
        if tag.kind == Kind::Failed {
            return tag;
        }
        let (length, closing_bytes) = self.find_closing(&tag);
        let start = self.at;
        let Some(length) = length else {
            let kind = self.fail_past_end(LexicalCause::EofInDollarQuotedString);
            return Token::plain(kind, start, start);
        };
        self.at += length + closing_bytes;
        let is_func = self.input.get(tag.start..tag.end) == Some(b"func");
        let kind = if is_func { Kind::DollarFunc } else { Kind::DollarQuoted };
        Token::plain(kind, start, start + length)
    }

    /// How far the closing tag is, and its bytes.
    fn find_closing(&self, tag: &Token) -> (Option<usize>, usize) {
        let raw = self.text.get(tag.start..tag.end).unwrap_or_default();
        if !tag.has_escapes && is_blank(raw) {
            return (memchr::memmem::find(self.rest(), b"$$"), 2);
        }
        if !tag.has_escapes {
            // The opening tag stands in the text with its delimiters around it.
            let closing = self.input.get(tag.start - 1..tag.end + 1).unwrap_or_default();
            return (memchr::memmem::find(self.rest(), closing), closing.len());
        }
        // A tag with a backslash or a `$` in it occurs in no real statement.
        let mut closing = Vec::from(*b"$");
        push_text(&mut closing, self.text, tag, self.has_literal_escapes);
        closing.push(b'$');
        (memchr::memmem::find(self.rest(), &closing), closing.len())
    }
}
