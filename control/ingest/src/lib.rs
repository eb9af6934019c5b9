//! Logs and OTLP that are handed over: bodies to payloads and points, on one thread.
//!
//! ```text
//! host program --Inlet::submit-.                .- logs ----> rules -> Batch -> send_logs
//!                               +--> worker ----+- OTLP logs -'
//! clients ------HTTP, gRPC------'  (one thread)  '- OTLP points -> Translator -> PointSink
//!                     '--- OTLP traces ---------------------------> lanes (submit_traces)
//! ```
//!
//! A body is whole when it gets here: few come, each holds many records, and what is remembered of
//! cumulative series has to be in one place whoever sends them. So they are no lane's work: a
//! thread of control takes one after the other. What lanes read by themselves, as lines of files,
//! goes through the same crate `logs` there.
//!
//! Invariants:
//! - Bodies that wait, are being read, or are worked on take a bounded number of bytes
//!   ([`Settings::waiting_bytes_max`]); what finds no room is refused, which its sender is told.
//! - bodies taken = worked on + malformed + waiting
//! - logs received = in payloads + dropped by reason + waiting in the batch
//! - points received = translated + dropped by reason; translated = in payloads + dropped
//! - Nothing that a client sends panics, or costs more than its bytes times a small factor.
//!
//! Costs: see `logs` and `otlp` for a record and a point; a body over HTTP is copied once while it
//! is collected. An idle worker sleeps.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(feature = "grpc"),
    allow(dead_code, reason = "what only a product that was left out would use")
)]

mod counts;
mod http;
mod inlet;
mod log_batch;
#[cfg(feature = "otlp")]
mod points;
mod settings;
mod worker;

pub use counts::{Counts, PointCounts};
pub use http::Listener;
pub use inlet::{Inlet, Kind, Refused};
pub use settings::{LogOutlet, LogSettings, Outlets, Settings, TraceOutlet};
#[cfg(feature = "otlp")]
pub use settings::{PointOutlet, PointSink};
pub use worker::Ingest;
