//! A running agent, seen from outside.

use std::fs::{self, File};
use std::net::UdpSocket;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use load::Transport;
use tempfile::TempDir;

use crate::Bench;
use crate::counters::Counters;
use crate::procfs::{self, ThreadTimes};
use crate::scenario::Scenario;
use crate::sink::Sink;

/// The process, its directory and its intake. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Agent {
    child: Child,
    binary: PathBuf,
    environment: Vec<(String, String)>,
    directory: TempDir,
    port: u16,
    start_to_bound: Duration,
    // Answers until the agent is gone.
    sink: Sink,
}

impl Agent {
    /// Starts the agent with one lane and waits until all its sockets are bound.
    pub(crate) fn start(bench: &Bench, scenario: &Scenario) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let sink = Sink::start()?;
        let port = free_udp_port()?;
        let mut environment = environment(bench, directory.path(), &sink.url(), port);
        environment.extend(scenario.environment.clone());
        let config = directory.path().join("datadog.yaml");
        fs::write(&config, "# Settings come from the environment.\n")?;
        let log = File::create(directory.path().join("agent.log"))?;
        let started = Instant::now();
        let child = command(&bench.binary, &environment)
            .arg("run")
            .arg("-c")
            .arg(&config)
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", bench.binary.display()))?;
        let mut agent = Self {
            child,
            binary: bench.binary.clone(),
            environment,
            directory,
            port,
            start_to_bound: Duration::ZERO,
            sink,
        };
        agent.wait_bound(started)?;
        Ok(agent)
    }

    /// From the start of the process until its last socket was bound.
    pub(crate) const fn start_to_bound(&self) -> Duration {
        self.start_to_bound
    }

    /// Where a load of this kind goes.
    pub(crate) fn destination(&self, transport: Transport) -> String {
        match transport {
            Transport::Udp => format!("127.0.0.1:{}", self.port),
            Transport::UdsDatagram => self.path(DATAGRAM_FILE),
            Transport::UdsStream => self.path(STREAM_FILE),
        }
    }

    /// Where a load of spans goes.
    pub(crate) fn trace_destination(&self) -> String {
        self.path(TRACE_FILE)
    }

    /// Processor times of its threads.
    pub(crate) fn times(&self) -> Result<ThreadTimes> {
        ThreadTimes::read(self.child.id()).with_context(|| self.last_words())
    }

    /// Resident memory.
    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        procfs::resident_bytes(self.child.id()).with_context(|| self.last_words())
    }

    /// Requests that the sink accepted.
    pub(crate) fn requests(&self) -> u64 {
        self.sink.accepted()
    }

    /// Counters, asked for with `corelane status --json`.
    pub(crate) fn counters(&self) -> Result<Counters> {
        let output = command(&self.binary, &self.environment)
            .args(["status", "--json", "-c"])
            .arg(self.directory.path().join("datadog.yaml"))
            .output()?;
        let document = serde_json::from_slice(&output.stdout).with_context(|| {
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            format!("`corelane status --json` printed no JSON: {errors}\n{}", self.last_words())
        })?;
        Ok(Counters::new(document))
    }

    fn wait_bound(&mut self, started: Instant) -> Result<()> {
        loop {
            if self.start_to_bound.is_zero() && self.is_bound() {
                self.start_to_bound = started.elapsed();
            }
            // The local API, from which counters are read, comes after the sockets.
            let is_answering = UnixStream::connect(self.path(API_FILE)).is_ok();
            if is_answering && !self.start_to_bound.is_zero() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the agent ended at start with {status}: {}", self.last_words());
            }
            if started.elapsed() > START_MAX {
                bail!("the agent bound no sockets in 10 s: {}", self.last_words());
            }
            thread::sleep(POLL_EVERY);
        }
    }

    fn is_bound(&self) -> bool {
        let is_datagram_bound = UnixDatagram::unbound()
            .and_then(|socket| socket.connect(self.path(DATAGRAM_FILE)))
            .is_ok();
        is_datagram_bound
            && UnixStream::connect(self.path(STREAM_FILE)).is_ok()
            && procfs::is_udp_bound(self.port)
    }

    fn path(&self, file: &str) -> String {
        self.directory.path().join(file).display().to_string()
    }

    /// The end of its log, for error messages.
    fn last_words(&self) -> String {
        let log = fs::read_to_string(self.directory.path().join("agent.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // Both fail only when the process has ended by itself.
        let _is_killed = self.child.kill().is_ok();
        let _is_reaped = self.child.wait().is_ok();
    }
}

/// A command that sees nothing of our own environment but the search path.
fn command(binary: &Path, environment: &[(String, String)]) -> Command {
    let mut command = Command::new(binary);
    command.env_clear().stdin(Stdio::null()).envs(environment.iter().cloned());
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

fn environment(bench: &Bench, directory: &Path, url: &str, port: u16) -> Vec<(String, String)> {
    let path = |file: &str| directory.join(file).display().to_string();
    [
        ("DD_API_KEY", "00000000000000000000000000000000".to_owned()),
        ("DD_DD_URL", url.to_owned()),
        ("DD_HOSTNAME", "bench".to_owned()),
        ("DD_REMOTE_CONFIGURATION_ENABLED", "false".to_owned()),
        ("DD_LOG_LEVEL", "warn".to_owned()),
        ("DD_DISABLE_FILE_LOGGING", "true".to_owned()),
        ("DD_RUN_PATH", directory.display().to_string()),
        ("DD_DOGSTATSD_PORT", port.to_string()),
        ("DD_DOGSTATSD_SOCKET", path(DATAGRAM_FILE)),
        ("DD_DOGSTATSD_STREAM_SOCKET", path(STREAM_FILE)),
        ("DD_APM_RECEIVER_PORT", "0".to_owned()),
        ("DD_APM_RECEIVER_SOCKET", path(TRACE_FILE)),
        ("DD_CORELANE_API_SOCKET", path("api.sock")),
        ("DD_CORELANE_LANES", "1".to_owned()),
        ("DD_APM_DEBUG_PORT", "0".to_owned()),
        ("DD_CORELANE_CPUS", bench.receiver_cpu.to_string()),
        ("DD_CORELANE_DRIVER", bench.driver.clone()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// A port that nobody has bound now. The agent opens none for port 0, so it must be told one.
fn free_udp_port() -> Result<u16> {
    Ok(UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port())
}

const API_FILE: &str = "api.sock";
const DATAGRAM_FILE: &str = "dsd.sock";
const TRACE_FILE: &str = "apm.sock";
const STREAM_FILE: &str = "dsd-stream.sock";
const START_MAX: Duration = Duration::from_secs(10);
/// Short against the bound of 50 ms.
const POLL_EVERY: Duration = Duration::from_micros(200);
const LOG_LINES_SHOWN: usize = 20;
