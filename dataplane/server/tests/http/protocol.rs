//! What is understood, and what is answered.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use corelane_server::{
    Answer, HttpListener, Identity, Peer, Refusal, Route, ServerSettings, Text, TraceVersion,
};

use crate::bed::{Answered, Bed, CHUNKED, Client, LIMIT, post, settings};

#[test]
fn bodies_come_with_a_length_or_in_chunks() {
    let bed = Bed::new(settings());
    let answered = bed.ask(&post("/v0.4/traces", "Datadog-Meta-Lang: go\r\n", "abc"));
    assert_eq!((answered.status, answered.body.as_str()), (200, "{\"rate_by_service\":{}}\n"));
    assert_eq!(answered.header("Content-Type"), Some("application/json"));
    assert_eq!(answered.header("Datadog-Agent-Version"), Some("7.0"));
    assert_eq!(answered.header("Datadog-Agent-State"), Some("abc"));
    let chunks = "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: 1\r\n\r\n";
    let answered = bed.ask(&format!("PUT /v0.3/traces HTTP/1.1\r\n{CHUNKED}\r\n{chunks}"));
    assert_eq!((answered.status, answered.body.as_str()), (200, "OK\n"));
    assert_eq!(answered.header("Content-Type"), Some("text/plain; charset=utf-8"));
    let seen = bed.seen.borrow();
    assert_eq!(seen[0].0.text(Text::Language), "go");
    assert_eq!((&seen[0].1[..], &seen[1].1[..]), (&b"abc"[..], &b"abcdefg"[..]));
    assert_eq!(seen[1].0.route, Route::Traces(TraceVersion::V03));
    assert_eq!(bed.server.in_flight_bytes(), 0);
    bed.check_identities();
}

#[test]
fn requests_follow_each_other_on_a_connection() {
    let bed = Bed::new(settings());
    let mut client = bed.connect();
    let requests: String = (0..20).map(|n| post("/v0.4/traces", "", &n.to_string())).collect();
    client.send(requests);
    for _ in 0..20 {
        assert_eq!(client.answer().status, 200);
    }
    // Byte by byte, the same connection.
    for byte in post("/v0.5/traces", "", "last").bytes() {
        client.send([byte]);
    }
    assert_eq!(client.answer().status, 200);
    let bodies: Vec<String> =
        bed.seen.borrow().iter().map(|(_, body)| String::from_utf8_lossy(body).into()).collect();
    assert_eq!(bodies.len(), 21);
    assert_eq!(bodies[..3], ["0", "1", "2"]);
    assert_eq!(bodies[20], "last");
    assert_eq!(bed.server.counts().connections, 1);
    bed.check_identities();
}

#[test]
fn an_early_end_is_answered_as_far_as_the_client_listens() {
    let bed = Bed::new(settings());
    let chunks = format!("POST /v0.4/traces HTTP/1.1\r\n{CHUNKED}\r\n5\r\nab");
    let announced = post("/v0.4/traces", "", "0123456789");
    for cut in [&announced[..announced.len() - 1], &chunks] {
        let mut client = bed.connect();
        client.send(cut);
        client.stream.shutdown(Shutdown::Write).unwrap();
        let answered = client.answer();
        assert_eq!((answered.status, answered.body.as_str()), (400, "unexpected-eof\n"));
        client.wait_for_end();
    }
    // A client that closes its sending side still gets its answer.
    let mut client = bed.connect();
    client.send(&announced);
    client.stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.answer().status, 200);
    client.wait_for_end();
    assert_eq!(bed.server.refusals()[0].requests[Refusal::UnexpectedEof as usize], 2);
    bed.check_identities();
}

/// The kernel reports bytes and the end behind them as one change.
#[test]
fn an_end_that_comes_with_the_last_bytes_is_noticed() {
    let bed = Bed::new(settings());
    let announced = post("/v0.4/traces", "", "0123456789");
    let head_bytes = announced.len() - 10;
    let mut client = bed.connect();
    client.send(&announced[..head_bytes]);
    // No turn of the server between these.
    client.stream.write_all(b"01234").unwrap();
    client.stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.answer().status, 400);
    client.wait_for_end();
    // All of it at once, before the connection is accepted.
    let mut client = bed.connect();
    client.stream.write_all(&announced.as_bytes()[..head_bytes + 1]).unwrap();
    client.stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.answer().status, 400);
    client.wait_for_end();
    bed.check_identities();
}

/// An answer that hyper gives by itself carries what every answer carries, once.
fn assert_is_own(answer: &Answered, status: u16) {
    assert_eq!(answer.status, status);
    assert_eq!(answer.header("Datadog-Agent-Version"), Some("7.0"));
    assert_eq!(answer.header("Datadog-Agent-State"), Some("abc"));
    assert_eq!(answer.head.matches("Datadog-").count(), 2);
}

#[test]
fn refusals_name_the_service_that_the_body_or_the_process_tags_name() {
    let bed = Bed::new(settings());
    bed.server.read_services_with(|_, prefix| {
        let text = String::from_utf8_lossy(prefix);
        text.strip_prefix("service=").and_then(|rest| rest.split('&').next()).unwrap_or("").into()
    });
    let body = format!("service=shop&{}", "x".repeat(LIMIT));
    for (headers, body) in [
        (format!("Content-Length: {}\r\n", body.len()), body.clone()),
        (CHUNKED.to_owned(), format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())),
        (
            "Content-Length: 9999\r\nX-Datadog-Process-Tags: a:b,svc.auto:till\r\n".to_owned(),
            "x".to_owned(),
        ),
    ] {
        let mut client = bed.connect();
        client.send(format!("POST /v0.4/traces HTTP/1.1\r\n{headers}\r\n{body}"));
        assert_eq!(client.answer().status, 413);
    }
    let refusals = bed.server.refusals();
    let by_service: Vec<_> = refusals.iter().map(|row| (&*row.service, row.requests[0])).collect();
    assert_eq!(by_service, [("shop", 2), ("till", 1)]);
}

#[test]
fn what_is_no_request_closes_the_connection() {
    let bed = Bed::new(settings());
    for garbage in ["\0\x01\x02\r\n\r\n", "GET\r\n\r\n", "POST / HTTP/9.9\r\n\r\n"] {
        let mut client = bed.connect();
        client.send(garbage);
        assert_is_own(&client.answer(), 400);
        client.wait_for_end();
    }
    let mut client = bed.connect();
    client.send(format!("GET / HTTP/1.1\r\nA: {}", "x".repeat(16 << 10)));
    assert_is_own(&client.answer(), 431);
    client.wait_for_end();
    // After an answer of ours.
    let mut client = bed.connect();
    client.send("GET /info HTTP/1.1\r\n\r\n");
    assert_eq!(client.answer().status, 200);
    client.send("no request\r\n\r\n");
    assert_is_own(&client.answer(), 400);
    client.wait_for_end();
    let mut client = bed.connect();
    client.send(format!("POST /v0.4/traces HTTP/1.1\r\n{CHUNKED}\r\nzz\r\n"));
    assert_eq!(client.answer().status, 400);
    client.wait_for_end();
    assert_eq!(bed.server.counts().heads_malformed, 5);
    bed.check_identities();
}

#[test]
fn paths_media_types_and_browsers() {
    let bed = Bed::new(settings());
    let msgpack = "Content-Type: application/msgpack\r\n";
    let answered = bed.ask(&post("/v0.2/traces", msgpack, "x"));
    assert_eq!(answered.status, 415);
    assert_eq!(answered.body, "unsupported media type: \"application/msgpack\"\n");
    assert_eq!(bed.ask(&post("/v0.2/traces", "", "x")).status, 200);
    assert_eq!(bed.ask(&post("/v0.3/traces", msgpack, "x")).status, 200);
    let cross = "Sec-Fetch-Site: cross-site\r\n";
    let answered = bed.ask(&post("/v0.4/traces", cross, "x"));
    assert_eq!((answered.status, answered.body.as_str()), (403, "cross-site request rejected\n"));
    let same = "Sec-Fetch-Site: same-site\r\n";
    assert_eq!(bed.ask(&post("/v0.4/traces", same, "x")).status, 200);
    for path in ["/", "/v0.4/trace", "/debugger/v1/input", "/v0.7/config"] {
        let answered = bed.ask(&post(path, "", "x"));
        assert_eq!((answered.status, answered.body.as_str()), (404, "404 page not found\n"));
    }
    // The connection is still good after a refusal with a small body.
    let mut client = bed.connect();
    client.send(post("/nowhere", "", "unwanted") + &post("/v0.4/traces?x=y", "", "wanted"));
    assert_eq!(client.answer().status, 404);
    assert_eq!(client.answer().status, 200);
    assert_eq!(bed.ask(&post("/v0.4/services", "", "{}")).body, "{\"rate_by_service\":{}}\n");
    assert_eq!(bed.ask(&post("/v0.1/services", "", "{}")).body, "OK\n");
    let stats = bed.ask(&post("/v0.6/stats", "", "s"));
    assert_eq!((stats.status, stats.body.as_str(), stats.header("Content-Type")), (200, "", None));
    let bad = bed.ask(&post("/v0.4/traces", "", "bad"));
    assert_eq!((bad.status, bad.body.as_str()), (400, "bad\n"));
    bed.check_identities();

    let without_v1 = Bed::new(ServerSettings { is_v1_enabled: false, ..settings() });
    assert_eq!(without_v1.ask(&post("/v1.0/traces", "", "x")).status, 404);
    assert_eq!(bed.ask(&post("/v1.0/traces", "", "x")).status, 200);
}

#[test]
fn info_has_headers_of_its_own() {
    let bed = Bed::new(settings());
    let info = bed.ask("GET /info HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!((info.status, info.body.as_str()), (200, "{\n\t\"version\": \"7\"\n}"));
    assert_eq!(info.header("Datadog-Agent-State"), None);
    assert_eq!(info.header("Datadog-Container-Tags-Hash"), Some("tags"));
    bed.server.set_identity(Identity::new("7.1", "def", Bytes::from_static(b"{}")));
    let answered = bed.ask(&post("/v0.4/traces", "", ""));
    assert_eq!(answered.header("Datadog-Agent-State"), Some("def"));
    assert_eq!(bed.ask("GET /info HTTP/1.0\r\n\r\n").body, "{}");
}

#[test]
fn a_client_that_asks_first_sends_nothing_in_vain() {
    let bed = Bed::new(settings());
    let mut client = bed.connect();
    let length = LIMIT + 1;
    let ask = |length| {
        format!(
            "POST /v0.4/traces HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\
             Content-Length: {length}\r\n\r\n"
        )
    };
    client.send(ask(length));
    assert_eq!(client.answer().status, 413);
    let mut client = bed.connect();
    client.send(ask(3));
    assert_eq!(client.answer().status, 100);
    client.send("abc");
    assert_eq!(client.answer().status, 200);
}

#[test]
fn a_client_that_goes_away_is_counted() {
    let bed = Bed::new(settings());
    bed.is_worker_idle.set(true);
    let mut waiting = bed.connect();
    waiting.send(post("/v0.4/traces", "", "x"));
    bed.until(|| bed.server.waiting_requests() == 1);
    // The worker gives up, as it does when it panics.
    drop(bed.server.next_request());
    waiting.wait_for_end();
    assert_eq!(bed.server.counts().requests_lost, 1);
    let mut reading = bed.connect();
    reading.send("POST /v0.4/traces HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    socket_reset(&reading.stream);
    drop(reading);
    bed.until(|| bed.server.open_connections() == 0);
    assert_eq!(bed.server.counts().requests_lost, 2);
    assert_eq!(bed.server.counts().bodies_reset, 1);
    bed.check_identities();
}

/// Has the socket closed by a reset.
fn socket_reset(stream: &TcpStream) {
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
}

#[test]
fn a_unix_client_is_known_by_its_process() {
    let bed = Bed::new(settings());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("apm.socket");
    let (listener, _file) = HttpListener::bind_unix(&path).unwrap();
    bed.listen(listener);
    let stream = UnixStream::connect(&path).unwrap();
    stream.set_nonblocking(true).unwrap();
    let mut client = Client { bed: &bed, stream, received: Vec::new() };
    client.send(post("/v0.4/traces", "", "x"));
    assert_eq!(client.answer().status, 200);
    let peer = bed.seen.borrow()[0].0.peer;
    let Peer::Unix(Some(credentials)) = peer else { panic!("{peer:?}") };
    assert_eq!(credentials.pid.unsigned_abs(), std::process::id());
}

#[test]
fn the_worker_is_woken() {
    let bed = Bed::new(settings());
    bed.is_worker_idle.set(true);
    let server = Rc::clone(&bed.server);
    let worker = async move {
        while server.requested().await {
            while let Some(request) = server.next_request() {
                request.answer(Answer::ok());
            }
        }
    };
    let worker = bed.executor.spawn(worker);
    for _ in 0..3 {
        assert_eq!(bed.ask(&post("/v0.4/traces", "", "x")).body, "OK\n");
    }
    bed.server.stop();
    bed.until(|| worker.is_finished());
}
