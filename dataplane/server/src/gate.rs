//! How many connections a listener accepts. spec: apm §1.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Admission to one listener. At the limit nothing is refused: the kernel's backlog waits.
#[derive(Debug)]
pub struct Gate {
    open: Cell<usize>,
    open_max: usize,
    /// Connections that may still be accepted in this window, when that is limited.
    lease: Cell<Option<u32>>,
    lease_max: Option<u32>,
    window: Cell<Instant>,
    is_closed: Cell<bool>,
    is_failing: Cell<bool>,
    /// Whether the task that accepts has ended.
    is_done: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

/// The place of one open connection, given back when dropped.
#[derive(Debug)]
pub struct Permit {
    gate: Rc<Gate>,
}

/// The gate is closed: nothing is accepted any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// Window of the connection rate limit.
const WINDOW: Duration = Duration::from_secs(30);

impl Gate {
    pub(crate) fn new(open_max: usize, lease_max: Option<u32>, now: Instant) -> Rc<Self> {
        Rc::new(Self {
            open: Cell::new(0),
            open_max: open_max.max(1),
            lease: Cell::new(lease_max),
            lease_max,
            window: Cell::new(now),
            is_closed: Cell::new(false),
            is_failing: Cell::new(false),
            is_done: Cell::new(false),
            waker: RefCell::new(None),
        })
    }

    /// Waits until one more connection may be accepted.
    ///
    /// # Errors
    /// When the server stops.
    pub fn poll_open(&self, cx: &Context<'_>) -> Poll<Result<(), Closed>> {
        if self.is_closed.get() {
            return Poll::Ready(Err(Closed));
        }
        if !self.is_full() && self.lease.get() != Some(0) && !self.is_failing.get() {
            return Poll::Ready(Ok(()));
        }
        self.watch(cx);
        Poll::Pending
    }

    /// Has the task woken when something changes.
    pub(crate) fn watch(&self, cx: &Context<'_>) {
        *self.waker.borrow_mut() = Some(cx.waker().clone());
    }

    /// Counts a connection that was accepted.
    #[must_use]
    pub fn enter(self: &Rc<Self>) -> Permit {
        self.open.set(self.open.get() + 1);
        self.lease.set(self.lease.get().map(|left| left.saturating_sub(1)));
        Permit { gate: Rc::clone(self) }
    }

    /// Accepts nothing until the next tick, after accepting failed.
    pub fn pause(&self) {
        self.is_failing.set(true);
    }

    /// Open connections.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.get()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.open.get() >= self.open_max
    }

    pub(crate) fn is_done(&self) -> bool {
        self.is_done.get()
    }

    pub(crate) fn finish(&self) {
        self.is_done.set(true);
    }

    pub(crate) fn tick(&self, now: Instant) {
        let is_renewed = now.saturating_duration_since(self.window.get()) >= WINDOW;
        if is_renewed {
            self.window.set(now);
            self.lease.set(self.lease_max);
        }
        if self.is_failing.take() || is_renewed {
            self.wake();
        }
    }

    pub(crate) fn close(&self) {
        self.is_closed.set(true);
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }
}

impl Permit {
    /// Whether others may be waiting for a place.
    pub(crate) fn is_crowded(&self) -> bool {
        self.gate.is_full()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.gate.open.set(self.gate.open.get().saturating_sub(1));
        self.gate.wake();
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test needs a first instant")]
mod tests {
    use super::*;

    fn is_open(gate: &Gate) -> bool {
        gate.poll_open(&Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn accepting_stops_at_the_limit_and_goes_on_below_it() {
        let gate = Gate::new(2, None, Instant::now());
        let first = gate.enter();
        assert!(is_open(&gate));
        let _second = gate.enter();
        assert!(!is_open(&gate));
        drop(first);
        assert!(is_open(&gate));
        gate.close();
        let closed = gate.poll_open(&Context::from_waker(Waker::noop()));
        assert_eq!(closed, Poll::Ready(Err(Closed)));
    }

    #[test]
    fn a_lease_lasts_for_a_window() {
        let start = Instant::now();
        let gate = Gate::new(100, Some(2), start);
        drop((gate.enter(), gate.enter()));
        assert!(!is_open(&gate));
        gate.tick(start + Duration::from_secs(29));
        assert!(!is_open(&gate));
        gate.tick(start + Duration::from_secs(30));
        assert!(is_open(&gate));
    }

    #[test]
    fn a_failure_pauses_until_the_next_tick() {
        let gate = Gate::new(100, None, Instant::now());
        gate.pause();
        assert!(!is_open(&gate));
        gate.tick(Instant::now());
        assert!(is_open(&gate));
    }
}
