//! A directory, an intake, and the common end of every test.

use std::path::{Path, PathBuf};

use intake::{Contents, Intake, Options};
use serde_json::json;
use status::{Snapshot, identities};
use tempfile::TempDir;

use crate::{Agent, PortLease, Settings};

/// Host name of every agent under test.
pub const HOST: &str = "bed";

/// The Unix socket of traces, in the directory.
const TRACE_SOCKET: &str = "apm.sock";

/// The surroundings of an agent.
#[derive(Debug)]
pub struct Bed {
    directory: TempDir,
    /// Where payloads go.
    pub intake: Intake,
    port: PortLease,
    trace_port: PortLease,
}

impl Default for Bed {
    fn default() -> Self {
        Self::new()
    }
}

impl Bed {
    /// An empty directory and an intake that accepts everything.
    ///
    /// # Panics
    /// When the system has no directory or port left.
    #[must_use]
    pub fn new() -> Self {
        Self::with_intake(Options::default())
    }

    /// The same with an intake of these options.
    ///
    /// # Panics
    /// When the system has no directory or port left.
    #[must_use]
    pub fn with_intake(options: Options) -> Self {
        Self {
            directory: tempfile::tempdir().expect("a temporary directory"),
            intake: Intake::start(options).expect("an intake on a free port"),
            port: PortLease::take(),
            trace_port: PortLease::take_tcp(),
        }
    }

    /// A path in the directory.
    #[must_use]
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The UDP port of its agents.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port.port()
    }

    /// Where its agents take traces, as tracers are told: over TCP or the Unix socket.
    #[must_use]
    pub fn trace_url(&self, is_unix: bool) -> String {
        match is_unix {
            true => format!("unix://{}", self.path(TRACE_SOCKET).display()),
            false => format!("http://127.0.0.1:{}", self.trace_port.port()),
        }
    }

    /// Settings of an agent that listens on every transport and delivers here. Two lanes, so that
    /// every test merges; buckets of ten seconds as in production, which a stop flushes early.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings::default()
            .set("api_key", "0123456789abcdef0123456789abcdef")
            .set("dd_url", self.intake.url())
            .set("hostname", HOST)
            .set("run_path", json!(self.directory()))
            .set("dogstatsd_port", self.port())
            .set("dogstatsd_socket", json!(self.path("dsd.sock")))
            .set("dogstatsd_stream_socket", json!(self.path("dsd-stream.sock")))
            .set("apm_config.receiver_port", self.trace_port.port())
            .set("apm_config.receiver_socket", json!(self.path(TRACE_SOCKET)))
            // One port for all agents of this machine; tests of it name their own.
            .set("apm_config.debug.port", 0)
            .set("corelane.lanes", 2)
            .set("corelane.api_socket", json!(self.path("api.sock")))
            // With 1 s two flushes can fall into one second, and the agent's own gauges clash.
            .set("corelane.flush_interval_secs", 2)
            .set("corelane.receive_buffer_bytes", 4 << 20)
            // Tests of it switch it on, with a backend of their own.
            .set("remote_configuration.enabled", false)
            .set("forwarder_backoff_base", 1)
            .set("forwarder_backoff_max", 1)
    }

    /// Starts an agent.
    ///
    /// # Panics
    /// When it does not come up; its log is in the message.
    #[must_use]
    pub fn start(&self, settings: &Settings) -> Agent {
        Agent::start(self, settings)
    }

    /// Ends a test: waits until the agent has read everything, asserts the identities, stops it
    /// with SIGTERM, asserts status 0 and that the intake has nothing to object to.
    ///
    /// # Panics
    /// When any of this is not so.
    pub fn finish(&self, agent: Agent) -> Finished {
        let snapshot = agent.settled();
        assert_identities(&snapshot);
        let log = agent.stop();
        let contents = self.intake.store().read(Clone::clone);
        assert_accepted(&contents);
        Finished { snapshot, contents, log }
    }
}

/// What is left after a test.
#[derive(Debug)]
pub struct Finished {
    /// The agent right before its stop.
    pub snapshot: Snapshot,
    /// What the intake received.
    pub contents: Contents,
    /// What the agent wrote.
    pub log: String,
}

/// Asserts that every item is accounted for.
fn assert_identities(snapshot: &Snapshot) {
    let broken: Vec<_> = identities(snapshot).into_iter().filter(|one| !one.holds).collect();
    assert!(broken.is_empty(), "identities broken: {broken:#?}\n{snapshot:#?}");
}

/// Asserts that the intake has nothing to object to.
///
/// # Panics
/// When it has; the first objections are in the message.
pub fn assert_accepted(contents: &Contents) {
    let shown: Vec<_> = contents.violations.iter().take(10).collect();
    assert!(
        shown.is_empty(),
        "{} violations, first: {shown:#?}",
        contents.totals.violation_count()
    );
}
