//! Text to tokens; every character belongs to some token. spec: apm-obfuscation §3.1

use super::token::{Kind, Token};
use super::words;
use crate::chars::{
    self, COLON, DIGIT, LEXER_LETTER, LEXER_SPACE, LEXER_WORD, OPERATOR, PUNCTUATION,
};
use crate::{Dbms, word};

/// Reads one statement.
#[derive(Debug)]
pub(super) struct Scanner<'i> {
    text: &'i str,
    input: &'i [u8],
    at: usize,
    dbms: Dbms,
}

impl<'i> Scanner<'i> {
    pub(super) fn new(text: &'i str, dbms: Dbms) -> Self {
        Self { text, input: text.as_bytes(), at: 0, dbms }
    }

    /// The next token; [`Kind::End`] at the end, and at every call after it.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Token {
        let start = self.at;
        let first = self.byte(start);
        if chars::is(first, LEXER_LETTER) {
            return self.word(start);
        }
        if chars::is(first, LEXER_SPACE) {
            let mut end = start + 1;
            while chars::is(self.byte(end), LEXER_SPACE) {
                end += 1;
            }
            self.at = end;
            return self.token(Kind::Space, start);
        }
        if chars::is(first, PUNCTUATION) && !(first == b'[' && self.dbms == Dbms::SqlServer) {
            return self.take(1, Kind::Punctuation, start);
        }
        self.sign(start, first)
    }

    #[inline(always)]
    fn token(&self, kind: Kind, start: usize) -> Token {
        Token { kind, start, end: self.at, is_table_indicator: false }
    }

    /// A keyword or an identifier that starts with a letter of ASCII or `_`.
    #[inline(always)]
    fn word(&mut self, start: usize) -> Token {
        let mut end = start + word::letter_bytes(self.input, start);
        while chars::is(self.byte(end), LEXER_LETTER) {
            end += 1;
        }
        let next = self.byte(end);
        if chars::is(next, LEXER_SPACE | PUNCTUATION | COLON)
            || (next == b'/' && self.byte(end + 1) == b'*')
            || end >= self.input.len()
        {
            self.at = end;
            if let Some(word) = words::classify(self.input, start, end) {
                return Token {
                    kind: word.kind,
                    start,
                    end,
                    is_table_indicator: word.is_table_indicator,
                };
            }
            // A dot is a punctuation, but it goes on with an identifier.
            if next != b'.' && next != b'/' {
                let kind = if next == b'(' { Kind::Function } else { Kind::Identifier };
                return self.token(kind, start);
            }
        }
        self.at = end + word::plain_bytes(self.input, end);
        self.identifier(start)
    }

    /// The rest of an identifier.
    #[inline(always)]
    fn identifier(&mut self, start: usize) -> Token {
        let mut at = self.at;
        loop {
            let next = self.byte(at);
            if chars::is(next, LEXER_WORD) {
                at += 1;
            } else if next.is_ascii() {
                break;
            } else if let Some(bytes) = chars::wide_letter_bytes(self.text, at) {
                at += bytes;
            } else {
                break;
            }
        }
        self.at = at;
        let kind = if self.peek(0) == b'(' { Kind::Function } else { Kind::Identifier };
        self.token(kind, start)
    }

    /// A token that starts with neither a letter of ASCII, nor a space, nor most punctuation.
    #[inline(never)]
    fn sign(&mut self, start: usize, first: u8) -> Token {
        let next = self.peek(1);
        match first {
            b'\'' => self.string(start, first),
            b'"' if self.dbms == Dbms::MySql => self.string(start, first),
            b'"' => self.quoted_identifier(start, b'"', b'"'),
            b'`' if self.dbms == Dbms::MySql => self.quoted_identifier(start, b'`', b'`'),
            b'[' if self.dbms == Dbms::SqlServer => self.quoted_identifier(start, b'[', b']'),
            b'-' if next == b'-' => self.line_comment(start),
            b'#' if self.dbms == Dbms::MySql => self.line_comment(start),
            b'/' if next == b'*' => self.block_comment(start),
            b'+' | b'-' if chars::is(next, DIGIT) || next == b'.' => {
                self.at += 1;
                self.decimal(start)
            }
            b'0'..=b'9' => self.number(start, first, next),
            b'*' => self.take(1, Kind::Other, start),
            b'$' => self.dollar(start, next),
            b':' if self.dbms == Dbms::Oracle && self.is_alphanumeric(1) => {
                self.parameter(start, 1, Kind::BindParameter)
            }
            b'#' if self.dbms == Dbms::SqlServer => self.identifier(start),
            b'@' => self.at_sign(start, next),
            _ if chars::is(first, OPERATOR) => self.operator(start, first),
            _ => self.wide(start),
        }
    }

    /// A character outside of ASCII, one that is no part of SQL, or the end.
    #[cold]
    fn wide(&mut self, start: usize) -> Token {
        let Some(found) = chars::char_at(self.text, start) else {
            self.at = self.input.len();
            return self.token(Kind::End, self.at);
        };
        if chars::is_letter(found) {
            return self.identifier(start);
        }
        self.take(found.len_utf8(), Kind::Other, start)
    }

    #[inline(always)]
    fn take(&mut self, bytes: usize, kind: Kind, start: usize) -> Token {
        self.at += bytes;
        self.token(kind, start)
    }

    fn string(&mut self, start: usize, delimiter: u8) -> Token {
        let has_escapes = !matches!(self.dbms, Dbms::SqlServer | Dbms::Oracle);
        self.at += 1;
        loop {
            let rest = self.input.get(self.at..).unwrap_or_default();
            let found = if has_escapes {
                memchr::memchr2(delimiter, b'\\', rest)
            } else {
                memchr::memchr(delimiter, rest)
            };
            let Some(found) = found else {
                self.at = self.input.len();
                return self.token(Kind::String, start);
            };
            self.at += found + 1;
            if rest.get(found) == Some(&delimiter) {
                return self.token(Kind::String, start);
            }
            self.at += chars::char_at(self.text, self.at).map_or(0, char::len_utf8);
        }
    }

    /// A quoted identifier; parts that are joined by a dot are one token. One that is not closed
    /// may hold anything and is a string.
    fn quoted_identifier(&mut self, start: usize, opening: u8, closing: u8) -> Token {
        self.at += 1;
        loop {
            let rest = self.input.get(self.at..).unwrap_or_default();
            let Some(found) = memchr::memchr(closing, rest) else {
                self.at = self.input.len();
                return self.token(Kind::String, start);
            };
            self.at += found + 1;
            if self.peek(0) != b'.' || self.peek(1) != opening {
                break;
            }
            self.at += 2;
        }
        self.token(Kind::QuotedIdentifier, start)
    }

    fn line_comment(&mut self, start: usize) -> Token {
        let rest = self.input.get(self.at..).unwrap_or_default();
        self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        self.token(Kind::LineComment, start)
    }

    fn block_comment(&mut self, start: usize) -> Token {
        let rest = self.input.get(self.at + 2..).unwrap_or_default();
        match memchr::memmem::find(rest, b"*/") {
            Some(found) => self.at += found + 4,
            None => self.at = self.input.len(),
        }
        self.token(Kind::BlockComment, start)
    }

    /// Octal numbers are read as decimal ones: a scan that ends with the octal digits would take
    /// what follows them in `00.5e3` for a name, and show it.
    fn number(&mut self, start: usize, first: u8, next: u8) -> Token {
        if first != b'0' || !matches!(next, b'x' | b'X') {
            return self.decimal(start);
        }
        self.at += 2;
        while self.peek(0).is_ascii_hexdigit() {
            self.at += 1;
        }
        self.token(Kind::Number, start)
    }

    #[inline(always)]
    fn decimal(&mut self, start: usize) -> Token {
        loop {
            match self.peek(0) {
                b'0'..=b'9' | b'.' => self.at += 1,
                b'e' | b'E' => {
                    self.at += 1;
                    self.at += usize::from(matches!(self.peek(0), b'+' | b'-'));
                }
                _ => return self.token(Kind::Number, start),
            }
        }
    }

    fn dollar(&mut self, start: usize, next: u8) -> Token {
        if chars::is(next, DIGIT) {
            self.at += 2;
            while chars::is(self.peek(0), DIGIT) {
                self.at += 1;
            }
            return self.token(Kind::PositionalParameter, start);
        }
        if self.dbms == Dbms::SqlServer && self.is_letter(1) {
            return self.identifier(start);
        }
        let rest = self.input.get(start + 1..).unwrap_or_default();
        let after_tag = memchr::memchr(b'$', rest).map(|found| start + found + 2);
        let tag = after_tag.and_then(|end| self.input.get(start..end)).unwrap_or_default();
        let body = after_tag.and_then(|end| self.input.get(end..)).unwrap_or_default();
        let closing = if tag.is_empty() { None } else { memchr::memmem::find(body, tag) };
        let Some(closing) = closing else {
            self.at = self.input.len();
            return self.token(Kind::DollarQuoted, start);
        };
        let kind = if tag == FUNC_TAG { Kind::DollarFunc } else { Kind::DollarQuoted };
        self.take(2 * tag.len() + closing, kind, start)
    }

    fn at_sign(&mut self, start: usize, next: u8) -> Token {
        if next == b'@' {
            return if self.is_alphanumeric(2) {
                self.parameter(start, 2, Kind::Other)
            } else {
                self.take(2, Kind::JsonOperator, start)
            };
        }
        if self.is_alphanumeric(1) {
            return if self.dbms == Dbms::Snowflake {
                self.identifier(start)
            } else {
                self.parameter(start, 1, Kind::BindParameter)
            };
        }
        if matches!(next, b'?' | b'>') {
            return self.take(2, Kind::JsonOperator, start);
        }
        self.operator(start, b'@')
    }

    /// A name of letters and digits after `signs` bytes.
    fn parameter(&mut self, start: usize, signs: usize, kind: Kind) -> Token {
        self.at += signs;
        while let Some(found) = chars::char_at(self.text, self.at).filter(|&c| is_alphanumeric(c)) {
            self.at += found.len_utf8();
        }
        self.token(kind, start)
    }

    #[inline(always)]
    fn operator(&mut self, start: usize, first: u8) -> Token {
        self.at += 1;
        let next = self.peek(0);
        let json_bytes = match (first, next) {
            (b'-' | b'#', b'>') => 1 + usize::from(self.peek(1) == b'>'),
            (b'#', b'-') | (b'?', b'|' | b'&') | (b'<', b'@') => 1,
            _ => 0,
        };
        if json_bytes > 0 {
            return self.take(json_bytes, Kind::JsonOperator, start);
        }
        let mut last = first;
        loop {
            let next = self.peek(0);
            let is_parameter = last == b'=' && matches!(next, b'?' | b'@');
            if !chars::is(next, OPERATOR) || is_parameter {
                return self.token(Kind::Operator, start);
            }
            last = next;
            self.at += 1;
        }
    }

    /// The byte `ahead` of the next one; zero past the end, where no class contains it.
    #[inline(always)]
    fn peek(&self, ahead: usize) -> u8 {
        self.byte(self.at + ahead)
    }

    /// The byte at a place; zero past the end, where no class contains it.
    #[inline(always)]
    fn byte(&self, at: usize) -> u8 {
        self.input.get(at).copied().unwrap_or(0)
    }

    fn is_letter(&self, ahead: usize) -> bool {
        chars::char_at(self.text, self.at + ahead).is_some_and(is_letter)
    }

    fn is_alphanumeric(&self, ahead: usize) -> bool {
        chars::char_at(self.text, self.at + ahead).is_some_and(is_alphanumeric)
    }
}

/// The tag of a function's body. spec: apm-obfuscation §3.1
pub(super) const FUNC_TAG: &[u8] = b"$func$";

fn is_letter(found: char) -> bool {
    found == '_' || chars::is_letter(found)
}

fn is_alphanumeric(found: char) -> bool {
    is_letter(found) || found.is_ascii_digit()
}
