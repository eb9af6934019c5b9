//! Composition root: settings to lanes and services; start, reload, stop.
//!
//! ```text
//! Config -> settings -> listeners -> lanes (threads)
//!                           lanes --flush--> Coordinator (thread): merge -> encode -> Delivery
//!                                                     '-> status snapshot, capture, top
//! ```
//!
//! The one crate that knows configuration keys and every other crate, and so the one that may only
//! connect: what it does beyond that belongs elsewhere.
//!
//! Invariants: every bucket reaches the merge once; a stop reads what the sockets hold, flushes,
//! delivers or spools within its budget; a reload that fails leaves everything as it was.

#![forbid(unsafe_code)]

mod agent;
mod apm;
mod captures;
mod context_totals;
mod coordinator;
mod delivery;
mod exchanges;
mod fargate;
pub mod flare;
mod flush;
mod flush_all;
mod host_name;
mod lanes;
mod listen;
mod memory_watch;
mod proxies;
mod reload;
mod remote;
mod resources;
mod secrets;
mod self_metrics;
mod settings;
mod source;
mod submissions;

pub use agent::{Agent, Options, ReloadConfig, StartError};
pub use flush_all::{FlushError, FlushHandle};
pub use lane::SubmitError;
pub use submissions::{Submissions, TraceFormat};
