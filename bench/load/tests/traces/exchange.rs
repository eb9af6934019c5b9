//! Requests over real sockets, against the null receiver and against one that misbehaves.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use load::null::http::{HttpNull, HttpNullProgress, HttpNullSpec, HttpReceived};
use load::traces::{TraceLoad, TraceProgress, TraceSent, TraceSpec, TraceTransport};

fn spec(destination: String) -> TraceSpec {
    TraceSpec {
        destination,
        payloads: 6,
        spans_per_trace: 10,
        payloads_max: 50,
        connections: 4,
        threads: 2,
        start_unix_ns: 1_700_000_000_000_000_000,
        ..TraceSpec::default()
    }
}

fn run(spec: TraceSpec) -> TraceSent {
    let load = TraceLoad::prepare(spec).unwrap();
    load.run(&AtomicBool::new(false), &TraceProgress::default()).unwrap()
}

/// Runs a load against the null receiver.
fn run_against_null(
    listen: String,
    change: impl FnOnce(TraceSpec) -> TraceSpec,
) -> (TraceSent, HttpReceived) {
    let null = HttpNull::bind(HttpNullSpec { listen, cpu: None }).unwrap();
    let spec = change(spec(null.destination()));
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let receiving =
            scope.spawn(|| null.run(&stop, &Arc::new(HttpNullProgress::default())).unwrap());
        let sent = run(spec);
        stop.store(true, Ordering::Relaxed);
        (sent, receiving.join().unwrap())
    })
}

#[test]
fn everything_sent_over_tcp_is_received() {
    let (sent, received) = run_against_null("127.0.0.1:0".into(), |spec| spec);
    assert_eq!((sent.accepted.payloads, received.requests), (50, 50));
    assert_eq!(sent.accepted.body_bytes, received.body_bytes);
    assert_eq!((sent.accepted.spans, sent.statuses[&200]), (50 * 50, 50));
    assert_eq!((received.connections, sent.reconnects), (4, 0));
    assert_eq!(sent.total(), sent.accepted);
    assert!(sent.failures.is_empty() && sent.spans_per_sec() > 0.0);
}

#[test]
fn everything_sent_over_a_unix_socket_is_received() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("apm.socket").to_str().unwrap().to_owned();
    let (sent, received) = run_against_null(path, |spec| TraceSpec {
        transport: TraceTransport::Uds,
        rate: 1e6,
        ..spec
    });
    assert_eq!((sent.accepted.payloads, received.requests), (50, 50));
    assert_eq!(sent.accepted.body_bytes, received.body_bytes);
}

#[test]
fn a_load_ends_when_it_is_told() {
    let null = HttpNull::bind(HttpNullSpec { listen: "127.0.0.1:0".into(), cpu: None }).unwrap();
    let load =
        TraceLoad::prepare(TraceSpec { payloads_max: 0, ..spec(null.destination()) }).unwrap();
    let (stop, stop_null) = (AtomicBool::new(false), AtomicBool::new(false));
    let progress = TraceProgress::default();
    thread::scope(|scope| {
        let receiving =
            scope.spawn(|| null.run(&stop_null, &Arc::new(HttpNullProgress::default())).unwrap());
        let sending = scope.spawn(|| load.run(&stop, &progress).unwrap());
        while progress.answers.load(Ordering::Relaxed) < 10 {
            thread::yield_now();
        }
        stop.store(true, Ordering::Relaxed);
        let sent = sending.join().unwrap();
        stop_null.store(true, Ordering::Relaxed);
        assert_eq!(sent.accepted.payloads, receiving.join().unwrap().requests);
        assert_eq!(sent.accepted.payloads, progress.payloads.load(Ordering::Relaxed));
    });
}

/// Answers one request on each connection, with the given answers in turn.
fn answer_in_turn(listener: &TcpListener, answers: &[&str]) {
    for answer in answers {
        let (mut stream, _) = listener.accept().unwrap();
        let mut seen = Vec::new();
        let mut piece = [0; 65_536];
        loop {
            let count = stream.read(&mut piece).unwrap();
            assert!(count > 0, "the client left");
            seen.extend_from_slice(&piece[..count]);
            let Some(end) = seen.windows(4).position(|window| window == b"\r\n\r\n") else {
                continue;
            };
            let head = std::str::from_utf8(&seen[..end]).unwrap();
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            if seen.len() == end + 4 + length.unwrap().parse::<usize>().unwrap() {
                break;
            }
        }
        stream.write_all(answer.as_bytes()).unwrap();
    }
}

#[test]
fn refusals_and_lost_answers_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let destination = listener.local_addr().unwrap().to_string();
    let answers = [
        "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
         2\r\n{}\r\n0\r\n\r\n",
        "HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
        "",
        "HTTP/1.1 413 Payload Too Large\r\nconnection: Close\r\nContent-Length: 0\r\n\r\n",
    ];
    let sent = thread::scope(|scope| {
        scope.spawn(|| answer_in_turn(&listener, &answers));
        run(TraceSpec { connections: 1, threads: 1, payloads_max: 4, ..spec(destination) })
    });
    assert_eq!(sent.statuses, [(200, 1), (413, 1), (429, 1)].into());
    let payloads = [sent.accepted, sent.refused, sent.unanswered].map(|tally| tally.payloads);
    assert_eq!((payloads, sent.reconnects), ([1, 2, 1], 3));
    assert_eq!(sent.total().payloads, 4);
    assert_eq!(sent.failures, Vec::<String>::new());
}

#[test]
fn a_receiver_that_goes_away_ends_the_load() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let destination = listener.local_addr().unwrap().to_string();
    let sent = thread::scope(|scope| {
        scope.spawn(move || answer_in_turn(&listener, &["HTTP/1.1 200 OK\r\n\r\n"]));
        run(TraceSpec { connections: 1, threads: 1, ..spec(destination) })
    });
    assert_eq!((sent.accepted.payloads, sent.failures.len()), (1, 1));
    assert!(sent.failures[0].contains("is the receiver running?"), "{:?}", sent.failures);
    let directory = tempfile::tempdir().unwrap();
    let nowhere = TraceSpec {
        transport: TraceTransport::Uds,
        ..spec(directory.path().join("none").to_str().unwrap().to_owned())
    };
    let load = TraceLoad::prepare(nowhere).unwrap();
    assert!(load.run(&AtomicBool::new(false), &TraceProgress::default()).is_err());
}
