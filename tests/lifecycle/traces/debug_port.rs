//! The debug port of traces, as people and scripts use it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use bed::{Bed, PortLease};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

use super::{quick, send_all, spec};

/// Asks over TLS with a certificate that is trusted, and returns the answer with its head.
fn ask(port: u16, made: &rcgen::CertifiedKey<rcgen::KeyPair>, path: &str) -> String {
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a connection");
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("a port that is open");
    let mut stream = StreamOwned::new(connection, stream);
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("a request");
    let mut answer = String::new();
    // The other side may end without saying so.
    let _is_clean = stream.read_to_string(&mut answer).is_ok();
    answer
}

#[test]
fn counters_limits_and_the_scrubbed_configuration_are_served() {
    let bed = Bed::new();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("made");
    let pem = format!("{}{}", made.cert.pem(), made.signing_key.serialize_pem());
    let path = bed.path("ipc_cert.pem");
    std::fs::write(&path, pem).expect("a writable directory");
    let port = PortLease::take_tcp();
    let settings = quick(&bed)
        .set("apm_config.debug.port", port.port())
        .set("apm_config.max_memory", 4_000_000_000_u64)
        .set("ipc_cert_file_path", path.display().to_string());
    let agent = bed.start(&settings);
    let accepted = send_all(spec(&bed));
    agent.wait_status("all traces are in", |status| {
        status.traces.as_ref().is_some_and(|traces| traces.spans_received == accepted.spans)
    });

    let answer = ask(port.port(), &made, "/debug/vars");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let vars: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(vars["receiver"][0]["SpansReceived"], accepted.spans, "{vars:#}");
    let watchdog = &vars["watchdog"];
    assert!(watchdog["Mem"]["Alloc"].as_u64().is_some_and(|bytes| bytes > 1 << 20), "{vars:#}");
    assert_eq!(watchdog["MaxMem"], 4_000_000_000_u64, "{vars:#}");
    let config = ask(port.port(), &made, "/config");
    assert!(config.contains("apm_config") && !config.contains("0123456789abcdef"), "{config}");
    let pprof = ask(port.port(), &made, "/debug/pprof/profile");
    assert!(pprof.starts_with("HTTP/1.1 404") && pprof.contains("perf record"), "{pprof}");
    bed.finish(agent);
}

#[test]
fn a_taken_debug_port_is_a_warning() {
    let bed = Bed::new();
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = other.local_addr().expect("an address").port();
    let agent = bed.start(&quick(&bed).set("apm_config.debug.port", port));
    let notes = agent.status().notes.join("\n");
    assert!(notes.contains("apm_config.debug.port"), "{notes}");
    assert!(agent.log().contains("in use"), "{}", agent.log());
    send_all(spec(&bed));
    bed.finish(agent);
}
