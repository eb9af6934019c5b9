//! Asking a running agent.

use std::path::PathBuf;
use std::time::Duration;

use config::keys;
use status::client::{self, Reply};

use crate::cli::AgentArgs;
use crate::exit::{Exit, Failure};
use crate::settings::ConfigArgs;

/// How long an answer may take; the agent itself gives up after 20 seconds.
pub(super) const ANSWER_TIME_MAX: Duration = Duration::from_secs(25);

/// A running agent, found by its socket.
#[derive(Debug)]
pub(super) struct Remote {
    socket: PathBuf,
    time_max: Duration,
}

impl Remote {
    /// The agent that the arguments or the configuration name.
    pub(super) fn find(config: &ConfigArgs, agent: &AgentArgs) -> Result<Self, Failure> {
        let time_max = ANSWER_TIME_MAX;
        if let Some(socket) = &agent.api_socket {
            return Ok(Self { socket: socket.clone(), time_max });
        }
        let config = config.look()?;
        match config.text(keys::API_SOCKET) {
            Some(socket) => Ok(Self { socket: socket.into(), time_max }),
            None => Err(Failure::usage(anyhow::anyhow!(
                "corelane.api_socket is empty, so the agent opens none; name one with --api-socket"
            ))),
        }
    }

    /// The same agent, with less patience.
    pub(super) fn within(self, time_max: Duration) -> Self {
        Self { time_max, ..self }
    }

    /// Asks and takes any answer.
    pub(super) fn ask(&self, method: &str, target: &str, body: &[u8]) -> Result<Reply, Failure> {
        client::request(&self.socket, method, target, body, self.time_max)
            .map_err(|error| Failure { exit: Exit::NoAgent, error: error.into() })
    }

    /// Asks and takes success only.
    pub(super) fn require(
        &self,
        method: &str,
        target: &str,
        body: &[u8],
    ) -> Result<Reply, Failure> {
        let reply = self.ask(method, target, body)?;
        if reply.is_success() { Ok(reply) } else { Err(Failure::told(reply.error())) }
    }
}
