//! Text to tokens. spec: apm-obfuscation §2.1

use super::keyword;
use super::token::{Form, Kind, Token};
use crate::chars::{self, BIND, DIGIT, LEAD, LETTER, SPACE, WORD};
use crate::{Dbms, LexicalCause, SqlError};

/// Reads one statement.
#[derive(Debug)]
pub(super) struct Scanner<'i> {
    text: &'i str,
    input: &'i [u8],
    /// First byte of the statement; the body of a function starts later in the same text.
    begin: usize,
    at: usize,
    /// Open braces, where the first one started the statement.
    braces: usize,
    is_postgres: bool,
    is_mssql: bool,
    /// Whether a backslash in a string is a plain character. spec: §2.5
    has_literal_escapes: bool,
    /// Whether a backslash was seen in a string.
    has_seen_escape: bool,
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
        }
    }

    /// Whether a backslash was seen in a string so far.
    pub(super) fn has_seen_escape(&self) -> bool {
        self.has_seen_escape
    }

    /// The next token; [`Kind::End`] at the end, and at every call after it.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Result<Token, SqlError> {
        while chars::is(self.peek(), SPACE) {
            self.at += 1;
        }
        let start = self.at;
        let first = self.peek();
        if chars::is(first, LEAD) && !(first == b'@' && self.is_postgres) {
            return Ok(self.identifier(start, start + 1));
        }
        if chars::is(first, DIGIT) {
            self.number();
            return Ok(Token::plain(Kind::Number, start, self.at));
        }
        self.sign(start, first)
    }

    /// A token that starts with neither a letter nor a digit of ASCII.
    #[inline]
    fn sign(&mut self, start: usize, first: u8) -> Result<Token, SqlError> {
        self.at += 1;
        let next = self.peek();
        let kind = match first {
            b',' => Kind::Comma,
            b'(' => Kind::OpenParen,
            b')' => Kind::CloseParen,
            b'=' => Kind::Equals,
            b';' => Kind::Semicolon,
            b'+' | b'*' | b'&' | b'|' | b'^' => Kind::Other,
            b'\'' => return self.quoted(b'\'', Kind::String),
            b'`' => return self.quoted(b'`', Kind::Id),
            b'"' => return self.quoted(b'"', Kind::DoubleQuoted),
            b'[' if self.is_mssql => return self.quoted(b']', Kind::DoubleQuoted),
            b'[' => Kind::OpenBracket,
            b']' => Kind::CloseBracket,
            b'?' => self.question(next),
            b'.' if chars::is(next, DIGIT) => {
                self.digits();
                self.exponent();
                Kind::Number
            }
            b'.' => Kind::Other,
            b':' => self.colon(next)?,
            b'-' => self.minus(next),
            b'/' if next == b'/' => self.line_comment(),
            b'/' if next == b'*' => self.block_comment()?,
            b'/' => Kind::Other,
            b'#' if self.is_mssql => return Ok(self.identifier_after_sign(start)),
            b'#' if self.is_postgres => self.json_hash(next),
            b'#' => {
                self.at += 1;
                self.line_comment()
            }
            b'<' => self.less(next),
            b'>' => self.one_more_if(next == b'='),
            b'~' => self.one_more_if(next == b'*'),
            b'!' => self.not(next)?,
            b'%' => self.percent(next)?,
            b'$' => return self.dollar(start, next),
            b'@' => self.one_more_if(next == b'>'),
            b'{' if start == self.begin || self.braces > 0 => {
                self.braces += 1;
                Kind::Other
            }
            b'{' => self.escape_sequence()?,
            b'}' if self.braces > 0 => {
                self.braces -= 1;
                Kind::Other
            }
            _ => return self.wide(start),
        };
        Ok(Token::plain(kind, start, self.at))
    }

    /// What starts with a character outside of ASCII, or with one that starts no token.
    #[cold]
    fn wide(&mut self, start: usize) -> Result<Token, SqlError> {
        let mut start = start;
        loop {
            let Some(found) = chars::char_at(self.text, start) else {
                self.at = self.input.len();
                return Ok(Token::plain(Kind::End, self.at, self.at));
            };
            let after = start + found.len_utf8();
            self.at = after;
            if chars::is_letter(found) {
                return Ok(self.identifier(start, after));
            }
            if !found.is_whitespace() {
                return Err(self.error_at(after, LexicalCause::UnexpectedByte(found)));
            }
            // A space outside of ASCII: whatever follows is read as if it stood first.
            while chars::is(self.peek(), SPACE) {
                self.at += 1;
            }
            if self.peek().is_ascii() && self.at < self.input.len() {
                return self.next_after_wide_space();
            }
            start = self.at;
        }
    }

    fn next_after_wide_space(&mut self) -> Result<Token, SqlError> {
        self.next()
    }

    /// An identifier or keyword whose first character ends before `at`.
    #[inline(always)]
    fn identifier(&mut self, start: usize, at: usize) -> Token {
        self.at = at;
        let is_wide = self.skip(WORD) | !self.input.get(start).is_some_and(u8::is_ascii);
        let kind = if is_wide {
            keyword::classify_wide(self.text.get(start..self.at).unwrap_or_default())
        } else {
            keyword::classify(self.input.get(start..self.at).unwrap_or_default())
        };
        Token::plain(kind, start, self.at)
    }

    /// An identifier of SQL Server after `#` or `$`: the next character belongs to it, whatever it
    /// is.
    fn identifier_after_sign(&mut self, start: usize) -> Token {
        let next = chars::char_at(self.text, self.at).map_or(0, char::len_utf8);
        self.identifier(start, self.at + next)
    }

    /// Passes over characters of a class and letters outside of ASCII; true if there were any of
    /// the latter.
    #[inline(always)]
    fn skip(&mut self, class: u8) -> bool {
        let mut has_wide = false;
        loop {
            while chars::is(self.peek(), class) {
                self.at += 1;
            }
            if self.peek().is_ascii() {
                return has_wide;
            }
            let Some(bytes) = chars::wide_letter_bytes(self.text, self.at) else {
                return has_wide;
            };
            has_wide = true;
            self.at += bytes;
        }
    }

    fn number(&mut self) {
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

    fn exponent(&mut self) {
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits();
        }
    }

    #[inline(always)]
    fn digits(&mut self) {
        while chars::is(self.peek(), DIGIT) {
            self.at += 1;
        }
    }

    /// The rest of a string after its first delimiter.
    #[inline]
    fn quoted(&mut self, delimiter: u8, kind: Kind) -> Result<Token, SqlError> {
        let start = self.at;
        let mut has_escapes = false;
        loop {
            let rest = self.input.get(self.at..).unwrap_or_default();
            let Some(found) = memchr::memchr2(delimiter, b'\\', rest) else {
                // The reference reads the end as one more character.
                return Err(self.error_past_end(LexicalCause::EofInString));
            };
            self.at += found + 1;
            if rest.get(found) == Some(&delimiter) {
                if self.peek() != delimiter {
                    let form = Form::Quoted { delimiter, has_escapes };
                    return Ok(Token { kind, start, end: self.at - 1, form });
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

    fn question(&mut self, next: u8) -> Kind {
        if self.is_postgres {
            self.one_more_if(matches!(next, b'|' | b'&'))
        } else {
            Kind::Placeholder
        }
    }

    #[inline(always)]
    fn one_more_if(&mut self, is_longer: bool) -> Kind {
        self.at += usize::from(is_longer);
        Kind::Other
    }

    fn colon(&mut self, next: u8) -> Result<Kind, SqlError> {
        if next == b':' {
            self.at += 1;
            return Ok(Kind::Other);
        }
        let found = chars::char_at(self.text, self.at);
        if next == b'=' || found.is_some_and(char::is_whitespace) {
            return Ok(Kind::Colon);
        }
        if !found.is_some_and(starts_variable) {
            return Err(self.error_at(self.at, LexicalCause::BindVariable(found)));
        }
        self.skip(BIND);
        Ok(Kind::Other)
    }

    fn minus(&mut self, next: u8) -> Kind {
        match next {
            b'-' => self.line_comment(),
            b'>' if self.is_postgres => {
                self.at += 1;
                let next = self.peek();
                self.one_more_if(next == b'>')
            }
            // The reference takes the sign for a number without digits.
            b'>' => Kind::Number,
            b'0'..=b'9' => {
                self.number();
                Kind::Number
            }
            b'.' if self.input.get(self.at + 1).is_some_and(u8::is_ascii_digit) => {
                self.at += 1;
                self.digits();
                self.exponent();
                Kind::Number
            }
            _ => Kind::Other,
        }
    }

    fn json_hash(&mut self, next: u8) -> Kind {
        match next {
            b'>' => {
                self.at += 1;
                let next = self.peek();
                self.one_more_if(next == b'>')
            }
            _ => self.one_more_if(next == b'-'),
        }
    }

    fn less(&mut self, next: u8) -> Kind {
        match next {
            b'=' => {
                self.at += 1;
                let next = self.peek();
                self.one_more_if(next == b'>')
            }
            b'@' => self.one_more_if(self.is_postgres),
            _ => self.one_more_if(next == b'>'),
        }
    }

    fn not(&mut self, next: u8) -> Result<Kind, SqlError> {
        match next {
            b'=' => Ok(self.one_more_if(true)),
            b'~' => {
                self.at += 1;
                let next = self.peek();
                Ok(self.one_more_if(next == b'*'))
            }
            b'(' | b'`' | b'\'' | b'"' | b'+' | b'-' => Ok(Kind::Other),
            _ => {
                let found = chars::char_at(self.text, self.at);
                if found.is_some_and(|found| found.is_whitespace() || starts_variable(found)) {
                    Ok(Kind::Other)
                } else {
                    Err(self.error_at(self.at, LexicalCause::AfterNot(found)))
                }
            }
        }
    }

    fn percent(&mut self, next: u8) -> Result<Kind, SqlError> {
        if next == b'(' {
            let rest = self.input.get(self.at..).unwrap_or_default();
            let Some(found) = memchr::memchr(b')', rest) else {
                return Err(self.error_past_end(LexicalCause::AfterVariable(None)));
            };
            self.at += found + 1;
        }
        match chars::char_at(self.text, self.at).filter(|&found| is_letter(found)) {
            Some(letter) => {
                self.at += letter.len_utf8();
                Ok(Kind::Variable)
            }
            None if next == b'(' => {
                let found = chars::char_at(self.text, self.at);
                Err(self.error_at(self.at, LexicalCause::AfterVariable(found)))
            }
            None => Ok(Kind::Other),
        }
    }

    fn dollar(&mut self, start: usize, next: u8) -> Result<Token, SqlError> {
        if chars::is(next, DIGIT) || next == b'?' {
            self.at += 1;
            if next != b'?' {
                self.digits();
            }
            return Ok(Token::plain(Kind::Prepared, start, self.at));
        }
        let is_name = chars::char_at(self.text, self.at).is_some_and(is_letter);
        if self.is_mssql && is_name {
            return Ok(self.identifier_after_sign(start));
        }
        self.dollar_quoted()
    }

    /// `$tag$...$tag$` after its first `$`. The tag is read as a string.
    fn dollar_quoted(&mut self) -> Result<Token, SqlError> {
        let tag = self.quoted(b'$', Kind::DollarQuoted)?;
        let rest = self.input.get(self.at..).unwrap_or_default();
        let (length, closing) = self.find_closing(&tag, rest);
        let Some(length) = length else {
            return Err(self.error_past_end(LexicalCause::EofInDollarQuotedString));
        };
        let start = self.at;
        self.at += length + closing;
        let kind = if self.input.get(tag.start..tag.end) == Some(b"func") {
            Kind::DollarFunc
        } else {
            Kind::DollarQuoted
        };
        Ok(Token::plain(kind, start, start + length))
    }

    /// Where the text between dollar tags ends, and the bytes of the closing tag.
    fn find_closing(&self, tag: &Token, rest: &[u8]) -> (Option<usize>, usize) {
        let raw = self.text.get(tag.start..tag.end).unwrap_or_default();
        let is_plain = tag.form == Form::Quoted { delimiter: b'$', has_escapes: false };
        if is_plain && super::quoted::is_blank(raw) {
            return (memchr::memmem::find(rest, b"$$"), 2);
        }
        if is_plain {
            // The opening tag stands in the text with its delimiters around it.
            let closing = self.input.get(tag.start - 1..tag.end + 1).unwrap_or_default();
            return (memchr::memmem::find(rest, closing), closing.len());
        }
        // A tag with a backslash or a `$` in it occurs in no real statement.
        let mut closing = Vec::from(*b"$");
        super::quoted::push_text(&mut closing, self.text, tag, self.has_literal_escapes);
        closing.push(b'$');
        (memchr::memmem::find(rest, &closing), closing.len())
    }

    /// `{...}` that does not start the statement.
    fn escape_sequence(&mut self) -> Result<Kind, SqlError> {
        let rest = self.input.get(self.at..).unwrap_or_default();
        let Some(found) = memchr::memchr(b'}', rest) else {
            return Err(self.error_at(self.input.len(), LexicalCause::EofInEscapeSequence));
        };
        self.at += found + 1;
        Ok(Kind::Escape)
    }

    /// The rest of the line, with its end.
    fn line_comment(&mut self) -> Kind {
        let rest = self.input.get(self.at..).unwrap_or_default();
        self.at = memchr::memchr(b'\n', rest).map_or(self.input.len(), |end| self.at + end + 1);
        Kind::Comment
    }

    fn block_comment(&mut self) -> Result<Kind, SqlError> {
        self.at += 1;
        let rest = self.input.get(self.at..).unwrap_or_default();
        let Some(found) = memchr::memmem::find(rest, b"*/") else {
            return Err(self.error_at(self.input.len(), LexicalCause::EofInComment));
        };
        self.at += found + 2;
        Ok(Kind::Comment)
    }

    /// The next byte; zero at the end, where no class contains it.
    #[inline(always)]
    fn peek(&self) -> u8 {
        self.input.get(self.at).copied().unwrap_or(0)
    }

    /// An error noticed at the character that starts at `at`; its last byte is the position.
    fn error_at(&self, at: usize, cause: LexicalCause) -> SqlError {
        let bytes = chars::char_at(self.text, at).map_or(1, char::len_utf8);
        SqlError::Lexical { position: at - self.begin + bytes - 1, cause }
    }

    /// An error noticed after the end was read as if it were a character.
    fn error_past_end(&self, cause: LexicalCause) -> SqlError {
        SqlError::Lexical { position: self.input.len() - self.begin + 1, cause }
    }
}

/// A letter as words have it. spec: §2.1, "letter"
fn is_letter(found: char) -> bool {
    u8::try_from(found).is_ok_and(|byte| chars::is(byte, LETTER)) || chars::is_letter(found)
}

/// Whether a bind variable may start so, and an operand after `!`.
fn starts_variable(found: char) -> bool {
    is_letter(found) || found.is_ascii_digit()
}
