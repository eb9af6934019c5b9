//! The examples of the documentation, as they stand in the tree: only the environment says that the
//! intake is here and not at Datadog.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use bed::{Binding, WAIT_MAX, assert_accepted, wait_for};
use intake::{Intake, Options};
use rustix::process::{Pid, Signal, kill_process};

/// With SIGTERM: Python itself catches SIGINT long before the example waits for it.
#[test]
fn the_example_for_python_runs() {
    let mut command = Binding::Python.command();
    command.arg(Binding::Python.source().join("examples/basic.py"));
    run(command, "python", Some(Signal::TERM));
}

#[test]
fn the_example_for_node_runs() {
    let mut command = Binding::Node.command();
    command.arg("examples/basic.js");
    run(command, "node", Some(Signal::INT));
}

/// Built first: `go run` would not hand the signal on.
#[test]
fn the_example_for_go_runs() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let program = directory.path().join("basic");
    let mut build = Binding::Go.command();
    build.args(["build", "-o"]).arg(&program).arg("./examples/basic");
    let output = build.output().expect("go");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut command = Command::new(program);
    command.env_clear();
    run(command, "go", Some(Signal::INT));
}

/// By the end of its input: mono tells a program of Ctrl+C on a terminal alone.
#[test]
fn the_example_for_csharp_runs() {
    let mut command = Binding::CSharp.command();
    command.arg(Binding::CSharp.package().join("Basic.exe"));
    run(command, "csharp", None);
}

/// Runs an example until it waits, ends it as a person would, and looks for its metric and its log.
fn run(mut command: Command, language: &str, signal: Option<Signal>) {
    let intake = Intake::start(Options::default()).expect("an intake on a free port");
    let directory = tempfile::tempdir().expect("a temporary directory");
    command.env("DD_DD_URL", intake.url()).env("DD_HOSTNAME", "bed");
    command.env("DD_RUN_PATH", directory.path());
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("an example that starts");
    let output = child.stdout.take().expect("a pipe");
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    let port = lines.find_map(|line| Some(line.split_once("DogStatsD port: ")?.1.to_owned()));
    let port = port.and_then(|port| port.trim().parse::<u16>().ok());
    assert!(port.is_some(), "{language} says no port");
    if let Some(signal) = signal {
        let is_ready = wait_for(WAIT_MAX, || catches(child.id(), signal).then_some(()));
        assert!(is_ready.is_some(), "{language} does not wait for the signal");
        kill_process(Pid::from_child(&child), signal).expect("our own child");
    }
    drop(child.stdin.take());
    let status = wait_for(WAIT_MAX, || child.try_wait().expect("our own child"));
    assert!(status.is_some_and(|status| status.success()), "{language} ended: {status:?}");
    let contents = intake.store().read(Clone::clone);
    assert_accepted(&contents);
    let arrived = contents.total_of(&format!("example.{language}.starts"));
    assert!((arrived - 1.0).abs() < 1e-9, "the metric of {language} arrived {arrived} times");
    let logs = &contents.logs;
    assert!(logs.len() == 1 && logs[0].message == "started", "the log of {language}: {logs:?}");
    assert_eq!(logs[0].service, format!("my-{language}-app"));
}

/// Whether a process has a function of its own for a signal.
fn catches(process: u32, signal: Signal) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal.as_raw() - 1)) != 0)
}
