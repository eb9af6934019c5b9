//! Sends what a tracer's Live Debugger produces, through an agent or straight to the intake.
//!
//! A library for tracers and other hosts: snapshots, log probes, diagnostics of probes, and symbol
//! databases. With an API key a request goes to the intake (*agentless*), without one to the
//! routes of an agent. spec: proxies §5.
//!
//! ```text
//! Config: one primary and any number of additional endpoints for each track
//!    |
//!    +-- PayloadSender::{new, append, finish}   a payload in pieces, streamed
//!    +-- send, send_symdb                       a payload at once, on the host's tokio runtime
//!    '-- Sender: bounded queue -> thread `corelane-ld` with a runtime of its own
//!                                   |
//!                     every endpoint at the same time; the primary's result counts
//! ```
//!
//! ```no_run
//! use debugger::{Config, DebuggerType, Sender, debugger_intake_endpoint, generate_tags};
//!
//! let mut config = Config::default();
//! config.set_endpoint(debugger_intake_endpoint("datadoghq.com", "<api key>")?);
//! let tags = generate_tags("1.0", "prod", "2.3", "<runtime id>", ["team:shop"]);
//! let sender = Sender::spawn(config, tags)?;
//! sender.send_raw_data(DebuggerType::Snapshots, r#"[{"service":"web"}]"#.into())?;
//! sender.join();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Deliberately not here: making snapshots, reading probes, retry. The tracer retries what it
//! wants to keep; a 404 of an old agent is answered with
//! [`Config::downgrade_to_diagnostics_endpoint`], which [`Sender`] does by itself.
//!
//! Invariants:
//! - An additional endpoint never delays a byte to the primary, nor changes its result.
//! - Every wait is bounded by the endpoint's `timeout_ms`; the queue by items, what is copied for
//!   additional endpoints and read of an answer by bytes.
//! - A request that was not finished is aborted, never completed.
//! - Keys appear in one header only: not in URLs, errors, logs or debug output.
//! - A guest in its host: no global state, no signal handler; nothing is read of the environment
//!   but `DD_EXTERNAL_ENV`, once. After `fork` the child's copy of a [`Sender`] refuses everything.
//!
//! Cost: a payload is copied once at most (into the queue; not at all when its owner is given
//! along). Connections are kept for 3 s, so that bursts share one TLS handshake. A [`Sender`]
//! takes one thread and, when idle, some 100 KiB.

#![forbid(unsafe_code)]

mod answer;
mod body;
mod check;
mod client;
mod config;
mod connect;
mod endpoint;
mod error;
mod file;
mod identity;
pub mod payload;
mod payload_sender;
pub mod redaction;
mod send;
mod sender;
mod tags;
mod track;
mod url;

#[doc(hidden)]
pub use check::check_sender_bytes;
pub use client::ClientSettings;
pub use config::{Config, agent_info_supports_debugger_v2_endpoint};
pub use endpoint::{Endpoint, TIMEOUT_MS, debugger_intake_endpoint, derive_endpoint_path};
pub use error::{PayloadRejected, SendError};
pub use forward::{TlsSettings, TlsVersion};
pub use payload::debugger_type_of_json;
pub use payload_sender::{ADDITIONAL_BYTES_MAX, PayloadSender};
pub use send::{send, send_symdb};
pub use sender::{NotQueued, QUEUE_ITEMS_MAX, Sender, SenderCounts, SpawnError};
pub use tags::{TAGS_BYTES_MAX, generate_tags, percent_encode, tags_from_raw};
pub use track::{DebuggerType, Track};
pub use url::{Url, UrlError};
