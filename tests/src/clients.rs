//! Real clients in their own languages, told what to send.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::Plan;
use crate::binary::{target_dir, workspace_root};

/// Environment variable with the directory that `cargo x test` installs clients to.
const CLIENTS_VARIABLE: &str = "CORELANE_TEST_CLIENTS";

/// A client of another language. Sources are in `tests/clients`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// `datadog` for Python.
    Python,
    /// `hot-shots` for Node.js.
    HotShots,
    /// The DogStatsD client of `dd-trace` for Node.js.
    DdTrace,
    /// `datadog-go`.
    Go,
    /// The tracer `ddtrace` for Python.
    PythonTracer,
    /// The tracer `dd-trace` for Node.js.
    NodeTracer,
    /// The tracer `dd-trace-go`.
    GoTracer,
    /// The tracer `dd-java-agent`.
    JavaTracer,
    /// `ddtrace` for Python with everything but traces, for [`Program`](crate::Program).
    PythonProducts,
    /// `ddtrace` for Python with results of tests, for [`Program`](crate::Program).
    PythonCi,
    /// `dd-trace` for Node.js with everything but traces, for [`Program`](crate::Program).
    NodeProducts,
    /// The SDK of OpenTelemetry for Python, for [`Program`](crate::Program).
    PythonOtel,
    /// The SDK of OpenTelemetry for Node.js, for [`Program`](crate::Program).
    NodeOtel,
}

/// What a client says it did.
#[derive(Clone, Debug, Deserialize)]
pub struct ClientReport {
    /// Calls made.
    pub calls: usize,
    /// Tags it adds to everything.
    pub tags: Vec<String>,
}

impl Client {
    /// Runs the client to its end with a plan.
    ///
    /// # Panics
    /// When it is not installed, fails, or does not do the whole plan.
    #[must_use]
    pub fn run(self, plan: &Plan) -> ClientReport {
        let mut child = self
            .command()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a client that starts");
        let mut input = child.stdin.take().expect("a pipe");
        let plan_text = serde_json::to_vec(plan).expect("a plan is JSON");
        input.write_all(&plan_text).expect("a client that reads its plan");
        drop(input);
        let output = child.wait_with_output().expect("our own child");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{self:?} failed: {}\n{errors}", output.status);
        let report = serde_json::from_slice(&output.stdout);
        let report: ClientReport = report.expect("a report in JSON");
        assert_eq!(report.calls, plan.calls.len(), "{self:?} did not do the whole plan");
        report
    }

    /// The command that starts it; nothing is in its environment but what it needs.
    pub(crate) fn command(self) -> Command {
        let source = workspace_root().join("tests").join("clients");
        let python = |script: &str| {
            let python = installed("python").join("bin").join("python");
            let mut command = command(&python, &python);
            // Modules of the tree must not leave compiled files beside them.
            command.arg("-B").arg(source.join("python").join(script));
            command
        };
        let node = |script: &str| {
            let modules = installed("node").join("node_modules");
            let mut command = command(Path::new("node"), &modules);
            command.arg(source.join("node").join(script)).env("NODE_PATH", modules);
            command
        };
        let go = |module: &str| {
            let client = installed(module).join("client");
            command(&client, &client)
        };
        match self {
            Self::Python => python("client.py"),
            Self::PythonTracer => python("tracer.py"),
            Self::PythonProducts => python("products.py"),
            Self::PythonCi => {
                let (python, tests) = (installed("python").join("bin").join("python"), source);
                let tests = tests.join("python");
                let mut command = command(&python, &python);
                // Nothing is left in the tree; the last test reads standard input.
                command.args(["-B", "-m", "pytest", "-p", "no:cacheprovider", "-s", "--ddtrace"]);
                command.arg("--rootdir").arg(&tests).arg(tests.join("test_shop.py"));
                command
            }
            Self::HotShots => node("hot-shots.js"),
            Self::DdTrace => node("dd-trace.js"),
            Self::NodeTracer => {
                let mut command = node("tracer.js");
                // It says nothing of errors otherwise.
                command.env("DD_TRACE_DEBUG", "true").env("DD_TRACE_LOG_LEVEL", "warn");
                command
            }
            Self::NodeProducts => node("products.js"),
            Self::PythonOtel => python("otel.py"),
            Self::NodeOtel => node("otel.js"),
            Self::Go => go("go"),
            Self::GoTracer => go("go-tracer"),
            Self::JavaTracer => {
                let java = installed("java");
                let classes = std::env::join_paths([java.join("classes"), java.join("lib/*")]);
                let mut command = command(Path::new("java"), &java.join("classes"));
                let agent = java.join("agent").join("dd-java-agent.jar");
                command.arg(format!("-javaagent:{}", agent.display()));
                // Its log begins with its whole configuration otherwise.
                command.arg("-Ddatadog.slf4j.simpleLogger.defaultLogLevel=warn");
                command.arg("-classpath").arg(classes.expect("a path without colons"));
                command.arg("Tracing").env("DD_TRACE_OTEL_ENABLED", "true");
                command
            }
        }
    }
}

fn installed(language: &str) -> PathBuf {
    let chosen = std::env::var_os(CLIENTS_VARIABLE).map(PathBuf::from);
    chosen.unwrap_or_else(|| target_dir().join("test-clients")).join(language)
}

/// A command without our environment; `needed` must be there.
pub(crate) fn command(program: &Path, needed: &Path) -> Command {
    assert!(
        needed.exists(),
        "{} is missing: the clients of the tests are not installed, run `cargo x test`",
        needed.display()
    );
    let mut command = Command::new(program);
    command.env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}
