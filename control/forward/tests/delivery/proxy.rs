//! Proxies: tunnels, absolute form, credentials, names.

use std::sync::{Arc, Mutex};

use corelane_forward::{Forwarder, ProxySettings, Settings, TlsSettings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::server::{Act, Intake};
use crate::support::{KEY, endpoint, payload, sent, settings, stop, wait_for};
use crate::tls::identity;

/// `user:pass` in base64.
const CREDENTIALS: &str = "Basic dXNlcjpwYXNz";

/// A proxy that takes one set of credentials and leads every tunnel to one local port.
struct TunnelProxy {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl TunnelProxy {
    async fn start(target_port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        tokio::spawn(async move {
            while let Ok((stream, _peer)) = listener.accept().await {
                tokio::spawn(tunnel(stream, target_port, Arc::clone(&seen)));
            }
        });
        Self { port, heads }
    }
}

async fn tunnel(mut client: TcpStream, target_port: u16, heads: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let is_allowed = head.contains(&format!("Proxy-Authorization: {CREDENTIALS}\r\n"));
    heads.lock().unwrap().push(head);
    if !is_allowed {
        let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
        client.write_all(refusal).await.unwrap();
        return;
    }
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
    let mut target = TcpStream::connect(("127.0.0.1", target_port)).await.unwrap();
    let _ended = copy_bidirectional(&mut client, &mut target).await.is_ok();
}

#[tokio::test]
async fn https_goes_through_a_tunnel_with_credentials_and_names_without_dot() {
    let identity = identity(&["intake.example.test"], rustls::ALL_VERSIONS);
    let mut intake = Intake::start_with(Some(identity.acceptor), |_| Act::Status(202)).await;
    let proxy = TunnelProxy::start(intake.port).await;
    let forwarder = Forwarder::start(Settings {
        proxy: ProxySettings {
            https: format!("http://user:pass@127.0.0.1:{}", proxy.port),
            ..ProxySettings::default()
        },
        tls: TlsSettings { extra_ca_path: Some(identity.ca_path), ..TlsSettings::default() },
        ..settings(vec![endpoint("https://intake.example.test.", &[KEY])])
    })
    .unwrap();
    forwarder.submit(&payload("x"));
    let seen = intake.next().await;
    assert_eq!(seen.uri.host(), Some("intake.example.test"));
    assert_eq!(seen.header("proxy-authorization"), "", "the target is not told");
    assert_eq!(sent(&stop(forwarder).await), 1);
    let heads = proxy.heads.lock().unwrap();
    assert!(heads[0].starts_with("CONNECT intake.example.test:443 HTTP/1.1\r\n"), "{heads:?}");
    assert!(!heads[0].contains(KEY));
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_without_its_password() {
    let proxy = TunnelProxy::start(1).await;
    let forwarder = Forwarder::start(Settings {
        proxy: ProxySettings {
            https: format!("http://user:hunter2@127.0.0.1:{}", proxy.port),
            ..ProxySettings::default()
        },
        ..settings(vec![endpoint("https://intake.example.test", &[KEY])])
    })
    .unwrap();
    forwarder.submit(&payload("x"));
    let stats =
        wait_for(&forwarder, "refused", |stats| stats.endpoints[0].totals.network_errors > 0).await;
    assert!(stats.endpoints[0].last_error.contains("407"), "{stats:?}");
    assert!(!format!("{stats:?} {forwarder:?}").contains("hunter2"));
    stop(forwarder).await;
}

#[tokio::test]
async fn plain_http_is_handed_to_the_proxy_in_absolute_form() {
    // The proxy is the intake itself: it sees what a proxy would see.
    let mut proxy = Intake::start(|_| Act::Status(202)).await;
    let forwarder = Forwarder::start(Settings {
        proxy: ProxySettings {
            http: format!("http://user:pass@127.0.0.1:{}", proxy.port),
            ..ProxySettings::default()
        },
        ..settings(vec![endpoint("http://intake.example.test:8080/base", &[KEY])])
    })
    .unwrap();
    forwarder.submit(&payload("x"));
    let seen = proxy.next().await;
    assert_eq!(seen.uri, "http://intake.example.test:8080/base/api/v2/series");
    assert_eq!(seen.header("host"), "intake.example.test:8080");
    assert_eq!(seen.header("proxy-authorization"), CREDENTIALS);
    assert_eq!(sent(&stop(forwarder).await), 1);
}

#[tokio::test]
async fn exempt_hosts_go_direct() {
    let mut intake = Intake::start(|_| Act::Status(202)).await;
    let forwarder = Forwarder::start(Settings {
        proxy: ProxySettings {
            http: "http://127.0.0.1:1".to_owned(),
            no_proxy: vec!["127.0.0.0/8".to_owned()],
            matches_nonexact: true,
            ..ProxySettings::default()
        },
        ..settings(vec![endpoint(&intake.url(), &[KEY])])
    })
    .unwrap();
    forwarder.submit(&payload("x"));
    assert_eq!(intake.next().await.uri.path(), "/api/v2/series");
    stop(forwarder).await;
}
