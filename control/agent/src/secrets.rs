//! Asking for secrets again: from time to time, and when the intake refuses a key. spec: config
//! §8.4, §9.
//!
//! A thread of its own, because the program that knows the secrets may take half a minute.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread::Builder;
use std::time::{Duration, Instant};

use config::{Config, keys};

use crate::source::Shared;

/// Time between two looks at what the intake said about the keys.
const LOOK: Duration = Duration::from_secs(1);

/// When secrets are asked for.
#[derive(Clone, Copy, Debug)]
struct Schedule {
    every: Option<Duration>,
    next: Option<Instant>,
    /// Least time between two that a refused key causes.
    after_refusal: Option<Duration>,
    not_before: Instant,
}

/// The thread ends when this is dropped.
#[derive(Debug)]
pub(crate) struct SecretWatch {
    _alive: Sender<()>,
}

impl SecretWatch {
    /// Starts the thread, if the configuration wants secrets to be asked for again.
    pub(crate) fn start(config: &Config, shared: &Arc<Shared>) -> std::io::Result<Option<Self>> {
        let Some(mut schedule) = Schedule::new(config, Instant::now()) else { return Ok(None) };
        let (alive, is_alive) = channel();
        let shared = Arc::downgrade(shared);
        let body = move || watch(&mut schedule, &shared, &is_alive);
        Builder::new().name("corelane/secrets".into()).spawn(body)?;
        Ok(Some(Self { _alive: alive }))
    }
}

fn watch(schedule: &mut Schedule, shared: &Weak<Shared>, is_alive: &Receiver<()>) {
    while is_alive.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
        let Some(shared) = shared.upgrade() else { return };
        let is_refused = schedule.after_refusal.is_some() && shared.is_key_refused();
        if !schedule.is_due(Instant::now(), is_refused) {
            continue;
        }
        match shared.refresh_secrets() {
            Ok(0) => log::debug!("secrets are unchanged"),
            Ok(changed) => log::info!("secrets read again: {changed} settings changed"),
            Err(error) => log::warn!("secrets stay as they were: {error}"),
        }
    }
}

impl Schedule {
    /// `None` if nothing is ever due.
    fn new(config: &Config, now: Instant) -> Option<Self> {
        let some = |duration: Duration| (!duration.is_zero()).then_some(duration);
        let minutes = config.count(keys::SECRET_REFRESH_ON_API_KEY_FAILURE) as u64;
        let every = some(config.secs(keys::SECRET_REFRESH_INTERVAL));
        let after_refusal = some(Duration::from_secs(minutes * 60));
        if every.is_none() && after_refusal.is_none() {
            return None;
        }
        let is_scattered = config.bool(keys::SECRET_REFRESH_SCATTER);
        let first = every.map(|every| if is_scattered { random_part(every) } else { every });
        Some(Self { every, next: first.map(|wait| now + wait), after_refusal, not_before: now })
    }

    /// Whether to ask now.
    fn is_due(&mut self, now: Instant, is_refused: bool) -> bool {
        let is_regular = self.next.is_some_and(|next| next <= now);
        if is_regular {
            self.next = self.every.map(|every| now + every);
        }
        let interval = self.after_refusal.filter(|_| is_refused && self.not_before <= now);
        if let Some(interval) = interval {
            self.not_before = now + interval;
        }
        is_regular || interval.is_some()
    }
}

/// A random time up to `most`, by the second.
fn random_part(most: Duration) -> Duration {
    let random = RandomState::new().hash_one(std::process::id());
    Duration::from_secs(random % most.as_secs().max(1) + 1)
}

#[cfg(test)]
mod tests {
    use config::{FileSource, Sources};

    use super::*;

    fn schedule(text: &str, now: Instant) -> Option<Schedule> {
        let file = FileSource::Text { name: "f".into(), bytes: text.into() };
        Schedule::new(&config::load(&Sources { file, ..Sources::default() }).unwrap(), now)
    }

    #[test]
    fn refusals_cause_one_per_interval() {
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        assert!(schedule("{}", start).is_none());
        let mut due = schedule("secret_refresh_on_api_key_failure_interval: 2", start).unwrap();
        assert!(!due.is_due(at(1), false));
        assert!(due.is_due(at(1), true));
        assert!(!due.is_due(at(120), true));
        assert!(due.is_due(at(121), true));
    }

    #[test]
    fn the_first_regular_one_is_scattered_on_request() {
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        let text = "secret_refresh_interval: 60\nsecret_refresh_scatter: false\n";
        let mut due = schedule(text, start).unwrap();
        assert!(!due.is_due(at(59), true));
        assert!(due.is_due(at(60), false) && !due.is_due(at(119), false));
        assert!(due.is_due(at(120), false));
        assert!(schedule("secret_refresh_interval: 60", start).unwrap().is_due(at(60), false));
    }
}
