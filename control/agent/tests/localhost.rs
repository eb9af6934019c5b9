//! `localhost` means both loopback addresses.

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::{FileSource, Sources};
use corelane_agent::{Agent, Options};
use signal::Counter;

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn clients_of_either_loopback_address_are_heard() {
    let Ok(client6) = UdpSocket::bind("[::1]:0") else {
        // A host without IPv6 has one loopback address.
        return;
    };
    let directory = tempfile::tempdir().expect("a directory");
    let port = {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.local_addr().expect("bound").port()
    };
    let text = format!(
        "api_key: '0123456789abcdef0123456789abcdef'\ndd_url: http://127.0.0.1:1\nhostname: h0\nremote_configuration: {{enabled: false}}\n\
         run_path: {}\ndogstatsd_port: {port}\ndogstatsd_socket: ''\napm_config: {{enabled: false}}\n\
         forwarder_stop_timeout: 0\ncorelane: {{lanes: 2}}\n",
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
    let addresses: Vec<_> =
        source.snapshot().listeners.into_iter().map(|listener| listener.address).collect();
    assert_eq!(addresses, [format!("127.0.0.1:{port}"), format!("[::1]:{port}")]);
    let client4 = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    client4.send_to(b"hits:1|c", ("127.0.0.1", port)).expect("sent");
    client6.send_to(b"hits:1|c", ("::1", port)).expect("sent");
    let deadline = Instant::now() + PATIENCE;
    while source.snapshot().total(Counter::Samples) < 2 {
        assert!(Instant::now() < deadline, "{:?}", source.snapshot().totals);
        std::thread::yield_now();
    }
    agent.stop();
}
