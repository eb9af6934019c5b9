//! A sender with a thread of its own, for hosts without a runtime. spec: proxies §5.5.

mod thread;

use std::io;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use bytes::Bytes;
use serde_json::to_vec;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::config::Config;
use crate::payload::DebuggerPayload;
use crate::track::DebuggerType;

/// Payloads that wait for the thread.
pub const QUEUE_ITEMS_MAX: usize = 5000;

/// Sends from a thread of its own with a single-threaded runtime. Nothing here waits but
/// [`Sender::join`].
///
/// Dropped, it closes its queue; the thread sends what is in it and ends by itself.
#[derive(Debug)]
pub struct Sender {
    /// `None` while it is being joined or dropped.
    live: Option<Live>,
    counters: Arc<Counters>,
    process: u32,
}

/// What only the process that started the thread may touch.
#[derive(Debug)]
struct Live {
    queue: mpsc::Sender<Item>,
    thread: JoinHandle<()>,
}

/// Why the thread cannot be started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// No runtime.
    #[error("cannot make a runtime for the debugger's sender; raise the limit of open files")]
    Runtime(#[source] io::Error),
    /// No thread.
    #[error("cannot start the debugger's sender; raise the limit of processes or threads")]
    Thread(#[source] io::Error),
}

/// Why something was not queued.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotQueued {
    /// [`QUEUE_ITEMS_MAX`] payloads wait already.
    #[error("the queue of the debugger's sender is full")]
    Full,
    /// The thread is gone.
    #[error("the thread of the debugger's sender is gone")]
    Gone,
    /// This is a child of the process that started the thread.
    #[error("the debugger's sender is not in this process; start one after fork")]
    Forked,
    /// The payload cannot be written as JSON.
    #[error("the payload cannot be written as json")]
    Unserialisable,
}

/// What became of payloads so far. `queued = sent + failed + those that wait or are under way`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderCounts {
    /// Taken into the queue.
    pub queued: u64,
    /// Accepted by the primary endpoint.
    pub sent: u64,
    /// Refused by it or not answered in time; logged.
    pub failed: u64,
    /// Not taken into the queue.
    pub refused: u64,
}

/// One payload on its way.
#[derive(Debug)]
enum Item {
    Debugger { kind: DebuggerType, payload: Bytes },
    SymDb { content_type: String, payload: Bytes },
}

#[derive(Debug, Default)]
struct Counters {
    queued: AtomicU64,
    sent: AtomicU64,
    failed: AtomicU64,
    refused: AtomicU64,
}

impl Sender {
    /// Starts the thread. `percent_encoded_tags` go along with everything.
    ///
    /// # Errors
    /// [`SpawnError`] if the system has no thread or descriptor left.
    pub fn spawn(config: Config, percent_encoded_tags: String) -> Result<Self, SpawnError> {
        let (queue, items) = mpsc::channel(QUEUE_ITEMS_MAX);
        let counters = Arc::new(Counters::default());
        let thread = thread::start(config, percent_encoded_tags, items, Arc::clone(&counters))?;
        let live = Some(Live { queue, thread });
        Ok(Self { live, counters, process: std::process::id() })
    }

    /// Queues a serialised JSON array, or one object, without copying it.
    ///
    /// # Errors
    /// [`NotQueued`]; the payload is dropped then.
    pub fn send_raw_data(&self, kind: DebuggerType, payload: Bytes) -> Result<(), NotQueued> {
        self.queue_item(Item::Debugger { kind, payload })
    }

    /// Queues an upload of a symbol database.
    ///
    /// # Errors
    /// [`NotQueued`]; the payload is dropped then.
    pub fn send_symdb_data(&self, content_type: &str, payload: Bytes) -> Result<(), NotQueued> {
        self.queue_item(Item::SymDb { content_type: content_type.to_owned(), payload })
    }

    /// Queues one payload under the kind that it is of.
    ///
    /// # Errors
    /// [`NotQueued`]; the payload is dropped then.
    pub fn send_payload(&self, payload: &DebuggerPayload<'_>) -> Result<(), NotQueued> {
        match to_vec(&[payload]) {
            Ok(bytes) => self.send_raw_data(payload.debugger_type(), bytes.into()),
            Err(_error) => Err(self.refuse(NotQueued::Unserialisable)),
        }
    }

    /// What became of payloads so far.
    #[must_use]
    pub fn counts(&self) -> SenderCounts {
        self.counters.read()
    }

    /// Closes the queue and waits until everything in it is sent or has failed. Every wait for an
    /// endpoint is bounded by its timeout. In a child after `fork` it returns at once.
    pub fn join(mut self) -> SenderCounts {
        if let Some(Live { queue, thread }) = self.take_live() {
            drop(queue);
            if thread.join().is_err() {
                log::error!("the thread of the debugger's sender died; what it held is lost");
            }
        }
        self.counts()
    }

    /// In a child nothing of it is dropped: the thread does not exist there, and what it shares
    /// with the queue may have been locked when the process forked.
    fn take_live(&mut self) -> Option<Live> {
        let live = self.live.take();
        if self.process == std::process::id() {
            return live;
        }
        let _kept = ManuallyDrop::new(live);
        None
    }

    fn queue_item(&self, item: Item) -> Result<(), NotQueued> {
        let Some(live) = &self.live else { return Err(self.refuse(NotQueued::Gone)) };
        if self.process != std::process::id() {
            return Err(self.refuse(NotQueued::Forked));
        }
        // Before it is queued, so that never more was sent than queued.
        let _before = self.counters.queued.fetch_add(1, Ordering::Relaxed);
        live.queue.try_send(item).map_err(|error| {
            let _before = self.counters.queued.fetch_sub(1, Ordering::Relaxed);
            self.refuse(match error {
                TrySendError::Full(_) => NotQueued::Full,
                TrySendError::Closed(_) => NotQueued::Gone,
            })
        })
    }

    fn refuse(&self, why: NotQueued) -> NotQueued {
        let _before = self.counters.refused.fetch_add(1, Ordering::Relaxed);
        why
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        drop(self.take_live());
    }
}

impl Counters {
    fn read(&self) -> SenderCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SenderCounts {
            queued: read(&self.queued),
            sent: read(&self.sent),
            failed: read(&self.failed),
            refused: read(&self.refused),
        }
    }
}
