//! The intake misbehaves and recovers: what was sent arrives all the same, exactly once.

use bed::{Bed, Finished, Settings};
use intake::{Action, Behaviour, Route};

use crate::counters::{assert_arrived, quick, send, wait_arrived};

const CONTEXTS: u32 = 50;

/// The intake treats the first `times` series payloads so; afterwards everything must be there.
fn survives(action: Action, times: u32, adjust: impl FnOnce(Settings) -> Settings) -> Finished {
    let bed = Bed::new();
    bed.intake.set_behaviour(Behaviour::first(times, action).on(Route::SeriesV3));
    let agent = bed.start(&adjust(quick(&bed)));
    send(&agent, CONTEXTS);
    wait_arrived(&bed, &agent, CONTEXTS);
    let finished = bed.finish(agent);
    assert_arrived(&finished.contents, CONTEXTS);
    assert_eq!(finished.snapshot.endpoints[0].dropped_total(), 0);
    finished
}

fn retried(finished: &Finished) -> u64 {
    finished.snapshot.endpoints[0].retried
}

#[test]
fn nothing_is_lost_to_429() {
    assert!(retried(&survives(Action::Status(429), 2, |settings| settings)) >= 2);
}

#[test]
fn nothing_is_lost_to_500() {
    assert!(retried(&survives(Action::Status(500), 2, |settings| settings)) >= 2);
}

/// A refused key may be a key that was not announced everywhere yet.
#[test]
fn nothing_is_lost_to_403() {
    assert!(retried(&survives(Action::Status(403), 1, |settings| settings)) >= 1);
}

#[test]
fn nothing_is_lost_to_an_intake_that_hangs() {
    let finished = survives(Action::Hang, 1, |settings| settings.set("forwarder_timeout", 1));
    assert!(retried(&finished) >= 1);
}

#[test]
fn nothing_is_lost_to_a_cut_connection() {
    assert!(retried(&survives(Action::CloseMidBody, 1, |settings| settings)) >= 1);
}

/// The intake took it and could not say so: the same body comes again and counts once.
#[test]
fn nothing_is_doubled_by_a_lost_answer() {
    let finished = survives(Action::StoreThenClose, 1, |settings| settings);
    assert!(retried(&finished) >= 1);
    let resent = finished.contents.requests.iter().filter(|request| request.is_resent).count();
    assert_eq!(resent, 1);
}

#[test]
fn an_absent_intake_gets_everything_when_it_returns() {
    let bed = Bed::new();
    bed.intake.refuse_connections().expect("a port that can be closed");
    let agent = bed.start(&quick(&bed));
    send(&agent, CONTEXTS);
    agent.wait_status("payloads wait", |status| {
        status.flush.samples_in == u64::from(CONTEXTS) && status.endpoints[0].queued > 0
    });
    bed.intake.accept_connections().expect("a port that can be opened");
    wait_arrived(&bed, &agent, CONTEXTS);
    assert_arrived(&bed.finish(agent).contents, CONTEXTS);
}

/// 413 is final by rule: that payload is given up and counted, the next ones are not held.
#[test]
fn a_payload_that_is_too_large_is_given_up_and_counted() {
    let bed = Bed::new();
    let too_large = Behaviour::first(1, Action::Status(413)).on(Route::SeriesV3);
    bed.intake.set_behaviour(too_large);
    let agent = bed.start(&quick(&bed));
    let status = agent
        .wait_status("one payload is given up", |status| status.endpoints[0].dropped_total() == 1);
    assert_eq!(status.endpoints[0].dropped.get("too_large"), Some(&1));
    send(&agent, CONTEXTS);
    wait_arrived(&bed, &agent, CONTEXTS);
    let finished = bed.finish(agent);
    assert_arrived(&finished.contents, CONTEXTS);
    assert_eq!(finished.snapshot.endpoints[0].dropped_total(), 1);
}
