//! Remote configuration of the built binary, with a backend that signs with keys of its own.

mod client;
mod faults;
mod flares;
mod products;
mod serving;
mod store;
mod trust;

use bed::{Agent, Bed, Settings};
use intake::remote::Backend;
use serde_json::{Value, json};
use status::{RemoteStatus, Snapshot};

/// A configuration that is there for everybody.
const PATH: &str = "datadog/2/LIVE_DEBUGGING/LOG_PROBE_p1/config";

/// Settings of an agent that trusts the bed's backend.
fn settings(bed: &Bed) -> Settings {
    let backend = backend(bed);
    bed.settings()
        .set("remote_configuration.enabled", true)
        .set("remote_configuration.rc_dd_url", bed.intake.url())
        .set("remote_configuration.no_tls", true)
        .set("remote_configuration.config_root", backend.config_root())
        .set("remote_configuration.director_root", backend.director_root())
        // A call that hangs must not hold a test for long.
        .set("forwarder_timeout", 2)
}

/// The bed's backend, which wants to be asked each second.
fn backend(bed: &Bed) -> &Backend {
    bed.intake.remote()
}

/// An agent that has verified one state with [`PATH`] in it.
fn start(bed: &Bed) -> Agent {
    backend(bed).set_refresh_secs(Some(1));
    backend(bed).put(PATH, &json!({"id": "p1"}));
    let agent = bed.start(&settings(bed));
    wait(&agent, "a first update", |remote| remote.configurations.len() == 1);
    agent
}

/// Waits until remote configuration is so.
fn wait(agent: &Agent, what: &str, is_so: impl Fn(&RemoteStatus) -> bool) -> RemoteStatus {
    let is_so = |snapshot: &Snapshot| snapshot.remote.as_ref().is_some_and(&is_so);
    agent.wait_status(what, is_so).remote.expect("asserted by the wait")
}

/// A counter of remote configuration.
fn count(remote: &RemoteStatus, name: &str) -> u64 {
    remote.counts.get(name).copied().unwrap_or(0)
}

/// A request of a tracer that has nothing.
fn request(id: &str) -> Value {
    json!({
        "client": {
            "state": {"root_version": 1},
            "id": id,
            "products": ["LIVE_DEBUGGING", "ASM"],
            "is_tracer": true,
            "client_tracer": {
                "runtime_id": format!("runtime of {id}"),
                "language": "python",
                "tracer_version": "2.10.0",
                "service": "Shop @ww",
                "env": "prod",
            },
            "capabilities": "AQ==",
        },
    })
}
