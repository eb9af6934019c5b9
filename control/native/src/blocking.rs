//! The agent for programs without an async runtime, and for the C ABI.

use std::fmt;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Builder, JoinHandle};
use std::time::{Duration, Instant};

use agent::{Options, OtlpSignal, Product, SnapshotHandle, Submissions, SubmitError, TraceFormat};
use status::Snapshot;

use crate::config::Config;
use crate::fork::Birth;
use crate::shutdown::Shutdown;
use crate::signals::Watch;
use crate::{AgentError, Endpoints, ShutdownReason, VERSION};

/// An agent that runs in this process. It may be shared between threads.
///
/// Dropped without a stop, it stops, as [`Agent::stop`] does.
pub struct Agent {
    birth: Birth,
    state: Mutex<State>,
    submissions: Arc<Submissions>,
    counters: SnapshotHandle,
    endpoints: Endpoints,
    shutdown: Shutdown,
}

enum State {
    Running(Box<agent::Agent>),
    Stopping(Receiver<Snapshot>, JoinHandle<()>),
    Stopped(Box<Snapshot>),
}

/// Time between two looks while something is waited for.
const LOOK: Duration = Duration::from_millis(25);
/// What a stop may take beyond what its parts are allowed, in [`Agent::drop`].
const DROP_TIMEOUT: Duration = Duration::from_secs(30);

const FORKED: AgentError = AgentError::NotAvailable(
    "this agent belongs to the parent of this process: start another one here, after the fork",
);
const NO_TRACES: AgentError = AgentError::NotAvailable(if Product::Traces.is_built() {
    "traces are off: see `apm_config.enabled`"
} else {
    "this library was built without traces: it needs the cargo feature `traces`"
});
const NO_LOGS: AgentError = AgentError::NotAvailable(if Product::Logs.is_built() {
    "logs are off: see `logs_enabled`"
} else {
    "this library was built without logs: it needs the cargo feature `logs`"
});
const STOPPED: AgentError = AgentError::NotAvailable("the agent has stopped");

impl Agent {
    /// Starts an agent; when this returns, its sockets are bound.
    ///
    /// # Errors
    /// [`AgentError::ConfigError`] for what the configuration says or lacks,
    /// [`AgentError::StartupError`] for a port or path that cannot be had.
    pub fn start(config: &Config) -> Result<Self, AgentError> {
        Self::start_with(config, Shutdown::new())
    }

    /// The same with a request to end that others hold already.
    pub(crate) fn start_with(config: &Config, shutdown: Shutdown) -> Result<Self, AgentError> {
        let birth = Birth::now();
        let prepared = config.prepare()?;
        let reload = prepared.reload();
        let options = Options {
            version: VERSION.to_owned(),
            reload: Arc::new(move || reload().map_err(|error| error.to_string())),
            applied: |_| {},
            recent_log: String::new,
        };
        let agent = agent::Agent::start_guest(prepared.config, options)?;
        let counters = agent.snapshot_handle();
        Ok(Self {
            birth,
            submissions: agent.submissions(),
            endpoints: Endpoints::of(&counters.snapshot().listeners),
            counters,
            state: Mutex::new(State::Running(Box::new(agent))),
            shutdown,
        })
    }

    /// What it listens on.
    #[must_use]
    pub const fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Hands over DogStatsD text of one or more lines without a socket: all of it or nothing. It is
    /// copied, and part of every flush that is asked for afterwards.
    ///
    /// # Errors
    /// [`AgentError::Submission`] when there is no room or a line is longer than 64 KiB; lines that
    /// cannot be parsed are counted by reason, as those of sockets are.
    pub fn submit_dogstatsd(&self, text: &[u8]) -> Result<(), AgentError> {
        self.check_here()?;
        self.submissions.submit_dogstatsd(text).map_err(refusal)
    }

    /// Hands over a payload of traces without a socket: all of it or nothing. It is copied, and
    /// part of every flush that is asked for afterwards.
    ///
    /// # Errors
    /// [`AgentError::Submission`] when there is no room, or the payload is too long or cannot be of
    /// that format; [`AgentError::NotAvailable`] when traces are off. What the pipeline finds wrong
    /// is counted as for requests.
    pub fn submit_traces(&self, format: TraceFormat, payload: &[u8]) -> Result<(), AgentError> {
        self.check_here()?;
        if !self.submissions.takes_traces() {
            return Err(NO_TRACES);
        }
        self.submissions.submit_traces(format, payload).map_err(refusal)
    }

    /// Hands over logs without a socket: a JSON list of entries, or one entry. Each has a `message`
    /// and a `timestamp` in milliseconds, and `hostname`, `service`, `ddsource`, `ddtags` and
    /// `status` where they are known; further keys stay with it. The list is copied, and part of
    /// every flush that is asked for afterwards.
    ///
    /// # Errors
    /// [`AgentError::Submission`] when there is no room, or the list is too long or no JSON of that
    /// kind by its first byte; [`AgentError::NotAvailable`] when logs are off (`logs_enabled`).
    /// A list that turns out to be broken is counted.
    pub fn submit_logs(&self, json: &[u8]) -> Result<(), AgentError> {
        self.check_here()?;
        if !self.submissions.takes_logs() {
            return Err(NO_LOGS);
        }
        self.submissions.submit_logs(json).map_err(refusal)
    }

    /// Hands over an OTLP export request in protobuf without a socket. It is copied, and part of
    /// every flush that is asked for afterwards.
    ///
    /// # Errors
    /// [`AgentError::Submission`] when there is no room, or the request is too long or cannot be
    /// one; [`AgentError::NotAvailable`] when that signal is off. What is found wrong later is
    /// counted.
    pub fn submit_otlp(&self, signal: OtlpSignal, request: &[u8]) -> Result<(), AgentError> {
        self.check_here()?;
        if !self.submissions.takes_otlp(signal) {
            return Err(no_otlp(signal));
        }
        self.submissions.submit_otlp(signal, request).map_err(refusal)
    }

    /// Flushes everything, the open bucket included, and waits until the intakes have it: before a
    /// function is frozen, for instance.
    ///
    /// # Errors
    /// [`AgentError::Flush`] when not everything had left after `timeout`; it is still under way.
    pub fn flush(&self, timeout: Duration) -> Result<(), AgentError> {
        self.check_here()?;
        // The lock is not held while the flush is waited for.
        let flush = match &*self.state() {
            State::Running(agent) => agent.flush_handle(),
            State::Stopping(..) | State::Stopped(_) => return Err(STOPPED),
        };
        match flush.flush(timeout) {
            Err(agent::FlushError::Stopped) => Err(STOPPED),
            outcome => Ok(outcome?),
        }
    }

    /// All counters and the state of everything, as `corelane status --json` shows them; the last
    /// ones after a stop.
    ///
    /// # Errors
    /// [`AgentError::NotAvailable`] in a child of `fork`.
    pub fn snapshot(&self) -> Result<Snapshot, AgentError> {
        self.check_here()?;
        match &*self.state() {
            State::Stopped(last) => Ok((**last).clone()),
            State::Running(_) | State::Stopping(..) => Ok(self.counters.snapshot()),
        }
    }

    /// Asks whoever waits for the end to go on. May be called from a signal handler.
    pub fn request_shutdown(&self) {
        self.shutdown.request(ShutdownReason::GracefulShutdown);
    }

    /// Whether the end was asked for.
    #[must_use]
    pub fn is_shutdown_requested(&self) -> bool {
        self.shutdown.reason().is_some()
    }

    /// Waits until the end is asked for, by [`Agent::request_shutdown`], SIGINT or SIGTERM, or the
    /// agent cannot go on. It does not stop.
    ///
    /// While this waits the two signals do nothing else; afterwards they do what they did before.
    ///
    /// # Errors
    /// [`AgentError::NotAvailable`] in a child of `fork`, [`AgentError::IoError`] when signals
    /// cannot be handled.
    pub fn wait_for_shutdown(&self) -> Result<ShutdownReason, AgentError> {
        self.check_here()?;
        let watch = Watch::new()?;
        loop {
            if let Some(reason) = self.reason().or_else(|| watch.reason()) {
                return Ok(reason);
            }
            thread::sleep(LOOK);
        }
    }

    /// The same without signals, for at most `timeout`; none when nothing happened.
    ///
    /// # Errors
    /// [`AgentError::NotAvailable`] in a child of `fork`.
    pub fn wait(&self, timeout: Duration) -> Result<Option<ShutdownReason>, AgentError> {
        self.check_here()?;
        let started = Instant::now();
        loop {
            let left = timeout.saturating_sub(started.elapsed());
            let reason = self.reason();
            if reason.is_some() || left.is_zero() {
                return Ok(reason);
            }
            thread::sleep(left.min(LOOK));
        }
    }

    /// Why there is nothing more to wait for.
    fn reason(&self) -> Option<ShutdownReason> {
        if let Some(reason) = self.shutdown.reason() {
            return Some(reason);
        }
        match &*self.state() {
            State::Running(agent) if agent.has_failed() => Some(ShutdownReason::FatalError),
            State::Running(_) => None,
            State::Stopping(..) | State::Stopped(_) => Some(ShutdownReason::GracefulShutdown),
        }
    }

    /// Stops: takes what was sent so far, flushes, delivers within the budgets of the
    /// configuration, joins all threads. Once it has stopped, another stop is fine.
    ///
    /// # Errors
    /// [`AgentError::ShutdownError`] when that takes longer than `timeout`; it goes on, and another
    /// call waits for it.
    pub fn stop(&self, timeout: Duration) -> Result<(), AgentError> {
        self.check_here()?;
        self.shutdown.request(ShutdownReason::GracefulShutdown);
        let mut state = self.state();
        if let State::Running(_) = &*state {
            begin_stop(&mut state)?;
        }
        let State::Stopping(stopped, _) = &*state else { return Ok(()) };
        match stopped.recv_timeout(timeout) {
            Ok(last) => end_stop(&mut state, last),
            Err(RecvTimeoutError::Timeout) => {
                let ms = timeout.as_millis();
                Err(AgentError::ShutdownError(format!("not done within {ms} ms; it goes on")))
            }
            Err(RecvTimeoutError::Disconnected) => {
                let last = self.counters.snapshot();
                end_stop(&mut state, last)?;
                Err(AgentError::ShutdownError("the agent panicked while it stopped".to_owned()))
            }
        }
    }

    /// Whether it has stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        !self.birth.is_before_fork() && matches!(&*self.state(), State::Stopped(_))
    }

    /// Whether it belongs to the parent of this process.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.birth.is_before_fork()
    }

    fn check_here(&self) -> Result<(), AgentError> {
        if self.birth.is_before_fork() { Err(FORKED) } else { Ok(()) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

/// Lets the agent stop on a thread of its own, so that a stop can be waited for more than once.
fn begin_stop(state: &mut State) -> Result<(), AgentError> {
    let (done, stopped) = sync_channel(1);
    let (hand_over, taken) = sync_channel::<Box<agent::Agent>>(1);
    let stop = move || {
        if let Ok(agent) = taken.recv() {
            // Nobody waits any more after a drop.
            drop(done.send(agent.stop()));
        }
    };
    let thread = Builder::new().name("corelane/stop".to_owned()).spawn(stop)?;
    if let State::Running(agent) = std::mem::replace(state, State::Stopping(stopped, thread)) {
        drop(hand_over.send(agent));
    }
    Ok(())
}

fn end_stop(state: &mut State, last: Snapshot) -> Result<(), AgentError> {
    let ended = std::mem::replace(state, State::Stopped(Box::new(last)));
    if let State::Stopping(_, thread) = ended
        && thread.join().is_err()
    {
        return Err(AgentError::IoError(io::Error::other("the thread of the stop panicked")));
    }
    Ok(())
}

const fn no_otlp(signal: OtlpSignal) -> AgentError {
    AgentError::NotAvailable(if !Product::Otlp.is_built() {
        "this library was built without OTLP: it needs the cargo feature `otlp`"
    } else {
        match signal {
            OtlpSignal::Traces => {
                "OTLP traces are off: see `otlp_config.traces.enabled` and `apm_config.enabled`"
            }
            OtlpSignal::Metrics => "OTLP metrics are off: see `otlp_config.metrics.enabled`",
            OtlpSignal::Logs => {
                "OTLP logs are off: see `otlp_config.logs.enabled` and `logs_enabled`"
            }
        }
    })
}

fn refusal(error: SubmitError) -> AgentError {
    match error {
        SubmitError::Stopped => STOPPED,
        SubmitError::Full | SubmitError::TooLong | SubmitError::Malformed => error.into(),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Agent {
    fn drop(&mut self) {
        if self.birth.is_before_fork() {
            // Its threads are not here: there is nothing to stop, and nothing may be waited for.
            let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
            let foreign = std::mem::replace(state, State::Stopped(Box::default()));
            Box::leak(Box::new(foreign));
        } else if let Err(error) = self.stop(DROP_TIMEOUT) {
            log::warn!("an agent was dropped: {error}");
        }
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}
