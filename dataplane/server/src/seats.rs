//! Places for the connections of one listener, shared by all lanes. spec: apm §1.
//!
//! A few atomic numbers: lanes touch them when a connection comes or goes, and never wait for each
//! other. Two lanes that accept at the same time may both take the last place; there are at most as
//! many connections too many as there are other lanes.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Places for connections, and how many may be taken in a window of time.
#[derive(Debug)]
pub struct Seats {
    open: AtomicUsize,
    open_max: usize,
    /// Connections accepted in this window, when that is limited.
    taken: AtomicU32,
    taken_max: Option<u32>,
    /// The window since `start`.
    window: AtomicU64,
    start: Instant,
}

/// Window of the connection rate limit.
const WINDOW: Duration = Duration::from_secs(30);

impl Seats {
    /// Places for `open_max` connections at once, at least one; with a limit, for so many in each
    /// window of 30 s.
    #[must_use]
    pub fn new(open_max: usize, taken_max: Option<u32>, start: Instant) -> Self {
        Self {
            open: AtomicUsize::new(0),
            open_max: open_max.max(1),
            taken: AtomicU32::new(0),
            taken_max,
            window: AtomicU64::new(0),
            start,
        }
    }

    /// Open connections.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.open() >= self.open_max
    }

    /// Whether no more connections may be accepted in this window.
    pub(crate) fn is_used_up(&self, now: Instant) -> bool {
        let is_now = self.window.load(Ordering::Relaxed) == self.window_at(now);
        let is_used_up = |max| self.taken.load(Ordering::Relaxed) >= max;
        is_now && self.taken_max.is_some_and(is_used_up)
    }

    pub(crate) fn take(&self, now: Instant) {
        self.open.fetch_add(1, Ordering::Relaxed);
        if self.taken_max.is_some() {
            let window = self.window_at(now);
            if self.window.swap(window, Ordering::Relaxed) != window {
                self.taken.store(0, Ordering::Relaxed);
            }
            self.taken.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn give_back(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    fn window_at(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.start).as_secs() / WINDOW.as_secs()
    }
}
