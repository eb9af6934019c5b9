//! Real, unmodified clients against the built binary: what arrives is what they were told to send.
//!
//! Aggregation and telemetry of the clients are on. Tracers run with stats computed by them and by
//! the agent, over both transports.

mod cadence_client;
mod go;
mod node;
mod products;
mod python;
mod run;
mod tracers;
