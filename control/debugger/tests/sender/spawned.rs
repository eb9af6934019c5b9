//! The sender with a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use debugger::payload::{DebuggerPayload, Snapshot};
use debugger::{Config, DebuggerType, Endpoint, NotQueued, QUEUE_ITEMS_MAX, Sender};

use super::server::{Answer, Server};
use super::{config, endpoint};

const OK: Answer = Answer::With(200, "");
const PAYLOAD: Bytes = Bytes::from_static(b"[1]");

fn spawn(config: Config) -> Sender {
    Sender::spawn(config, "a:b".to_owned()).expect("a thread")
}

#[test]
fn joining_waits_for_everything() {
    let server = Server::start(OK);
    let sender = spawn(config(server.url(), None));
    for _ in 0..200 {
        sender.send_raw_data(DebuggerType::Snapshots, PAYLOAD).expect("room");
        sender.send_symdb_data("text/plain", Bytes::from_static(b"symbols")).expect("room");
    }
    let counts = sender.join();
    assert_eq!((counts.queued, counts.sent), (400, 400), "{counts:?}");
    let requests = server.received(400);
    let is_symdb = |target: &str| target == "/symdb/v1/input";
    assert_eq!(requests.iter().filter(|request| is_symdb(&request.target)).count(), 200);
    assert!(requests.iter().all(|request| request.is_complete));
}

#[test]
fn dropped_it_still_sends_what_is_queued() {
    let server = Server::start(OK);
    let sender = spawn(config(server.url(), None));
    for _ in 0..20 {
        sender.send_raw_data(DebuggerType::Logs, PAYLOAD).expect("room");
    }
    drop(sender);
    assert_eq!(server.received(20).len(), 20);
}

#[test]
fn payloads_go_as_arrays_under_their_kind() {
    let server = Server::start(OK);
    let sender = spawn(config(server.url(), None));
    let snapshot = Snapshot { language: "rust".into(), id: "1".into(), ..Snapshot::default() };
    let payload = DebuggerPayload::snapshot("web", snapshot);
    sender.send_payload(&payload).expect("room");
    assert_eq!(sender.join().sent, 1);
    let request = server.one();
    assert!(request.target.starts_with("/debugger/v2/input?"), "{}", request.target);
    let text = request.text();
    let read: Vec<DebuggerPayload<'_>> = serde_json::from_str(&text).expect("an array");
    assert_eq!(read, [payload]);
}

#[test]
fn an_old_agent_gets_everything_where_diagnostics_go() {
    let server = Server::start(Answer::NotFound("/debugger/v2/input"));
    let sender = spawn(config(server.url(), None));
    sender.send_raw_data(DebuggerType::Snapshots, PAYLOAD).expect("room");
    let first = server.received(2);
    assert!(first[1].target.starts_with("/debugger/v1/diagnostics?"), "{first:#?}");
    assert_eq!(first[1].header("content-type"), Some("application/json"));
    sender.send_raw_data(DebuggerType::Logs, PAYLOAD).expect("room");
    let counts = sender.join();
    assert_eq!((counts.sent, counts.failed), (2, 0), "{counts:?}");
    let all = server.received(3);
    assert_eq!(all.len(), 3, "{all:#?}");
    assert!(all[2].target.starts_with("/debugger/v1/diagnostics?"), "{all:#?}");
}

#[test]
fn failures_are_counted() {
    let server = Server::start(Answer::With(500, "no"));
    let sender = spawn(config(server.url(), None));
    sender.send_raw_data(DebuggerType::Logs, PAYLOAD).expect("room");
    sender.send_raw_data(DebuggerType::Logs, Bytes::from_static(b"no array")).expect("room");
    let counts = sender.join();
    assert_eq!((counts.queued, counts.sent, counts.failed), (2, 0, 2));
}

/// Owner of a payload that says when it is let go of.
struct Owned(Arc<AtomicUsize>);

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        b"[1]"
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        let _before = self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_full_queue_refuses_and_every_payload_is_let_go_of() {
    let server = Server::start(Answer::Never);
    let mut slow = Config::default();
    slow.set_endpoint(Endpoint { timeout_ms: 1, ..endpoint(server.url(), None) });
    let sender = spawn(slow);
    let freed = Arc::new(AtomicUsize::new(0));
    let mut offered = 0;
    loop {
        offered += 1;
        let payload = Bytes::from_owner(Owned(Arc::clone(&freed)));
        match sender.send_raw_data(DebuggerType::Logs, payload) {
            Ok(()) => assert!(offered < 100 * QUEUE_ITEMS_MAX, "it never fills"),
            Err(error) => {
                assert_eq!(error, NotQueued::Full);
                break;
            }
        }
    }
    assert!(offered > QUEUE_ITEMS_MAX);
    assert_eq!(sender.counts().refused, 1);
    let counts = sender.join();
    assert_eq!(counts.queued, counts.sent + counts.failed);
    assert_eq!(freed.load(Ordering::SeqCst), offered);
}
