//! `dd-trace-go`, which prefers v1.0.

use bed::Client;
use bed::tracing::{Counting, TraceFeatures, Tracer};

use super::{Case, run};

const TRACER: Tracer = Tracer {
    client: Client::GoTracer,
    language: "go",
    protocol: "DD_TRACE_AGENT_PROTOCOL_VERSION",
};

const FEATURES: TraceFeatures =
    TraceFeatures { has_links: true, has_events: true, has_measured: true, libraries: &[] };

fn go(protocol: &'static str, is_unix: bool, computes_stats: bool) {
    run(&Case {
        tracer: TRACER,
        features: FEATURES,
        protocol,
        is_unix,
        computes_stats,
        linger_ms: if computes_stats { FLUSH_MS } else { 0 },
        counting: Counting::Services,
        noise: &[],
    });
}

/// What is sent while the tracer stops does not say that stats are computed, and flushing does not
/// wait until it is sent.
const FLUSH_MS: u64 = 2_000;

#[test]
fn traces_in_v10_over_tcp() {
    go("1.0", false, false);
}

#[test]
fn traces_in_v10_over_uds_with_own_stats() {
    go("1.0", true, true);
}

#[test]
fn traces_in_v04_over_uds() {
    go("0.4", true, false);
}

#[test]
fn traces_in_v04_over_tcp_with_own_stats() {
    go("0.4", false, true);
}
