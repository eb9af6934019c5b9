//! OTLP requests to what the pipelines of this agent take. spec: otlp.
//!
//! ```text
//! body (protobuf) --wire--> resource, scope, records --+-> traces:  span::Batch
//!  ^                                                   +-> metrics: signal::Series, SketchSeries
//!  '--json-- body (OTLP/JSON)                          '-> logs:    logs::Entry
//! ```
//!
//! Bodies are read in place by a cursor over protobuf fields ([`wire`]): attributes borrow from the
//! body, lists and maps stay encoded until somebody needs them. OTLP/JSON is turned into protobuf
//! first ([`json`]), so that there is one reader.
//!
//! Invariants: no input panics; nesting is bounded ([`DEPTH_MAX`]); every span, point and record of
//! a request is handed on or counted by the reason for which it was dropped.

#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

mod check;
pub mod json;
pub mod metrics;
mod resource;
mod scope;
mod signal;
pub mod traces;
mod value;
pub mod wire;

pub use check::{check_json, check_traces};
pub use resource::{Platform, Resource, Source};
pub use scope::Scope;
pub use signal::Signal;
pub use value::{
    ATTRIBUTES_MAX, Attribute, Attributes, DEPTH_MAX, Value, double_text, elements, entries,
    push_quoted,
};
