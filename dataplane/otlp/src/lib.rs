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
//! first ([`json`]), so that there is one reader. What all signals ask of a resource, such as its
//! host and its tags, is found in one place ([`Resource`]).
//!
//! Spans are translated in slices ([`traces`]), resource after resource, into batches of the model
//! that spans of tracers have as well. OTLP/JSON is turned into protobuf in one go.
//!
//! Invariants: no input panics; nesting is bounded ([`DEPTH_MAX`]), and so is the number of items
//! ([`ATTRIBUTES_MAX`], [`wire::WireError::TooMany`]); every span, point and record of a request is
//! handed on or counted by the reason for which it was dropped. A request of spans is handed on
//! whole or refused from the resource on that is malformed.
//!
//! Costs (`cargo bench -p corelane-otlp`, shared 2-core virtual machine): a span of 370 bytes takes
//! 1.3 µs; its OTLP/JSON, of 700 bytes, 1.2 µs to become protobuf.

#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

pub mod answer;
mod check;
pub mod json;
pub mod logs;
pub mod metrics;
mod output;
mod request;
mod resource;
mod scope;
mod signal;
pub mod traces;
mod value;
pub mod wire;

pub use check::{check_json, check_traces};
pub use request::check_request;
pub use resource::{Platform, Resource, Source};
pub use scope::Scope;
pub use signal::Signal;
pub use value::{
    ATTRIBUTES_MAX, Attribute, Attributes, DEPTH_MAX, Value, double_text, elements, entries,
    push_quoted,
};
