//! Flares asked for from afar: one at a time, a few waiting, each answered.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use config::{Config, keys};
use flare::{Asker, Case, Collected};
use status::FlareStatus;
use tokio::sync::watch;

use crate::coordinator::unix_secs;
use crate::source::Shared;

/// Time for one flare, from its turn to the answer of the intake. spec: remote-config §7.2
const TIME_MAX: Duration = Duration::from_secs(300);
/// Of that, time for making it.
const MAKING_TIME_MAX: Duration = Duration::from_secs(180);

/// A flare that is wanted.
pub(crate) struct Job {
    /// The case it belongs to.
    pub(crate) case_id: String,
    /// Address of whoever waits for it.
    pub(crate) user_handle: String,
    /// The task that asks for it.
    pub(crate) task_uuid: String,
    /// Told what became of it, once, from the desk's thread or from whoever asks.
    pub(crate) done: Box<dyn FnOnce(Result<(), String>) + Send>,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("case_id", &self.case_id).finish_non_exhaustive()
    }
}

/// Takes flares that are wanted, and makes them on a thread that is there while there are any.
#[derive(Debug)]
pub(crate) struct FlareDesk {
    state: Mutex<State>,
    /// Whether the agent is stopping.
    stop: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    status: FlareStatus,
    waiting: VecDeque<Job>,
    thread: Option<JoinHandle<()>>,
    /// Whether the thread looks for more work before it ends.
    is_working: bool,
}

impl Default for FlareDesk {
    fn default() -> Self {
        Self { state: Mutex::default(), stop: watch::Sender::new(false) }
    }
}

/// Why a flare was not sent, with the name of its counter.
struct Failure {
    name: &'static str,
    text: String,
}

impl Failure {
    fn new(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, text: text.into() }
    }

    fn stopping() -> Self {
        Self::new("stopped", "the agent is stopping")
    }
}

impl FlareDesk {
    /// Takes a wish, or refuses it at once.
    pub(crate) fn submit(self: &Arc<Self>, shared: &Arc<Shared>, job: Job) {
        let config = shared.config();
        let mut state = self.locked();
        state.status.asked += 1;
        let refusal = self.refusal(&state, &config);
        if let Some(failure) = refusal {
            drop(state);
            self.conclude(job, Err(failure));
            return;
        }
        state.waiting.push_back(job);
        state.status.waiting += 1;
        // After a panic nobody is working although it was said.
        let is_gone = state.thread.as_ref().is_none_or(JoinHandle::is_finished);
        if state.is_working && !is_gone {
            return;
        }
        let (desk, shared) = (Arc::clone(self), Arc::downgrade(shared));
        let thread = Builder::new().name("corelane/flare".to_owned());
        match thread.spawn(move || desk.work(&shared)) {
            Ok(thread) => {
                state.is_working = true;
                // The one before has seen that there is no more work, and ends.
                drop(state.thread.replace(thread));
            }
            Err(error) => {
                let job = state.waiting.pop_back();
                state.status.waiting -= 1;
                drop(state);
                if let Some(job) = job {
                    let failure = Failure::new("thread", format!("there is no thread: {error}"));
                    self.conclude(job, Err(failure));
                }
            }
        }
    }

    fn refusal(&self, state: &State, config: &Config) -> Option<Failure> {
        if *self.stop.borrow() {
            return Some(Failure::stopping());
        }
        if !config.bool(keys::FLARE_REMOTE_ENABLED) {
            let text = "`corelane.flare.remote_enabled` is false on this host";
            return Some(Failure::new("disabled", text));
        }
        let is_full = state.waiting.len() >= config.count(keys::FLARE_WAITING_MAX);
        is_full.then(|| Failure::new("full", "too many flares wait for this agent"))
    }

    /// Counters and the last failure.
    pub(crate) fn status(&self) -> FlareStatus {
        self.locked().status.clone()
    }

    /// Counts an archive that a command of this host asked for.
    pub(crate) fn made_locally(&self, collected: &Collected) {
        let mut state = self.locked();
        state.status.local += 1;
        note_made(&mut state.status, collected);
    }

    /// Ends the flare that is made, refuses those that wait, and joins the thread.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
        let thread = self.locked().thread.take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            log::error!("the thread of flares panicked");
        }
        loop {
            let job = self.locked().waiting.pop_front();
            let Some(job) = job else { break };
            self.ended(job, Err(Failure::stopping()));
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes and sends what waits.
    fn work(&self, shared: &Weak<Shared>) {
        loop {
            let job = {
                let mut state = self.locked();
                let job = if *self.stop.borrow() { None } else { state.waiting.pop_front() };
                state.is_working = job.is_some();
                job
            };
            let Some(job) = job else { return };
            let sent = match shared.upgrade() {
                Some(shared) => self.make_and_send(&shared, &job),
                None => Err(Failure::stopping()),
            };
            self.ended(job, sent);
        }
    }

    fn make_and_send(&self, shared: &Shared, job: &Job) -> Result<(), Failure> {
        let began = Instant::now();
        let config = shared.config();
        if config.api_key().is_empty() {
            return Err(Failure::new("key", "there is no API key"));
        }
        let is_over = || *self.stop.borrow();
        let collected = super::collect(shared, MAKING_TIME_MAX, is_over)
            .map_err(|error| Failure::new("making", error))?;
        note_made(&mut self.locked().status, &collected);
        let case = Case { id: Some(job.case_id.clone()), email: Some(job.user_handle.clone()) };
        let asker = Asker::RemoteConfig { task_uuid: job.task_uuid.clone() };
        let file_name = super::file_name(unix_secs());
        let mut upload = super::upload(&config, case, asker, file_name, collected.bytes);
        shared.host_name.as_ref().clone_into(&mut upload.hostname);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|error| Failure::new("thread", format!("no runtime: {error}")))?;
        let mut stop = self.stop.subscribe();
        let sent = runtime.block_on(async {
            let time_max = TIME_MAX.saturating_sub(began.elapsed());
            let sending = tokio::time::timeout(time_max, upload.send(super::outbound(&config)));
            tokio::select! {
                _ = stop.wait_for(|is_stopping| *is_stopping) => Err(Failure::stopping()),
                sent = sending => match sent {
                    Ok(Ok(receipt)) => Ok(receipt),
                    Ok(Err(error)) => Err(Failure::new(error.name(), error.to_string())),
                    Err(_) => Err(Failure::new("timeout", "the flare took longer than 5 minutes")),
                },
            }
        });
        runtime.shutdown_timeout(Duration::ZERO);
        let receipt = sent?;
        let case = if receipt.case_id.is_empty() { &job.case_id } else { &receipt.case_id };
        log::info!("a flare was sent to case {case}, {} bytes", upload.archive.len());
        Ok(())
    }

    /// What was waiting waits no more.
    fn ended(&self, job: Job, sent: Result<(), Failure>) {
        self.locked().status.waiting -= 1;
        self.conclude(job, sent);
    }

    fn conclude(&self, job: Job, sent: Result<(), Failure>) {
        let outcome = {
            let mut state = self.locked();
            match sent {
                Ok(()) => {
                    state.status.sent += 1;
                    Ok(())
                }
                Err(Failure { name, text }) => {
                    *state.status.failed.entry(name.to_owned()).or_default() += 1;
                    state.status.last_error.clone_from(&text);
                    Err(text)
                }
            }
        };
        if let Err(error) = &outcome {
            log::error!("the flare for case {} was not sent: {error}", job.case_id);
        }
        (job.done)(outcome);
    }
}

fn note_made(status: &mut FlareStatus, collected: &Collected) {
    status.last_unix_secs = unix_secs();
    status.last_bytes = collected.bytes.len() as u64;
}
