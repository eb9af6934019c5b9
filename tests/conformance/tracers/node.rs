//! `dd-trace` for Node.js, whose own stats count the first spans of the process and measured ones.

use bed::Client;
use bed::tracing::{Counting, TraceFeatures, Tracer};

use super::{Case, run};

const TRACER: Tracer = Tracer {
    client: Client::NodeTracer,
    language: "nodejs",
    protocol: "DD_TRACE_AGENT_PROTOCOL_VERSION",
};

const FEATURES: TraceFeatures =
    TraceFeatures { has_links: true, has_events: true, has_measured: true, libraries: &[] };

/// Its DogStatsD client tries HTTP before UDP.
const NOISE: &[&str] = &["dogstatsd"];

fn node(protocol: &'static str, is_unix: bool, computes_stats: bool) {
    run(&Case {
        tracer: TRACER,
        features: FEATURES,
        protocol,
        is_unix,
        computes_stats,
        linger_ms: if computes_stats { STATS_MS } else { 0 },
        counting: if computes_stats { Counting::Roots } else { Counting::Services },
        noise: NOISE,
    });
}

/// Stats leave every ten seconds and not at the end.
const STATS_MS: u64 = 10_500;

#[test]
fn traces_in_v04_over_tcp() {
    node("0.4", false, false);
}

#[test]
fn traces_in_v05_over_uds() {
    node("0.5", true, false);
}

#[test]
fn traces_in_v04_over_uds_with_own_stats() {
    node("0.4", true, true);
}

#[test]
fn traces_in_v05_over_tcp_with_own_stats() {
    node("0.5", false, true);
}
