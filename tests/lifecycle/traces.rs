//! Traces: trouble, hostile clients, limits and stop. What was accepted arrives, exactly once.

mod client;
mod crowds;
mod debug_port;
mod faults;
mod flood;
mod held;
mod huge;
mod legacy;
mod limits;
mod listeners;
mod malformed;
mod stop;

use std::sync::atomic::AtomicBool;

use bed::{Agent, Bed, Settings};
use intake::{Contents, StatsTotals};
use load::traces::{TraceLoad, TraceProgress, TraceSent, TraceSpec, TraceTally, TraceTransport};
use status::{RefusedStatus, TraceStatus};

/// Settings that bring traces to the intake at once. Stats come when their bucket of ten seconds
/// has ended, or at the stop, which then leaves time to try again.
fn quick(bed: &Bed) -> Settings {
    bed.settings()
        .set("apm_config.trace_writer.flush_period_seconds", 0.1)
        .set("forwarder_stop_timeout", 20)
}

/// Forty payloads of five traces of ten spans, all of them to be kept, over the Unix socket.
fn spec(bed: &Bed) -> TraceSpec {
    TraceSpec {
        transport: TraceTransport::Uds,
        destination: bed.trace_url(true).replace("unix://", ""),
        spans_per_trace: 10,
        traces_per_payload: 5,
        payloads: 20,
        payloads_max: 40,
        kept_per_mille: 1000,
        errors_per_mille: 100,
        connections: 4,
        ..TraceSpec::default()
    }
}

/// The same over TCP.
fn tcp_spec(bed: &Bed) -> TraceSpec {
    TraceSpec { transport: TraceTransport::Tcp, destination: tcp_address(bed), ..spec(bed) }
}

fn tcp_address(bed: &Bed) -> String {
    bed.trace_url(false).replace("http://", "")
}

/// Sends a load to its end.
fn send(spec: TraceSpec) -> TraceSent {
    let load = TraceLoad::prepare(spec).expect("a load");
    let sent = load.run(&AtomicBool::new(false), &TraceProgress::default());
    let sent = sent.expect("a load that runs");
    assert!(sent.failures.is_empty(), "{:?}", sent.failures);
    sent
}

/// Sends a load of which everything is accepted.
fn send_all(spec: TraceSpec) -> TraceTally {
    let sent = send(spec);
    assert_eq!(sent.accepted, sent.total(), "{:?}", sent.statuses);
    sent.accepted
}

/// Waits until these traces were decoded.
fn wait_arrived(bed: &Bed, agent: &Agent, accepted: &TraceTally) {
    let store = bed.intake.store();
    let is_there =
        store.wait_until(bed::WAIT_MAX, |now| now.totals.traces.chunks >= accepted.chunks);
    assert!(
        is_there,
        "{:?}\nof {accepted:?}\n{:#?}\n{}",
        store.totals().traces,
        agent.status(),
        agent.log()
    );
}

/// Asserts that exactly this arrived.
fn assert_arrived(contents: &Contents, accepted: &TraceTally) {
    let traces = &contents.totals.traces;
    assert_eq!(traces.chunks, accepted.chunks, "traces");
    assert_eq!(traces.spans, accepted.spans, "spans");
    assert_eq!(traces.error_spans, accepted.error_spans, "spans with errors");
    assert_stats(&contents.totals.stats, accepted);
}

/// Asserts that exactly these hits arrived.
fn assert_stats(stats: &StatsTotals, accepted: &TraceTally) {
    let sum = &stats.sum;
    assert_eq!(sum.hits, accepted.hits, "hits");
    assert_eq!(sum.errors, accepted.hit_errors, "hits with errors");
    assert_eq!(sum.top_level_hits, accepted.top_level_hits, "top-level hits");
    assert_eq!(sum.duration_ns, accepted.hit_duration_ns, "nanoseconds of hits");
}

/// The trace pipeline of an agent.
fn traces_of(agent: &Agent) -> TraceStatus {
    agent.status().traces.expect("an agent with traces")
}

/// Waits until the trace pipeline of an agent is so.
fn wait_traces(agent: &Agent, what: &str, is_so: impl Fn(&TraceStatus) -> bool) -> TraceStatus {
    let status = agent.wait_status(what, |status| status.traces.as_ref().is_some_and(&is_so));
    status.traces.expect("looked at above")
}

/// A counter by its name; 0 when there is none.
fn counter(counts: &std::collections::BTreeMap<String, u64>, name: &str) -> u64 {
    counts.get(name).copied().unwrap_or(0)
}

/// What senders of a language were refused.
fn refused<'a>(status: &'a TraceStatus, language: &str) -> Option<&'a RefusedStatus> {
    status.refused.iter().find(|row| row.language == language)
}
