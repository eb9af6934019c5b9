//! The allow list of multi-region failover.

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use config::{FileSource, Sources};
use corelane_agent::{Agent, Options};
use intake::Intake;

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn the_other_region_gets_the_listed_metrics_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let main = Intake::start(intake::Options::default()).expect("an intake");
    let other = Intake::start(intake::Options::default()).expect("an intake");
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("bound").port();
    drop(socket);
    let text = format!(
        "api_key: '0123456789abcdef0123456789abcdef'\ndd_url: {}\nhostname: h0\nremote_configuration: {{enabled: false}}\nrun_path: {}\n\
         dogstatsd_port: {port}\ndogstatsd_socket: ''\napm_config: {{enabled: false}}\n\
         multi_region_failover:\n  enabled: true\n  failover_metrics: true\n\
         \x20 api_key: 'fedcba9876543210fedcba9876543210'\n  dd_url: {}\n\
         \x20 metric_allowlist: [kept, lat.max, spread]\n\
         corelane: {{lanes: 1, bucket_secs: 1, flush_interval_secs: 1}}\n",
        main.url(),
        directory.path().display(),
        other.url(),
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
    let client = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let packet = b"kept:3|c\nleft:4|c\nlat:5|h\nspread:6|d\nother.spread:7|d\n_sc|db.up|0";
    client.send_to(packet, ("127.0.0.1", port)).expect("sent");
    let has = |intake: &Intake, name: &str| {
        intake.store().wait_until(PATIENCE, |all| all.total_of(name) > 0.0)
    };
    assert!(has(&main, "left") && has(&main, "lat.avg") && has(&main, "other.spread"));
    assert!(has(&other, "kept") && has(&other, "lat.max") && has(&other, "spread"));
    agent.stop();
    let store = other.store();
    for name in ["left", "lat.avg", "lat.median", "other.spread", "datadog.agent.running"] {
        assert!(store.total_of(name).abs() < 1e-9, "{name}");
    }
    assert_eq!(store.checks().len(), 0);
    assert_eq!((main.store().violations().len(), store.violations().len()), (0, 0));
}
