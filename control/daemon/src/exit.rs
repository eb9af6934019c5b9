//! How a command ends.

use std::fmt;
use std::process::ExitCode;

/// Exit status. Documented in `--help`; scripts depend on the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// The command did what it was asked for.
    Success = 0,
    /// It failed, or what it looked at is not in order.
    Failed = 1,
    /// The arguments or the configuration cannot be used.
    Usage = 2,
    /// No agent answers.
    NoAgent = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error that ends a command, with the status to end with.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
}

impl Failure {
    /// The arguments or the configuration cannot be used.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Usage, error: error.into() }
    }

    /// The command failed, in one sentence.
    pub(crate) fn told(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Failed, error: anyhow::anyhow!("{message}") }
    }

    /// The error and its causes on one line. Many messages name their cause already.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for cause in self.error.chain().map(ToString::to_string) {
            if text.is_empty() {
                text = cause;
            } else if !text.contains(&cause) {
                text.push_str(": ");
                text.push_str(&cause);
            }
        }
        text
    }

    /// Whether the reader of our output went away, which is no failure to report.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        self.error.chain().any(|cause| {
            let error = cause.downcast_ref::<std::io::Error>();
            error.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
        })
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { exit: Exit::Failed, error: error.into() }
    }
}

/// What commands return.
pub(crate) type Outcome = Result<Exit, Failure>;

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let told = anyhow::anyhow!("denied").context("opening: denied").context("cannot start");
        assert_eq!(Failure::from(told).text(), "cannot start: opening: denied");
    }

    #[test]
    fn a_closed_pipe_is_found_below_its_context() {
        let error = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        let failure = Failure::from(Err::<(), _>(error).context("printing").expect_err("fails"));
        assert!(failure.is_closed_pipe());
        assert!(!Failure::told("broken").is_closed_pipe());
    }
}
