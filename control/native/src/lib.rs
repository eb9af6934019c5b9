//! The agent inside another program. Everything that `corelane run` does runs here too, through the
//! same composition root; the lanes have threads of their own.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use datadog_agent_native::agent::AgentCoordinator;
//! use datadog_agent_native::config::Config;
//!
//! // Defaults, and the DD_* variables of the process.
//! let mut coordinator = AgentCoordinator::new(Config::default())?;
//! coordinator.start().await?;
//! coordinator.wait_for_shutdown().await;
//! coordinator.shutdown().await?;
//! # Ok(()) }
//! ```
//!
//! The futures need no particular runtime: what waits does so on a thread of its own. Programs
//! without one use [`blocking::Agent`], which is what the coordinator is made of.
//!
//! ```text
//! AgentCoordinator (async) --.
//! C ABI (control/ffi) -------+--> blocking::Agent --> control/agent: Agent::start_guest
//!                                  |- Submissions: DogStatsD text, traces, logs, OTLP
//!                                  |- Shutdown: asked for, by signal, failed
//!                                  '- Endpoints: what was bound
//! ```
//!
//! As a guest: no global allocator, logger or panic hook; messages go to the host's logger through
//! the `log` facade. No variable is written, nothing is pinned or read from a file unless asked.
//! Signals are looked at only inside [`blocking::Agent::wait_for_shutdown`], and what the host did
//! with them before is restored afterwards. A child of `fork` has no agent: every call says so, and
//! it can start its own; the threads and sockets of the parent go on.
//!
//! Not here: a pipeline. What this crate adds is configuration for guests ([`config`]), a life
//! cycle that can be waited for, and the way in.
//!
//! Invariants: a bind failure is an error of the start; every thread is joined at stop; stopping
//! twice, waiting while stopping, and dropping without a stop are fine; a call in a forked child
//! never waits for a thread that is not there. spec: config §4, §11.

#![deny(unsafe_code)]

pub mod agent;
mod background;
pub mod blocking;
pub mod config;
mod endpoints;
mod error;
mod fork;
mod shutdown;
mod signals;

pub use ::agent::{OtlpSignal, SubmitError, TraceFormat};
pub use endpoints::{Endpoints, TraceListener};
pub use error::AgentError;
pub use shutdown::ShutdownReason;

/// Version of the library.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
