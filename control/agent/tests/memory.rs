//! A memory budget that is exceeded while running.

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::{FileSource, Sources};
use corelane_agent::{Agent, Options};
use signal::Counter;

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn new_contexts_are_refused_above_the_budget() {
    let directory = tempfile::tempdir().expect("a directory");
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("bound").port();
    drop(socket);
    let text = format!(
        "api_key: '0123456789abcdef0123456789abcdef'\ndd_url: http://127.0.0.1:1\nhostname: h0\nremote_configuration: {{enabled: false}}\n\
         run_path: {}\ndogstatsd_port: {port}\ndogstatsd_socket: ''\napm_config: {{enabled: false}}\n\
         forwarder_stop_timeout: 0\ncorelane: {{lanes: 1, memory_max_bytes: 1048576}}\n",
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
    let deadline = Instant::now() + PATIENCE;
    while !source.snapshot().memory.is_over_budget {
        assert!(Instant::now() < deadline, "{:?}", source.snapshot().memory);
        std::thread::yield_now();
    }
    let client = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    for n in 0.. {
        if source.snapshot().total(Counter::DroppedContextLimit) > 0 {
            break;
        }
        assert!(Instant::now() < deadline, "{:?}", source.snapshot().totals);
        client.send_to(format!("hits.{n}:1|c").as_bytes(), ("127.0.0.1", port)).expect("sent");
        std::thread::yield_now();
    }
    assert_eq!(agent.stop().memory.over_budget_count, 1);
}
