//! What one request looks like.

use debugger::{Config, DebuggerType, PayloadRejected, PayloadSender, SendError, send, send_symdb};

use super::server::{Answer, Received, Server};
use super::{KEY, KINDS, config, endpoint};

const OK: Answer = Answer::With(202, "{}");
const TAGS: &str = "debugger_version:1,env:bed,a:b%20c";

async fn sent(kind: DebuggerType, key: Option<&str>) -> Received {
    let server = Server::start(OK);
    send(b"[{\"a\":1}]", &config(server.url(), key), kind, TAGS).await.expect("accepted");
    server.one()
}

#[tokio::test]
async fn agents_get_their_routes_without_key_and_origin() {
    for kind in KINDS {
        let request = sent(kind, None).await;
        let path = match kind {
            DebuggerType::Diagnostics => "/debugger/v1/diagnostics",
            DebuggerType::Snapshots | DebuggerType::Logs => "/debugger/v2/input",
        };
        assert_eq!(request.target, format!("{path}?ddtags={TAGS}"));
        assert_eq!(request.header("dd-evp-origin"), None);
        assert_eq!(request.header("dd-api-key"), None);
        let agent = request.header("user-agent").expect("a user agent");
        assert_eq!(agent, format!("Tracer/{}", env!("CARGO_PKG_VERSION")));
        assert!(request.is_chunked);
    }
}

#[tokio::test]
async fn the_intake_gets_one_path_with_key_and_origin() {
    for kind in KINDS {
        let request = sent(kind, Some(KEY)).await;
        assert_eq!(request.target, format!("/api/v2/debugger?ddtags={TAGS}"));
        assert_eq!(request.header("dd-evp-origin"), Some("agent-debugger"));
        assert_eq!(request.header("dd-api-key"), Some(KEY));
    }
}

#[tokio::test]
async fn bodies_are_byte_exact() {
    for kind in [DebuggerType::Snapshots, DebuggerType::Logs] {
        let request = sent(kind, None).await;
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.text(), "[{\"a\":1}]");
    }
    let request = sent(DebuggerType::Diagnostics, None).await;
    assert_eq!(
        request.header("content-type"),
        Some("multipart/form-data; boundary=------------------------44617461646f67")
    );
    let expected = "--------------------------44617461646f67\r\n\
        Content-Disposition: form-data; name=\"event\"; filename=\"event.json\"\r\n\
        Content-Type: application/json\r\n\
        \r\n\
        [{\"a\":1}]\r\n\
        --------------------------44617461646f67--\r\n";
    assert_eq!(request.text(), expected);
}

#[tokio::test]
async fn arrays_become_one_array() {
    for kind in KINDS {
        let server = Server::start(OK);
        let mut sender = PayloadSender::new(&config(server.url(), None), kind, TAGS).expect("one");
        for payload in ["[1,2]", "[]", "{\"lone\":[3]}", " [4]\n"] {
            sender.append(payload.as_bytes()).await.expect("room");
        }
        assert!(matches!(sender.append(b"5").await, Err(SendError::NotAnArray)));
        assert_eq!(sender.finish().await.expect("accepted"), 3);
        let text = server.one().text();
        assert!(text.contains("[1,2,{\"lone\":[3]},4]"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_appended_leaves_before_the_end() {
    let server = Server::start(OK);
    let kind = DebuggerType::Snapshots;
    let mut sender = PayloadSender::new(&config(server.url(), None), kind, TAGS).expect("one");
    sender.append(b"[1]").await.expect("room");
    server.wait_bytes(2);
    assert_eq!(server.so_far(), 0);
    sender.append(b"[2]").await.expect("room");
    server.wait_bytes(4);
    assert_eq!(sender.finish().await.expect("accepted"), 2);
    assert_eq!(server.one().text(), "[1,2]");
}

#[tokio::test]
async fn nothing_appended_is_nothing_sent() {
    let server = Server::start(OK);
    let config = config(server.url(), None);
    let sender = PayloadSender::new(&config, DebuggerType::Logs, TAGS).expect("an endpoint");
    assert_eq!(sender.finish().await.expect("nothing"), 0);
    send(b"[]", &config, DebuggerType::Logs, TAGS).await.expect("nothing");
    send(b"[1]", &config, DebuggerType::Logs, TAGS).await.expect("accepted");
    assert_eq!(server.one().text(), "[1]");
}

#[tokio::test]
async fn symbol_databases_go_as_they_are() {
    for (key, path, origin) in
        [(None, "/symdb/v1/input", None), (Some(KEY), "/api/v2/debugger", Some("agent-symdb"))]
    {
        let server = Server::start(OK);
        let body = b"\x00\xffnot an array";
        let config = config(server.url(), key);
        send_symdb(body, "multipart/form-data; boundary=x", &config, "a:b,c:d e")
            .await
            .expect("accepted");
        let request = server.one();
        assert_eq!(request.target, path);
        assert_eq!(request.body, body);
        assert_eq!(request.header("content-type"), Some("multipart/form-data; boundary=x"));
        assert_eq!(request.header("x-datadog-additional-tags"), Some("a:b,c:d e"));
        assert_eq!(request.header("dd-evp-origin"), origin);
        assert_eq!(request.header("dd-api-key"), key);
    }
}

#[tokio::test]
async fn a_unix_socket_is_an_endpoint() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Server::on_socket(&directory.path().join("apm.sock"), OK);
    let config = config(server.url(), None);
    send(b"[1]", &config, DebuggerType::Snapshots, TAGS).await.expect("accepted");
    let request = server.one();
    assert_eq!(request.target, format!("/debugger/v2/input?ddtags={TAGS}"));
    assert_eq!(request.header("host"), Some("localhost"));
}

#[tokio::test]
async fn a_file_gets_bodies_one_after_the_other() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("out");
    let config = config(&format!("file://{}", path.display()), None);
    send(b"[1]", &config, DebuggerType::Snapshots, TAGS).await.expect("written");
    send_symdb(b"symbols", "text/plain", &config, "a:b").await.expect("written");
    let mut sender = PayloadSender::new(&config, DebuggerType::Logs, TAGS).expect("a file");
    sender.append(b"[2]").await.expect("room");
    drop(sender);
    assert_eq!(std::fs::read_to_string(path).expect("a file"), "[1]\nsymbols\n");
}

#[tokio::test]
async fn a_test_session_is_named() {
    let server = Server::start(OK);
    let mut config = Config::default();
    let test_token = Some("session-7".to_owned());
    config.set_endpoint(debugger::Endpoint { test_token, ..endpoint(server.url(), None) });
    send(b"[1]", &config, DebuggerType::Logs, TAGS).await.expect("accepted");
    assert_eq!(server.one().header("x-datadog-test-session-token"), Some("session-7"));
}

#[tokio::test]
async fn a_refusal_can_be_told_by_type() {
    let server = Server::start(Answer::With(404, "404 page not found\n"));
    let config = config(server.url(), None);
    let error = send(b"[1]", &config, DebuggerType::Snapshots, TAGS).await.expect_err("refused");
    let expected =
        PayloadRejected { status: 404, body: "404 page not found\n".to_owned(), kind: "debugger" };
    assert_eq!(error.rejection(), Some(&expected));
    // As it is found by a host that passes errors on.
    let error: Box<dyn std::error::Error> = error.into();
    let found = error.downcast_ref::<SendError>().and_then(SendError::rejection);
    assert_eq!(found, Some(&expected));
    assert_eq!(
        error.to_string(),
        "Server did not accept debugger payload (404): 404 page not found\n"
    );
    let error = send_symdb(b"x", "text/plain", &config, "").await.expect_err("refused");
    assert_eq!(error.rejection().map(|why| why.kind), Some("symdb"));
}

#[tokio::test]
async fn an_echoed_key_is_taken_out() {
    let server = Server::start(Answer::With(403, KEY));
    let config = config(server.url(), Some(KEY));
    let error = send(b"[1]", &config, DebuggerType::Logs, TAGS).await.expect_err("refused");
    assert!(!error.to_string().contains(KEY), "{error}");
    assert!(!format!("{error:?} {config:?}").contains(KEY));
}

#[tokio::test]
async fn what_cannot_be_sent_says_why() {
    let none = Config::default();
    for kind in KINDS {
        let error = send(b"[1]", &none, kind, TAGS).await.expect_err("no endpoint");
        assert_eq!(error.to_string(), format!("no endpoint configured for {kind}"));
    }
    let error = send_symdb(b"x", "text/plain", &none, "").await.expect_err("no endpoint");
    assert_eq!(error.to_string(), "no symdb endpoint configured");
    let server = Server::start(OK);
    let directive = config(server.url(), Some(" DELA(x) "));
    let error = send(b"[1]", &directive, DebuggerType::Logs, TAGS).await.expect_err("no key");
    assert!(matches!(error, SendError::KeyUnresolved { .. }), "{error}");
    let error = send_symdb(b"x", "a\nb", &directive, "").await.expect_err("bad bytes");
    assert!(matches!(error, SendError::Unsendable { .. }), "{error}");
    let bare = config("/somewhere", None);
    let error = send(b"[1]", &bare, DebuggerType::Logs, TAGS).await.expect_err("no host");
    assert!(matches!(error, SendError::Unsendable { .. }), "{error}");
    let plain = config(server.url(), None);
    let error = send(b"[1]", &plain, DebuggerType::Logs, "a b").await.expect_err("not encoded");
    assert!(matches!(error, SendError::Unsendable { .. }), "{error}");
    assert_eq!(server.so_far(), 0);
}
