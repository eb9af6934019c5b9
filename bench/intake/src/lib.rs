//! A local intake that decodes and checks every payload.
//!
//! Tests, `corelane demo` and `corelane intake` send to it what would go to Datadog. It answers as
//! the real one does (spec: metrics-intake §1, §2.2, §10.5; apm §10; logs §2), keeps what it
//! decoded, and can be told to misbehave.
//!
//! ```text
//! socket -> route -> script -> body (decompress, capped) -> decode -> acceptance -> store
//!                                                             answer, on_request <----'
//! ```
//!
//! - [`Intake`] runs on one thread of its own, HTTP/1.1 and HTTP/2, plain or TLS.
//! - [`decode`] shares no code with the encoder: a misread format shows as a difference.
//! - [`acceptance`] is the one check of everything sent; it also works without the server.
//! - [`Store`] answers questions and waits for requests without polling.
//! - [`Behaviour`] scripts faults; `/_corelane/` offers store and script over HTTP.
//! - What an agent passes on for tracers is counted and shown ([`Passed`]), on any host: the intake
//!   is a proxy that opens every tunnel to itself. A header tells logs of agents apart.
//! - [`remote::Backend`] is the backend of remote configuration, with keys of its own.
//! - [`flares::Flares`] takes archives for support and unpacks them.
//! - [`mod@print`] renders requests for people.
//!
//! ```
//! use intake::{Intake, Options};
//!
//! let intake = Intake::start(Options::default())?;
//! let dd_url = intake.url(); // point an agent at it, then ask:
//! assert_eq!(intake.store().totals().points, 0);
//! # Ok::<(), intake::StartError>(())
//! ```
//!
//! It is no model of what the backend does with the data: nothing is rolled up, joined or expired.
//!
//! Invariants: hostile input is answered with 4xx and a reason, never a panic; a body expands to a
//! bounded size; with [`Keep::Totals`] memory does not grow with the length of the run.

#![forbid(unsafe_code)]

pub mod acceptance;
mod answer;
mod behaviour;
mod body;
mod decode;
pub mod flares;
mod intake;
mod json;
mod passed;
pub mod print;
mod query;
mod record;
pub mod remote;
mod request;
mod route;
mod server;
mod shared;
mod store;
mod tls;
mod totals;

pub use acceptance::{Report, Rule, Rules, Violation};
pub use behaviour::{Action, Behaviour};
pub use body::{BodyError, decompress};
pub use decode::{DecodeError, decode};
pub use intake::{GateError, Intake, Options, StartError};
pub use passed::Passed;
pub use record::{
    AgentHead, AgentTraces, Attribute, Attributes, Check, ChunkHead, ClientStats, Event,
    LatencySketch, Log, Metadata, Metric, MetricKind, Payload, Point, Points, Provenance,
    ReceivedChunk, ReceivedEvent, ReceivedLink, ReceivedSpan, Resource, SketchPoint, StatsBucket,
    StatsGroup, StatsKey, StatsPayload, TraceFormat, TracerHead, TracerPayload,
};
pub use request::{Exchange, Request};
pub use route::{Limits, Route};
pub use shared::OnRequest;
pub use store::{CONTEXTS_MAX, Contents, Keep, Store};
pub use tls::{Certificate, TlsError};
pub use totals::{
    GroupName, GroupTotals, LogTotals, NameTotals, ServiceTotals, StatsTotals, Totals, TraceTotals,
};
