//! The sender of the Live Debugger, from C, with AddressSanitizer and without, against a server.

use std::fs;
use std::process::Command;

use crate::library::build_c;

#[path = "../../control/debugger/tests/sender/server.rs"]
#[expect(dead_code, reason = "the tests of the crate itself use the rest")]
mod server;

use server::{Answer, Received, Server};

/// Runs the program and checks what arrived.
fn run(flags: &[&str]) {
    let program = build_c("debugger", flags);
    let scratch = tempfile::tempdir().expect("a directory");
    let file = scratch.path().join("out");
    let server = Server::start(Answer::With(202, "{}"));
    let output = Command::new(&program).arg(server.url()).arg(&file).output().expect("a program");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{errors}", output.status);
    assert_eq!(errors, "", "the library prints nothing");
    let requests = server.received(6);
    assert_eq!(requests.len(), 6, "{requests:#?}");
    let bodies = |path: &str| {
        let of_path = requests.iter().filter(|request| request.target.starts_with(path));
        let mut bodies: Vec<String> = of_path.map(Received::text).collect();
        bodies.sort();
        bodies
    };
    let snapshot = r#"[{"debugger":{"snapshot":{"captures":{}}},"extra":1}]"#;
    assert_eq!(
        bodies("/debugger/v2/input?ddtags=debugger_version:1.0,env:bed,version:2,runtime_id:rid,"),
        [r#"["parent"]"#, snapshot, r#"[{"l":1}]"#, r#"[{"s":1}]"#]
    );
    let diagnostics = bodies("/debugger/v1/diagnostics?");
    assert!(diagnostics.len() == 1 && diagnostics[0].contains(r#"[{"d":1}]"#), "{diagnostics:?}");
    assert_eq!(bodies("/symdb/v1/input"), ["symbols"]);
    let is_tagged = |request: &&Received| request.target.ends_with(",team:a%20b");
    assert_eq!(requests.iter().filter(is_tagged).count(), 5, "{requests:#?}");
    assert_eq!(fs::read_to_string(file).expect("a file"), "[1]\n");
}

#[test]
fn a_program_in_c_sends_everything() {
    run(&["-O1"]);
}

#[test]
fn no_memory_is_lost_or_used_wrongly() {
    run(&["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
}
