//! The backend program: asked by JSON on its standard input, answers on its standard output.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use super::{SecretError, missing};
use crate::scrub;

/// Delivers what the program printed, once.
type Output = Receiver<Vec<u8>>;

/// How the program is run.
pub(crate) struct Command {
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) timeout: Duration,
    pub(crate) output_bytes_max: usize,
    pub(crate) may_group_execute: bool,
    pub(crate) trims_line_break: bool,
}

impl Command {
    pub(crate) fn fetch(
        &self,
        handles: &BTreeSet<&str>,
    ) -> Result<BTreeMap<String, String>, SecretError> {
        self.check_rights()?;
        let request = serde_json::json!({"version": "1.0", "secrets": handles});
        let answer = self.run(request.to_string().into_bytes())?;
        let answer: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&answer)
            .map_err(|error| {
                // The parser's own message could quote a secret.
                let (line, column) = (error.line(), error.column());
                SecretError::Form(format!(
                    "the program must print a JSON object (error at line {line} column {column})"
                ))
            })?;
        handles
            .iter()
            .map(|handle| Ok(((*handle).to_owned(), self.one(&answer, handle)?)))
            .collect()
    }

    fn one(
        &self,
        answer: &serde_json::Map<String, serde_json::Value>,
        handle: &str,
    ) -> Result<String, SecretError> {
        let item = answer.get(handle).ok_or_else(|| missing(handle, "the program left it out"))?;
        if let Some(error) = item.get("error").and_then(|error| error.as_str())
            && !error.is_empty()
        {
            return Err(missing(handle, error));
        }
        let value = item.get("value").and_then(|value| value.as_str());
        let value = value.ok_or_else(|| missing(handle, "the program gave no value for it"))?;
        let value =
            if self.trims_line_break { value.trim_end_matches(['\r', '\n']) } else { value };
        Ok(value.to_owned())
    }

    /// Nobody else may be able to change the program or, unless allowed, to run it.
    fn check_rights(&self) -> Result<(), SecretError> {
        let fail = |problem: String| SecretError::Rights { path: self.path.clone(), problem };
        // A bare name would be looked up in PATH, and another file run than the one checked here.
        if !self.path.is_absolute() {
            return Err(fail("must be a full path, from / on".to_owned()));
        }
        let metadata = std::fs::metadata(&self.path)
            .map_err(|source| SecretError::Run { path: self.path.clone(), source })?;
        let mode = metadata.permissions().mode() & 0o777;
        let (forbidden, wanted) =
            if self.may_group_execute { (0o027, 0o750) } else { (0o077, 0o700) };
        if !metadata.is_file() {
            return Err(fail("is not a file".to_owned()));
        }
        if mode & forbidden != 0 {
            return Err(fail(format!(
                "has rights {mode:03o}, which let others in; chmod {wanted:o} it"
            )));
        }
        if mode & 0o111 == 0 {
            return Err(fail(format!("is not executable; chmod {wanted:o} it")));
        }
        Ok(())
    }

    fn run(&self, request: Vec<u8>) -> Result<Vec<u8>, SecretError> {
        let failed = |source| SecretError::Run { path: self.path.clone(), source };
        let deadline = Instant::now() + self.timeout;
        let mut child = std::process::Command::new(&self.path)
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let outputs = self.talk(&mut child, request).map_err(failed);
        let finished = outputs.and_then(|(stdout, stderr)| {
            let stdout = self.receive(&stdout, deadline)?;
            let stderr = self.receive(&stderr, deadline)?;
            let status = self.wait(&mut child, deadline)?;
            Ok((stdout, stderr, status))
        });
        let (stdout, stderr, status) = finished.inspect_err(|_| {
            // Best effort: it may have ended by itself in the meantime.
            drop(child.kill());
            drop(child.wait());
        })?;
        if !status.success() {
            const SHOWN_CHARS: usize = 400;
            let stderr = scrub::text(&String::from_utf8_lossy(&stderr));
            let stderr = stderr.trim().chars().take(SHOWN_CHARS).collect();
            return Err(SecretError::Failed { status: status.to_string(), stderr });
        }
        Ok(stdout)
    }

    /// Threads that feed and read the program, so that full pipes cannot stop both sides. They end
    /// when the program closes its ends, which killing it does.
    fn talk(&self, child: &mut Child, request: Vec<u8>) -> std::io::Result<(Output, Output)> {
        let mut stdin = child.stdin.take().ok_or(std::io::ErrorKind::BrokenPipe)?;
        std::thread::Builder::new().name("secret-in".to_owned()).spawn(move || {
            // A program that does not read its input may still answer.
            drop(stdin.write_all(&request));
        })?;
        let stdout = child.stdout.take().ok_or(std::io::ErrorKind::BrokenPipe)?;
        let stderr = child.stderr.take().ok_or(std::io::ErrorKind::BrokenPipe)?;
        Ok((self.read(stdout)?, self.read(stderr)?))
    }

    fn read(&self, output: impl Read + Send + 'static) -> std::io::Result<Output> {
        let (sender, receiver) = sync_channel(1);
        let limit = u64::try_from(self.output_bytes_max).unwrap_or(u64::MAX).saturating_add(1);
        std::thread::Builder::new().name("secret-out".to_owned()).spawn(move || {
            let mut bytes = Vec::new();
            // An output that breaks off is judged by what came.
            drop(output.take(limit).read_to_end(&mut bytes));
            drop(sender.send(bytes));
        })?;
        Ok(receiver)
    }

    fn receive(&self, output: &Output, deadline: Instant) -> Result<Vec<u8>, SecretError> {
        let left = deadline.saturating_duration_since(Instant::now());
        match output.recv_timeout(left) {
            Ok(bytes) if bytes.len() > self.output_bytes_max => {
                Err(SecretError::TooLarge { bytes_max: self.output_bytes_max })
            }
            Ok(bytes) => Ok(bytes),
            Err(RecvTimeoutError::Timeout) => Err(self.timed_out()),
            Err(RecvTimeoutError::Disconnected) => Ok(Vec::new()),
        }
    }

    /// A program may close its outputs and live on.
    fn wait(&self, child: &mut Child, deadline: Instant) -> Result<ExitStatus, SecretError> {
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) if Instant::now() >= deadline => return Err(self.timed_out()),
                Ok(None) => std::thread::park_timeout(Duration::from_millis(5)),
                Err(source) => return Err(SecretError::Run { path: self.path.clone(), source }),
            }
        }
    }

    fn timed_out(&self) -> SecretError {
        SecretError::Timeout { secs: self.timeout.as_secs() }
    }
}
