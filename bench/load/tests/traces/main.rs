//! What the trace load says it sent is what a naive reader finds in its payloads.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the whole crate is a test, its readers too"
)]

mod exchange;
mod payloads;
mod value;
