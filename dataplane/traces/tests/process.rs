//! Payloads through a whole processor: one test for each rule of apm §6, in both models.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a test fails by panicking, and makes small numbers"
)]

#[path = "support/batch.rs"]
mod support;

#[path = "process/chunks.rs"]
mod chunks;
#[path = "process/normalise.rs"]
mod normalise;
#[path = "process/payload.rs"]
mod payload;
#[path = "process/properties.rs"]
mod properties;
#[path = "process/redact.rs"]
mod redact;
#[path = "process/replace.rs"]
mod replace;
#[path = "process/sampling.rs"]
mod sampling;
#[path = "process/statistics.rs"]
mod statistics;
#[path = "process/steps.rs"]
mod steps;
#[path = "process/truncate.rs"]
mod truncate;
