//! The tests of each language.

use std::process::{Command, Output};

use bed::{Binding, assert_accepted};
use intake::{Contents, Intake, Options};

#[test]
fn python_delivers_and_cleans_up() {
    let contents = run(Binding::Python, |intake| {
        let mut command = Binding::Python.command();
        command.args(["-m", "unittest", "discover", "--verbose", "--start-directory"]);
        command.arg(Binding::Python.source().join("tests"));
        vec![with_intake(command, intake)]
    });
    let expected = [("udp", 3.0), ("process", 10.0), ("stop", 7.0), ("two", 3.0), ("exit", 5.0)];
    assert_metrics(&contents, "python", &expected);
    assert_metrics(&contents, "python", &[("child", 6.0), ("parent", 8.0), ("wrong", 0.0)]);
    assert_spans(&contents, "bindings-python");
    assert_logs_and_otlp(&contents, "python", &["http", "octets", "text"]);
}

/// Declarations are compiled as well: programs in TypeScript rely on them.
#[test]
fn node_delivers_and_cleans_up() {
    let contents = run(Binding::Node, |intake| {
        let mut command = Binding::Node.command();
        command.args(["--test", "test/delivery.test.js", "test/life.test.js"]);
        command.arg("test/live_debugger.test.js");
        let mut types = Binding::Node.command();
        types.current_dir(Binding::Node.package().with_file_name("package"));
        types.args(["node_modules/typescript/bin/tsc", "--noEmit", "--strict"]);
        types.args(["--types", "node", "test/types.ts"]);
        vec![with_intake(command, intake), types]
    });
    let expected = [("udp", 3.0), ("process", 10.0), ("stop", 8.0), ("exit", 5.0)];
    assert_metrics(&contents, "node", &expected);
    assert_spans(&contents, "bindings-node");
    assert_logs_and_otlp(&contents, "node", &["http", "octets", "text"]);
}

#[test]
fn go_delivers_and_cleans_up() {
    let contents = run(Binding::Go, |intake| {
        let mut command = Binding::Go.command();
        command.args(["test", "-count=1", "-v", "./..."]);
        vec![with_intake(command, intake)]
    });
    let expected = [("udp", 3.0), ("process", 10.0), ("stop", 7.0), ("forgotten", 2.0)];
    assert_metrics(&contents, "go", &expected);
    assert_spans(&contents, "bindings-go");
    assert_logs_and_otlp(&contents, "go", &["http", "process"]);
}

#[test]
fn csharp_delivers_and_cleans_up() {
    let contents = run(Binding::CSharp, |intake| {
        let mut command = Binding::CSharp.command();
        command.arg(Binding::CSharp.package().join("Tests.exe"));
        vec![with_intake(command, intake)]
    });
    let expected = [("udp", 3.0), ("process", 10.0), ("stop", 7.0), ("exit", 5.0)];
    assert_metrics(&contents, "csharp", &expected);
    assert_spans(&contents, "bindings-csharp");
    assert_logs_and_otlp(&contents, "csharp", &["http", "octets", "text"]);
}

/// Runs a language's tests to their end; returns what the intake received meanwhile.
fn run(binding: Binding, commands: impl Fn(&Intake) -> Vec<Command>) -> Contents {
    let intake = Intake::start(Options::default()).expect("an intake on a free port");
    for mut command in commands(&intake) {
        let output = command.output().expect("a language that is installed");
        assert!(output.status.success(), "{binding:?}: {}\n{}", output.status, text_of(&output));
    }
    let contents = intake.store().read(Clone::clone);
    assert_accepted(&contents);
    contents
}

fn with_intake(mut command: Command, intake: &Intake) -> Command {
    command.env("CORELANE_TEST_INTAKE", intake.url());
    command.env("DD_REMOTE_CONFIGURATION_ENABLED", "false");
    command
}

/// The logs of a language, with these messages, and what it handed over as OTLP, once.
fn assert_logs_and_otlp(contents: &Contents, language: &str, messages: &[&str]) {
    assert_metrics(contents, language, &[("otlp_http", 2.0), ("otlp", 4.0)]);
    let service = format!("bindings-{language}");
    let mut arrived: Vec<_> = contents.logs_of(&service).collect();
    arrived.sort_unstable_by_key(|log| &log.message);
    let arrived_messages: Vec<&str> = arrived.iter().map(|log| &*log.message).collect();
    assert_eq!(arrived_messages, messages);
    for log in arrived {
        assert_eq!((&*log.status, &*log.tags), ("warn", &["t:é".to_owned()][..]));
    }

    let service = format!("bindings-{language}-otlp");
    let spans: Vec<_> = contents.spans_of(&service).collect();
    assert!(spans.len() == 1 && &*spans[0].resource == "otlp", "{spans:?}");
    assert_eq!(spans[0].duration_ns, 1_000_000);
    let logs: Vec<_> = contents.logs_of(&service).collect();
    assert!(logs.len() == 1 && logs[0].source == "otlp_log_ingestion", "{logs:?}");
    assert!(logs[0].message.contains(r#""message":"otlp""#), "{logs:?}");
}

/// What the tests of a language handed over arrived, once.
fn assert_metrics(contents: &Contents, language: &str, expected: &[(&str, f64)]) {
    for (name, total) in expected {
        let name = format!("bindings.{language}.{name}");
        let arrived = contents.total_of(&name);
        assert!((arrived - total).abs() < 1e-9, "{name}: {arrived} instead of {total}");
    }
}

/// The spans that came over the socket and without one are whole.
fn assert_spans(contents: &Contents, service: &str) {
    let spans: Vec<_> = contents.spans_of(service).collect();
    let mut names: Vec<&str> = spans.iter().map(|span| &*span.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["process", "tcp"]);
    for span in spans {
        assert_eq!(&*span.resource, "GET /");
        assert_eq!(span.span_id, 9);
        assert_eq!(span.duration_ns, 1_000_000);
    }
}

fn text_of(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text)).join("\n")
}
