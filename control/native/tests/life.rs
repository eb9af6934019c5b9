//! The life of an agent in a Rust program, with and without a runtime.

#![expect(clippy::float_cmp, reason = "sums of small whole numbers are exact")]

use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use datadog_agent_native::agent::AgentCoordinator;
use datadog_agent_native::blocking::Agent;
use datadog_agent_native::config::{Builder, Config};
use datadog_agent_native::{AgentError, ShutdownReason, TraceListener};
use intake::Intake;

const PATIENCE: Duration = Duration::from_secs(30);

fn intake() -> Intake {
    Intake::start(intake::Options::default()).expect("an intake")
}

fn settings(intake: &Intake, mode: &str) -> Builder {
    Config::builder()
        .set("api_key", "0123456789abcdef0123456789abcdef")
        .set("dd_url", intake.url())
        .set("apm_config.apm_dd_url", intake.url())
        .set("hostname", "native-host")
        .set("agent_mode", mode)
        .set("dogstatsd_enabled", "true")
}

fn ephemeral(intake: &Intake) -> Config {
    settings(intake, "http_ephemeral_port").build().expect("a configuration")
}

#[test]
fn what_is_sent_arrives_by_socket_and_without() {
    let intake = intake();
    let agent = Agent::start(&ephemeral(&intake)).expect("an agent");
    let address = agent.endpoints().dogstatsd_udp.expect("a port");
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.send_to(b"native.udp:3|c", address).expect("sent");
    agent.submit_dogstatsd(b"native.inside:4|c\nnative.bad\n").expect("taken");
    let read = || agent.snapshot().expect("counters").totals["udp_packets"] == 1;
    while !read() {
        std::thread::yield_now();
    }
    agent.flush(PATIENCE).expect("everything leaves");
    let store = intake.store();
    assert_eq!((store.total_of("native.udp"), store.total_of("native.inside")), (3.0, 4.0));

    agent.submit_dogstatsd(b"native.last:1|c").expect("taken");
    agent.stop(PATIENCE).expect("it stops");
    assert_eq!(store.total_of("native.last"), 1.0);
    let last = agent.snapshot().expect("the last counters");
    assert_eq!((last.totals["submitted_packets"], last.totals["refused_format"]), (2, 1));
    for identity in status::identities(&last) {
        assert!(identity.holds && identity.in_open_buckets == 0, "{identity:?}");
    }
    assert_eq!(store.violations(), []);
}

#[test]
fn flushes_in_a_row_lose_nothing() {
    let intake = intake();
    let agent = Agent::start(&ephemeral(&intake)).expect("an agent");
    for _ in 0..5 {
        agent.submit_dogstatsd(b"native.row:1|c\nnative.row.wide:1|d").expect("taken");
        agent.flush(PATIENCE).expect("everything leaves");
    }
    agent.stop(PATIENCE).expect("it stops");
    let store = intake.store();
    assert_eq!((store.total_of("native.row"), store.total_of("native.row.wide")), (5.0, 5.0));
    assert_eq!(store.violations(), []);
}

#[test]
fn a_flush_has_a_deadline() {
    let intake = intake();
    intake.set_behaviour(intake::Behaviour::always(intake::Action::Hang));
    let config = settings(&intake, "http_ephemeral_port").set("forwarder_stop_timeout", "0");
    let agent = Agent::start(&config.build().expect("a configuration")).expect("an agent");
    agent.submit_dogstatsd(b"native.late:1|c").expect("taken");
    let late = agent.flush(Duration::from_millis(200));
    assert!(matches!(late, Err(AgentError::Flush(_))), "{late:?}");
}

#[test]
fn after_a_stop_nothing_is_taken() {
    let intake = intake();
    let agent = Agent::start(&ephemeral(&intake)).expect("an agent");
    assert_eq!(agent.wait(Duration::ZERO).expect("here"), None);
    agent.request_shutdown();
    let reason = agent.wait_for_shutdown().expect("here");
    assert_eq!(reason, ShutdownReason::GracefulShutdown);
    agent.stop(PATIENCE).expect("it stops");
    agent.stop(PATIENCE).expect("it has stopped");
    for refused in [agent.submit_dogstatsd(b"a:1|c"), agent.flush(PATIENCE)] {
        assert!(matches!(refused, Err(AgentError::NotAvailable(_))), "{refused:?}");
    }
}

#[test]
fn a_port_in_use_is_an_error_that_says_what_to_do() {
    let intake = intake();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound").port().to_string();
    let config = settings(&intake, "fixed").set("trace_agent_port", port.clone());
    let config = config.set("dogstatsd_port", "0").build().expect("a configuration");
    let error = Agent::start(&config).expect_err("the port is taken");
    let text = error.to_string();
    assert!(matches!(error, AgentError::StartupError(_)), "{text}");
    assert!(text.contains(&port) && text.contains("http_ephemeral_port"), "{text}");
}

#[test]
fn unix_sockets_have_names_and_rights_and_go_away() {
    let intake = intake();
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("t.sock");
    let config = settings(&intake, "http_uds")
        .set("trace_agent_uds_path", path.display().to_string())
        .set("trace_agent_uds_permissions", "660")
        .set("dogstatsd_port", "0");
    let agent = Agent::start(&config.build().expect("a configuration")).expect("an agent");
    assert_eq!(agent.endpoints().trace(), Some(TraceListener::Uds(path.clone())));
    let beside = directory.path().join("t-dsd.sock");
    for socket in [&path, &beside] {
        let found = std::fs::metadata(socket).expect("it is there");
        assert!(found.file_type().is_socket());
        assert_eq!(found.permissions().mode() & 0o777, 0o660);
    }
    let sender = UnixDatagram::unbound().expect("a socket");
    sender.send_to(b"native.unix:2|c", &beside).expect("sent");
    agent.stop(PATIENCE).expect("it stops");
    assert_eq!(intake.store().total_of("native.unix"), 2.0);
    assert!(!path.exists() && !beside.exists());
}

#[test]
fn dropping_an_agent_stops_it() {
    let intake = intake();
    let agent = Agent::start(&ephemeral(&intake)).expect("an agent");
    agent.submit_dogstatsd(b"native.dropped:1|c").expect("taken");
    drop(agent);
    assert_eq!(intake.store().total_of("native.dropped"), 1.0);
}

#[test]
fn two_agents_live_in_one_process() {
    let intake = intake();
    let first = Agent::start(&ephemeral(&intake)).expect("an agent");
    let second = Agent::start(&ephemeral(&intake)).expect("another one");
    assert_ne!(first.endpoints(), second.endpoints());
    first.submit_dogstatsd(b"native.two:1|c").expect("taken");
    drop(first);
    second.submit_dogstatsd(b"native.two:1|c").expect("taken");
    drop(second);
    assert_eq!(intake.store().total_of("native.two"), 2.0);
}

#[tokio::test]
async fn the_coordinator_of_the_reference() {
    let intake = intake();
    let mut coordinator = AgentCoordinator::new(ephemeral(&intake)).expect("a configuration");
    assert_eq!(coordinator.get_bound_port().await, None);
    coordinator.start().await.expect("it starts");
    assert!(coordinator.get_bound_port().await.is_some_and(|port| port > 0));
    assert!(coordinator.get_dogstatsd_port().is_some_and(|port| port > 0));
    assert!(coordinator.get_trace_agent_listener_info().is_some());
    let again = coordinator.start().await.expect_err("it was started");
    assert!(again.to_string().contains("already started"), "{again}");

    // A wait that is given up leaves nothing behind.
    let given_up = tokio::time::timeout(Duration::from_millis(20), coordinator.wait_for_shutdown());
    assert!(given_up.await.is_err());
    let handle = coordinator.handle();
    assert!(!handle.is_shutdown_requested());
    let asked = tokio::task::spawn_blocking(move || handle.shutdown());
    assert_eq!(coordinator.wait_for_shutdown().await, ShutdownReason::GracefulShutdown);
    asked.await.expect("it asked");
    coordinator.shutdown().await.expect("it stops");
    coordinator.shutdown().await.expect("it has stopped");
}

#[tokio::test]
async fn a_stop_may_race_with_a_start() {
    let intake = intake();
    for _ in 0..10 {
        let mut coordinator = AgentCoordinator::new(ephemeral(&intake)).expect("a configuration");
        let handle = coordinator.handle();
        let (started, ()) = tokio::join!(coordinator.start(), async { handle.shutdown() });
        started.expect("it starts");
        assert_eq!(coordinator.wait_for_shutdown().await, ShutdownReason::GracefulShutdown);
    }
    let mut idle = AgentCoordinator::new(ephemeral(&intake)).expect("a configuration");
    idle.shutdown().await.expect("there is nothing to stop");
}
