//! Limits of size, time and number.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use corelane_server::{Refusal, ServerSettings};

use crate::bed::{Bed, CHUNKED, LIMIT, post, settings};

#[test]
fn a_body_of_exactly_the_limit_is_accepted_and_one_byte_more_is_not() {
    let bed = Bed::new(settings());
    for (bytes, status) in [(LIMIT, 200), (LIMIT + 1, 413), (LIMIT * 500, 413)] {
        let body = "x".repeat(bytes);
        let mut client = bed.connect();
        client.send(post("/v0.4/traces", "Datadog-Meta-Lang: php\r\n", &body));
        let answered = client.answer();
        assert_eq!(answered.status, status, "{bytes} announced");
        let chunked =
            format!("POST /v0.4/traces HTTP/1.1\r\n{CHUNKED}\r\n{bytes:x}\r\n{body}\r\n0\r\n\r\n");
        let mut client = bed.connect();
        client.send(chunked);
        let answered = client.answer();
        assert_eq!(answered.status, status, "{bytes} in a chunk");
        if status == 413 {
            assert_eq!(answered.body, "payload-too-large\n");
            assert_eq!(answered.header("X-Content-Type-Options"), Some("nosniff"));
            assert_eq!(answered.header("Content-Type"), Some("text/plain; charset=utf-8"));
            assert_eq!(answered.header("Datadog-Agent-Version"), Some("7.0"));
            assert_eq!(answered.header("Connection"), Some("close"));
            client.wait_for_end();
        }
    }
    assert_eq!(bed.server.counts().answers.of(413), 4);
    {
        let refusals = bed.server.refusals();
        assert_eq!(refusals[0].language, "php");
        assert_eq!(refusals[0].requests[Refusal::TooLarge as usize], 2);
        assert_eq!(refusals[0].largest_body_bytes, LIMIT as u64 * 500);
    }
    assert_eq!(bed.server.in_flight_bytes(), 0);
    bed.check_identities();
}

#[test]
fn requests_that_come_too_slowly_end() {
    let bed = Bed::new(ServerSettings { connections_max: 5, ..settings() });
    let mut silent = bed.connect();
    let mut half_head = bed.connect();
    half_head.send("POST /v0.4/traces HTTP/1.1\r\nHo");
    let mut half_body = bed.connect();
    half_body.send("POST /v0.4/traces HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    let mut idle = bed.connect();
    idle.send(post("/v0.4/traces", "", "x"));
    assert_eq!(idle.answer().status, 200);
    bed.pass(Duration::from_secs(4));
    // A slow client does not get more time by sending a little.
    half_head.send("s");
    half_body.send("d");
    bed.pass(Duration::from_millis(1100));
    silent.wait_for_end();
    half_head.wait_for_end();
    let late = half_body.answer();
    assert_eq!((late.status, late.body.as_str()), (408, "timeout\n"));
    // The client goes on sending and is read for a while, in vain.
    half_body.send("efg");
    bed.pass(Duration::from_millis(5100));
    half_body.wait_for_end();
    idle.send(post("/v0.4/traces", "", "x"));
    assert_eq!(idle.answer().status, 200);
    assert_eq!(bed.server.counts().head_timeouts, 2);
    assert_eq!(bed.server.counts().answers.of(408), 1);
    assert_eq!(bed.server.open_connections(), 1);
    assert_eq!(bed.server.in_flight_bytes(), 0);
    bed.check_identities();
}

#[test]
fn silent_clients_do_not_keep_others_waiting() {
    let bed = Bed::new(settings());
    let mut silent: Vec<_> = (0..4).map(|_| bed.connect()).collect();
    bed.until(|| bed.server.open_connections() == 4);
    silent[0].send("GET /in");
    let mut client = bed.connect();
    client.send(post("/v0.4/traces", "", "x"));
    bed.pass(Duration::from_millis(1100));
    assert_eq!(client.answer().status, 200);
    assert_eq!(bed.server.counts().head_timeouts, 4);
    for client in &mut silent {
        client.wait_for_end();
    }
    bed.check_identities();
}

#[test]
fn a_request_that_waits_too_long_is_refused_and_its_body_freed() {
    let bed = Bed::new(settings());
    bed.is_worker_idle.set(true);
    let real = "Datadog-Send-Real-Http-Status: yes\r\n";
    let requests = [
        (post("/v0.4/traces", "", "1"), 200, "{\"rate_by_service\":{}}\n"),
        (post("/v0.3/traces", real, "2"), 429, "OK\n"),
        (post("/v1.0/traces", "", "3"), 429, "{\"rate_by_service\":{}}\n"),
        (post("/v0.6/stats", "", "4"), 200, ""),
    ];
    let mut clients: Vec<_> = requests
        .iter()
        .map(|(request, ..)| {
            let mut client = bed.connect();
            client.send(request);
            client
        })
        .collect();
    bed.until(|| bed.server.waiting_requests() == 4);
    assert!(bed.server.in_flight_bytes() > 0);
    bed.pass(Duration::from_millis(900));
    assert!(bed.server.in_flight_bytes() > 0);
    bed.pass(Duration::from_millis(200));
    let with_stats = bed.server.in_flight_bytes();
    assert!(with_stats < 10_000, "one body is left");
    bed.is_worker_idle.set(false);
    for (client, (request, status, body)) in clients.iter_mut().zip(requests) {
        let answered = client.answer();
        assert_eq!((answered.status, answered.body.as_str()), (status, body), "{request}");
    }
    assert_eq!(bed.server.refusals()[0].requests[Refusal::Busy as usize], 3);
    bed.check_identities();
}

#[test]
fn bodies_beyond_the_budget_are_refused_not_kept() {
    let budget =
        ServerSettings { request_bytes_max: 100_000, in_flight_bytes_max: 150_000, ..settings() };
    let bed = Bed::new(budget);
    let head = "POST /v1.0/traces HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n";
    let mut first = bed.connect();
    first.send(format!("{head}{}", "x".repeat(99_999)));
    assert_eq!(bed.server.in_flight_bytes(), 100_000);
    let mut second = bed.connect();
    second.send(format!("{head}{}", "x".repeat(100_000)));
    let refused = second.answer();
    assert_eq!(refused.status, 429);
    assert_eq!(bed.server.in_flight_bytes(), 100_000);
    first.send("x");
    assert_eq!(first.answer().status, 200);
    second.send(format!("{head}{}", "x".repeat(100_000)));
    assert_eq!(second.answer().status, 200, "the connection is still good");
    bed.check_identities();
}

#[test]
fn connections_beyond_the_limit_wait_and_idle_ones_make_room() {
    let bed = Bed::new(settings());
    let mut clients: Vec<_> = (0..4).map(|_| bed.connect()).collect();
    for client in &mut clients {
        client.send(post("/v0.4/traces", "", "x"));
        assert_eq!(client.answer().status, 200);
    }
    let mut fifth = bed.connect();
    fifth.send(post("/v0.4/traces", "", "x"));
    bed.pass(Duration::from_secs(1));
    assert_eq!(bed.server.open_connections(), 4);
    drop(clients.pop());
    assert_eq!(fifth.answer().status, 200);
    let mut sixth = bed.connect();
    sixth.send(post("/v0.4/traces", "", "x"));
    bed.pass(Duration::from_millis(4100));
    assert_eq!(sixth.answer().status, 200);
    assert_eq!(bed.server.counts().connections_evicted, 3);
    for client in &mut clients {
        client.wait_for_end();
    }
    bed.check_identities();
}

#[test]
fn a_stop_lets_requests_finish_and_no_longer() {
    let bed = Bed::new(settings());
    let mut idle = bed.connect();
    idle.send(post("/v0.4/traces", "", "x"));
    assert_eq!(idle.answer().status, 200);
    let mut slow = bed.connect();
    slow.send("POST /v0.4/traces HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabc");
    bed.is_worker_idle.set(true);
    let mut stuck = bed.connect();
    stuck.send(post("/v0.4/traces", "", "x"));
    bed.until(|| bed.server.waiting_requests() == 1);
    // In the backlog when the stop comes.
    let mut last = bed.connect();
    last.stream.write_all(post("/v0.4/traces", "", "y").as_bytes()).unwrap();
    bed.server.stop();
    bed.until(|| bed.server.waiting_requests() == 2);
    bed.pass(Duration::from_millis(150));
    idle.wait_for_end();
    assert!(!bed.server.is_stopped());
    assert!(TcpStream::connect(bed.address).is_err(), "nobody listens any more");
    bed.is_worker_idle.set(false);
    slow.send("d");
    for client in [&mut slow, &mut stuck, &mut last] {
        let answered = client.answer();
        assert_eq!((answered.status, answered.header("Connection")), (200, Some("close")));
        client.wait_for_end();
    }
    bed.until(|| bed.server.is_stopped());
    bed.check_identities();

    let bed = Bed::new(settings());
    let mut never = bed.connect();
    never.send("POST /v0.4/traces HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabc");
    bed.server.stop();
    bed.pass(Duration::from_millis(4900));
    assert!(!bed.server.is_stopped());
    bed.pass(Duration::from_millis(200));
    bed.until(|| bed.server.is_stopped());
    bed.check_identities();
}
