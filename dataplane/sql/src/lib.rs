//! SQL text with its literals taken out, so that statements can be grouped and shown.
//! spec: apm-obfuscation §2, §3
//!
//! ```text
//! statement -> cache -> found
//!                `----> standard  (default mode)  scanner -> filters    -> Output
//!                `----> lexer     (other modes)   scanner -> literals   -> Output
//!                                                         -> normaliser, names
//! ```
//!
//! [`Obfuscator`] is owned by one lane. It keeps the buffers that results borrow, the cache, and
//! what the statements so far taught about backslashes (§2.5). It does not know spans: which
//! fields hold SQL, and what to show for a statement that fails, is for the caller.
//!
//! Invariants: nothing panics; output takes at most about twice the bytes of the input; time is
//! linear; nothing is allocated once the buffers fit; the cache never changes a result.
//! [`check_statement`] holds most of that. Where the spec leaves a choice, the output is that of
//! the Agent's obfuscator 0.85 and its lexer 0.2.4, compared over mutated statements, except that
//! - strings and quoted names that are not closed become `?` in lexer modes, and a comment that is
//!   not closed is a comment: the Agent shows all that follows them, literals included;
//! - a NUL character is no token (default mode) or one like any other (lexer), not an end;
//! - `$tag$` also closes right behind what looks like its start, and `-.` is two signs;
//! - a comma or `AS` that comes back inside of leading parentheses stays inside of them;
//! - a name that starts outside of ASCII is a function before `(` like any other, and `$func$` is
//!   not the name of a table.
//!
//! Costs, measured with `cargo bench -p corelane-sql` on one core of a shared Xeon: best passes
//! over all statements of the vectors, about 120 bytes each.
//!
//! | mode | MB/s of input |
//! |---|---|
//! | default, no cache | 320 |
//! | default, cached | 2,900 |
//! | obfuscate only, no cache | 375 |
//! | obfuscate and normalise, no cache | 225 |
//!
//! Three things make the speed: words are read eight bytes at a time, tokens that no rule changes
//! take a short way past the filters, and text that the output repeats is copied in the longest
//! pieces possible. A cache of the default 5,000,000 bytes keeps about 11,000 statements of that
//! length, and takes no memory before the first of them.

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
