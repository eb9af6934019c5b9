//! The intake misbehaves and recovers: traces and stats arrive all the same, exactly once.

use bed::{Bed, Finished, Settings};
use intake::{Action, Behaviour, Route};
use load::traces::{TraceSpec, TraceVersion};
use status::{EndpointStatus, Snapshot};

use super::{assert_arrived, quick, send_all, spec, wait_arrived, wait_traces};

/// The endpoint of traces, which comes behind that of metrics.
fn endpoint(status: &Snapshot) -> &EndpointStatus {
    status.endpoints.last().expect("an endpoint of traces")
}

/// The intake treats the first payloads of traces and of stats so; afterwards everything is there.
fn survives(action: Action, adjust: impl FnOnce(Settings) -> Settings) -> Finished {
    let bed = Bed::new();
    let first = |route| Behaviour::first(1, action).on(route);
    bed.intake.set_script(vec![first(Route::Traces), first(Route::TraceStats)]);
    let agent = bed.start(&adjust(quick(&bed)));
    let accepted = send_all(spec(&bed));
    wait_arrived(&bed, &agent, &accepted);
    let finished = bed.finish(agent);
    assert_arrived(&finished.contents, &accepted);
    assert_eq!(endpoint(&finished.snapshot).dropped_total(), 0);
    assert!(endpoint(&finished.snapshot).retried >= 1, "{:?}", endpoint(&finished.snapshot));
    for route in [Route::Traces, Route::TraceStats] {
        assert!(finished.contents.requests_to(route).count() >= 2, "{route:?} came once");
    }
    finished
}

#[test]
fn nothing_is_lost_to_429() {
    survives(Action::Status(429), |settings| settings);
}

#[test]
fn nothing_is_lost_to_500() {
    survives(Action::Status(500), |settings| settings);
}

/// A refused key may be a key that was not announced everywhere yet.
#[test]
fn nothing_is_lost_to_403() {
    survives(Action::Status(403), |settings| settings);
}

#[test]
fn nothing_is_lost_to_an_intake_that_hangs() {
    survives(Action::Hang, |settings| settings.set("forwarder_timeout", 1));
}

/// The intake took it and could not say so: the same body comes again and counts once.
#[test]
fn nothing_is_doubled_by_a_lost_answer() {
    let finished = survives(Action::StoreThenClose, |settings| settings);
    let resent = finished.contents.requests.iter().filter(|request| request.is_resent).count();
    assert_eq!(resent, 2);
}

/// 413 is final by rule: that payload is given up and counted, the next ones are not held.
#[test]
fn a_payload_that_is_too_large_is_given_up_and_counted() {
    let bed = Bed::new();
    bed.intake.set_behaviour(Behaviour::first(1, Action::Status(413)).on(Route::Traces));
    let agent = bed.start(&quick(&bed));
    let lost = send_all(TraceSpec { payloads_max: 1, ..spec(&bed) });
    let status = agent
        .wait_status("one payload is given up", |status| endpoint(status).dropped_total() == 1);
    assert_eq!(endpoint(&status).dropped.get("too_large"), Some(&1));
    let mut accepted = send_all(spec(&bed));
    wait_arrived(&bed, &agent, &accepted);
    let finished = bed.finish(agent);
    assert_eq!(endpoint(&finished.snapshot).dropped_total(), 1);
    assert_eq!(finished.contents.totals.traces.chunks, accepted.chunks);
    accepted.add(&lost);
    super::assert_stats(&finished.contents.totals.stats, &accepted);
}

/// Settings with a spool, which an unreachable intake fills at once.
fn spooling(bed: &Bed) -> Settings {
    quick(bed)
        .set("forwarder_storage_max_size_in_bytes", 64 << 20)
        .set("forwarder_storage_max_disk_ratio", 1.0)
        .set("forwarder_retry_queue_payloads_max_size", 64 << 10)
        .set("forwarder_stop_timeout", 1)
}

#[test]
fn an_absent_intake_gets_everything_when_it_returns() {
    for driver in ["epoll", "auto"] {
        let bed = Bed::new();
        bed.intake.refuse_connections().expect("a port that can be closed");
        let agent = bed.start(&spooling(&bed).set("corelane.driver", driver));
        let many = |version, seed| TraceSpec { version, seed, payloads_max: 200, ..spec(&bed) };
        let mut accepted = send_all(many(TraceVersion::V04, 1));
        accepted.add(&send_all(many(TraceVersion::V10, 2)));
        agent.wait_status("payloads are on disk", |status| endpoint(status).spooled_files > 0);
        bed.intake.accept_connections().expect("a port that can be opened");
        wait_arrived(&bed, &agent, &accepted);
        let finished = bed.finish(agent);
        assert_arrived(&finished.contents, &accepted);
        assert_eq!(endpoint(&finished.snapshot).dropped_total(), 0, "{driver}");
    }
}

#[test]
fn a_stop_keeps_everything_for_the_next_start() {
    let bed = Bed::new();
    bed.intake.refuse_connections().expect("a port that can be closed");
    let agent = bed.start(&spooling(&bed));
    let accepted = send_all(spec(&bed));
    wait_traces(&agent, "everything is processed", |traces| {
        traces.spans_received == accepted.spans
    });
    agent.stop();
    bed.intake.accept_connections().expect("a port that can be opened");
    let agent = bed.start(&spooling(&bed));
    wait_arrived(&bed, &agent, &accepted);
    let finished = bed.finish(agent);
    assert_arrived(&finished.contents, &accepted);
    let endpoint = endpoint(&finished.snapshot);
    assert!(endpoint.recovered > 0 && endpoint.set_aside == 0, "{endpoint:?}");
}
