//! Plain HTTP: headers, fan-out, failures, keys.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use corelane_forward::{
    Accepts, DropReason, EndpointState, Forwarder, Identity, KeyValidity, Kind, Payload, Settings,
};
use tokio::net::TcpListener;

use crate::server::{Act, Intake};
use crate::support::{KEY, OTHER_KEY, endpoint, payload, sent, settings, stop, wait_for};

#[tokio::test]
async fn a_request_carries_the_headers_of_the_spec() {
    let mut intake = Intake::start(|_| Act::Status(202)).await;
    let forwarder = Forwarder::start(Settings {
        identity: Identity {
            payload_version: Some("5.0.141".to_owned()),
            allows_arbitrary_tags: true,
            ..Identity::default()
        },
        ..settings(vec![endpoint(&intake.url(), &[KEY])])
    })
    .unwrap();
    forwarder.submit(&payload("metrics"));
    let seen = intake.next().await;
    assert_eq!((seen.method.as_str(), seen.uri.path()), ("POST", "/api/v2/series"));
    assert_eq!(seen.body, "metrics");
    let expected = [
        ("dd-api-key", KEY),
        ("user-agent", "datadog-agent/7.82.0"),
        ("dd-agent-version", "7.82.0"),
        ("content-type", "application/x-protobuf"),
        ("content-encoding", "zstd"),
        ("dd-agent-payload", "5.0.141"),
        ("allow-arbitrary-tag-value", "true"),
        ("content-length", "7"),
    ];
    for (name, value) in expected {
        assert_eq!(seen.header(name), value, "{name}");
    }
    let json = Payload {
        path: "/api/v1/check_run".into(),
        content_type: "application/json".into(),
        encoding: None,
        headers: Vec::new(),
        kind: Kind::Other,
        ..payload("[]")
    };
    forwarder.submit(&json);
    let seen = intake.next().await;
    assert_eq!((seen.header("dd-agent-payload"), seen.header("content-encoding")), ("", ""));
    let stats = stop(forwarder).await;
    let totals = &stats.endpoints[0].totals;
    assert_eq!((totals.sent, totals.sent_bytes, totals.sent_points), (2, 9, 2));
    assert_eq!(totals.statuses[&202], 2);
    assert!(stats.endpoints[0].clock_offset_secs.is_some());
}

#[tokio::test]
async fn every_endpoint_and_key_gets_every_payload() {
    let mut one = Intake::start(|_| Act::Status(200)).await;
    let mut two = Intake::start(|_| Act::Status(200)).await;
    let endpoints =
        vec![endpoint(&one.url(), &[KEY]), endpoint(&two.url(), &[KEY, " ", OTHER_KEY, KEY])];
    let forwarder = Forwarder::start(settings(endpoints)).unwrap();
    forwarder.submit(&payload("x"));
    assert_eq!(one.next().await.header("dd-api-key"), KEY);
    let keys = [two.next().await, two.next().await];
    let keys: BTreeSet<&str> = keys.iter().map(|seen| seen.header("dd-api-key")).collect();
    assert_eq!(keys, BTreeSet::from([KEY, OTHER_KEY]));
    assert_eq!(sent(&stop(forwarder).await), 3);
}

#[tokio::test]
async fn kinds_are_routed() {
    let mut pipeline = Intake::start(|_| Act::Status(200)).await;
    let mut main = Intake::start(|_| Act::Status(200)).await;
    let mut endpoints = vec![endpoint(&pipeline.url(), &[KEY]), endpoint(&main.url(), &[KEY])];
    endpoints[0].accepts = Accepts::Metrics;
    endpoints[1].accepts = Accepts::ExceptMetrics;
    let forwarder = Forwarder::start(settings(endpoints)).unwrap();
    forwarder.submit(&payload("metrics"));
    forwarder.submit(&Payload { kind: Kind::Other, ..payload("event") });
    assert_eq!(pipeline.next().await.body, "metrics");
    assert_eq!(main.next().await.body, "event");
    assert_eq!(sent(&stop(forwarder).await), 2);
}

#[tokio::test]
async fn dead_and_silent_endpoints_do_not_hold_a_live_one() {
    // Bound, so that no other test gets the port, but never accepting.
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = Intake::start(|_| Act::Hang).await;
    let mut live = Intake::start(|_| Act::Status(202)).await;
    let deaf_url = format!("http://{}", deaf.local_addr().unwrap());
    let endpoints = vec![
        endpoint("http://127.0.0.1:1", &[KEY]),
        endpoint(&deaf_url, &[KEY]),
        endpoint(&silent.url(), &[KEY]),
        endpoint(&live.url(), &[KEY]),
    ];
    let stop_timeout = Duration::from_millis(100);
    let forwarder = Forwarder::start(Settings { stop_timeout, ..settings(endpoints) }).unwrap();
    for index in 0..200 {
        forwarder.submit(&payload(&index.to_string()));
    }
    let mut bodies = BTreeSet::new();
    for _request in 0..200 {
        bodies.insert(live.next().await.body);
    }
    assert_eq!(bodies.len(), 200);
    let stats = wait_for(&forwarder, "refused connection seen", |stats| {
        stats.endpoints[0].totals.network_errors > 0 && stats.endpoints[3].totals.sent == 200
    })
    .await;
    assert_ne!(stats.endpoints[0].state, EndpointState::Open);
    assert!(stats.endpoints[0].last_error.contains("127.0.0.1:1"), "{stats:?}");
    let stats = stop(forwarder).await;
    assert_eq!(stats.endpoints[0].totals.dropped.of(DropReason::Stopped), 200);
}

#[tokio::test]
async fn connections_that_break_are_retried_until_one_holds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let forwarder = Forwarder::start(settings(vec![endpoint(&url, &[KEY])])).unwrap();
    forwarder.submit(&payload("patient"));
    for _broken in 0..3 {
        drop(listener.accept().await.unwrap());
    }
    let (mut stream, _peer) = listener.accept().await.unwrap();
    let mut head = vec![0; 4096];
    let read = tokio::io::AsyncReadExt::read(&mut stream, &mut head).await.unwrap();
    assert!(head[..read].starts_with(b"POST /api/v2/series HTTP/1.1\r\n"));
    let answer = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await.unwrap();
    wait_for(&forwarder, "delivered", |stats| sent(stats) == 1).await;
    assert!(stop(forwarder).await.endpoints[0].totals.retried >= 3);
}

#[tokio::test]
async fn an_answer_that_never_comes_is_a_timeout_and_is_retried() {
    let asked = AtomicU32::new(0);
    let mut intake = Intake::start(move |_| match asked.fetch_add(1, Ordering::Relaxed) {
        0 => Act::Hang,
        _ => Act::Status(202),
    })
    .await;
    let forwarder = Forwarder::start(Settings {
        request_timeout: Duration::from_millis(50),
        ..settings(vec![endpoint(&intake.url(), &[KEY])])
    })
    .unwrap();
    forwarder.submit(&payload("x"));
    assert_eq!(intake.next().await.body, "x");
    assert_eq!(intake.next().await.body, "x");
    let stats = wait_for(&forwarder, "delivered", |stats| sent(stats) == 1).await;
    assert!(stats.endpoints[0].last_error.contains("no answer"), "{stats:?}");
    stop(forwarder).await;
}

#[tokio::test]
async fn statuses_decide_and_are_counted() {
    let script = [500, 503, 429, 404, 401, 408, 403, 202, 400, 413, 202];
    let asked = AtomicU32::new(0);
    let mut intake = Intake::start(move |_| {
        let index = asked.fetch_add(1, Ordering::Relaxed) as usize;
        match script.get(index) {
            Some(429) => Act::With(429, "retry-after", "0"),
            Some(status) => Act::Status(*status),
            None => Act::Status(202),
        }
    })
    .await;
    let forwarder = Forwarder::start(Settings {
        in_flight_max: 1,
        ..settings(vec![endpoint(&intake.url(), &[KEY])])
    })
    .unwrap();
    for body in ["a", "b", "c", "d"] {
        forwarder.submit(&payload(body));
    }
    for _request in script {
        intake.next().await;
    }
    let stats = wait_for(&forwarder, "settled", |stats| stats.endpoints[0].queued.count == 0).await;
    let totals = &stats.endpoints[0].totals;
    assert_eq!((totals.sent, totals.retried), (2, 7));
    assert_eq!(totals.dropped.of(DropReason::BadRequest), 1);
    assert_eq!(totals.dropped.of(DropReason::TooLarge), 1);
    for status in script {
        assert!(totals.statuses.contains_key(&status), "{status}");
    }
    stop(forwarder).await;
}

#[tokio::test]
async fn rotation_does_not_strand_what_waits() {
    let mut intake = Intake::start(|seen| match seen.header("dd-api-key") {
        OTHER_KEY => Act::Status(202),
        _ => Act::Status(403),
    })
    .await;
    let forwarder = Forwarder::start(settings(vec![endpoint(&intake.url(), &[KEY])])).unwrap();
    for index in 0..20 {
        forwarder.submit(&payload(&index.to_string()));
    }
    intake.next().await;
    let stats = wait_for(&forwarder, "key refused", |stats| {
        stats.endpoints[0].key_validity == KeyValidity::Invalid
    })
    .await;
    assert!(!stats.is_ready());
    assert_eq!(stats.endpoints[0].key_hint, "***bcdef");
    forwarder.set_keys(&intake.url(), &[OTHER_KEY]).unwrap();
    let stats = wait_for(&forwarder, "all sent", |stats| sent(stats) == 20).await;
    assert!(stats.is_ready());
    assert!(forwarder.set_keys("https://nowhere.example.test", &[KEY]).is_err());
    assert!(!format!("{stats:?} {forwarder:?}").contains(KEY));
    stop(forwarder).await;
}

#[tokio::test]
async fn keys_are_validated_without_appearing_in_the_url() {
    let mut intake = Intake::start(|seen| match seen.header("dd-api-key") {
        OTHER_KEY => Act::Status(200),
        _ => Act::Status(403),
    })
    .await;
    let forwarder = Forwarder::start(Settings {
        key_validation_interval: Some(Duration::from_secs(3600)),
        ..settings(vec![endpoint(&intake.url(), &[KEY])])
    })
    .unwrap();
    let seen = intake.next().await;
    assert_eq!(seen.uri.path_and_query().unwrap(), "/api/v1/validate");
    assert_eq!((seen.method.as_str(), seen.header("dd-api-key")), ("GET", KEY));
    wait_for(&forwarder, "refused", |stats| !stats.is_ready()).await;
    forwarder.set_keys(&intake.url(), &[OTHER_KEY]).unwrap();
    let validity = |stats: &corelane_forward::ForwardStats| stats.endpoints[0].key_validity;
    wait_for(&forwarder, "valid", |stats| validity(stats) == KeyValidity::Valid).await;
    stop(forwarder).await;
}
