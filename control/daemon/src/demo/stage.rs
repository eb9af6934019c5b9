//! The agent and the intake of the demo, in a directory of their own.

use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use agent::{Agent, Options};
use anyhow::{Context as _, Result, bail};
use config::{SecretMode, Sources};
use intake::{Intake, Keep, Totals};
use status::{Snapshot, Source};
use tempfile::TempDir;

use crate::commands::version::VERSION;
use crate::signals::Signal;
use crate::stop;

/// The key that is accepted without asking. spec: metrics-intake §10.7.
const KEY: &str = "00000000000000000000000000000000";
/// Seconds of a bucket, and between flushes: a viewer should not wait for ten. A power of two, so
/// that a rate times its interval is exactly what was counted.
const BUCKET_SECS: &str = "2";

/// What is running.
pub(super) struct Stage {
    agent: Agent,
    source: Arc<dyn Source>,
    intake: Intake,
    port: u16,
    directory: TempDir,
}

/// What is known at the end.
pub(super) struct Last {
    pub(super) snapshot: Snapshot,
    pub(super) totals: Totals,
}

impl Stage {
    /// Starts the intake and then the agent, on free ports.
    pub(super) fn start() -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("corelane-demo-")
            .tempdir()
            .context("the demo needs a temporary directory; set TMPDIR to one it may write to")?;
        let options = intake::Options { keep: Keep::Totals, ..intake::Options::default() };
        let intake = Intake::start(options)?;
        let port = free_port()?;
        let flags = flags(directory.path(), port, &intake.url());
        let sources = Sources { flags, secrets: SecretMode::Keep, ..Sources::default() };
        let config = config::load(&sources)?;
        if let Some(found) = config.diagnostics().first() {
            bail!("the configuration of the demo is not accepted: {found}");
        }
        let unchanged = config.clone();
        let reload = Arc::new(move || Ok(unchanged.clone()));
        let agent = Agent::start(
            config,
            Options {
                version: VERSION.to_owned(),
                reload,
                applied: |_| {},
                recent_log: String::new,
            },
        )?;
        let source = agent.source();
        let silent = source.snapshot().listeners.into_iter().find(|listener| !listener.is_bound);
        if let Some(listener) = silent {
            bail!("{} {}: {}", listener.transport, listener.address, listener.error);
        }
        Ok(Self { agent, source, intake, port, directory })
    }

    /// Where the agent receives over UDP.
    pub(super) fn udp(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where the agent receives datagrams.
    pub(super) fn datagram_socket(&self) -> PathBuf {
        datagram_socket(self.directory.path())
    }

    /// Where the agent receives streams.
    pub(super) fn stream_socket(&self) -> PathBuf {
        stream_socket(self.directory.path())
    }

    /// Where the agent receives traces.
    pub(super) fn trace_socket(&self) -> PathBuf {
        trace_socket(self.directory.path())
    }

    /// The agent's counters.
    pub(super) fn snapshot(&self) -> Snapshot {
        self.source.snapshot()
    }

    /// Points and spans that the intake decoded so far.
    pub(super) fn decoded(&self) -> (u64, u64) {
        self.intake.store().read(|contents| (contents.totals.points, contents.totals.traces.spans))
    }

    /// What runs where.
    pub(super) fn describe(&self) -> String {
        let snapshot = self.snapshot();
        let (lanes, driver) = (snapshot.lanes.len(), snapshot.driver.name);
        format!(
            "  receive    UDP {}, Unix sockets in {}\n  lanes      {lanes}, driver {driver}, \
             buckets of {BUCKET_SECS} s (10 s outside of the demo)\n  deliver    {}\n",
            self.udp(),
            self.directory.path().display(),
            self.intake.url(),
        )
    }

    /// Stops the agent, which delivers what it holds, and then the intake. Nothing comes back if a
    /// signal said not to wait.
    pub(super) fn stop(self, signals: &Receiver<Signal>) -> Result<Option<Last>> {
        let Self { agent, source, intake, directory, .. } = self;
        drop(source);
        let Some(snapshot) = stop::stop(agent, signals)? else { return Ok(None) };
        let totals = intake.store().totals();
        intake.stop();
        directory.close().context("the temporary directory stays behind")?;
        Ok(Some(Last { snapshot, totals }))
    }
}

fn datagram_socket(directory: &Path) -> PathBuf {
    directory.join("dsd.socket")
}

fn stream_socket(directory: &Path) -> PathBuf {
    directory.join("dsd-stream.socket")
}

fn trace_socket(directory: &Path) -> PathBuf {
    directory.join("apm.socket")
}

fn flags(directory: &Path, port: u16, dd_url: &str) -> Vec<(String, String)> {
    let path = |path: PathBuf| path.display().to_string();
    let flags = [
        ("api_key", KEY.to_owned()),
        ("dd_url", dd_url.to_owned()),
        ("hostname", "corelane-demo".to_owned()),
        ("remote_configuration.enabled", "false".to_owned()),
        ("run_path", path(directory.to_owned())),
        ("dogstatsd_port", port.to_string()),
        ("dogstatsd_socket", path(datagram_socket(directory))),
        ("dogstatsd_stream_socket", path(stream_socket(directory))),
        ("apm_config.receiver_port", "0".to_owned()),
        ("apm_config.debug.port", "0".to_owned()),
        ("apm_config.receiver_socket", path(trace_socket(directory))),
        ("apm_config.trace_writer.flush_period_seconds", "1".to_owned()),
        ("corelane.bucket_secs", BUCKET_SECS.to_owned()),
        ("corelane.flush_interval_secs", BUCKET_SECS.to_owned()),
    ];
    flags.map(|(key, value)| (key.to_owned(), value)).to_vec()
}

/// A UDP port that is free now. Somebody else may take it before the agent does; the demo ends
/// with a message then.
fn free_port() -> Result<u16> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("no UDP port is free")?;
    Ok(socket.local_addr()?.port())
}
