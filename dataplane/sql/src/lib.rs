//! SQL text with its literals taken out.

#![forbid(unsafe_code)]

mod cache;
mod chars;
mod check;
mod error;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a rule names the kinds of tokens it is about and leaves all others alone"
)]
mod lexer;
mod metadata;
mod names;
mod obfuscator;
mod options;
mod output;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a rule names the kinds of tokens it is about and leaves all others alone"
)]
mod standard;
mod word;

pub use check::check_statement;
pub use error::{LexicalCause, SqlError};
pub use metadata::Metadata;
pub use names::List;
pub use obfuscator::{Obfuscated, Obfuscator};
pub use options::{Collect, Dbms, LexerOptions, Mode, Options};
