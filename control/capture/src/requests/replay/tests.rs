use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::thread;

use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue};

use super::*;
use crate::{Compression, RequestRecord, RequestWriter};

fn record(unix_ns: i64, container: &str) -> RequestRecord {
    RequestRecord {
        unix_ns,
        path: PathAndQuery::from_static("/v0.4/traces"),
        headers: vec![(
            HeaderName::from_static("datadog-meta-lang"),
            HeaderValue::from_static("go"),
        )],
        container: container.to_owned(),
        body: b"\x90".to_vec(),
    }
}

fn capture(dir: &tempfile::TempDir, records: &[RequestRecord]) -> PathBuf {
    let path = dir.path().join("capture");
    let file = File::create(&path).expect("a file");
    let mut writer = RequestWriter::new(file, Compression::Zstd).expect("written");
    for record in records {
        writer.write(record).expect("written");
    }
    writer.finish(3).expect("written");
    path
}

/// An agent that answers each connection once, with these statuses, and tells what it was sent.
fn agent(statuses: &'static [u16]) -> (RequestTarget, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let target = RequestTarget::Tcp(listener.local_addr().expect("an address"));
    let serve = move || {
        let answer = |status: &u16| {
            let (mut stream, _) = listener.accept().expect("a connection");
            let (mut text, mut piece) = (String::new(), [0; 4096]);
            while !text.ends_with('\u{fffd}') {
                let length = stream.read(&mut piece).expect("a request");
                assert!(length > 0, "the request ends early: {text}");
                text.push_str(&String::from_utf8_lossy(&piece[..length]));
            }
            let head = format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\n{{}}");
            stream.write_all(head.as_bytes()).expect("an answer");
            text
        };
        statuses.iter().map(answer).collect()
    };
    (target, thread::spawn(serve))
}

fn options(target: RequestTarget) -> RequestReplayOptions {
    RequestReplayOptions { target, speed: 1.0, loops: 1 }
}

/// Each answer is followed by the end of its connection, which the next request finds.
#[test]
fn requests_are_sent_again_and_answers_counted() {
    let dir = tempfile::tempdir().expect("directory");
    let path = capture(&dir, &[record(5, ""), record(1_000_000_005, "c1")]);
    let (target, served) = agent(&[200, 429, 200, 200]);
    let mut dues = Vec::new();
    let options = RequestReplayOptions { speed: 2.0, loops: 2, ..options(target) };
    let report = replay_requests(&path, &options, |due| {
        dues.push(due.as_millis());
        Pace::Go
    });
    let report = report.expect("replayed");
    assert_eq!(dues, [0, 500, 0, 500]);
    assert_eq!(report.answers, [(200, 3), (429, 1)].into());
    assert_eq!((report.requests(), report.accepted(), report.bytes), (4, 3, 4));
    assert_eq!((report.loops, report.recorded_drops, report.is_cut), (2, 3, false));
    let seen = served.join().expect("served");
    for (request, has_container) in seen.iter().zip([false, true, false, true]) {
        assert!(request.starts_with("PUT /v0.4/traces HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("datadog-meta-lang: go\r\n"), "{request}");
        assert_eq!(request.contains("datadog-container-id: c1"), has_container, "{request}");
    }
}

#[test]
fn a_stop_ends_the_replay() {
    let dir = tempfile::tempdir().expect("directory");
    let path = capture(&dir, &[record(0, ""), record(1, "")]);
    let (target, served) = agent(&[200]);
    let options = RequestReplayOptions { loops: 0, ..options(target) };
    let mut turns = 0;
    let report = replay_requests(&path, &options, |_| {
        turns += 1;
        if turns == 2 { Pace::Stop } else { Pace::Go }
    });
    let report = report.expect("replayed");
    assert_eq!((report.requests(), report.loops, report.is_stopped), (1, 0, true));
    served.join().expect("served");
}

#[test]
fn impossible_replays_are_refused() {
    let dir = tempfile::tempdir().expect("directory");
    let nowhere = options(RequestTarget::Unix(dir.path().join("none")));
    let go = |_| Pace::Go;
    let some = capture(&dir, &[record(0, "")]);
    let refused = replay_requests(&some, &nowhere, go);
    assert!(matches!(refused, Err(RequestReplayError::Connect { .. })));
    for speed in [-1.0, f64::NAN, f64::INFINITY] {
        let options = RequestReplayOptions { speed, ..nowhere.clone() };
        let refused = replay_requests(&some, &options, go);
        assert!(matches!(refused, Err(RequestReplayError::Speed(_))));
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let target = RequestTarget::Tcp(listener.local_addr().expect("an address"));
    let empty = capture(&dir, &[]);
    let refused = replay_requests(&empty, &options(target), go);
    assert!(matches!(refused, Err(RequestReplayError::Empty)));
    let missing = replay_requests(&dir.path().join("none"), &nowhere, go);
    assert!(matches!(missing, Err(RequestReplayError::Capture(RequestError::Open { .. }))));
}
