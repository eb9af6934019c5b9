//! What tracers send is captured by one agent and replayed to another.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use bed::{Agent, Bed};
use load::traces::{TraceLoad, TraceProgress, TraceSpec, TraceTally, TraceTransport, TraceVersion};

use super::capture_files::command;

/// Sends traces to the socket of an agent; what was accepted.
fn send(bed: &Bed, version: TraceVersion) -> TraceTally {
    let spec = TraceSpec {
        version,
        transport: TraceTransport::Uds,
        destination: bed.trace_url(true).replace("unix://", ""),
        container_id: "cafe".to_owned(),
        spans_per_trace: 5,
        payloads: 20,
        payloads_max: 20,
        kept_per_mille: 500,
        ..TraceSpec::default()
    };
    let load = TraceLoad::prepare(spec).expect("a load");
    let sent = load.run(&AtomicBool::new(false), &TraceProgress::default()).expect("an agent");
    assert_eq!(sent.accepted.payloads, 20, "{sent:?}");
    sent.accepted
}

fn counts(agent: &Agent) -> (u64, u64) {
    let traces = agent.status().traces.expect("a trace pipeline");
    (traces.payloads_decoded, traces.spans_received)
}

fn replay(agent: &Agent, file: &str, more: &[&str]) -> serde_json::Value {
    let mut arguments = vec!["apm", "replay", "--file", file, "--speed", "0", "--json"];
    arguments.extend(more);
    serde_json::from_str(&command(agent, &arguments)).expect("JSON")
}

#[test]
fn captured_requests_can_be_replayed() {
    let bed = Bed::new();
    let agent = bed.start(&bed.settings());
    let path = command(&agent, &["apm", "capture", "--duration", "1h"]);
    let shown = command(&agent, &["status"]);
    assert!(shown.contains(&path) && shown.contains("ends in"), "{shown}");
    let again = agent.command(&["apm", "capture"]);
    assert!(!again.status.success(), "one capture runs at a time");
    let mut sent = send(&bed, TraceVersion::V04);
    sent.add(&send(&bed, TraceVersion::V10));
    assert_eq!(command(&agent, &["apm", "capture", "--stop"]), path);
    let status = agent.wait_status("all are counted", |status| {
        let server = status.traces.as_ref().map(|traces| &traces.server);
        server.is_some_and(|server| server.get("requests_captured") == Some(&40))
    });
    let server = status.traces.expect("a trace pipeline").server;
    assert_eq!(server.get("requests_not_captured"), Some(&0), "{server:?}");
    bed.finish(agent);

    let other = Bed::new();
    let agent = other.start(&other.settings());
    let report = replay(&agent, &path, &["--loops", "2"]);
    assert_eq!((&report["requests"], &report["accepted"]), (&80.into(), &80.into()), "{report}");
    assert_eq!((&report["bytes"], &report["cut"]), (&(2 * sent.body_bytes).into(), &false.into()));
    agent.wait_status("all are in", |_| counts(&agent) == (80, 2 * sent.spans));
    let status = agent.status().traces.expect("a trace pipeline");
    let endpoints: Vec<_> = status.tracers.iter().map(|row| &*row.endpoint).collect();
    assert!(endpoints.contains(&"/v0.4/traces") && endpoints.contains(&"/v1.0/traces"));
    assert!(status.tracers.iter().all(|row| row.language == "python"), "{status:#?}");
    let finished = other.finish(agent);
    assert!(finished.contents.traces.iter().any(|chunk| format!("{chunk:?}").contains("cafe")));
}

/// A recorder that is killed leaves what it had flushed, whole.
#[test]
fn a_killed_agent_leaves_a_capture_that_can_be_used() {
    let bed = Bed::new();
    let agent = bed.start(&bed.settings());
    let path = PathBuf::from(command(&agent, &["apm", "capture", "--duration", "1h"]));
    send(&bed, TraceVersion::V04);
    let is_there = || std::fs::metadata(&path).is_ok_and(|file| file.len() > 5_000);
    bed::wait_for(bed::WAIT_MAX, || is_there().then_some(())).expect("a flush of the capture");
    agent.kill();

    let agent = bed.start(&bed.settings());
    let report = replay(&agent, &path.display().to_string(), &[]);
    assert_eq!(report["cut"], true, "{report}");
    let requests = report["requests"].as_u64().expect("a number");
    assert!((1..=20).contains(&requests) && report["accepted"] == requests, "{report}");
    agent.wait_status("all are in", |_| counts(&agent).0 == requests);
    bed.finish(agent);
}

#[test]
fn a_capture_is_bounded_and_what_is_no_capture_is_refused() {
    let bed = Bed::new();
    let agent = bed.start(&bed.settings());
    let path = command(&agent, &["apm", "capture", "--duration", "1h", "--size", "1"]);
    send(&bed, TraceVersion::V04);
    agent.wait_status("the capture is full", |status| {
        status.traces.as_ref().is_some_and(|traces| traces.capture.is_none())
    });
    let report = replay(&agent, &path, &[]);
    assert_eq!(report["requests"], 1, "{report}");

    let nonsense = bed.path("nonsense");
    std::fs::write(&nonsense, "this is no capture").expect("a writable directory");
    let nonsense = nonsense.display().to_string();
    let refused = agent.command(&["apm", "replay", "--file", &nonsense]);
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("corelane-requests-"), "{said}");
    bed.finish(agent);
}
