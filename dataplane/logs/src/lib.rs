//! What a log record goes through between being received and being bytes of a payload.
//! spec: logs §2, §6, §7, §13, §15.
//!
//! ```text
//! body --parse_entries, parse_lines--> Entry
//! Entry --prepare: cut, Rules, Defaults, encode_entry--> bytes of one record, or Dropped
//! bytes --Batch::push--> Payload, a JSON array
//! ```
//!
//! It deliberately reads no sockets and no files, knows no time and no settings keys, joins no
//! lines, compresses nothing and sends nothing. When a batch is sent though it is not full, where
//! it goes, and what an answer of the intake means, is the business of others.
//!
//! Invariants: nothing panics, whatever the input; what is read comes back as it was from the
//! bytes that are written; no record is above 1,000,000 bytes, no payload above 1000 records and
//! 5,000,000 bytes, unless limits say otherwise; records = records in payloads + dropped by reason,
//! and a payload has them in their order. Parsing, rules and encoding are linear in their input;
//! what a request may cost is bounded by its length, 50,000 records and 256 unknown keys in each.
//!
//! Texts are valid UTF-8 from the start: what is read from files goes through [`repair_utf8`]. A
//! field that is missing is an empty text, and is written as one.
//!
//! Costs (`cargo bench -p corelane-logs`, on a busy machine): a line of 170 bytes with four quotes
//! is encoded in 160 to 220 ns, without quotes in 80, ten kilobytes in 0.8 µs; an escape takes
//! 6 ns. All of [`prepare`] takes 210 to 230 ns for it when host, status and tags are filled in.
//! A rule that does not match takes 20 to 110 ns, a mask 0.1 µs for each match. A batch takes a
//! record of 400 bytes in 25 ns. A submitted record is parsed in 0.6 to 0.9 µs, unknown keys add
//! 0.3, a line of text takes 0.1. A record is 184 bytes and its texts; encoding allocates only
//! what the output grows by, a mask a text for a message that it changes, and with `$` the places
//! of groups.

#![forbid(unsafe_code)]

mod batch;
mod check;
mod defaults;
mod dropped;
mod encode;
mod entry;
mod parse;
mod prepare;
mod rules;
mod truncate;
mod utf8;

pub use batch::{Batch, BatchLimits, Counted, Payload, Push};
pub use check::check_ingest;
pub use defaults::Defaults;
pub use dropped::Dropped;
pub use encode::encode_entry;
pub use entry::{Entry, Extra};
pub use parse::{ENTRIES_MAX, ParseError, parse_entries, parse_lines};
pub use prepare::{EntryLimits, Settings, prepare};
pub use rules::{Ignored, RuleConfig, RuleError, Rules};
pub use truncate::TRUNCATED_MARK;
pub use utf8::repair_utf8;
