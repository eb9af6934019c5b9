//! Trace load: payloads as tracers send them, with exact counts.
//!
//! A small shop is modelled ([`TraceSpec`] says how large): web services that query a database and
//! a cache and call each other. Or the spans are those that a real tracer was recorded with, by
//! `corelane apm capture` while the conformance tests drive it (`corpus`). Traces are written once,
//! in any version of the protocol and with the habits of one language's tracer, and then sent over
//! and over on many connections.
//!
//! ```text
//! TraceSpec --prepare--> TraceLoad{pool of requests} --run--> TraceSent{counts by answer}
//! ```
//!
//! Of every request the pool knows what a receiver must count: chunks, spans, errors, what is to be
//! kept, and the hits of trace stats. Each is counted as accepted, refused or unanswered, so that
//! both sides can be compared exactly. Ids and times are those of the pool, and come again.
//!
//! spec: apm §2 to §5.

mod client;
mod msgpack;
mod pool;
mod send;
mod shop;
mod spec;
mod tally;
mod write;

pub use pool::TracePool;
pub use send::{TraceLoad, TraceProgress, TraceSent};
pub use spec::{Language, TraceSpec, TraceTransport, TraceVersion};
pub use tally::TraceTally;
