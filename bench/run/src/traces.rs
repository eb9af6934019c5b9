//! Spans through one lane: how many, what they cost, and what they take.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use load::null::http::{HttpNull, HttpNullProgress, HttpNullSpec};
use load::traces::{TraceLoad, TraceProgress, TraceSent, TraceSpec};

use crate::Bench;
use crate::agent::Agent;
use crate::figures::{Figure, Figures, mib};
use crate::scenario::Scenario;

/// The load flat out into the agent, and into a server that throws bodies away.
pub(crate) fn measure(bench: &Bench, scenario: &Scenario) -> Result<Figures> {
    let agent = Agent::start(bench, scenario)?;
    thread::sleep(IDLE_AFTER);
    let idle = agent.resident_bytes()?;
    let warm_up = TraceSpec { duration_ms: WARM_UP_MS, ..scenario.traces.clone() };
    run(bench, &agent, &warm_up)?;
    let times_before = agent.times()?;
    let (sent, highest) = run(bench, &agent, &scenario.traces)?;
    wait_processed(&agent)?;
    let times = agent.times()?;
    let accepted = sent.accepted.spans;
    ensure!(sent.failures.is_empty(), "the load ended early: {:?}", sent.failures);
    ensure!(accepted > 0, "nothing was accepted: {:?}", sent.statuses);
    let cpu_ns = times.total_since(&times_before);
    let lane_ns = times.lanes_since(&times_before).unwrap_or(cpu_ns);
    drop(agent);
    let null = run_null(bench, &scenario.traces)?;
    let lane = per_span(lane_ns, accepted);
    let mut figures = crate::stages::measure(&scenario.traces)?;
    figures.extend([
        (Figure::SpansPerSec, exact(accepted) / seconds(sent.elapsed_ns)),
        (Figure::LaneNsPerSpan, lane),
        (Figure::CpuNsPerSpan, per_span(cpu_ns, accepted)),
        (Figure::NullNsPerSpan, null),
        (Figure::WorkNsPerSpan, lane - null),
        (Figure::RefusedPayloads, exact(sent.refused.payloads + sent.unanswered.payloads)),
        (Figure::RssIdleMib, mib(idle)),
        (Figure::RssLoadedMib, mib(highest)),
    ]);
    Ok(figures)
}

/// Sends a load to the agent. Returns the highest resident memory meanwhile too.
fn run(bench: &Bench, agent: &Agent, spec: &TraceSpec) -> Result<(TraceSent, u64)> {
    let load = prepare(bench, spec, agent.trace_destination())?;
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let sending = scope.spawn(|| load.run(&stop, &TraceProgress::default()));
        let mut highest: Result<u64> = Ok(0);
        while !sending.is_finished() && highest.is_ok() {
            thread::sleep(SAMPLE_EVERY);
            highest = highest.and_then(|before| Ok(agent.resident_bytes()?.max(before)));
        }
        stop.store(true, Ordering::Relaxed);
        let sent = sending.join().map_err(|_| anyhow!("the generator panicked"))??;
        Ok((sent, highest?))
    })
}

/// Waits until no more spans are counted, so that the processor time is complete.
fn wait_processed(agent: &Agent) -> Result<()> {
    let started = Instant::now();
    let mut before = None;
    while started.elapsed() < PROCESSED_WITHIN {
        let now = agent.counters()?.value("spans_received");
        if now.is_some() && now == before {
            return Ok(());
        }
        before = now;
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// Processor time of a null receiver per span.
fn run_null(bench: &Bench, spec: &TraceSpec) -> Result<f64> {
    let directory = tempfile::tempdir()?;
    let listen = directory.path().join("null.sock").display().to_string();
    let null = HttpNull::bind(HttpNullSpec { listen, cpu: Some(bench.receiver_cpu) })?;
    let load = prepare(bench, spec, null.destination())?;
    let stop = AtomicBool::new(false);
    let progress = Arc::<HttpNullProgress>::default();
    let (sent, received) = thread::scope(|scope| -> Result<_> {
        let (stop, progress) = (&stop, &progress);
        let receiving = scope.spawn(move || null.run(stop, progress));
        let sent = load.run(&AtomicBool::new(false), &TraceProgress::default());
        stop.store(true, Ordering::Relaxed);
        let received = receiving.join().map_err(|_| anyhow!("the null receiver panicked"))??;
        Ok((sent?, received))
    })?;
    Ok(per_span(received.cpu_ns, sent.accepted.spans))
}

fn prepare(bench: &Bench, spec: &TraceSpec, destination: String) -> Result<TraceLoad> {
    let transport = load::traces::TraceTransport::Uds;
    let cpus = vec![bench.sender_cpu];
    Ok(TraceLoad::prepare(TraceSpec { destination, transport, cpus, ..spec.clone() })?)
}

fn per_span(ns: u64, spans: u64) -> f64 {
    exact(ns) / exact(spans.max(1))
}

fn seconds(ns: u64) -> f64 {
    exact(ns.max(1)) / 1e9
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
const fn exact(count: u64) -> f64 {
    count as f64
}

const IDLE_AFTER: Duration = Duration::from_secs(2);
const WARM_UP_MS: u64 = 2_000;
const SAMPLE_EVERY: Duration = Duration::from_millis(20);
const LOOK_EVERY: Duration = Duration::from_millis(600);
const PROCESSED_WITHIN: Duration = Duration::from_secs(10);
