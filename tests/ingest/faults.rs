//! Trouble with the intake: what waits, what is tried again, what is given up and counted.

use bed::{Bed, WAIT_MAX, wait_for};
use intake::{Action, Behaviour, Route};
use serde_json::json;
use status::EndpointStatus;

use super::client::post_logs;
use super::logs::unix_ms;
use super::{address, settings};

fn entries(count: usize, message: &str) -> String {
    let entry = json!({ "message": message, "timestamp": unix_ms(), "service": "faults" });
    serde_json::Value::from(vec![entry; count]).to_string()
}

/// Sends logs while the intake does something else with the first payload. Returns the endpoint of
/// logs and how many logs arrived.
fn survived(action: Action) -> (EndpointStatus, usize) {
    let bed = Bed::new();
    bed.intake.set_behaviour(Behaviour::first(1, action).on(Route::Logs));
    let settings = settings(&bed).set("logs_config.batch_wait", 0.2);
    let agent = bed.start(&settings.set("logs_config.http_timeout", 2));
    let logs = address(&agent, "logs-http");
    for part in 1..=3 {
        assert_eq!(post_logs(&logs, &entries(10, &format!("part {part}"))).0, 200);
        agent.wait_status("it is in a payload", |snapshot| {
            snapshot.ingest.as_ref().is_some_and(|ingest| ingest.logs_sent == 10 * part)
        });
    }
    let done = agent.wait_status("every payload has found its end", |snapshot| {
        let endpoint = snapshot.endpoints.iter().find(|one| one.data == "logs");
        endpoint.is_some_and(|one| one.queued == 0 && one.spooled == 0)
    });
    let endpoint = done.endpoints.into_iter().find(|one| one.data == "logs").expect("logs are on");
    (endpoint, bed.finish(agent).contents.logs.len())
}

#[test]
fn what_is_refused_for_now_is_sent_again() {
    for status in [429, 500, 503, 403, 408] {
        let (endpoint, arrived) = survived(Action::Status(status));
        assert_eq!((endpoint.dropped.len(), arrived), (0, 30), "{status}: {endpoint:?}");
        assert!(endpoint.retried >= 1, "{status}: {endpoint:?}");
    }
    let (endpoint, arrived) = survived(Action::Hang);
    assert_eq!((endpoint.retried >= 1, arrived), (true, 30), "{endpoint:?}");
}

#[test]
fn what_can_never_be_taken_is_counted() {
    for (status, reason) in [(400, "bad_request"), (413, "too_large")] {
        let (endpoint, arrived) = survived(Action::Status(status));
        assert_eq!(endpoint.dropped, [(reason.to_owned(), 1)].into(), "{status}");
        assert_eq!(arrived, 20, "{status}");
    }
}

#[test]
fn an_intake_that_is_away_for_long_costs_the_oldest_and_bounded_memory() {
    let bed = Bed::new();
    bed.intake.set_behaviour(Behaviour::always(Action::Status(503)).on(Route::Logs));
    let settings = settings(&bed)
        .set("corelane.logs.queue_bytes_max", "1Mb")
        .set("logs_config.use_compression", false);
    let agent = bed.start(&settings);
    let logs = address(&agent, "logs-http");
    for _ in 0..8 {
        assert_eq!(post_logs(&logs, &entries(1000, &"z".repeat(400))).0, 200);
    }
    let full = agent.wait_status("the queue is full", |snapshot| {
        let endpoint = snapshot.endpoints.iter().find(|one| one.data == "logs");
        endpoint.is_some_and(|one| one.dropped.get("queue_full").is_some_and(|count| *count > 0))
    });
    let endpoint = full.endpoints.iter().find(|one| one.data == "logs").expect("logs are on");
    assert!(endpoint.queued_bytes <= 2 << 20, "{endpoint:?}");
    bed.intake.set_behaviour(Behaviour::always(Action::Accept));
    let arrived = wait_for(WAIT_MAX, || {
        let count = bed.intake.store().logs().len();
        (count > 0).then_some(count)
    });
    assert!(arrived.is_some_and(|count| count.is_multiple_of(1000)), "{arrived:?}");
    bed.finish(agent);
}

#[test]
fn a_stop_delivers_what_waits() {
    let bed = Bed::new();
    let agent = bed.start(&settings(&bed).set("logs_config.batch_wait", 10));
    let logs = address(&agent, "logs-http");
    assert_eq!(post_logs(&logs, &entries(7, "late")).0, 200);
    let log = agent.stop();
    assert_eq!(bed.intake.store().logs().len(), 7, "{log}");
}

#[test]
fn what_cannot_be_delivered_at_a_stop_is_on_disk_for_the_next_start() {
    let bed = Bed::new();
    bed.intake.set_behaviour(Behaviour::always(Action::Status(503)).on(Route::Logs));
    let settings = settings(&bed)
        .set("forwarder_storage_max_size_in_bytes", 10 << 20)
        .set("forwarder_storage_max_disk_ratio", 1.0)
        .set("forwarder_stop_timeout", 1);
    let agent = bed.start(&settings);
    let logs = address(&agent, "logs-http");
    assert_eq!(post_logs(&logs, &entries(5, "spooled")).0, 200);
    agent.stop();
    assert_eq!(bed.intake.store().logs().len(), 0);
    bed.intake.set_behaviour(Behaviour::always(Action::Accept));
    let agent = bed.start(&settings);
    agent.wait_status("it is delivered", |_| bed.intake.store().logs().len() == 5);
    bed.finish(agent);
}
