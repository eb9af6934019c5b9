//! Logs and OTLP through the built binary: real SDKs of OpenTelemetry over gRPC, protobuf and JSON,
//! logs over HTTP, and what trouble with the intake does to them.

mod client;
mod faults;
mod logs;
mod sdks;
mod traces;

use bed::{Agent, Bed, Settings};

/// Settings under which logs and OTLP are taken on ports that the system chooses.
fn settings(bed: &Bed) -> Settings {
    bed.settings()
        .set("logs_enabled", true)
        .set("corelane.logs.listen", "127.0.0.1:0")
        .set("otlp_config.logs.enabled", true)
        .set("otlp_config.receiver.protocols.http.endpoint", "localhost:0")
        .set("otlp_config.receiver.protocols.grpc.endpoint", "localhost:0")
        .set("logs_config.sender_backoff_base", 0.1)
        .set("logs_config.sender_backoff_max", 1)
}

/// Where the agent listens for this, over IPv4.
fn address(agent: &Agent, transport: &str) -> String {
    let listeners = agent.status().listeners;
    let mut bound = listeners.iter().filter(|listener| listener.is_bound);
    let found = bound.find(|one| one.transport == transport && one.address.starts_with("127."));
    found.expect("it is listened on").address.clone()
}
