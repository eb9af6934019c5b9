//! Merged shards to intake payloads.
//!
//! ```text
//! merge --Series, SketchSeries--> MetricsEncoder --+
//! lanes --Event, ServiceCheck--> encode_events, …  +--Payload--> forward
//! host  --JSON value-----------> encode_document --+
//! lanes --encoded spans, stats-> encode_traces, … -+
//! ingest --lists of logs-------> encode_logs ------+
//! ```
//!
//! An encoder borrows one item at a time, writes it out and keeps nothing of it but bytes; a
//! payload leaves as soon as it is full. Row-wise forms (series v1 and v2, sketches v2, events,
//! checks) go through a 64 KiB chunk into the codec; columnar forms (series and sketches v3) hold
//! the columns of one payload until it is full. Nothing here knows endpoints, keys, retry or time.
//!
//! Invariants: no payload is empty or over the limits of its [`Settings`]; whatever is handed in is
//! in a payload or in exactly one drop count ([`EncodeStats::is_balanced`]); NaN and infinities
//! never leave; in steady state v2 and v3 allocate per payload, not per series.
//!
//! Cost (`benches/encode.rs`, zstd level 1, 4 tags a series, one core of a shared two-core
//! machine): series v3 120 ns and 18 bytes, 5 compressed; series v2 150 ns and 170 bytes, 6
//! compressed; a distribution of some 30 bins 300 to 470 ns and 14 to 26 bytes compressed. Memory:
//! the codec (1 to 2 MB by the size of its tables, not measured) and one payload.
//!
//! spec: metrics-intake §1 to §8.

#![forbid(unsafe_code)]

mod body;
mod checks;
mod column_stream;
mod columns;
mod compress;
mod document;
mod events;
mod finite;
mod json;
mod logs;
mod metrics;
mod packer;
mod payload;
mod proto;
mod resources;
mod series_v1;
mod series_v2;
mod settings;
mod sketches_v2;
mod stats;
mod stream;
mod traces;
mod wire;

pub use checks::encode_service_checks;
pub use document::{Document, DocumentError, encode_document};
pub use events::encode_events;
pub use logs::encode_logs;
pub use metrics::{MetricsEncoder, Tee};
pub use payload::{Encoding, Payload, PayloadKind, Priority};
pub use settings::{EventsForm, Limits, SeriesForm, Settings, SketchesForm};
pub use stats::EncodeStats;
pub use traces::{TraceHeader, TracerPayload, encode_stats, encode_traces};
