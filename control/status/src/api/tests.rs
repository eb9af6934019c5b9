use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::client::{Reply, request};
use crate::{CaptureKind, CaptureRequest, Snapshot, TopReport, TopRow};

/// An agent that answers from constants.
#[derive(Default)]
struct Fake {
    not_ready: Option<&'static str>,
}

impl Source for Fake {
    fn snapshot(&self) -> Snapshot {
        crate::test_snapshot::busy()
    }

    fn is_live(&self) -> bool {
        true
    }

    fn is_ready(&self) -> Result<(), String> {
        self.not_ready.map_or(Ok(()), |reason| Err(reason.to_owned()))
    }

    fn top(&self) -> Result<Vec<TopRow>, String> {
        Ok(vec![TopRow { name: "a".to_owned(), samples: 3, ..TopRow::default() }])
    }

    fn config_yaml(&self) -> String {
        "api_key: '***abcde'\n".to_owned()
    }

    fn start_capture(&self, kind: CaptureKind, request: CaptureRequest) -> Result<String, String> {
        Ok(format!("{}/{}{kind:?}", request.dir.unwrap_or_default(), request.duration_secs))
    }

    fn stop_capture(&self, _: CaptureKind) -> Result<String, String> {
        Err("no capture is under way".to_owned())
    }

    fn load_replay_state(&self, state: Vec<u8>) -> Result<usize, String> {
        Ok(state.len())
    }

    fn reload(&self) -> Result<String, String> {
        panic!("a bug")
    }

    fn flush(&self) -> Result<(), String> {
        Ok(())
    }

    fn flare(&self) -> Result<Vec<u8>, String> {
        Ok(b"PK".to_vec())
    }

    fn dogstatsd_stats(&self) -> Result<serde_json::Value, String> {
        Err("not enabled".to_owned())
    }
}

struct Running {
    api: Api,
    directory: TempDir,
}

impl Running {
    fn start() -> Self {
        Self::with(Fake::default(), ApiOptions::default())
    }

    fn with(fake: Fake, options: ApiOptions) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let socket = Some(directory.path().join("run/api.sock"));
        let api = Api::start(ApiOptions { socket, ..options }, Arc::new(fake)).expect("starts");
        Self { api, directory }
    }

    fn socket(&self) -> &Path {
        self.api.socket().expect("a socket")
    }

    fn ask(&self, method: &str, target: &str, body: &[u8]) -> Reply {
        request(self.socket(), method, target, body, Duration::from_secs(10)).expect("answers")
    }

    fn get(&self, target: &str) -> Reply {
        self.ask("GET", target, &[])
    }
}

fn loopback() -> ApiOptions {
    ApiOptions { listen: Some((Ipv4Addr::LOCALHOST, 0).into()), ..ApiOptions::default() }
}

/// The status code and all that came for a raw request over TCP.
fn over_tcp(address: SocketAddr, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("connects");
    stream.write_all(request.as_bytes()).expect("is sent");
    let mut all = String::new();
    stream.read_to_string(&mut all).expect("is answered");
    let status = all.split(' ').nth(1).expect("a status").parse().expect("a number");
    (status, all)
}

fn get_line(path: &str) -> String {
    format!("GET {path} HTTP/1.0\r\nHost: localhost:1\r\n\r\n")
}

#[test]
fn a_snapshot_survives_the_way() {
    let running = Running::start();
    let reply = running.get("/status");
    let snapshot: Snapshot = serde_json::from_slice(&reply.body).expect("a snapshot");
    assert_eq!(snapshot, crate::test_snapshot::busy());
    assert!(running.get("/status/text").text().starts_with("corelane 0.1.0 on web-1"));
}

#[test]
fn every_reading_route_answers() {
    let running = Running::start();
    let routes = ["/health", "/live", "/ready", "/health/live", "/health/ready", "/metrics"];
    for path in routes.into_iter().chain(["/telemetry", "/debug/vars", "/config"]) {
        assert_eq!(running.get(path).status, 200, "{path}");
        assert_eq!(running.ask("HEAD", path, &[]).body, b"", "{path}");
        assert_eq!(running.ask("POST", path, &[]).status, 405, "{path}");
    }
    assert_eq!(running.get("/nowhere").status, 404);
    assert_eq!(running.get("/agent/dogstatsd-stats").error(), "not enabled");
}

#[test]
fn changes_are_asked_for_over_the_socket() {
    let running = Running::start();
    let reply = running.ask("POST", "/dogstatsd/capture", br#"{"dir":"/d","duration_secs":7}"#);
    assert_eq!(reply.text(), r#"{"path":"/d/7Packets"}"#);
    let reply = running.ask("POST", "/apm/capture", br#"{"dir":"/d","duration_secs":8}"#);
    assert_eq!(reply.text(), r#"{"path":"/d/8Requests"}"#);
    assert_eq!(running.ask("DELETE", "/apm/capture", b"").error(), "no capture is under way");
    assert_eq!(running.ask("GET", "/apm/capture", b"").status, 405);
    assert_eq!(running.ask("POST", "/dogstatsd/capture", b"{").status, 400);
    assert_eq!(running.ask("DELETE", "/dogstatsd/capture", b"").error(), "no capture is under way");
    let reply = running.ask("POST", "/dogstatsd/replay-state", &[0; 9]);
    assert_eq!(reply.text(), r#"{"loaded":true,"processes":9}"#);
    assert_eq!(running.ask("POST", "/flush", b"").status, 200);
    assert_eq!(running.ask("POST", "/flare", b"").body, b"PK");
}

#[test]
fn top_takes_its_query() {
    let running = Running::start();
    let reply = running.get("/dogstatsd/top?by=origin&sort=samples&limit=5&tags=0");
    let report: TopReport = serde_json::from_slice(&reply.body).expect("a report");
    assert_eq!((report.contexts, report.rows.len()), (1, 1));
    assert_eq!(running.get("/dogstatsd/top?by=colour").status, 400);
    assert_eq!(running.get("/dogstatsd/top?limit=-1").status, 400);
}

#[test]
fn a_failing_question_is_an_answer_and_not_the_end() {
    let running = Running::start();
    assert_eq!(running.ask("POST", "/reload", b"").status, 500);
    assert_eq!(running.get("/live").status, 200);
}

#[test]
fn an_agent_that_is_not_ready_says_why() {
    let fake = Fake { not_ready: Some("every API key was refused") };
    let running = Running::with(fake, ApiOptions::default());
    let reply = running.get("/ready");
    assert_eq!((reply.status, reply.error()), (500, "every API key was refused".to_owned()));
    assert_eq!(running.get("/live").status, 200);
}

#[test]
fn tcp_reads_and_never_changes() {
    let running = Running::with(Fake::default(), loopback());
    let address = running.api.listen().expect("an address");
    assert_eq!(over_tcp(address, &get_line("/status")).0, 200);
    let post = "POST /flush HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(over_tcp(address, post).0, 403);
    assert_eq!(over_tcp(address, &post.replace("/flush", "/flare")).0, 403);
    let (status, told) = over_tcp(address, &get_line("/metrics"));
    assert!(status == 404 && told.contains("telemetry.enabled"), "{told}");
}

#[test]
fn web_pages_are_not_served() {
    let running = Running::with(Fake::default(), loopback());
    let address = running.api.listen().expect("an address");
    for header in ["Host: evil.example", "Host: localhost\r\nOrigin: https://evil.example"] {
        let request = format!("GET /status HTTP/1.0\r\n{header}\r\n\r\n");
        assert_eq!(over_tcp(address, &request).0, 403, "{header}");
    }
    let by_address = "GET /status HTTP/1.0\r\nHost: [::1]:5100\r\n\r\n";
    assert_eq!(over_tcp(address, by_address).0, 200);
}

#[test]
fn other_hosts_are_served_only_when_allowed() {
    let address: SocketAddr = (Ipv4Addr::UNSPECIFIED, 0).into();
    let options = ApiOptions { listen: Some(address), ..ApiOptions::default() };
    let error = Api::start(options.clone(), Arc::new(Fake::default())).expect_err("refused");
    assert!(matches!(error, ApiError::Remote { .. }), "{error}");
    let options = ApiOptions { is_remote_allowed: true, ..options };
    assert!(Api::start(options, Arc::new(Fake::default())).is_ok());
}

#[test]
fn the_health_port_knows_health_alone() {
    let options = ApiOptions { health_port: Some(0), ..ApiOptions::default() };
    let fake = Fake { not_ready: Some("starting") };
    let running = Running::with(fake, options);
    let port = running.api.health().expect("an address").port();
    let address = (Ipv4Addr::LOCALHOST, port).into();
    assert_eq!(over_tcp(address, &get_line("/ready")).0, 500);
    let (status, told) = over_tcp(address, &get_line("/status"));
    assert!(status == 200 && told.ends_with(r#"{"Healthy":["live"],"Unhealthy":[]}"#), "{told}");
}

#[test]
fn the_socket_is_for_its_owner_and_goes_with_the_api() {
    let running = Running::start();
    let path = running.socket().to_owned();
    let mode = std::fs::metadata(&path).expect("exists").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let Running { api, directory } = running;
    drop(api);
    assert!(!path.exists());
    drop(directory);
}

#[test]
fn a_stale_socket_is_replaced_and_a_living_one_is_not() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("api.sock");
    let start = |path: &Path| {
        let options = ApiOptions { socket: Some(path.to_owned()), ..ApiOptions::default() };
        Api::start(options, Arc::new(Fake::default()))
    };
    drop(UnixListener::bind(&path).expect("binds"));
    let first = start(&path).expect("the file is stale");
    let error = start(&path).expect_err("the first one answers");
    assert!(matches!(error, ApiError::InUse { .. }), "{error}");
    drop(first);

    std::fs::write(&path, "notes").expect("is written");
    let error = start(&path).expect_err("a file is in the way");
    assert!(matches!(error, ApiError::NotASocket { .. }), "{error}");
    assert_eq!(std::fs::read(&path).expect("is there"), b"notes");
}

#[test]
fn a_body_over_the_bound_is_refused_before_it_is_read() {
    let running = Running::start();
    let mut stream = UnixStream::connect(running.socket()).expect("connects");
    let head = "POST /dogstatsd/replay-state HTTP/1.1\r\nHost: localhost\r\n\
                Content-Length: 99999999\r\n\r\n";
    stream.write_all(head.as_bytes()).expect("is sent");
    let chunk = vec![0; 1 << 20];
    for _ in 0..20 {
        if stream.write_all(&chunk).is_err() {
            break;
        }
    }
    let mut first = [0; 12];
    stream.read_exact(&mut first).expect("is answered");
    assert_eq!(&first, b"HTTP/1.1 413");
}

#[test]
fn the_debug_port_speaks_tls_and_tells_of_traces_alone() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let pem = format!("{}{}", made.cert.pem(), made.signing_key.serialize_pem());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ipc_cert.pem");
    std::fs::write(&path, pem).unwrap();
    let debug = DebugOptions { port: 0, certificate: Some(path) };
    let options = ApiOptions { debug: Some(debug), ..ApiOptions::default() };
    let api = Api::start(options, Arc::new(Fake::default())).unwrap();
    let address = api.debug().unwrap();
    assert!(address.ip().is_loopback());

    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let config = Arc::new(config);
    let ask = |path: &str| {
        let name = "localhost".try_into().unwrap();
        let connection = rustls::ClientConnection::new(Arc::clone(&config), name).unwrap();
        let stream = TcpStream::connect(address).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, stream);
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        // The other side may end without saying so.
        let _is_clean = stream.read_to_string(&mut answer).is_ok();
        answer
    };
    let vars = ask("/debug/vars");
    assert!(vars.starts_with("HTTP/1.1 200") && vars.contains("\"trace_writer\""), "{vars}");
    let config = ask("/config");
    assert!(config.starts_with("HTTP/1.1 200") && config.contains("'***abcde'"), "{config}");
    for (path, word) in [
        ("/status", "/debug/vars"),
        ("/metrics", "/debug/vars"),
        ("/", "/debug/vars"),
        ("/dogstatsd/capture", "/debug/vars"),
        ("/debug/pprof/heap", "perf record"),
        ("/config/set?log_level=debug", "SIGHUP"),
        ("/secret/refresh", "secret_refresh_interval"),
    ] {
        let answer = ask(path);
        assert!(answer.starts_with("HTTP/1.1 404") && answer.contains(word), "{path}: {answer}");
    }
    // Without TLS there is no answer.
    let mut plain = TcpStream::connect(address).unwrap();
    plain.write_all(b"GET /debug/vars HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _is_clean = plain.read_to_end(&mut answer).is_ok();
    assert!(!answer.starts_with(b"HTTP"), "{}", answer.escape_ascii());
}

/// Whatever is wrong with the debug port, the rest of the API is served.
#[test]
fn a_debug_port_that_cannot_be_opened_is_a_warning() {
    let directory = tempfile::tempdir().unwrap();
    let broken = directory.path().join("broken.pem");
    std::fs::write(&broken, "no pem").unwrap();
    for (debug, word) in [
        (DebugOptions { port: 0, certificate: Some(broken) }, "ipc_cert_file_path"),
        (DebugOptions { port: 0, certificate: Some("/nowhere/x".into()) }, "/nowhere/x"),
    ] {
        let listen = Some("127.0.0.1:0".parse().unwrap());
        let options = ApiOptions { debug: Some(debug), listen, ..ApiOptions::default() };
        let api = Api::start(options, Arc::new(Fake::default())).unwrap();
        assert!(api.listen().is_some() && api.debug().is_none());
        assert!(api.warnings().iter().any(|warning| warning.contains(word)), "{word}");
    }
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port();
    let debug = Some(DebugOptions { port, certificate: None });
    let api = Api::start(ApiOptions { debug, ..ApiOptions::default() }, Arc::new(Fake::default()));
    let warnings = api.unwrap().warnings().join("; ");
    assert!(
        warnings.contains("in use") && warnings.contains("apm_config.debug.port"),
        "{warnings}"
    );
}
