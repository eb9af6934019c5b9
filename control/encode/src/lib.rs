//! Merged shards to intake payloads.

#![forbid(unsafe_code)]

mod payload;
mod settings;
mod stats;

pub use payload::{Encoding, Payload, PayloadKind, Priority};
pub use settings::{EventsForm, Limits, SeriesForm, Settings, SketchesForm};
pub use stats::EncodeStats;
