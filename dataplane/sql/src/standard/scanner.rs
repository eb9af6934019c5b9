//! Text to tokens: words, numbers and single signs. spec: apm-obfuscation §2.1

use super::keyword;
use super::token::{Kind, Token};
use crate::chars::{self, DIGIT, LEAD, SPACE, WORD};
use crate::{Dbms, LexicalCause, SqlError, word};

/// Reads one statement.
#[derive(Debug)]
pub(super) struct Scanner<'i> {
    pub(super) text: &'i str,
    pub(super) input: &'i [u8],
    /// First byte of the statement; the body of a function starts later in the same text.
    pub(super) begin: usize,
    pub(super) at: usize,
    /// Open braces, where the first one started the statement.
    pub(super) braces: usize,
    pub(super) is_postgres: bool,
    pub(super) is_mssql: bool,
    /// Whether a backslash in a string is a plain character. spec: §2.5
    pub(super) has_literal_escapes: bool,
    /// Whether a backslash was seen in a string.
    pub(super) has_seen_escape: bool,
    /// Why the last token was [`Kind::Failed`].
    error: SqlError,
}

impl<'i> Scanner<'i> {
    /// Reads `text` from byte `begin`.
    pub(super) fn new(text: &'i str, begin: usize, dbms: Dbms, has_literal_escapes: bool) -> Self {
        Self {
            text,
            input: text.as_bytes(),
            begin,
            at: begin,
            braces: 0,
            is_postgres: dbms == Dbms::Postgres,
            is_mssql: dbms == Dbms::SqlServer,
            has_literal_escapes,
            has_seen_escape: false,
            error: SqlError::Empty,
        }
    }

    /// Whether a backslash was seen in a string so far.
    pub(super) fn has_seen_escape(&self) -> bool {
        self.has_seen_escape
    }

    /// Why the last token was [`Kind::Failed`].
    pub(super) fn error(&self) -> SqlError {
        self.error
    }

    /// The next token; [`Kind::End`] at the end, and at every call after it.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Token {
        let mut start = self.at;
        let mut first = self.byte(start);
        while chars::is(first, SPACE) {
            start += 1;
            first = self.byte(start);
        }
        if chars::is(first, LEAD) && !(first == b'@' && self.is_postgres) {
            return self.identifier(start);
        }
        self.at = start + 1;
        let single = SINGLES[first as usize];
        if single != Kind::Failed {
            return Token::plain(single, start, start + 1);
        }
        self.other(start, first)
    }

    /// A token that is neither a word nor a sign that always stands alone.
    #[inline(never)]
    fn other(&mut self, start: usize, first: u8) -> Token {
        if chars::is(first, DIGIT) {
            self.at = start;
            self.number();
            return Token::plain(Kind::Number, start, self.at);
        }
        self.sign(start, first)
    }

    /// An identifier or keyword that starts with a character of ASCII.
    #[inline(always)]
    fn identifier(&mut self, start: usize) -> Token {
        let mut end = start + word::plain_bytes(self.input, start);
        let next = self.byte(end);
        // Rare signs, letters outside of ASCII, and the end of the input.
        if !next.is_ascii() || chars::is(next, WORD) {
            self.at = end;
            let is_wide = self.skip(WORD);
            end = self.at;
            if is_wide {
                return self.wide_identifier(start);
            }
        }
        self.at = end;
        Token::plain(keyword::classify(self.input, start, end), start, end)
    }

    /// An identifier that was read and has letters outside of ASCII.
    #[cold]
    fn wide_identifier(&mut self, start: usize) -> Token {
        let word = self.text.get(start..self.at).unwrap_or_default();
        Token::plain(keyword::classify_wide(word), start, self.at)
    }

    /// The rest of an identifier after its first characters, whatever they are.
    pub(super) fn identifier_after(&mut self, start: usize, at: usize) -> Token {
        self.at = at;
        self.skip(WORD);
        self.wide_identifier(start)
    }

    /// What starts with a character outside of ASCII, or with one that starts no token.
    #[cold]
    pub(super) fn wide(&mut self, start: usize) -> Token {
        let mut start = start;
        loop {
            let Some(found) = chars::char_at(self.text, start) else {
                self.at = self.input.len();
                return Token::plain(Kind::End, self.at, self.at);
            };
            let after = start + found.len_utf8();
            self.at = after;
            if chars::is_letter(found) {
                return self.identifier_after(start, after);
            }
            if !found.is_whitespace() {
                let kind = self.fail_at(after, LexicalCause::UnexpectedByte(found));
                return Token::plain(kind, start, after);
            }
            // A space outside of ASCII: whatever follows is read as if it stood first.
            while chars::is(self.peek(), SPACE) {
                self.at += 1;
            }
            if self.input.get(self.at).is_some_and(u8::is_ascii) {
                return self.next_after_wide_space();
            }
            start = self.at;
        }
    }

    fn next_after_wide_space(&mut self) -> Token {
        self.next()
    }

    /// Passes over characters of a class and letters outside of ASCII; true if there were any of
    /// the latter.
    pub(super) fn skip(&mut self, class: u16) -> bool {
        let mut has_wide = false;
        let mut at = self.at;
        loop {
            while chars::is(self.byte(at), class) {
                at += 1;
            }
            self.at = at;
            if self.byte(at).is_ascii() {
                return has_wide;
            }
            let Some(bytes) = chars::wide_letter_bytes(self.text, at) else {
                return has_wide;
            };
            has_wide = true;
            at += bytes;
        }
    }

    pub(super) fn number(&mut self) {
        if self.peek() == b'0' {
            self.at += 1;
            if matches!(self.peek(), b'x' | b'X') {
                self.at += 1;
                while self.peek().is_ascii_hexdigit() {
                    self.at += 1;
                }
                return;
            }
        }
        // Octal digits first or not: decimal digits, a fraction and an exponent may follow.
        self.digits();
        if self.peek() == b'.' {
            self.at += 1;
            self.digits();
        }
        self.exponent();
    }

    pub(super) fn exponent(&mut self) {
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits();
        }
    }

    #[inline(always)]
    pub(super) fn digits(&mut self) {
        let mut at = self.at;
        while chars::is(self.byte(at), DIGIT) {
            at += 1;
        }
        self.at = at;
    }

    /// The next byte; zero at the end, where no class contains it.
    #[inline(always)]
    pub(super) fn peek(&self) -> u8 {
        self.byte(self.at)
    }

    /// The byte at a place; zero at the end, where no class contains it.
    #[inline(always)]
    fn byte(&self, at: usize) -> u8 {
        self.input.get(at).copied().unwrap_or(0)
    }

    /// What was not read yet.
    pub(super) fn rest(&self) -> &'i [u8] {
        self.input.get(self.at..).unwrap_or_default()
    }

    /// Fails at the character that starts at `at`; its last byte is the position.
    #[cold]
    pub(super) fn fail_at(&mut self, at: usize, cause: LexicalCause) -> Kind {
        let bytes = chars::char_at(self.text, at).map_or(1, char::len_utf8);
        let position = at - self.begin + bytes - 1;
        self.error = SqlError::Lexical { position, cause };
        Kind::Failed
    }

    /// Fails after the end was read as if it were a character.
    #[cold]
    pub(super) fn fail_past_end(&mut self, cause: LexicalCause) -> Kind {
        let position = self.input.len() - self.begin + 1;
        self.error = SqlError::Lexical { position, cause };
        Kind::Failed
    }
}

/// Signs that are a token whatever follows; [`Kind::Failed`] for all other bytes.
static SINGLES: [Kind; 256] = {
    let mut table = [Kind::Failed; 256];
    table[b',' as usize] = Kind::Comma;
    table[b'(' as usize] = Kind::OpenParen;
    table[b')' as usize] = Kind::CloseParen;
    table[b'=' as usize] = Kind::Equals;
    table[b';' as usize] = Kind::Semicolon;
    table[b'+' as usize] = Kind::Other;
    table[b'*' as usize] = Kind::Other;
    table[b'&' as usize] = Kind::Other;
    table[b'|' as usize] = Kind::Other;
    table[b'^' as usize] = Kind::Other;
    table[b']' as usize] = Kind::CloseBracket;
    table
};
