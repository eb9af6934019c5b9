//! `ddtrace` for Python; `sqlite3` and `redis` are traced by its integrations.

use bed::Client;
use bed::tracing::{Counting, Library, Names, TraceFeatures, Tracer};

use super::{Case, run};

const TRACER: Tracer =
    Tracer { client: Client::PythonTracer, language: "python", protocol: "DD_TRACE_API_VERSION" };

const FEATURES: TraceFeatures = TraceFeatures {
    has_links: true,
    has_events: true,
    has_measured: true,
    libraries: &[
        (Library::Sql, Names { service: "sqlite", name: "sqlite.query" }),
        (Library::Redis, Names { service: "redis", name: "redis.command" }),
    ],
};

fn python(protocol: &'static str, is_unix: bool, computes_stats: bool) {
    run(&Case {
        tracer: TRACER,
        features: FEATURES,
        protocol,
        is_unix,
        computes_stats,
        linger_ms: 0,
        counting: Counting::Services,
        noise: &[],
    });
}

#[test]
fn traces_in_v04_over_tcp() {
    python("v0.4", false, false);
}

#[test]
fn traces_in_v05_over_tcp_with_own_stats() {
    python("v0.5", false, true);
}

#[test]
fn traces_in_v04_over_uds_with_own_stats() {
    python("v0.4", true, true);
}

#[test]
fn traces_in_v05_over_uds() {
    python("v0.5", true, false);
}
