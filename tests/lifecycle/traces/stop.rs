//! SIGTERM while tracers send: what was answered with 200 arrives, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bed::Bed;
use load::traces::{TraceLoad, TraceProgress, TraceSpec, TraceVersion};

use super::{assert_arrived, quick, spec, tcp_spec};

/// Stops the agent in the middle of a load that goes on until it is refused.
fn flushes_all(driver: &str, version: TraceVersion, is_tcp: bool) {
    const ANSWERS_BEFORE_STOP: u64 = 60;
    let bed = Bed::new();
    let agent = bed.start(&quick(&bed).set("corelane.driver", driver));
    let base = if is_tcp { tcp_spec(&bed) } else { spec(&bed) };
    // Many connections with one request on its way each: some are in every stage at the stop.
    let spec = TraceSpec { version, payloads_max: 0, connections: 16, threads: 2, ..base };
    let load = TraceLoad::prepare(spec).expect("a load");
    let progress = Arc::<TraceProgress>::default();
    let shared = Arc::clone(&progress);
    let sender = std::thread::spawn(move || load.run(&AtomicBool::new(false), &shared));
    while progress.answers.load(Ordering::Relaxed) < ANSWERS_BEFORE_STOP {
        assert!(!sender.is_finished(), "the load ended before the stop\n{}", agent.log());
        std::thread::yield_now();
    }
    agent.stop();
    let sent = sender.join().expect("a load").expect("a load that ran");
    assert!(sent.accepted.payloads >= ANSWERS_BEFORE_STOP);
    assert_eq!(sent.statuses.keys().collect::<Vec<_>>(), [&200], "{:?}", sent.statuses);
    let contents = bed.intake.store().read(Clone::clone);
    assert!(contents.violations.is_empty(), "{:?}", contents.violations.front());
    assert_arrived(&contents, &sent.accepted);
}

#[test]
fn a_stop_under_load_flushes_everything_that_was_accepted() {
    flushes_all("auto", TraceVersion::V04, false);
    flushes_all("auto", TraceVersion::V10, true);
}

#[test]
fn a_stop_under_load_flushes_everything_that_was_accepted_by_epoll() {
    flushes_all("epoll", TraceVersion::V05, true);
    flushes_all("epoll", TraceVersion::V07, false);
}
