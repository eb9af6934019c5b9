//! Delivery: endpoints, keys, retry, memory queue, disk spool.
//!
//! [`Forwarder`] takes finished payloads from any thread and brings each to every endpoint and
//! key, from one thread of its own. It knows no configuration keys and does not build payloads.
//! [`Caller`] asks a service for an answer, over the same connections and without any of that.
//!
//! ```text
//! submit -> fan-out -> route (one per endpoint and key)
//!                        queue --over the bound--> outbox -> spool files
//!                          \                                    |
//!                           `-> request <--taking turns-- replay'
//!                                  |
//!                 delivered | dropped, counted | retried after backoff
//! ```
//!
//! Invariants:
//! - A route shares nothing with another but the thread: a dead endpoint, a bad key or a slow disk
//!   never holds the others. Nothing on the thread blocks.
//! - Per route, `submitted + recovered = sent + queued + spooled + dropped` in every snapshot.
//! - A burst reaches the disk as long as that keeps up: submitters are held for it, 2 s at most.
//! - Memory is bounded: the queue, as much again on its way to disk, and two spool files on their
//!   way back. Disk is bounded by size, share of the file system, and age.
//! - Keys appear in request headers only: not in files, not in URLs, not in logs or stats.
//! - The rules are a state machine without clock, socket or file (`route::state`).

#![forbid(unsafe_code)]

mod backoff;
mod base_url;
mod call;
mod capacity;
mod conn;
mod connect;
mod dial;
mod forwarder;
mod keys;
mod log_gate;
mod outbound;
mod payload;
mod proxy;
mod queue;
mod route;
mod settings;
mod spool;
mod stats;
#[cfg(test)]
mod test_vectors;
mod tls;
mod transport;
mod verdict;

pub use base_url::{DEFAULT_SITE, HostPrefix, UrlError, intake_url, with_host_prefix};
pub use call::{CallAnswer, CallFault, Caller, CallerError, CallerSettings};
pub use conn::Conn;
pub use forwarder::{Forwarder, StartError, UnknownEndpoint};
pub use http::Method;
pub use keys::KeyValidity;
pub use log_gate::LogGate;
pub use outbound::{Outbound, OutboundError, OutboundSettings};
pub use payload::{Kind, Payload, Priority};
pub use proxy::ProxySettings;
pub use settings::{
    Accepts, BackoffSettings, ConnectSettings, Endpoint, HttpProtocol, Identity, RefusedKeys,
    Settings, SpoolSettings,
};
pub use stats::{
    DropCounts, DropReason, EndpointState, EndpointStats, ForwardStats, NameCounts, Totals, Waiting,
};
pub use tls::{TlsError, TlsSettings, TlsVersion, client_config, provider, ready_client_config};
