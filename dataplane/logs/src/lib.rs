//! What a log record goes through between being received and being bytes of a payload.

#![forbid(unsafe_code)]

mod defaults;
mod dropped;
mod encode;
mod entry;
mod parse;
mod rules;
mod tags;
mod utf8;

pub use defaults::Defaults;
pub use dropped::Dropped;
pub use encode::encode_entry;
pub use entry::{Entry, Extra};
pub use parse::{ENTRIES_MAX, ParseError, parse_entries, parse_lines};
pub use rules::{Ignored, RuleConfig, RuleError, Rules};
pub use tags::TagSources;
pub use utf8::repair_utf8;
