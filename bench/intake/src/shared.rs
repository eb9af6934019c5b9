//! What the handle and the serving thread share.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::acceptance::Rules;
use crate::behaviour::Script;
use crate::flares::Flares;
use crate::remote::Backend;
use crate::tls::make_acceptor;
use crate::{Action, Behaviour, Exchange, Route, Store};

/// Time for the serving thread to open or close the port.
const GATE_TIME_MAX: Duration = Duration::from_secs(10);

/// Called for every request.
pub type OnRequest = Box<dyn Fn(&Exchange) + Send + Sync>;

/// Whether connections are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    Open,
    Refusing,
    Stopped,
}

/// A state of the gate that was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) gate: Gate,
    /// Grows with every change, so that nobody takes an earlier state for the one asked for.
    pub(crate) version: u64,
}

/// What became of the latest state that the serving thread has reached.
#[derive(Debug)]
struct Applied {
    version: u64,
    outcome: Result<(), String>,
}

/// State of one intake.
pub(crate) struct Shared {
    pub(crate) store: Arc<Store>,
    pub(crate) rules: Rules,
    pub(crate) on_request: Option<OnRequest>,
    pub(crate) remote: Backend,
    pub(crate) flares: Flares,
    script: Mutex<Script>,
    keys: Mutex<Vec<String>>,
    date_offset_secs: AtomicI64,
    last_request_id: AtomicU64,
    failed_handshakes: AtomicU64,
    wanted: watch::Sender<Wanted>,
    applied: Mutex<Applied>,
    is_applied: Condvar,
    tunnel_tls: OnceLock<Option<TlsAcceptor>>,
}

impl Shared {
    pub(crate) fn new(
        store: Arc<Store>,
        rules: Rules,
        keys: Vec<String>,
        on_request: Option<OnRequest>,
    ) -> Self {
        Self {
            store,
            rules,
            on_request,
            remote: Backend::default(),
            flares: Flares::default(),
            script: Mutex::default(),
            keys: Mutex::new(keys),
            date_offset_secs: AtomicI64::new(0),
            last_request_id: AtomicU64::new(0),
            failed_handshakes: AtomicU64::new(0),
            wanted: watch::Sender::new(Wanted { gate: Gate::Open, version: 1 }),
            applied: Mutex::new(Applied { version: 0, outcome: Ok(()) }),
            is_applied: Condvar::new(),
            tunnel_tls: OnceLock::new(),
        }
    }

    /// TLS inside tunnels to ourselves, with one certificate for all hosts; none when it cannot be
    /// made.
    pub(crate) fn tunnel_tls(&self) -> Option<TlsAcceptor> {
        self.tunnel_tls.get_or_init(|| make_acceptor().ok().map(|(tls, _)| tls)).clone()
    }

    pub(crate) fn next_request_id(&self) -> u64 {
        self.last_request_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn count_failed_handshake(&self) {
        self.failed_handshakes.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn failed_handshakes(&self) -> u64 {
        self.failed_handshakes.load(Ordering::Relaxed)
    }

    pub(crate) fn set_script(&self, lines: Vec<Behaviour>) {
        lock(&self.script).replace(lines);
    }

    pub(crate) fn next_action(&self, route: Route) -> Action {
        lock(&self.script).next(route)
    }

    pub(crate) fn set_keys(&self, keys: Vec<String>) {
        *lock(&self.keys) = keys;
    }

    /// Whether a key is accepted; without a list every key is that is not empty.
    pub(crate) fn is_key_valid(&self, key: &str) -> bool {
        let keys = lock(&self.keys);
        !key.is_empty() && (keys.is_empty() || keys.iter().any(|known| known == key))
    }

    pub(crate) fn set_date_offset_secs(&self, offset_secs: i64) {
        self.date_offset_secs.store(offset_secs, Ordering::Relaxed);
    }

    pub(crate) fn date_offset_secs(&self) -> i64 {
        self.date_offset_secs.load(Ordering::Relaxed)
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Wanted> {
        self.wanted.subscribe()
    }

    /// Asks the serving thread for a state of the gate, without waiting for it. Returns the version
    /// to wait for.
    pub(crate) fn request_gate(&self, gate: Gate) -> u64 {
        self.wanted.send_if_modified(|wanted| {
            let is_new = wanted.gate != Gate::Stopped && wanted.gate != gate;
            if is_new {
                *wanted = Wanted { gate, version: wanted.version + 1 };
            }
            is_new
        });
        self.wanted.borrow().version
    }

    /// Asks for a state of the gate and waits until it is reached.
    pub(crate) fn move_gate(&self, gate: Gate) -> Result<(), String> {
        let version = self.request_gate(gate);
        let end = Instant::now() + GATE_TIME_MAX;
        let mut applied = lock(&self.applied);
        while applied.version < version {
            let Some(left) = end.checked_duration_since(Instant::now()) else {
                return Err("the intake does not answer".to_owned());
            };
            let waited = self.is_applied.wait_timeout(applied, left);
            applied = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        applied.outcome.clone()
    }

    /// Says what became of a state that was asked for.
    pub(crate) fn publish(&self, version: u64, outcome: Result<(), String>) {
        *lock(&self.applied) = Applied { version, outcome };
        self.is_applied.notify_all();
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("rules", &self.rules).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
