//! What a connection is doing, seen by the server's clock.

use std::cell::{Cell, RefCell};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use crate::Permit;
use crate::hang_up::Gone;

/// State of one connection, shared by its task and the server.
#[derive(Debug)]
pub(crate) struct Link {
    /// Place in the server's list.
    pub(crate) index: Cell<usize>,
    phase: Cell<Phase>,
    since: Cell<Instant>,
    /// Whether the server wants it to end now.
    is_closing: Cell<bool>,
    /// Whether the body of the current request took too long.
    is_late: Cell<bool>,
    /// Whether the client is still sending something that nobody reads.
    pub(crate) has_unread: Cell<bool>,
    /// The first bytes of the last body, to name who is refused.
    pub(crate) prefix: RefCell<Vec<u8>>,
    /// Whether a request is neither answered nor counted as lost.
    pub(crate) has_request: Cell<bool>,
    /// Whether that request is with control, and none of the lane's work waits for it.
    pub(crate) is_away: Cell<bool>,
    /// Whether all of that request was read.
    pub(crate) is_uploaded: Cell<bool>,
    /// Whether more of an answer may come when what there was is written.
    pub(crate) is_relaying: Cell<bool>,
    waker: RefCell<Option<Waker>>,
    permit: Permit,
}

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The first byte of the next request.
    Idle,
    /// The first byte of the first request, or the end of a head.
    Head,
    /// The end of a body.
    Body,
    /// The worker.
    Worker,
    /// Control, which keeps the time itself.
    Exchange,
    /// The client to read its answer.
    Writing,
    /// The client to stop sending, after its last answer.
    Lingering,
}

/// What became of a connection that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// No further request came while others wait for its place.
    Idle,
    /// No request came, or not all of its head.
    Head,
    /// The client does not read its answer.
    Writing,
}

/// Time for a head while its listener is at its limit of connections.
const HEAD_CROWDED: Duration = Duration::from_secs(1);

/// Bytes of a body that are kept beside it: some spans.
const PREFIX_BYTES_MAX: usize = 4 << 10;

impl Link {
    pub(crate) const fn new(index: usize, permit: Permit, now: Instant) -> Self {
        Self {
            index: Cell::new(index),
            phase: Cell::new(Phase::Head),
            since: Cell::new(now),
            is_closing: Cell::new(false),
            is_late: Cell::new(false),
            has_unread: Cell::new(false),
            prefix: RefCell::new(Vec::new()),
            has_request: Cell::new(false),
            is_away: Cell::new(false),
            is_uploaded: Cell::new(false),
            is_relaying: Cell::new(false),
            waker: RefCell::new(None),
            permit,
        }
    }

    /// Forgets the body before.
    pub(crate) fn begin_body(&self) {
        self.prefix.borrow_mut().clear();
    }

    /// Takes note of bytes of a body, as far as they are its first.
    pub(crate) fn note_body(&self, bytes: &[u8]) {
        let mut prefix = self.prefix.borrow_mut();
        let room = PREFIX_BYTES_MAX.saturating_sub(prefix.len());
        prefix.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    pub(crate) const fn phase(&self) -> Phase {
        self.phase.get()
    }

    pub(crate) fn enter(&self, phase: Phase, now: Instant) {
        self.phase.set(phase);
        // The time for a request runs from its head to the end of its body.
        if phase != Phase::Body {
            self.since.set(now);
        } else {
            self.is_late.set(false);
        }
    }

    /// How long it has been doing what it does.
    pub(crate) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since.get())
    }

    pub(crate) const fn is_late(&self) -> bool {
        self.is_late.get()
    }

    /// Remembers the task, and tells it whether to end.
    pub(crate) fn is_closing(&self, cx: &Context<'_>) -> bool {
        let mut waker = self.waker.borrow_mut();
        match &mut *waker {
            Some(known) => known.clone_from(cx.waker()),
            None => *waker = Some(cx.waker().clone()),
        }
        self.is_closing.get()
    }

    /// Ends the connection.
    pub(crate) fn close(&self) {
        self.is_closing.set(true);
        self.wake();
    }

    /// Whether a request is with control, or its answer on the way, for nobody. What a client sent
    /// before it closed is read to its end first.
    pub(crate) fn is_in_vain(&self, gone: Gone) -> bool {
        let is_read = self.is_relaying.get() || self.is_uploaded.get();
        let is_waiting = self.is_away.get() || self.is_relaying.get();
        is_waiting && (gone == Gone::Reset || gone == Gone::Closed && is_read)
    }

    /// Enforces `timeout`. What it had to do is returned.
    pub(crate) fn check(&self, now: Instant, timeout: Duration) -> Option<Overdue> {
        let (age, phase) = (self.age(now), self.phase.get());
        // A head comes in one piece: who takes longer while others wait is not served in time.
        let is_crowded = self.permit.is_crowded();
        let timeout =
            if is_crowded && phase == Phase::Head { timeout.min(HEAD_CROWDED) } else { timeout };
        if age <= timeout {
            return None;
        }
        let overdue = match phase {
            Phase::Worker | Phase::Exchange => return None,
            Phase::Body => {
                self.is_late.set(true);
                self.wake();
                return None;
            }
            Phase::Idle if !is_crowded => return None,
            Phase::Idle => Some(Overdue::Idle),
            Phase::Head => Some(Overdue::Head),
            Phase::Writing => Some(Overdue::Writing),
            Phase::Lingering => None,
        };
        self.close();
        overdue
    }

    fn wake(&self) {
        let waker = self.waker.borrow().clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
