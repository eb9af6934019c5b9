//! Answers by status, and connections: counted where they happen.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::counts::Counts;

/// The counters.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    connections: AtomicU64,
    traces: AtomicU64,
    by_status: Mutex<BTreeMap<u16, u64>>,
}

impl Answers {
    pub(crate) fn connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request with traces that lanes took.
    #[cfg(feature = "otlp")]
    pub(crate) fn traces(&self) {
        self.traces.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add(&self, status: u16) {
        let mut by_status = self.by_status.lock().unwrap_or_else(PoisonError::into_inner);
        *by_status.entry(status).or_default() += 1;
    }

    pub(crate) fn count(&self, counts: &mut Counts) {
        counts.connections = self.connections.load(Ordering::Relaxed);
        counts.trace_requests = self.traces.load(Ordering::Relaxed);
        let by_status = self.by_status.lock().unwrap_or_else(PoisonError::into_inner);
        counts.answers.clone_from(&by_status);
    }
}
