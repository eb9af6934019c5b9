//! Requests that are given up, and endpoints that do not answer.

use debugger::{Config, DebuggerType, Endpoint, PayloadSender, SendError, send, send_symdb};

use super::server::{Answer, Server};
use super::{config, endpoint};

const TAGS: &str = "a:b";

/// Long enough for a loaded machine to do what must be done in time, short enough to wait for.
const SHORT_MS: u64 = 1000;

fn impatient(url: &str) -> Config {
    let endpoint = Endpoint { timeout_ms: SHORT_MS, ..endpoint(url, None) };
    let mut config = Config::default();
    config.set_endpoint(endpoint.clone());
    config.set_symdb_endpoint(endpoint);
    config
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_sender_aborts_its_request() {
    let server = Server::start(Answer::With(200, ""));
    let config = config(server.url(), None);
    let mut sender =
        PayloadSender::new(&config, DebuggerType::Diagnostics, TAGS).expect("an endpoint");
    sender.append(b"[{\"first\":1}]").await.expect("room");
    server.wait_bytes(100);
    drop(sender);
    let request = server.one();
    assert!(!request.is_complete, "{request:?}");
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_is_given_up() {
    let server = Server::start(Answer::Never);
    let config = impatient(server.url());
    let error = send(b"[1]", &config, DebuggerType::Logs, TAGS).await.expect_err("no answer");
    assert_eq!(error.to_string(), "debugger payload request timed out");
    let error = send_symdb(b"x", "text/plain", &config, "").await.expect_err("no answer");
    let expected = format!("symdb payload request to {}/symdb/v1/input timed out", server.url());
    assert_eq!(error.to_string(), expected);
    assert_eq!(server.received(2).len(), 2);
}

#[tokio::test]
async fn an_endpoint_that_reads_nothing_is_given_up() {
    let server = Server::start(Answer::Stalled);
    let config = impatient(server.url());
    let large = format!("[\"{}\"]", "x".repeat(32 << 20));
    let sent = send(large.as_bytes(), &config, DebuggerType::Logs, TAGS).await;
    assert!(matches!(sent, Err(SendError::TimedOut)), "{sent:?}");
    let mut sender = PayloadSender::new(&config, DebuggerType::Logs, TAGS).expect("an endpoint");
    let piece = format!("[\"{}\"]", "x".repeat(4 << 20));
    let error = loop {
        if let Err(error) = sender.append(piece.as_bytes()).await {
            break error;
        }
    };
    assert!(matches!(error, SendError::TimedOut), "{error}");
    // It stays given up.
    assert!(sender.append(b"[1]").await.is_err());
    assert!(sender.finish().await.is_err());
}

#[tokio::test]
async fn a_refusal_before_the_end_is_the_result() {
    let server = Server::start(Answer::AtOnce(413, "too large"));
    let config = config(server.url(), None);
    let mut sender = PayloadSender::new(&config, DebuggerType::Logs, TAGS).expect("an endpoint");
    sender.append(b"[1]").await.expect("room");
    let error = sender.finish().await.expect_err("refused");
    assert_eq!(error.rejection().map(|why| why.status), Some(413), "{error}");
}

#[tokio::test]
async fn nobody_there_is_an_error_with_the_cause() {
    // Bound and dropped, so that nobody listens on it.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let error = send(b"[1]", &config(&url, None), DebuggerType::Logs, TAGS).await;
    let error = error.expect_err("nobody there");
    assert!(error.to_string().contains("refused"), "{error}");
}
