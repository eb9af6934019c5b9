//! A flush of everything that somebody waits for, with a deadline: a function's host freezes it
//! between two calls.
//!
//! ```text
//! caller -> ingest: logs and OTLP that wait are worked on and leave, or go to the lanes
//!        -> coordinator: lanes close their open bucket; traces in work, spans, stats leave
//!        -> forwarders: until nothing waits
//! ```
//!
//! A bucket that is closed early is shorter than others, and the next one begins where it ended:
//! two points of one context never have the same time, of which an intake would keep one.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::coordinator::Request;
use crate::source::Shared;

/// Asks a running agent for a flush of everything.
pub struct FlushHandle(pub(crate) Arc<Shared>);

impl FlushHandle {
    /// Flushes everything, the open bucket included, and waits until the intakes have it.
    ///
    /// # Errors
    /// [`FlushError`], when that takes longer than `timeout`; what is under way stays so.
    pub fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        self.0.flush_all(timeout)
    }
}

impl fmt::Debug for FlushHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FlushHandle")
    }
}

/// Why not everything had left by the deadline.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlushError {
    /// The agent is stopping or has stopped.
    #[error("the agent has stopped")]
    Stopped,
    /// The lanes or the traces in work took too long.
    #[error("the flush was not done within {} ms; it goes on", .0.as_millis())]
    Late(Duration),
    /// The intake has not taken everything.
    #[error("{waiting} payloads wait for the intake: {reason}")]
    Undelivered {
        /// Payloads in queues and on disk.
        waiting: u64,
        /// The last error of a delivery, or that the time was too short.
        reason: String,
    },
}

/// Time between two looks at what still waits.
const LOOK: Duration = Duration::from_millis(1);

impl Shared {
    /// Flushes everything and waits for its delivery, at most `timeout`.
    pub(crate) fn flush_all(&self, timeout: Duration) -> Result<(), FlushError> {
        let started = Instant::now();
        if let Some(ingest) = &self.ingest
            && !ingest.flush(started + timeout)
        {
            return Err(FlushError::Late(timeout));
        }
        let (reply, answer) = std::sync::mpsc::channel();
        let request = Request::FlushAll { deadline: started + timeout, reply };
        self.requests.send(request).map_err(|_| FlushError::Stopped)?;
        match answer.recv_timeout(timeout.saturating_sub(started.elapsed())) {
            Ok(true) => {}
            Ok(false) | Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                return Err(FlushError::Late(timeout));
            }
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => {
                return Err(FlushError::Stopped);
            }
        }
        loop {
            let (waiting, last_error) = self.undelivered();
            if waiting == 0 {
                return Ok(());
            }
            if started.elapsed() >= timeout {
                let reason = match last_error.is_empty() {
                    true => "the time was too short".to_owned(),
                    false => last_error,
                };
                return Err(FlushError::Undelivered { waiting, reason });
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Payloads that no intake has taken, and the last error of those that hold one.
    fn undelivered(&self) -> (u64, String) {
        let mut stats = self.delivery.stats();
        stats.extend(self.trace_delivery.as_ref().map(|delivery| delivery.stats()));
        stats.extend(self.ingest.as_ref().and_then(|ingest| ingest.log_stats()));
        let (mut waiting, mut last_error) = (0, String::new());
        for endpoint in stats.iter().flat_map(|stats| &stats.endpoints) {
            let here = endpoint.queued.count + endpoint.spooled.count;
            waiting += here;
            if here > 0 && !endpoint.last_error.is_empty() {
                last_error.clone_from(&endpoint.last_error);
            }
        }
        (waiting, last_error)
    }
}
