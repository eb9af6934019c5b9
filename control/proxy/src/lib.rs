//! Proxies: requests of tracers that are passed on to other hosts.
//!
//! ```text
//! Exchange (head, body, reply) -> Kind -> Rules, RouteSettings
//!    head -> Rewriter -> one request for each Target
//!    body -> Watched (limit, progress) -> first target         -> answer -> reply, as it comes
//!                   '-> Feeder, with several targets -> copies -> answers, read and counted
//! telemetry: read, answered, sent in the background    DogStatsD: lines to the lanes
//! ```
//!
//! [`Kind::rules`](kind) is the table of the spec as data: where key and tags go, what of the query
//! is kept, how failures are told. [`Settings`] says where requests go; it is replaced whole when
//! the configuration changes, and each request reads it anew, so that a rotated key counts from the
//! next request on. Nothing here retries: the tracer does.
//!
//! Invariants: a body with one destination is never held; copies for further ones hold at most
//! their limit each and [`FixedSettings::copy_bytes_max`] together, and never delay the first;
//! client and intake end each other's half; keys of clients never leave, ours are never logged, nor
//! are queries and bodies. Bounds: requests under way, time without progress, time in all. What is
//! counted is told twice: in [`ProxyCounts`] since the start, and in [`ProxySeries`] since the last
//! report.
//!
//! Costs of an upload: one task, a connection of some 64 KiB buffers beside those of the pipe from
//! the lane, no copy of the bytes but into TLS. spec: proxies §1-§4, §6-§8; §6 (answering before
//! sending, for processes that are frozen between requests) is used for telemetry alone.

#![forbid(unsafe_code)]

mod body;
mod check;
mod counts;
mod dogstatsd;
mod evp;
mod flare;
mod kind;
mod log_files;
mod log_limit;
mod meter;
mod progress;
mod proxies;
mod relay;
mod rewrite;
mod scrub;
mod settings;
mod tags;
mod telemetry;

#[doc(hidden)]
pub use check::check_head_bytes;
pub use counts::{CopyFailure, ProxyCounts, Refused};
pub use dogstatsd::{SubmitLines, Submitted};
pub use evp::{EVP_HEADERS, EvpDestination, Invalid, evp_destination};
pub use flare::flare_url;
pub use kind::Kind;
pub use meter::ProxySeries;
pub use proxies::{FixedSettings, Proxies};
pub use settings::{RouteSettings, Settings, Target, Targets};
