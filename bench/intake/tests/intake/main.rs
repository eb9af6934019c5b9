//! The intake over real sockets.

#![expect(clippy::unwrap_used, reason = "the whole crate is a test, its helpers too")]

mod apm;
mod client;
mod faults;
mod logs;
mod query;
mod routes;
mod secure;
