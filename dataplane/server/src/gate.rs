//! How many connections a listener accepts. spec: apm §1.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::Seats;

/// Admission to one listener on one lane. At the limit nothing is refused: the kernel's backlog
/// waits.
#[derive(Debug)]
pub struct Gate {
    seats: Arc<Seats>,
    /// The time of the last tick, or of the start.
    now: Cell<Instant>,
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

impl Gate {
    pub(crate) fn new(seats: Arc<Seats>, now: Instant) -> Rc<Self> {
        Rc::new(Self {
            seats,
            now: Cell::new(now),
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
        if !self.is_full() && !self.seats.is_used_up(self.now.get()) && !self.is_failing.get() {
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
        self.seats.take(self.now.get());
        Permit { gate: Rc::clone(self) }
    }

    /// Accepts nothing until the next tick, after accepting failed.
    pub fn pause(&self) {
        self.is_failing.set(true);
    }

    pub(crate) fn is_full(&self) -> bool {
        self.seats.is_full()
    }

    pub(crate) fn is_done(&self) -> bool {
        self.is_done.get()
    }

    pub(crate) fn finish(&self) {
        self.is_done.set(true);
    }

    pub(crate) fn tick(&self, now: Instant) {
        self.now.set(now);
        self.is_failing.set(false);
        // Another lane may have given a place back, or the window may have ended.
        if !self.is_full() && !self.seats.is_used_up(now) {
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
        self.gate.seats.give_back();
        self.gate.wake();
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test needs a first instant")]
mod tests {
    use std::time::Duration;

    use super::*;

    fn is_open(gate: &Gate) -> bool {
        gate.poll_open(&Context::from_waker(Waker::noop())).is_ready()
    }

    fn seats(open_max: usize, taken_max: Option<u32>, start: Instant) -> Arc<Seats> {
        Arc::new(Seats::new(open_max, taken_max, start))
    }

    #[test]
    fn accepting_stops_at_the_limit_of_all_lanes_and_goes_on_below_it() {
        let start = Instant::now();
        let seats = seats(2, None, start);
        let [gate, other] = [0, 1].map(|_| Gate::new(Arc::clone(&seats), start));
        let first = gate.enter();
        assert!(is_open(&gate));
        let _second = other.enter();
        assert!(!is_open(&gate) && !is_open(&other));
        drop(first);
        assert!(is_open(&gate) && is_open(&other));
        assert_eq!(seats.open(), 1);
        gate.close();
        let closed = gate.poll_open(&Context::from_waker(Waker::noop()));
        assert_eq!(closed, Poll::Ready(Err(Closed)));
        assert!(is_open(&other));
    }

    #[test]
    fn a_window_lets_in_so_many_over_all_lanes() {
        let start = Instant::now();
        let seats = seats(100, Some(2), start);
        let [gate, other] = [0, 1].map(|_| Gate::new(Arc::clone(&seats), start));
        drop((gate.enter(), other.enter()));
        assert!(!is_open(&gate) && !is_open(&other));
        gate.tick(start + Duration::from_secs(29));
        assert!(!is_open(&gate));
        gate.tick(start + Duration::from_secs(30));
        assert!(is_open(&gate));
        drop(gate.enter());
        assert!(is_open(&gate));
    }

    #[test]
    fn a_failure_pauses_until_the_next_tick() {
        let gate = Gate::new(seats(100, None, Instant::now()), Instant::now());
        gate.pause();
        assert!(!is_open(&gate));
        gate.tick(Instant::now());
        assert!(is_open(&gate));
    }
}
