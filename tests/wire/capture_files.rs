//! Traffic is captured by one agent and replayed to another.

use std::path::{Path, PathBuf};
use std::process::Command;

use bed::{Agent, Bed, Transport};
use signal::Counter;

use crate::deliver::{counted, send, tags_of};

/// Runs a command and returns what it printed.
pub(crate) fn command(agent: &Agent, arguments: &[&str]) -> String {
    let output = agent.command(arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}\n{}", agent.log());
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Replays a capture file without pauses.
pub(crate) fn replay(agent: &Agent, file: &Path) -> String {
    let api_socket = agent.api_socket().display().to_string();
    let file = file.display().to_string();
    let socket = agent.address(Transport::Uds);
    let arguments = ["--file", &file, "--socket", &socket, "--api-socket", &api_socket];
    let output = Command::new(bed::corelane())
        .args(["dogstatsd", "replay", "--speed", "0"])
        .args(arguments)
        .output()
        .expect("a binary that starts");
    assert!(output.status.success(), "{output:?}\n{}", agent.log());
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_capture_can_be_replayed() {
    let bed = Bed::new();
    let agent = bed.start(&bed.settings());
    let path = PathBuf::from(command(&agent, &["dogstatsd", "capture", "--duration", "1m"]));
    send(&agent, &["seen:3|c|#a:b\nseen:4|c|#a:b", "seen:5|c|#a:b"]);
    agent.wait_status("both are captured", |status| status.total(Counter::CapturedPackets) == 2);
    command(&agent, &["dogstatsd", "capture", "--stop"]);
    let first = bed.finish(agent);
    assert_eq!(counted(&first, "seen"), 12);

    let other = Bed::new();
    let agent = other.start(&other.settings());
    let replayed = replay(&agent, &path);
    assert!(replayed.starts_with("2 packets"), "{replayed}");
    agent.wait_status("both are read", |status| status.total(Counter::UdsPackets) == 2);
    let second = other.finish(agent);
    assert_eq!(counted(&second, "seen"), 12);
    assert_eq!(tags_of(&second, "seen"), ["a:b"]);
}
