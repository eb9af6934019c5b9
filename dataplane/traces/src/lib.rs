//! What happens to a decoded batch of spans before it leaves its lane.

#![forbid(unsafe_code)]

mod access;
mod attributes;
mod counts;
mod error;
mod estimate;
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
mod template;
mod top_level;
mod truncate;

pub use counts::{Counts, Dropped, Malformed};
pub use error::SettingsError;
pub use filter::{TagFilter, TagLists};
pub use head::PayloadHead;
pub use pattern::Pattern;
pub use processor::{Piece, Processor};
pub use replace::ReplaceRule;
pub use settings::{
    Commands, Features, InstallSignature, JsonKeys, Obfuscation, PAYLOAD_BYTES_MAX, Settings,
};
