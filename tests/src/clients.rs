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

    fn command(self) -> Command {
        let source = workspace_root().join("tests").join("clients");
        let node = |script: &str| {
            let modules = installed("node").join("node_modules");
            let mut command = command(Path::new("node"), &modules);
            command.arg(source.join("node").join(script)).env("NODE_PATH", modules);
            command
        };
        match self {
            Self::Python => {
                let python = installed("python").join("bin").join("python");
                let mut command = command(&python, &python);
                command.arg(source.join("python").join("client.py"));
                command
            }
            Self::HotShots => node("hot-shots.js"),
            Self::DdTrace => node("dd-trace.js"),
            Self::Go => {
                let client = installed("go").join("client");
                command(&client, &client)
            }
        }
    }
}

fn installed(language: &str) -> PathBuf {
    let chosen = std::env::var_os(CLIENTS_VARIABLE).map(PathBuf::from);
    chosen.unwrap_or_else(|| target_dir().join("test-clients")).join(language)
}

/// A command without our environment; `needed` must be there.
fn command(program: &Path, needed: &Path) -> Command {
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
