//! What runs in the thread of a [`Sender`](super::Sender).

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use bytes::Bytes;
use tokio::runtime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{Counters, Item, SpawnError};
use crate::config::Config;
use crate::error::SendError;
use crate::payload_sender::PayloadSender;
use crate::send::{finish_with, send_bytes, send_symdb_bytes};
use crate::track::{DebuggerType, Track};

const THREAD_NAME: &str = "corelane-ld";

/// Payloads sent at a time; the others stay in the queue.
const IN_FLIGHT_MAX: usize = 32;

/// Threads for name lookups, certificates and files.
const BLOCKING_THREADS_MAX: usize = 4;

/// What the tasks share.
struct Shared {
    /// Replaced when an old agent turns out not to know a route.
    config: Mutex<Arc<Config>>,
    tags: String,
    counters: Arc<Counters>,
}

pub(super) fn start(
    config: Config,
    tags: String,
    items: mpsc::Receiver<Item>,
    counters: Arc<Counters>,
) -> Result<JoinHandle<()>, SpawnError> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .thread_name(THREAD_NAME)
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .build()
        .map_err(SpawnError::Runtime)?;
    let shared = Shared { config: Mutex::new(Arc::new(config)), tags, counters };
    let main = move || runtime.block_on(run(Arc::new(shared), items));
    Builder::new().name(THREAD_NAME.to_owned()).spawn(main).map_err(SpawnError::Thread)
}

/// Until the queue is closed and everything in it is done.
async fn run(shared: Arc<Shared>, mut items: mpsc::Receiver<Item>) {
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            item = items.recv(), if tasks.len() < IN_FLIGHT_MAX => {
                let Some(item) = item else { break };
                let shared = Arc::clone(&shared);
                tasks.spawn(async move { shared.send_counted(item).await });
            }
            Some(_ended) = tasks.join_next(), if !tasks.is_empty() => {}
        }
    }
    while tasks.join_next().await.is_some() {}
}

impl Shared {
    async fn send_counted(&self, item: Item) {
        let (what, result) = match item {
            Item::Debugger { kind, payload } => {
                let what = match kind {
                    DebuggerType::Diagnostics => "diagnostics of a probe were",
                    DebuggerType::Snapshots => "a snapshot was",
                    DebuggerType::Logs => "the line of a log probe was",
                };
                (what, self.send(kind, payload).await)
            }
            Item::SymDb { content_type, payload } => {
                let config = self.config();
                let sent = send_symdb_bytes(payload, &content_type, &config, &self.tags).await;
                ("a symbol database was", sent)
            }
        };
        let counter = match &result {
            Ok(()) => &self.counters.sent,
            Err(error) => {
                self.config().client().log_failure(what, error);
                &self.counters.failed
            }
        };
        let _before = counter.fetch_add(1, Ordering::Relaxed);
    }

    /// An agent that does not know the route gets the payload again where diagnostics go, and so
    /// does it everything that follows.
    async fn send(&self, kind: DebuggerType, payload: Bytes) -> Result<(), SendError> {
        let config = self.config();
        let sent = send_bytes(payload.clone(), &config, kind, &self.tags).await;
        let is_unknown = |error: &SendError| error.rejection().is_some_and(|why| why.status == 404);
        if !sent.as_ref().is_err_and(is_unknown) || !config.can_downgrade(kind) {
            return sent;
        }
        let config = self.downgrade();
        let Some(primary) = config.endpoints(Track::from(kind)).next().cloned() else {
            return sent;
        };
        log::info!("the agent has no /debugger/v2/input; its /debugger/v1/diagnostics is used");
        let again = PayloadSender::new_to_endpoint(&config, primary, kind, &self.tags);
        finish_with(payload, again).await
    }

    fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn downgrade(&self) -> Arc<Config> {
        let mut config = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut config).downgrade_to_diagnostics_endpoint();
        Arc::clone(&config)
    }
}
