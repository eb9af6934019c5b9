//! Requests of tracers that the built binary passes on: what the intake gets, byte for byte, what
//! the client gets, and what trouble on either side does to the other.

mod client;
mod faults;
mod routes;
mod series;
mod tls;
mod uploads;

use bed::{Bed, Settings, Upstream};
use serde_json::json;
use status::{ProxyStatus, Snapshot};

/// Settings under which everything that may be plain HTTP goes to one upstream.
fn settings(bed: &Bed, upstream: &Upstream) -> Settings {
    let url = |path: &str| format!("{}{path}", upstream.url());
    bed.settings()
        .set("env", "test")
        .set("apm_config.profiling_dd_url", url("/api/v2/profile"))
        .set("apm_config.debugger_dd_url", url("/api/v2/logs"))
        .set("apm_config.debugger_diagnostics_dd_url", url("/api/v2/debugger"))
        .set("apm_config.symdb_dd_url", url("/api/v2/debugger"))
        .set("apm_config.apm_dd_url", upstream.url())
        .set("ol_proxy_config.dd_url", url("/api/v1/lineage"))
        .set("corelane.proxy.tracer_flare_url", url("/flare"))
        // Traces have a spool of their own, which the upstream does not understand.
        .set("forwarder_stop_timeout", 0)
}

/// The same with a further destination of profiles.
fn with_second(settings: Settings, second: &Upstream) -> Settings {
    let url = format!("{}/second", second.url());
    settings.set("apm_config.profiling_additional_endpoints", json!({ url: ["k2"] }))
}

fn proxy(snapshot: &Snapshot, name: &str) -> ProxyStatus {
    let found = snapshot.proxies.iter().find(|proxy| proxy.name == name);
    found.cloned().unwrap_or_default()
}
