//! The C ABI, from C.

#![expect(clippy::float_cmp, reason = "sums of small whole numbers are exact")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::sync::OnceLock;

use bed::PortLease;
use intake::Intake;
use rustix::process::{Pid, Signal, kill_process};

use crate::library::{build_c, build_c_with, directory, metrics_alone, program};

/// Most bytes of a library of metrics alone, without symbols: 5 MiB.
const METRICS_LIBRARY_BYTES_MAX: u64 = 5 << 20;

/// The program of many lives, built with the sanitizers for addresses and undefined behaviour.
fn life() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        build_c("life", &["-fsanitize=address,undefined", "-fno-sanitize-recover=all"])
    })
}

/// The same without sanitizers, which keep memory and slow it down.
fn plain_life() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| build_c("life", &["-O1"]))
}

fn intake() -> Intake {
    Intake::start(intake::Options::default()).expect("an intake")
}

/// Runs one life to its end. Nothing is printed but what the program prints itself.
fn live(program_path: &Path, words: &[&str], intake: &Intake) -> String {
    let output = program(program_path, intake).args(words).output().expect("the program runs");
    told(words, &output)
}

fn told(words: &[&str], output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {:?}\n{errors}", output.status);
    assert_eq!(errors, "", "{words:?} prints nothing to standard error");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn first_line(child: &mut Child, beginning: &str) -> String {
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let found = lines.by_ref().map_while(Result::ok).find(|line| line.starts_with(beginning));
    // Whoever prints more finds somebody who reads it.
    std::thread::spawn(move || lines.for_each(drop));
    assert!(found.is_some(), "the program prints {beginning:?}");
    found.unwrap_or_default()
}

#[test]
fn layouts_are_those_of_the_contract() {
    let program = build_c("layout", &[]);
    assert!(Command::new(program).status().is_ok_and(|status| status.success()));
}

#[test]
fn the_example_of_the_reference_runs_until_it_is_interrupted() {
    let (intake, port) = (intake(), PortLease::take_tcp());
    let mut child = program(&build_c("example", &[]), &intake)
        .env("TEST_TRACE_PORT", port.port().to_string())
        .spawn()
        .expect("the program runs");
    let line = first_line(&mut child, "Bound port:");
    assert_eq!(line, format!("Bound port: {}", port.port()));
    interrupt_until_gone(&mut child);
    assert!(child.wait().is_ok_and(|status| status.success()));
}

#[test]
fn a_library_of_metrics_alone_says_what_it_has_not() {
    let (intake, library) = (intake(), metrics_alone());
    live(&build_c_with(&library, "life", &["-O1"]), &["metrics"], &intake);
    assert_eq!(intake.store().total_of("ffi.alone.udp"), 1.0);
    assert_eq!(intake.store().total_of("ffi.alone.inside"), 2.0);
    assert_eq!(intake.store().violations(), []);

    let mut child =
        program(&build_c_with(&library, "example", &[]), &intake).spawn().expect("it runs");
    assert_eq!(first_line(&mut child, "Bound port:"), "Bound port: -1");
    interrupt_until_gone(&mut child);
    assert!(child.wait().is_ok_and(|status| status.success()));
}

/// ARCHITECTURE.md promises it; `cargo x test` builds this library as users do.
#[test]
fn a_library_of_metrics_alone_is_small() {
    let file = metrics_alone().join("libdatadog_agent_native.so");
    let bytes = std::fs::metadata(&file).expect("it is there").len();
    assert!(bytes < METRICS_LIBRARY_BYTES_MAX, "{} has {bytes} bytes", file.display());
}

#[test]
fn a_library_of_metrics_alone_speaks_tls_and_maps_names() {
    let options = intake::Options { is_tls: true, ..intake::Options::default() };
    let intake = Intake::start(options).expect("an intake");
    let directory = tempfile::tempdir().expect("a directory");
    let authorities = directory.path().join("ca.pem");
    let certificate = intake.certificate().expect("it was asked for");
    std::fs::write(&authorities, &certificate.pem).expect("room for a file");
    let profiles = serde_json::json!([{"name": "p", "prefix": "ffi.", "mappings": [{
        "match": r"ffi\.(\w+)\.(\p{Ll}[^\d]+)", "match_type": "regex",
        "name": "mapped.$1", "tags": {"way": "$2"},
    }]}]);
    let output = program(&build_c_with(&metrics_alone(), "life", &[]), &intake)
        .arg("metrics")
        .env("SSL_CERT_FILE", &authorities)
        .env("DD_DOGSTATSD_MAPPER_PROFILES", profiles.to_string())
        .output()
        .expect("the program runs");
    told(&["metrics"], &output);
    assert_eq!(intake.store().total_of("mapped.alone"), 3.0);
    let is_http1 = |request: &intake::Request| request.http_version == "HTTP/1.1";
    assert!(intake.store().requests().iter().all(is_http1));
    assert_eq!(intake.store().violations(), []);
}

/// A program that does not wait yet has the default action for a signal: it is given time to.
fn interrupt_until_gone(child: &mut Child) {
    let pid = Pid::from_child(child);
    let handled = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
        let status = status.unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:\t"));
        let caught = caught.and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or(0);
        caught & (1 << (Signal::INT.as_raw() - 1)) != 0
    };
    let is_ready = bed::wait_for(bed::WAIT_MAX, || handled().then_some(()));
    assert!(is_ready.is_some(), "the program waits for signals");
    kill_process(pid, Signal::INT).expect("it is there");
}

#[test]
fn what_is_sent_arrives_by_socket_and_without() {
    let intake = intake();
    let mut child = program(life(), &intake).arg("send").spawn().expect("the program runs");
    let mut stdin = child.stdin.take().expect("piped");
    first_line(&mut child, "flushed");
    // The flush has returned: nothing needs to be waited for.
    let store = intake.store();
    let total = |name| store.total_of(name);
    assert_eq!((total("ffi.udp"), total("ffi.inside"), total("ffi.wide")), (3.0, 4.0, 1.0));
    stdin.write_all(b"\n").expect("the program reads");
    let output = child.wait_with_output().expect("it ends");
    told(&["send"], &output);
    assert_eq!(total("ffi.last"), 6.0);
    assert_eq!(store.violations(), []);
}

#[test]
fn traces_arrive_without_a_socket() {
    let intake = intake();
    let mut child = program(life(), &intake).arg("traces").spawn().expect("the program runs");
    let mut stdin = child.stdin.take().expect("piped");
    first_line(&mut child, "flushed");
    assert_eq!(intake.store().spans_of("ffi").len(), 40);
    stdin.write_all(b"\n").expect("the program reads");
    told(&["traces"], &child.wait_with_output().expect("it ends"));
    assert_eq!(intake.store().spans_of("ffi").len(), 41);
    assert_eq!(intake.store().violations(), []);
}

#[test]
fn logs_and_otlp_arrive_by_socket_and_without() {
    let intake = intake();
    let mut child = program(life(), &intake).arg("ingest").spawn().expect("the program runs");
    let mut stdin = child.stdin.take().expect("piped");
    first_line(&mut child, "flushed");
    let store = intake.store();
    let messages = || {
        let mut messages: Vec<_> =
            store.logs_of("ffi").into_iter().map(|log| log.message).collect();
        messages.sort_unstable();
        messages
    };
    assert_eq!(messages(), ["http", "inside"]);
    let total = |name| store.total_of(name);
    assert_eq!((total("ffi.otlp.http"), total("ffi.otlp.inside")), (2.0, 4.0));
    let spans = store.spans_of("ffi-otlp");
    assert!(spans.len() == 1 && &*spans[0].resource == "GET /", "{spans:?}");
    let logs = store.logs_of("ffi-otlp");
    assert!(logs.len() == 1 && logs[0].status == "error", "{logs:?}");
    assert!(logs[0].message.contains(r#""message":"inside""#), "{logs:?}");
    stdin.write_all(b"\n").expect("the program reads");
    told(&["ingest"], &child.wait_with_output().expect("it ends"));
    assert_eq!(messages(), ["http", "inside", "last"]);
    assert_eq!(store.violations(), []);
}

#[test]
fn unix_sockets_have_names_and_rights_and_go_away() {
    let intake = intake();
    live(life(), &["sockets"], &intake);
    assert_eq!(intake.store().total_of("ffi.unix"), 2.0);
}

#[test]
fn modes_and_ports_are_those_of_the_contract() {
    live(life(), &["modes"], &intake());
}

#[test]
fn misuse_is_an_error() {
    live(life(), &["misuse"], &intake());
}

#[test]
fn a_thousand_lives_leave_nothing_behind() {
    let intake = intake();
    let told = live(plain_life(), &["cycles", "1000"], &intake);
    let numbers: Vec<i64> = told.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [threads, files, kib] = numbers[..] else { panic!("{told:?}") };
    assert!(threads <= 0 && files <= 0, "{told}");
    assert!(kib < 1024, "{told}");
    assert_eq!(intake.store().total_of("ffi.cycles"), 1000.0);
}

#[test]
fn a_forked_child_has_no_agent_and_starts_its_own() {
    let intake = intake();
    live(plain_life(), &["fork"], &intake);
    assert_eq!(intake.store().total_of("ffi.parent"), 20.0);
    assert_eq!(intake.store().total_of("ffi.child"), 4.0);
}

#[test]
fn a_host_without_io_uring_has_epoll() {
    let intake = intake();
    live(plain_life(), &["seccomp"], &intake);
    assert_eq!(intake.store().total_of("ffi.seccomp"), 1.0);
}

#[test]
fn two_agents_and_many_threads_share_a_process() {
    let intake = intake();
    live(life(), &["two"], &intake);
    assert_eq!(intake.store().total_of("ffi.threads"), 4000.0);
    assert_eq!(intake.store().total_of("ffi.second"), 1.0);
}

#[test]
fn signals_are_the_hosts() {
    live(life(), &["signals"], &intake());
}

#[test]
fn a_host_may_end_in_the_middle_of_a_flush() {
    let intake = intake();
    intake.set_behaviour(intake::Behaviour::always(intake::Action::Hang));
    for is_killed in [false, true] {
        let child = program(plain_life(), &intake).arg("killed").spawn();
        let mut child = child.expect("the program runs");
        first_line(&mut child, "flushing");
        if is_killed {
            child.kill().expect("it is there, or has been");
        }
        let status = child.wait().expect("it ends");
        assert!(is_killed || status.success(), "{status}");
    }
}

#[test]
fn messages_go_to_the_host_alone() {
    live(life(), &["log"], &intake());
}

#[test]
fn a_start_is_quick() {
    // What the library promises is 20 ms when it is optimised; this is a development build.
    let us: u64 = live(plain_life(), &["quick"], &intake()).trim().parse().expect("a number");
    assert!(us < 200_000, "{us} us");
}

#[test]
fn programs_ask_for_the_number_of_the_interface() {
    let program = build_c("layout", &[]);
    let output = Command::new("readelf").arg("-d").arg(program).output();
    let listed = output.expect("binutils come with the compiler").stdout;
    let listed = String::from_utf8_lossy(&listed);
    assert!(listed.contains("[libdatadog_agent_native.so.0]"), "{listed}");
}

#[test]
fn nothing_is_visible_but_the_interface() {
    let library = directory().join("libdatadog_agent_native.so");
    let output = Command::new("nm").args(["-D", "--defined-only"]).arg(library).output();
    let output = output.expect("binutils come with the compiler");
    let listed = String::from_utf8_lossy(&output.stdout);
    let names: Vec<&str> = listed.lines().filter_map(|line| line.split(' ').next_back()).collect();
    assert!(names.contains(&"datadog_agent_start") && names.contains(&"corelane_agent_submit"));
    let is_api = |name: &&str| {
        ["datadog_", "corelane_", "ddog_"].iter().any(|beginning| name.starts_with(beginning))
    };
    let others: Vec<&&str> = names.iter().filter(|name| !is_api(name)).collect();
    assert!(others.is_empty(), "{others:?}");
}
