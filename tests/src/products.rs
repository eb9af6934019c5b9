//! Programs that use what tracers do besides traces, until they are told to end.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};
use std::time::Duration;

use crate::{Bed, Client, wait_for};

/// Time for what a program still has to send at its end, on a machine that may be busy.
const END_TIME_MAX: Duration = Duration::from_secs(120);

/// A running program. Killed when dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    input: Option<ChildStdin>,
    out: PathBuf,
    log: PathBuf,
}

impl Program {
    /// Starts a program in an environment of these variables.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    pub fn start(client: Client, bed: &Bed, environment: &[(&str, &str)]) -> Self {
        let (out, log) = (bed.path("program.out"), bed.path("program.log"));
        let mut command = client.command();
        command.envs(environment.iter().copied()).current_dir(bed.directory());
        command.stdin(Stdio::piped());
        command.stdout(File::create(&out).expect("a writable directory"));
        command.stderr(File::create(&log).expect("a writable directory"));
        let mut child = command.spawn().expect("a program that starts");
        let input = child.stdin.take();
        Self { child, input, out, log }
    }

    /// Whether it is still there.
    ///
    /// # Panics
    /// When the system does not say.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("our own child").is_none()
    }

    /// Ends its input, waits for its end, and returns what it said.
    ///
    /// # Panics
    /// When it does not end, or fails.
    #[must_use]
    pub fn finish(mut self) -> String {
        drop(self.input.take());
        let status = wait_for(END_TIME_MAX, || self.child.try_wait().expect("our own child"));
        let log = self.log();
        assert!(status.is_some_and(|status| status.success()), "it ended with {status:?}:\n{log}");
        std::fs::read_to_string(&self.out).unwrap_or_default()
    }

    /// What it logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail only when it has ended by itself.
        let _is_killed = self.child.kill().is_ok();
        let _is_reaped = self.child.wait().is_ok();
    }
}
