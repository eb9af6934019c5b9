//! Real, unmodified clients against the built binary: what arrives is what they were told to send.
//!
//! Aggregation and telemetry of the clients are on.

mod cadence_client;
mod go;
mod node;
mod python;
mod run;
