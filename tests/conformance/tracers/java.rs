//! `dd-java-agent`, called through the API of OpenTelemetry that it implements. Statements are
//! traced by its integration of JDBC.

use bed::Client;
use bed::tracing::{Counting, Library, Names, TraceFeatures, Tracer};

use super::{Case, run};

const TRACER: Tracer = Tracer {
    client: Client::JavaTracer,
    language: "java",
    protocol: "DD_TRACE_AGENT_PROTOCOL_VERSION",
};

const FEATURES: TraceFeatures = TraceFeatures {
    has_links: true,
    has_events: true,
    has_measured: true,
    libraries: &[(Library::Sql, Names { service: "h2", name: "h2.query" })],
};

/// Of the virtual machine, about every agent.
const NOISE: &[&str] = &["sharing is only supported for boot loader classes"];

fn java(protocol: &'static str, is_unix: bool, computes_stats: bool) {
    run(&Case {
        tracer: TRACER,
        // It does not say in v1.0 what is measured.
        features: TraceFeatures { has_measured: protocol != "1.0", ..FEATURES },
        protocol,
        is_unix,
        computes_stats,
        linger_ms: if computes_stats { STATS_MS } else { 0 },
        counting: Counting::Services,
        noise: NOISE,
    });
}

/// Stats leave every ten seconds and not at the end.
const STATS_MS: u64 = 10_500;

#[test]
fn traces_in_v04_over_tcp() {
    java("0.4", false, false);
}

#[test]
fn traces_in_v05_over_uds_with_own_stats() {
    java("0.5", true, true);
}

#[test]
fn traces_in_v10_over_tcp() {
    java("1.0", false, false);
}
