//! From a socket to the decoded payload, in one process.

use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::time::Duration;

use config::{Config, FileSource, Sources};
use corelane_agent::{Agent, Options};
use intake::Intake;
use signal::Counter;

const PATIENCE: Duration = Duration::from_secs(30);

fn configuration(text: &str) -> Config {
    let file = FileSource::Text { name: "test.yaml".into(), bytes: text.into() };
    config::load(&Sources { file, ..Sources::default() }).expect("a valid configuration")
}

fn free_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.local_addr().expect("bound").port()
}

#[test]
fn what_is_sent_is_decoded_and_the_accounts_balance() {
    let directory = tempfile::tempdir().expect("a directory");
    let intake = Intake::start(intake::Options::default()).expect("an intake");
    let path = directory.path().display();
    let port = free_port();
    let config = configuration(&format!(
        "api_key: '0123456789abcdef0123456789abcdef'\ndd_url: {}\nhostname: h0\nremote_configuration: {{enabled: false}}\nrun_path: {path}\n\
         dogstatsd_port: {port}\ndogstatsd_socket: {path}/dsd.socket\n\
         corelane: {{lanes: 2, bucket_secs: 1, flush_interval_secs: 1}}\n",
        intake.url()
    ));
    let options = Options {
        version: "0.0.0".into(),
        reload: Arc::new(|| Err("no".into())),
        applied: |_| {},
        recent_log: String::new,
    };
    let agent = Agent::start(config, options).expect("a running agent");

    let udp = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let uds = UnixDatagram::unbound().expect("a socket");
    for n in 0..200 {
        let packet = format!("hits:2|c|#a:b\ntemp:{n}|g\nlat:5|d\n");
        udp.send_to(packet.as_bytes(), ("127.0.0.1", port)).expect("sent");
        uds.send_to(packet.as_bytes(), directory.path().join("dsd.socket")).expect("sent");
    }
    uds.send_to(b"_e{5,4}:title|text\n_sc|db.up|1|m:slow", directory.path().join("dsd.socket"))
        .expect("sent");
    agent.source().flush().expect("a flush beside the timer's");
    let has_host = intake.store().wait_until(PATIENCE, |c| c.host_metadata().is_some());
    assert!(has_host, "host metadata arrives");
    let queue = "datadog.agent.retry_queue_duration.capacity_secs";
    let has_queue = intake.store().wait_until(PATIENCE, |c| c.total_of(queue) > 0.0);
    assert!(has_queue, "the room of the retry queue is reported");
    let snapshot = agent.stop();

    let store = intake.store();
    assert!((store.total_of("hits") - 800.0).abs() < 1e-9);
    assert!((store.total_of("lat") - 400.0).abs() < 1e-9);
    assert_eq!(store.events().len(), 1);
    assert!(store.checks().iter().any(|check| &*check.name == "db.up"));
    assert_eq!(store.violations(), []);
    assert_eq!(snapshot.total(Counter::Samples), 1200);
    for identity in status::identities(&snapshot) {
        assert!(identity.holds, "{identity:?}");
    }
}
