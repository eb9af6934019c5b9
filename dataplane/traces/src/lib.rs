//! What happens to a decoded batch of spans before it leaves its lane. spec: apm §6.
//!
//! ```text
//! begin: header, container and process tags
//! step:  for each chunk
//!          normalise -> index -> root -> chunk attributes -> ignored resources -> filter tags
//!          -> global tags, obfuscation, truncation -> replace rules -> top-level -> payload fields
//!          -> statistics -> samplers -> install marks -> size           (or dropped for a reason)
//! finish: the batch with the chunks that are kept, and where it is cut
//! ```
//!
//! A [`Processor`] belongs to one lane and has all its scratch memory, its obfuscators, samplers
//! and concentrator. It works on a chunk in phases, in each on one span after the other, and leaves
//! it when the work that it was given is used up, so that the lane has time for others. Passes edit
//! the batch in place; what a pass writes anew is appended to the strings of the batch, and a key
//! is looked for only when the span says that it is there. Both models of spans are read and
//! written through a few functions (`access`), so that no rule is there twice. Statistics borrow
//! the spans.
//!
//! It deliberately does not read headers, resolve containers, know keys of the configuration, or
//! encode; time and seeds come from the caller. Rates and flushes go through
//! [`Processor::samplers_mut`] and [`Processor::concentrator_mut`].
//!
//! Invariants: received = kept + dropped, by reason, for traces and for spans ([`Counts`]); a chunk
//! is either untouched by sampling or decided; the order of chunks is not kept, that of the kept
//! spans of a chunk is; nothing panics, whatever the batch says.
//!
//! In steady state nothing is allocated per span (`tests/allocations.rs`); the first trace of a
//! service allocates once where an install signature is configured. Costs of `cargo bench`, a trace
//! of 50 spans with a SQL statement in each fifth, one of ten kept, two cores shared with builds:
//! 540 ns a span in v0.4 and 470 in v1.0, of which statistics 260, cards 45. A replace rule for `*`
//! adds about 15 ns for each attribute.
//!
//! Work is counted, not timed (`budget`): spans, attributes, bytes that an obfuscator or a rule
//! reads. The greatest parts that are done in one go are one span with up to 16,384 attributes, 512
//! KiB of statements or bodies of one span (some 2 ms; a value beyond is replaced as a whole), one
//! attribute by a replace rule, and a look of the samplers at 4096 spans of a chunk.

#![forbid(unsafe_code)]

mod access;
mod attributes;
mod budget;
mod client;
mod counts;
mod error;
mod estimate;
mod facts;
mod filter;
mod head;
mod index;
mod marks;
mod normalise;
mod pattern;
mod processor;
mod redact;
mod replace;
mod root;
mod samplers;
mod settings;
mod statistics;
mod top_level;
mod truncate;

pub use self::pattern::Pattern;
pub use client::ClientProcessor;
pub use counts::{Counts, Dropped, Malformed};
pub use error::SettingsError;
pub use filter::{TagFilter, TagLists};
pub use head::PayloadHead;
pub use processor::{Piece, Processor};
pub use replace::ReplaceRule;
pub use settings::{
    Commands, Features, InstallSignature, JsonKeys, MarkedServices, Obfuscation, PAYLOAD_BYTES_MAX,
    Settings, peer_tag_keys,
};
