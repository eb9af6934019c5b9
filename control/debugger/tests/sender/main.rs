//! The sender against real servers on the loopback interface.

mod abort;
mod fan_out;
mod requests;
mod server;
mod spawned;
mod tls;

use debugger::{Config, DebuggerType, Endpoint};

/// A key that no test may find anywhere but in its header.
pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef";

/// Patient, as a loaded machine is slow; tests of timeouts say their own.
pub(crate) fn endpoint(url: &str, key: Option<&str>) -> Endpoint {
    let endpoint = Endpoint::new(url.parse().expect("a url"), key);
    Endpoint { timeout_ms: 60_000, ..endpoint }
}

/// Everything goes to one place.
pub(crate) fn config(url: &str, key: Option<&str>) -> Config {
    let mut config = Config::default();
    config.set_endpoint(endpoint(url, key));
    config.set_symdb_endpoint(endpoint(url, key));
    config
}

pub(crate) const KINDS: [DebuggerType; 3] =
    [DebuggerType::Diagnostics, DebuggerType::Snapshots, DebuggerType::Logs];
