//! What the agent says about itself: numbers, their identities, and the local API that serves them.
//!
//! ```text
//! agent --Source--> Api (Unix socket, loopback) --> status, metrics, vars, health, capture, reload
//!          \-> Snapshot --> identities, text, Prometheus, expvar
//! ```
//!
//! [`Snapshot`] is plain data that the agent fills on request; everything shown is computed from
//! it, so that the text, the JSON and the telemetry cannot disagree. [`client`] is the other end,
//! for the commands.
//!
//! Deliberately not here: the counting itself, configuration keys, and any way to reach the API
//! from another host unless [`ApiOptions`] asks for it.
//!
//! Invariants: a request costs bounded memory and bounded time; nothing served holds a secret, as
//! long as the [`Source`] keeps its promise; a failing API never stops the agent.

#![forbid(unsafe_code)]

#[cfg(feature = "api")]
mod api;
pub mod client;
mod flares;
pub mod format;
mod identities;
mod ingest;
mod prometheus;
mod proxies;
mod remote;
mod snapshot;
mod source;
#[cfg(test)]
mod test_snapshot;
mod text;
mod top;
mod trace_vars;
mod traces;
mod vars;

#[cfg(feature = "api")]
pub use api::{Api, ApiError, ApiOptions, DebugOptions};
pub use flares::FlareStatus;
pub use identities::{Identity, identities};
pub use ingest::IngestStatus;
pub use prometheus::prometheus;
pub use proxies::ProxyStatus;
pub use remote::{RemoteApplied, RemoteClient, RemoteConfiguration, RemoteStatus, remote_text};
pub use snapshot::{
    CaptureStatus, Driver, EndpointStatus, FlushStatus, LaneStatus, Listener, Memory, Snapshot,
};
pub use source::{CaptureKind, CaptureRequest, Source, TopRow};
pub use text::{summary, text};
pub use top::{TopBy, TopGroup, TopQuery, TopReport, TopSort, top_report};
pub use trace_vars::trace_vars;
pub use traces::{RefusedStatus, SamplerStatus, TraceStatus, TracerStatus};
pub use vars::vars;
