//! One agent process.

use std::fs::{self, File};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use status::client::{ClientError, Reply, request};
use status::{Snapshot, identities};

use crate::{Bed, Settings, Transport, WAIT_MAX, corelane, wait_for};

/// A running agent. Killed when dropped.
#[derive(Debug)]
pub struct Agent {
    child: Child,
    config: PathBuf,
    log: PathBuf,
    directory: PathBuf,
    port: u16,
}

/// An agent that ended, expected or not.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// Everything it wrote.
    pub log: String,
}

impl Agent {
    /// Starts an agent and waits until it lives.
    ///
    /// # Panics
    /// When it ends or does not answer in time; its log is in the message.
    #[must_use]
    pub fn start(bed: &Bed, settings: &Settings) -> Self {
        Self::start_with(bed, settings, |_| {})
    }

    /// The same with a command that is adjusted before it runs: environment, descriptors.
    ///
    /// # Panics
    /// When it ends or does not answer in time; its log is in the message.
    #[must_use]
    pub fn start_with(bed: &Bed, settings: &Settings, adjust: impl FnOnce(&mut Command)) -> Self {
        let config = bed.path("datadog.yaml");
        fs::write(&config, settings.text()).expect("a writable directory");
        let mut command = command(&config, &["run"]);
        adjust(&mut command);
        let mut agent = Self::spawn_command(bed, command);
        let is_up = wait_for(WAIT_MAX, || {
            let is_gone = agent.child.try_wait().expect("our own child").is_some();
            assert!(!is_gone, "the agent ended at start:\n{}", agent.log());
            agent
                .ask("GET", "/health/live", &[])
                .is_ok_and(|reply| reply.is_success())
                .then_some(())
        });
        assert!(is_up.is_some(), "the agent does not answer:\n{}", agent.log());
        agent
    }

    /// Starts an agent without waiting for anything.
    ///
    /// # Panics
    /// When the binary cannot be started.
    #[must_use]
    pub fn spawn(bed: &Bed, settings: &Settings) -> Self {
        let config = bed.path("datadog.yaml");
        fs::write(&config, settings.text()).expect("a writable directory");
        Self::spawn_command(bed, command(&config, &["run"]))
    }

    /// Starts an agent as another user with a configuration that is there already.
    ///
    /// # Panics
    /// When the binary cannot be started; only root may do this.
    #[must_use]
    pub fn spawn_as(bed: &Bed, binary: &Path, user: u32) -> Self {
        let mut command = Command::new(binary);
        command.arg("run").arg("-c").arg(bed.path("datadog.yaml"));
        command.stdin(Stdio::null()).env_clear().uid(user).gid(user);
        Self::spawn_command(bed, command)
    }

    /// Starts an agent with a configuration that is there already.
    ///
    /// # Panics
    /// When the binary cannot be started.
    #[must_use]
    pub fn spawn_as_is(bed: &Bed) -> Self {
        Self::spawn_command(bed, command(&bed.path("datadog.yaml"), &["run"]))
    }

    fn spawn_command(bed: &Bed, mut command: Command) -> Self {
        let log = bed.path("agent.log");
        let out = File::options().create(true).append(true).open(&log).expect("a log file");
        let child = command
            .stdout(out.try_clone().expect("a second descriptor"))
            .stderr(out)
            .spawn()
            .expect("a binary that starts");
        let (config, directory) = (bed.path("datadog.yaml"), bed.directory().to_owned());
        Self { child, config, log, directory, port: bed.port() }
    }

    /// Waits until the agent ends by itself.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn wait(mut self) -> Ended {
        let status = wait_for(WAIT_MAX, || self.child.try_wait().expect("our own child"));
        let log = self.log();
        assert!(status.is_some(), "the agent does not end:\n{log}");
        Ended { status: status.expect("asserted above"), log }
    }

    /// Stops it with SIGTERM and asserts status 0. Returns its log.
    ///
    /// # Panics
    /// When it ends otherwise, or not at all.
    pub fn stop(self) -> String {
        self.signal(Signal::TERM);
        let ended = self.wait();
        assert!(ended.status.success(), "SIGTERM ends it with {}:\n{}", ended.status, ended.log);
        ended.log
    }

    /// Kills it without warning.
    ///
    /// # Panics
    /// When it does not die.
    pub fn kill(self) {
        self.signal(Signal::KILL);
        let ended = self.wait();
        assert_eq!(ended.status.signal(), Some(Signal::KILL.as_raw()));
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When the process is gone.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a pid");
        kill_process(pid, signal).expect("a running process");
    }

    /// Writes another configuration for the next reload.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn configure(&self, settings: &Settings) {
        fs::write(&self.config, settings.text()).expect("a writable directory");
    }

    /// Where its listener of a kind is: `address:port` or a path.
    #[must_use]
    pub fn address(&self, transport: Transport) -> String {
        let path = |name: &str| self.directory.join(name).display().to_string();
        match transport {
            Transport::Udp => format!("127.0.0.1:{}", self.port),
            Transport::Uds => path("dsd.sock"),
            Transport::UdsStream => path("dsd-stream.sock"),
        }
    }

    /// One request to its API socket.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn ask(&self, method: &str, target: &str, body: &[u8]) -> Result<Reply, ClientError> {
        request(&self.api_socket(), method, target, body, WAIT_MAX)
    }

    /// Its counters now.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn status(&self) -> Snapshot {
        let reply = self.ask("GET", "/status", &[]).expect("an agent that answers");
        serde_json::from_slice(&reply.body).expect("a snapshot")
    }

    /// Waits until its counters are so.
    ///
    /// # Panics
    /// When that does not happen; `what` and the counters are in the message.
    pub fn wait_status(&self, what: &str, is_so: impl Fn(&Snapshot) -> bool) -> Snapshot {
        let found = wait_for(WAIT_MAX, || Some(self.status()).filter(&is_so));
        let Some(snapshot) = found else {
            let status = self.status();
            assert!(is_so(&status), "not so in time: {what}\n{status:#?}\n{}", self.log());
            return status;
        };
        snapshot
    }

    /// Waits until nothing new arrives and everything adds up.
    #[must_use]
    pub fn settled(&self) -> Snapshot {
        let mut last = self.status();
        let mut quiet_looks = 0;
        let _is_settled = wait_for(WAIT_MAX, || {
            let now = self.status();
            let is_quiet = received(&now) == received(&last);
            quiet_looks = if is_quiet { quiet_looks + 1 } else { 0 };
            last = now;
            let adds_up = identities(&last).iter().all(|identity| identity.holds);
            (quiet_looks >= QUIET_LOOKS && adds_up).then_some(())
        });
        last
    }

    /// Runs a command of the binary with the same configuration, to its end.
    ///
    /// # Panics
    /// When the binary cannot be started.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Output {
        command(&self.config, arguments).output().expect("a binary that starts")
    }

    /// The path of its API socket.
    #[must_use]
    pub fn api_socket(&self) -> PathBuf {
        self.directory.join("api.sock")
    }

    /// Everything it wrote so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // Both fail only when the process has ended by itself.
        let _is_killed = self.child.kill().is_ok();
        let _is_reaped = self.child.wait().is_ok();
    }
}

/// At least 100 ms, many times what a lane lets packets wait.
const QUIET_LOOKS: u32 = 20;

/// Counters that change when something arrives.
fn received(snapshot: &Snapshot) -> [Option<&u64>; 4] {
    ["messages", "udp_packets", "uds_packets", "stream_packets"]
        .map(|name| snapshot.totals.get(name))
}

/// A command that sees nothing of our environment but the search path.
fn command(config: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(corelane());
    command.args(arguments).arg("-c").arg(config).stdin(Stdio::null()).env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}
