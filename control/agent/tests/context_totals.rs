//! `dogstatsd-stats`: samples since the start, and when they were last seen.

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::{FileSource, Sources};
use corelane_agent::{Agent, Options};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn samples_are_counted_over_flushes() {
    let directory = tempfile::tempdir().expect("a directory");
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("bound").port();
    drop(socket);
    let text = format!(
        "api_key: '0123456789abcdef0123456789abcdef'\ndd_url: http://127.0.0.1:1\nhostname: h0\nremote_configuration: {{enabled: false}}\n\
         run_path: {}\ndogstatsd_port: {port}\ndogstatsd_socket: ''\n\
         dogstatsd_metrics_stats_enable: true\napm_config: {{enabled: false}}\n\
         forwarder_stop_timeout: 0\n\
         corelane: {{lanes: 1, bucket_secs: 1, flush_interval_secs: 1}}\n",
        directory.path().display()
    );
    let file = FileSource::Text { name: "test.yaml".into(), bytes: text.into() };
    let config = config::load(&Sources { file, ..Sources::default() }).expect("valid");
    let options = Options {
        version: "0.0.0".into(),
        reload: Arc::new(|| Err("no".into())),
        applied: |_| {},
        recent_log: String::new,
    };
    let agent = Agent::start(config, options).expect("a running agent");
    let source = agent.source();
    let client = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let deadline = Instant::now() + PATIENCE;
    let mut sent = 0;
    // Over several flushes, so that what was flushed must be remembered.
    while source.snapshot().flush.samples_in < 3 || sent < 5 {
        assert!(Instant::now() < deadline, "{:?}", source.snapshot().flush);
        if source.snapshot().flush.samples_in == sent {
            client.send_to(b"hits:1|c|#b,a", ("127.0.0.1", port)).expect("sent");
            sent += 1;
        }
        std::thread::yield_now();
    }
    let count = || {
        let stats = source.dogstatsd_stats().expect("enabled");
        let row = stats.as_object().and_then(|rows| rows.values().next().cloned());
        row.unwrap_or_default()
    };
    while count().get("count").and_then(Value::as_u64) != Some(sent) {
        assert!(Instant::now() < deadline, "{}, sent {sent}", count());
    }
    let row = count();
    assert_eq!(row.get("name").and_then(Value::as_str), Some("hits"));
    let last_seen = row.get("last_seen").and_then(Value::as_str).unwrap_or_default();
    assert!(last_seen.starts_with("20") && last_seen.ends_with('Z'), "{row}");
    agent.stop();
}
