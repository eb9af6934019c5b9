//! What a log record goes through between being received and being bytes of a payload.

#![forbid(unsafe_code)]

mod batch;
mod defaults;
mod dropped;
mod encode;
mod entry;
mod parse;
mod prepare;
mod rules;
mod tags;
mod truncate;
mod utf8;

pub use batch::{Batch, BatchLimits, Counted, Payload, Push};
pub use defaults::Defaults;
pub use dropped::Dropped;
pub use encode::encode_entry;
pub use entry::{Entry, Extra};
pub use parse::{ENTRIES_MAX, ParseError, parse_entries, parse_lines};
pub use prepare::{EntryLimits, Settings, prepare};
pub use rules::{Ignored, RuleConfig, RuleError, Rules};
pub use tags::TagSources;
pub use truncate::TRUNCATED_MARK;
pub use utf8::repair_utf8;
