//! What can go wrong.

use std::io;

use agent::{FlushError, StartError, SubmitError};

/// An error of the agent, by the step that failed. spec: config §11.1
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// The configuration cannot be used.
    #[error("configuration: {0}")]
    ConfigError(String),
    /// Something that the agent is made of could not be made.
    #[error("initialisation: {0}")]
    InitError(String),
    /// It could not start: a port in use, a path that cannot be bound, a second start.
    #[error("start: {0}")]
    StartupError(String),
    /// It could not stop in time; the stop goes on.
    #[error("stop: {0}")]
    ShutdownError(String),
    /// Remote configuration could not start.
    #[error("remote configuration: {0}")]
    RemoteConfigError(String),
    /// The system refused something.
    #[error("system: {0}")]
    IoError(#[from] io::Error),
    /// What was submitted was not taken.
    #[error(transparent)]
    Submission(#[from] SubmitError),
    /// Not everything had left by the deadline.
    #[error(transparent)]
    Flush(#[from] FlushError),
    /// There is no agent here: it has stopped, was not started, or belongs to the parent of this
    /// process.
    #[error("{0}")]
    NotAvailable(&'static str),
}

impl From<StartError> for AgentError {
    #[expect(clippy::wildcard_enum_match_arm, reason = "a list that others may extend")]
    fn from(error: StartError) -> Self {
        match error {
            StartError::System(error) => Self::IoError(error),
            StartError::OverBudget { .. } | StartError::Traces(_) => {
                Self::ConfigError(error.to_string())
            }
            error => Self::StartupError(error.to_string()),
        }
    }
}
