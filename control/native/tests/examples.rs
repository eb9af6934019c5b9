//! The examples run against the intake until they are interrupted.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use intake::Intake;

const PATIENCE: Duration = Duration::from_secs(60);

/// An example, brought up to date.
fn example(name: &str) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let package = ["build", "--quiet", "--package", "datadog-agent-native", "--example"];
    let built = Command::new(cargo).args(package).arg(name).status();
    assert!(built.is_ok_and(|status| status.success()), "the example can be built");
    let test = std::env::current_exe().expect("the path of this test");
    let profile = test.ancestors().nth(2).expect("target/debug/deps/this");
    profile.join("examples").join(name)
}

/// Whether the process handles SIGINT.
fn handles_interrupts(child: &Child) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
    let status = status.unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:\t"));
    let caught = caught.and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or(0);
    caught & (1 << (libc::SIGINT - 1)) != 0
}

fn run(name: &str) {
    let intake = Intake::start(intake::Options::default()).expect("an intake");
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    let port = port.expect("a port").port();
    let mut child = Command::new(example(name))
        .env_clear()
        .env("DD_API_KEY", "0123456789abcdef0123456789abcdef")
        .env("DD_DD_URL", intake.url())
        .env("DD_APM_DD_URL", intake.url())
        .env("DD_HOSTNAME", "example-host")
        .env("DD_TRACE_AGENT_PORT", port.to_string())
        .stdout(Stdio::null())
        .spawn()
        .expect("it runs");
    let end = Instant::now() + PATIENCE;
    while !handles_interrupts(&child) {
        assert!(Instant::now() < end, "it waits for signals");
        assert_eq!(child.try_wait().expect("it is there"), None, "it runs");
        std::thread::sleep(Duration::from_millis(5));
    }
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status();
    assert!(sent.is_ok_and(|status| status.success()), "`kill` is there");
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn basic() {
    run("basic");
}

#[test]
fn environment() {
    run("environment");
}
