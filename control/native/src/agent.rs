//! The agent for programs with an async runtime. spec: config §11.1

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::blocking::Agent;
use crate::config::Config;
use crate::shutdown::Shutdown;
pub use crate::{AgentError, Endpoints, ShutdownReason, TraceListener};
use crate::{background, signals::Watch};

/// Starts an agent, waits for its end and stops it.
#[derive(Debug)]
pub struct AgentCoordinator {
    config: Config,
    agent: Option<Arc<Agent>>,
    handle: AgentHandle,
}

/// Asks an agent to end, from anywhere.
#[derive(Clone, Debug)]
pub struct AgentHandle {
    shutdown: Shutdown,
}

/// What a stop may take.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// Time between two looks while the end is waited for.
const LOOK: Duration = Duration::from_millis(25);

impl AgentCoordinator {
    /// An agent that has not started. The configuration is checked.
    ///
    /// # Errors
    /// [`AgentError::ConfigError`].
    pub fn new(config: Config) -> Result<Self, AgentError> {
        config.check()?;
        Ok(Self { config, agent: None, handle: AgentHandle { shutdown: Shutdown::new() } })
    }

    /// Starts; when this is done, the sockets are bound.
    ///
    /// # Errors
    /// As [`Agent::start`]; [`AgentError::StartupError`] for a second start.
    pub async fn start(&mut self) -> Result<(), AgentError> {
        if self.agent.is_some() {
            return Err(AgentError::StartupError("the agent was already started".to_owned()));
        }
        let (config, shutdown) = (self.config.clone(), self.handle.shutdown.clone());
        let start = move |_: &AtomicBool| Agent::start_with(&config, shutdown);
        self.agent = Some(Arc::new(background::run("corelane/start", start).await??));
        Ok(())
    }

    /// Waits until the end is asked for: by a handle, SIGINT or SIGTERM; or until the agent cannot
    /// go on. It does not stop.
    pub async fn wait_for_shutdown(&self) -> ShutdownReason {
        let agent = self.agent.clone();
        let shutdown = self.handle.shutdown.clone();
        let wait = move |is_given_up: &AtomicBool| {
            let watch = Watch::new().ok();
            while !is_given_up.load(Ordering::Relaxed) {
                let asked = shutdown.reason().or_else(|| watch.as_ref()?.reason());
                let reason = asked.or_else(|| match &agent {
                    Some(agent) => agent.wait(Duration::ZERO).unwrap_or(None),
                    None => None,
                });
                if let Some(reason) = reason {
                    return reason;
                }
                std::thread::sleep(LOOK);
            }
            ShutdownReason::Timeout
        };
        background::run("corelane/wait", wait).await.unwrap_or(ShutdownReason::FatalError)
    }

    /// Stops: takes what was sent so far, flushes, delivers within the budgets of the
    /// configuration, joins all threads. Another one, or one without a start, is fine.
    ///
    /// # Errors
    /// [`AgentError::ShutdownError`] when that takes longer than 30 seconds.
    pub async fn shutdown(&mut self) -> Result<(), AgentError> {
        self.handle.shutdown();
        let Some(agent) = self.agent.clone() else { return Ok(()) };
        background::run("corelane/wait", move |_| agent.stop(STOP_TIMEOUT)).await?
    }

    /// What can be kept to ask for the end.
    #[must_use]
    pub fn handle(&self) -> AgentHandle {
        self.handle.clone()
    }

    /// The configuration it was made with.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// TCP port of traces, once started and if there is one.
    #[expect(clippy::unused_async, reason = "the signature is a contract")]
    pub async fn get_bound_port(&self) -> Option<u16> {
        self.endpoints()?.trace_tcp.map(|address| address.port())
    }

    /// UDP port of DogStatsD, once started and if there is one.
    #[must_use]
    pub fn get_dogstatsd_port(&self) -> Option<u16> {
        self.endpoints()?.dogstatsd_udp.map(|address| address.port())
    }

    /// The listener of traces, once started and if there is one.
    #[must_use]
    pub fn get_trace_agent_listener_info(&self) -> Option<TraceListener> {
        self.endpoints()?.trace()
    }

    /// Unix socket of traces, once started and if there is one.
    #[must_use]
    pub fn get_trace_agent_uds_path(&self) -> Option<PathBuf> {
        self.endpoints()?.trace_uds.clone()
    }

    /// Everything it listens on, once started.
    #[must_use]
    pub fn endpoints(&self) -> Option<&Endpoints> {
        Some(self.agent.as_ref()?.endpoints())
    }

    /// The running agent, for what is not part of its life cycle: handing data over without a
    /// socket, flushing, counters.
    #[must_use]
    pub const fn agent(&self) -> Option<&Arc<Agent>> {
        self.agent.as_ref()
    }
}

impl AgentHandle {
    /// Asks for the end: whoever waits for it goes on.
    pub fn shutdown(&self) {
        self.shutdown.request(ShutdownReason::GracefulShutdown);
    }

    /// Whether the end was asked for.
    #[must_use]
    pub fn is_shutdown_requested(&self) -> bool {
        self.shutdown.reason().is_some()
    }
}
