//! Batches to what the intake reads. spec: apm §10.1.
//!
//! A payload is written in one pass; where the length of a message is not known ahead, its likely
//! width is left free and corrected behind it. The result is the message alone: whoever puts it
//! into an `AgentPayload` writes its key and length, as field 5 before v1.0 and field 11 from then.

mod idx;
mod size;
mod v0;
mod wire;

pub use idx::{idx_payload, idx_payload_of};
pub use size::{chunk_bytes, span_bytes};
pub use v0::{tracer_payload, tracer_payload_of};
