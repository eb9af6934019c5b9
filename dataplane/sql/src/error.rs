//! Why a statement could not be obfuscated.

use std::fmt::{self, Display, Formatter};

use thiserror::Error;

/// Why a statement could not be obfuscated. The caller then shows `Non-parsable SQL query` in its
/// place; it must not show the statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SqlError {
    /// Nothing was left to show: the statement is empty, or has only comments and semicolons.
    #[error("result is empty")]
    Empty,
    /// The text does not split into tokens.
    #[error("at position {position}: {cause}")]
    Lexical {
        /// Where reading stopped: bytes from the start, one more when the end was passed.
        position: usize,
        /// What stands there.
        cause: LexicalCause,
    },
    /// Something else than a name stands between the brackets of an alias.
    #[error("expected an identifier between the brackets of an alias")]
    BracketedAlias,
}

/// What stopped the tokenizer. spec: apm-obfuscation §2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LexicalCause {
    /// The statement ended inside of a string.
    EofInString,
    /// The statement ended inside of a string between `$tag$`.
    EofInDollarQuotedString,
    /// The statement ended inside of a block comment.
    EofInComment,
    /// The statement ended inside of `{...}`.
    EofInEscapeSequence,
    /// No token starts with this character.
    UnexpectedByte(char),
    /// The character after `!`.
    AfterNot(Option<char>),
    /// The character after `:`, where a bind variable must start.
    BindVariable(Option<char>),
    /// The character after `%(name)`, where a letter must stand.
    AfterVariable(Option<char>),
}

impl Display for LexicalCause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Self::EofInString => f.write_str("unexpected EOF in string"),
            Self::EofInDollarQuotedString => f.write_str("unexpected EOF in dollar-quoted string"),
            Self::EofInComment => f.write_str("unexpected EOF in comment"),
            Self::EofInEscapeSequence => f.write_str("unexpected EOF in escape sequence"),
            Self::UnexpectedByte(found) => write!(f, "unexpected byte {}", u32::from(found)),
            Self::AfterNot(found) => {
                write!(f, "unexpected char {} after \"!\"", Found(found))
            }
            Self::BindVariable(found) => {
                let found = Found(found);
                write!(f, "bind variables should start with letters or digits, got {found}")
            }
            Self::AfterVariable(found) => {
                write!(f, "invalid character after variable identifier: {}", Found(found))
            }
        }
    }
}

/// A character as messages show it; the end of the text has the number after the last character.
struct Found(Option<char>);

impl Display for Found {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let number = self.0.map_or(AFTER_LAST_CHARACTER, u32::from);
        write!(f, "\"{}\" ({number})", self.0.unwrap_or(char::REPLACEMENT_CHARACTER))
    }
}

/// What the reference shows for the end of the text.
const AFTER_LAST_CHARACTER: u32 = 0x11_0000;
