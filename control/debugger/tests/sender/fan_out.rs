//! More than one endpoint.

use debugger::{Config, DebuggerType, Endpoint, PayloadSender, send, send_symdb};

use super::server::{Answer, Server};
use super::{KEY, KINDS, endpoint};

const OK: Answer = Answer::With(200, "");
const TAGS: &str = "a:b";

/// A primary endpoint and additional ones.
fn shipping(primary: &Server, additional: &[(&Server, Option<&str>)]) -> Config {
    let mut config = Config::default();
    config.set_endpoint(endpoint(primary.url(), None));
    config.set_symdb_endpoint(endpoint(primary.url(), None));
    for (server, key) in additional {
        let endpoint = Endpoint { timeout_ms: 1000, ..endpoint(server.url(), *key) };
        config.add_additional_debugger_endpoint(endpoint.clone());
        config.add_additional_symdb_endpoint(endpoint);
    }
    config
}

#[tokio::test]
async fn every_endpoint_gets_the_payload_with_its_own_path_and_key() {
    for kind in KINDS {
        let (primary, other) = (Server::start(OK), Server::start(OK));
        let config = shipping(&primary, &[(&other, Some(KEY))]);
        send(b"[{\"a\":1}]", &config, kind, TAGS).await.expect("accepted");
        let (first, second) = (primary.one(), other.one());
        assert_eq!(first.body, second.body);
        assert_eq!(first.header("dd-api-key"), None);
        assert_eq!(second.header("dd-api-key"), Some(KEY));
        assert_eq!(second.target, "/api/v2/debugger?ddtags=a:b");
    }
}

#[tokio::test]
async fn symbol_databases_go_everywhere() {
    let (primary, other) = (Server::start(OK), Server::start(OK));
    let config = shipping(&primary, &[(&other, Some(KEY))]);
    send_symdb(b"symbols", "text/plain", &config, "a:b").await.expect("accepted");
    assert_eq!(primary.one().target, "/symdb/v1/input");
    assert_eq!(other.one().target, "/api/v2/debugger");
    assert_eq!(primary.one().body, other.one().body);
}

#[tokio::test]
async fn only_the_result_of_the_primary_counts() {
    let (good, bad) = (Server::start(OK), Server::start(Answer::With(500, "no")));
    let config = shipping(&good, &[(&bad, None)]);
    send(b"[1]", &config, DebuggerType::Logs, TAGS).await.expect("the primary's result");
    send_symdb(b"x", "text/plain", &config, "").await.expect("the primary's result");
    assert_eq!(bad.received(2).len(), 2);
    let config = shipping(&bad, &[(&good, None)]);
    let error = send(b"[1]", &config, DebuggerType::Logs, TAGS).await.expect_err("refused");
    assert_eq!(error.rejection().map(|why| why.status), Some(500));
    assert!(send_symdb(b"x", "text/plain", &config, "").await.is_err());
    assert_eq!(good.received(4).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_additional_endpoint_delays_no_byte_of_the_primary() {
    let (primary, stalled) = (Server::start(OK), Server::start(Answer::Stalled));
    let config = shipping(&primary, &[(&stalled, None)]);
    let mut sender = PayloadSender::new(&config, DebuggerType::Logs, TAGS).expect("an endpoint");
    let piece = format!("[\"{}\"]", "x".repeat(1 << 20));
    for _ in 0..24 {
        sender.append(piece.as_bytes()).await.expect("room");
    }
    // Everything but the end is at the primary before anything else is asked for.
    primary.wait_bytes(24 << 20);
    assert_eq!(sender.finish().await.expect("the primary's result"), 24);
    let body = primary.one().body;
    assert_eq!(body.len(), 1 + 24 * ((1 << 20) + 2) + 23 + 1);
    // The same in one piece: the primary is done while the other still stalls.
    let sent = send(piece.as_bytes(), &config, DebuggerType::Logs, TAGS);
    let (sent, ()) = tokio::join!(sent, async {
        let arrived = tokio::task::spawn_blocking(move || primary.received(2).len());
        assert_eq!(arrived.await.expect("a healthy server"), 2);
    });
    sent.expect("the primary's result");
}

#[tokio::test]
async fn the_first_additional_endpoint_stands_in_for_a_missing_primary() {
    let (first, second) = (Server::start(OK), Server::start(Answer::With(500, "no")));
    let mut config = Config::default();
    config.add_additional_debugger_endpoint(endpoint(first.url(), None));
    config.add_additional_debugger_endpoint(endpoint(second.url(), None));
    send(b"[1]", &config, DebuggerType::Snapshots, TAGS).await.expect("the first one's result");
    assert_eq!((first.one().body, second.one().body), (b"[1]".to_vec(), b"[1]".to_vec()));
}
