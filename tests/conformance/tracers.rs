//! Real tracers: every span they keep arrives as it was made, and stats are exact.

mod go;
mod java;
mod node;
mod python;

use std::fs;
use std::path::{Path, PathBuf};

use bed::tracing::{Counting, Made, TraceFeatures, TracePlan, Tracer, TracerOptions, check_traces};
use bed::{Agent, Bed, Finished, WAIT_MAX, wait_for};

/// What differs between runs.
struct Case {
    tracer: Tracer,
    features: TraceFeatures,
    protocol: &'static str,
    is_unix: bool,
    computes_stats: bool,
    linger_ms: u64,
    counting: Counting,
    /// Pieces of log lines that say nothing about traces.
    noise: &'static [&'static str],
}

/// Runs a tracer and asserts that everything arrives exactly, that nothing was refused, and that
/// the tracer has nothing to complain about.
fn run(case: &Case) -> Finished {
    let bed = Bed::new();
    let agent = bed.start(&bed.settings());
    let capture = PathBuf::from(command(&agent, &["apm", "capture", "--duration", "1h"]));
    let mut plan = TracePlan::generate(case.features);
    plan.linger_ms = case.linger_ms;
    plan.counting = case.counting;
    let options = TracerOptions {
        agent_url: bed.trace_url(case.is_unix),
        protocol: case.protocol,
        computes_stats: case.computes_stats,
    };
    let run = case.tracer.run(&plan, &options);
    let _is_all_in = wait_for(WAIT_MAX, || is_all_in(&plan, &agent.status()).then_some(()));
    command(&agent, &["apm", "capture", "--stop"]);
    let finished = bed.finish(agent);
    check_traces(&plan, &run.made, &finished.contents);
    replay(&capture, &plan, &run.made);
    keep(&capture, case);
    assert_log(case, &run.log);
    assert_status(case, &finished);
    finished
}

/// Replays what the tracer sent to another agent, where the same must arrive.
fn replay(capture: &Path, plan: &TracePlan, made: &Made) {
    let bed = Bed::new();
    let agent = bed.start(&bed.settings());
    let file = capture.display().to_string();
    let report = command(&agent, &["apm", "replay", "--file", &file, "--speed", "0", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["requests"], report["accepted"], "{report}");
    let _is_all_in = wait_for(WAIT_MAX, || is_all_in(plan, &agent.status()).then_some(()));
    check_traces(plan, made, &bed.finish(agent).contents);
}

/// Directory for captures of real tracers: `bench/load/corpus`. Nothing is kept without.
const CORPUS_VARIABLE: &str = "CORELANE_CORPUS";

/// Keeps a capture where the load generator finds it.
fn keep(capture: &Path, case: &Case) {
    let is_kept = !case.computes_stats && case.protocol.ends_with("0.4");
    if let (true, Some(directory)) = (is_kept, std::env::var_os(CORPUS_VARIABLE)) {
        let name = case.tracer.language.trim_end_matches("js");
        let name = format!("{name}.capture");
        fs::copy(capture, Path::new(&directory).join(name)).expect("a writable directory");
    }
}

/// Runs a command and returns what it printed.
fn command(agent: &Agent, arguments: &[&str]) -> String {
    let output = agent.command(arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}\n{}", agent.log());
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Whether everything that must leave is in. If not, what is missing is named later.
fn is_all_in(plan: &TracePlan, status: &status::Snapshot) -> bool {
    let (kept, counted) = (plan.kept().count() as u64, plan.counted().count() as u64);
    let Some(traces) = &status.traces else { return false };
    let hits = ["spans", "client_hits"].map(|name| traces.stats.get(name).copied());
    traces.spans_kept >= kept && hits.iter().flatten().sum::<u64>() >= counted
}

/// What a tracer says when a payload is lost, refused or cut.
const COMPLAINTS: &[&str] =
    &["error", "warn", "fail", "drop", "lost", "refus", "reject", "unexpected"];

fn assert_log(case: &Case, log: &str) {
    let complains = |line: &&str| {
        let line = line.to_lowercase();
        // Frames of a stack trace come after the line that says what happened.
        !line.trim_start().starts_with("at ")
            && COMPLAINTS.iter().any(|complaint| line.contains(complaint))
            && !case.noise.iter().any(|noise| line.contains(noise))
    };
    let lines: Vec<&str> = log.lines().filter(complains).collect();
    assert!(lines.is_empty(), "{:?} complains: {lines:#?}", case.tracer);
}

fn assert_status(case: &Case, finished: &Finished) {
    let traces = finished.snapshot.traces.as_ref().expect("a trace pipeline");
    // Tracers ask for routes of other products, which answer 404 while they are not there.
    let reasons = traces.refused.iter().flat_map(|row| &row.requests);
    let refused: Vec<_> =
        reasons.filter(|(reason, count)| **count > 0 && *reason != "not_found").collect();
    assert!(refused.is_empty(), "refused: {refused:?}");
    let is_other = |(code, count): &(&u16, &u64)| **count > 0 && ![200, 404].contains(*code);
    let has_other = traces.answers.iter().any(|answer| is_other(&answer));
    assert!(!has_other, "answers: {:?}", traces.answers);
    let malformed: Vec<_> = traces.malformed.iter().filter(|(_, count)| **count > 0).collect();
    assert!(malformed.is_empty(), "put right: {malformed:?}");
    let endpoint = format!("/v{}/traces", case.protocol.trim_start_matches('v'));
    let is_own = |row: &&status::TracerStatus| {
        row.language == case.tracer.language && row.endpoint == endpoint
    };
    let own: u64 = traces.tracers.iter().filter(is_own).map(|row| row.traces).sum();
    assert_eq!(own, traces.traces_received, "not to {endpoint}: {:#?}", traces.tracers);
    assert!(own > 0, "no trace");
    let client_hits = traces.stats.get("client_hits").copied().unwrap_or_default();
    assert_eq!(client_hits > 0, case.computes_stats, "stats: {:?}", traces.stats);
}
