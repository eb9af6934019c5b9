//! Composition root: settings to lanes and services; start, reload, stop.
//!
//! ```text
//! Config -> settings -> listeners -> lanes (threads)
//!                           lanes --flush--> Coordinator (thread): merge -> encode -> Delivery
//!                                                     '-> status snapshot, capture, top
//!             -> ingest (thread): logs, OTLP -> LogDelivery, Delivery, lanes
//! ```
//!
//! The one crate that knows configuration keys and every other crate, and so the one that may only
//! connect: what it does beyond that belongs elsewhere.
//!
//! Invariants: every bucket reaches the merge once; a stop reads what the sockets hold, flushes,
//! delivers or spools within its budget; a reload that fails leaves everything as it was.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(all(
        feature = "grpc",
        feature = "local-api",
        feature = "proxies",
        feature = "remote-config",
        feature = "traces",
    )),
    allow(dead_code, reason = "what only a product that was left out would call")
)]

mod agent;
#[cfg_attr(not(feature = "local-api"), path = "without/api.rs")]
mod api;
#[cfg_attr(not(feature = "traces"), path = "without/apm.rs")]
mod apm;
#[cfg_attr(not(feature = "local-api"), path = "without/captures.rs")]
mod captures;
mod context_totals;
mod coordinator;
mod delivery;
#[cfg_attr(not(feature = "traces"), path = "without/exchanges.rs")]
mod exchanges;
mod fargate;
#[cfg_attr(not(feature = "flares"), path = "without/flare.rs")]
pub mod flare;
mod flush;
mod flush_all;
mod host_name;
#[cfg_attr(not(feature = "logs"), path = "without/ingest.rs")]
mod ingest;
mod lanes;
mod listen;
mod memory_watch;
mod products;
#[cfg_attr(not(feature = "proxies"), path = "without/proxies.rs")]
mod proxies;
mod reload;
#[cfg_attr(not(feature = "remote-config"), path = "without/remote.rs")]
mod remote;
mod resources;
mod secrets;
mod self_metrics;
mod settings;
mod source;
mod starting;
mod submissions;

pub use agent::{Agent, Options, ReloadConfig, SnapshotHandle, StartError};
pub use flush_all::{FlushError, FlushHandle};
pub use lane::SubmitError;
pub use products::Product;
pub use submissions::{OtlpSignal, Submissions, TraceFormat};

/// Whether TLS of this build is by the FIPS-validated module of AWS-LC, the feature `fips`.
pub const IS_FIPS: bool = cfg!(feature = "fips");
