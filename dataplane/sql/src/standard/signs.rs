//! Tokens that start with a sign, and what follows decides. spec: apm-obfuscation §2.1

use super::scanner::Scanner;
use super::token::{Kind, Token};
use crate::LexicalCause;
use crate::chars::{self, BIND, DIGIT, LETTER};

impl Scanner<'_> {
    /// A token whose first byte, a sign, was read.
    pub(super) fn sign(&mut self, start: usize, first: u8) -> Token {
        let next = self.peek();
        let kind = match first {
            b'\'' => return self.quoted(b'\'', Kind::String),
            b'`' => return self.quoted(b'`', Kind::Id),
            b'"' => return self.quoted(b'"', Kind::DoubleQuoted),
            b'?' if self.is_postgres => self.one_more_if(matches!(next, b'|' | b'&')),
            b'?' => Kind::Placeholder,
            b'.' if chars::is(next, DIGIT) => {
                self.digits();
                self.exponent();
                Kind::Number
            }
            b'.' => Kind::Other,
            b'<' => self.less(next),
            b'>' => self.one_more_if(next == b'='),
            b'-' => self.minus(next),
            b':' => self.colon(next),
            b'%' => self.percent(next),
            b'[' if self.is_mssql => return self.quoted(b']', Kind::DoubleQuoted),
            b'[' => Kind::OpenBracket,
            b'/' if next == b'/' => self.line_comment(),
            b'/' if next == b'*' => self.block_comment(),
            b'/' => Kind::Other,
            b'!' => self.not(next),
            b'~' => self.one_more_if(next == b'*'),
            b'$' => return self.dollar(start, next),
            b'#' if self.is_mssql => return self.identifier_after_sign(start),
            b'#' if self.is_postgres => self.json_hash(next),
            b'#' => {
                self.at += 1;
                self.line_comment()
            }
            b'@' => self.one_more_if(next == b'>'),
            b'{' if start == self.begin || self.braces > 0 => {
                self.braces += 1;
                Kind::Other
            }
            b'{' => self.escape_sequence(),
            b'}' if self.braces > 0 => {
                self.braces -= 1;
                Kind::Other
            }
            _ => return self.wide(start),
        };
        Token::plain(kind, start, self.at)
    }

    fn one_more_if(&mut self, is_longer: bool) -> Kind {
        self.at += usize::from(is_longer);
        Kind::Other
    }

    /// One byte that was seen, and one more if it is `wanted`.
    fn one_and(&mut self, wanted: u8) -> Kind {
        self.at += 1;
        let is_longer = self.peek() == wanted;
        self.one_more_if(is_longer)
    }

    fn colon(&mut self, next: u8) -> Kind {
        if next == b':' {
            return self.one_more_if(true);
        }
        let found = chars::char_at(self.text, self.at);
        // The reference lets array slices (`a[1:]`) and parameters (`a:$1`) pass, too.
        if matches!(next, b'=' | b']' | b'$') || found.is_some_and(char::is_whitespace) {
            return Kind::Colon;
        }
        if !found.is_some_and(starts_operand) {
            return self.fail_at(self.at, LexicalCause::BindVariable(found));
        }
        self.skip(BIND);
        Kind::Other
    }

    fn minus(&mut self, next: u8) -> Kind {
        match next {
            b'-' => self.line_comment(),
            b'>' if self.is_postgres => self.one_and(b'>'),
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
            b'>' => self.one_and(b'>'),
            _ => self.one_more_if(next == b'-'),
        }
    }

    fn less(&mut self, next: u8) -> Kind {
        match next {
            b'=' => self.one_and(b'>'),
            b'@' => self.one_more_if(self.is_postgres),
            _ => self.one_more_if(next == b'>'),
        }
    }

    fn not(&mut self, next: u8) -> Kind {
        match next {
            b'=' => self.one_more_if(true),
            b'~' => self.one_and(b'*'),
            b'(' | b'`' | b'\'' | b'"' | b'+' | b'-' => Kind::Other,
            _ => {
                let found = chars::char_at(self.text, self.at);
                if found.is_some_and(|found| found.is_whitespace() || starts_operand(found)) {
                    Kind::Other
                } else {
                    self.fail_at(self.at, LexicalCause::AfterNot(found))
                }
            }
        }
    }

    fn percent(&mut self, next: u8) -> Kind {
        if next == b'(' {
            let Some(found) = memchr::memchr(b')', self.rest()) else {
                return self.fail_past_end(LexicalCause::AfterVariable(None));
            };
            self.at += found + 1;
        }
        let found = chars::char_at(self.text, self.at);
        match found.filter(|&found| is_letter(found)) {
            Some(letter) => {
                self.at += letter.len_utf8();
                Kind::Variable
            }
            None if next == b'(' => self.fail_at(self.at, LexicalCause::AfterVariable(found)),
            None => Kind::Other,
        }
    }

    fn dollar(&mut self, start: usize, next: u8) -> Token {
        if chars::is(next, DIGIT) {
            self.number();
            return Token::plain(Kind::Prepared, start, self.at);
        }
        if next == b'?' {
            self.at += 1;
            return Token::plain(Kind::Prepared, start, self.at);
        }
        if self.is_mssql && chars::char_at(self.text, self.at).is_some_and(is_letter) {
            return self.identifier_after_sign(start);
        }
        self.dollar_quoted()
    }

    /// An identifier of SQL Server after `#` or `$`: the next character belongs to it, whatever it
    /// is.
    fn identifier_after_sign(&mut self, start: usize) -> Token {
        let next = chars::char_at(self.text, self.at).map_or(0, char::len_utf8);
        self.identifier_after(start, self.at + next)
    }

    /// `{...}` that does not start the statement.
    fn escape_sequence(&mut self) -> Kind {
        let Some(found) = memchr::memchr(b'}', self.rest()) else {
            return self.fail_at(self.input.len(), LexicalCause::EofInEscapeSequence);
        };
        self.at += found + 1;
        Kind::Escape
    }

    /// The rest of the line, with its end.
    fn line_comment(&mut self) -> Kind {
        let end = memchr::memchr(b'\n', self.rest());
        self.at = end.map_or(self.input.len(), |end| self.at + end + 1);
        Kind::Comment
    }

    fn block_comment(&mut self) -> Kind {
        self.at += 1;
        let Some(found) = memchr::memmem::find(self.rest(), b"*/") else {
            return self.fail_at(self.input.len(), LexicalCause::EofInComment);
        };
        self.at += found + 2;
        Kind::Comment
    }
}

/// A letter as words have it. spec: §2.1, "letter"
fn is_letter(found: char) -> bool {
    u8::try_from(found).is_ok_and(|byte| chars::is(byte, LETTER)) || chars::is_letter(found)
}

/// Whether a bind variable may start so, and an operand after `!`.
fn starts_operand(found: char) -> bool {
    is_letter(found) || found.is_ascii_digit()
}
