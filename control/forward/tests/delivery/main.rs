//! The forwarder against real sockets: HTTP, TLS, proxies, reload, stop and restart.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

mod crash;
mod http;
mod lifecycle;
mod proxy;
mod server;
mod support;
mod tls;
