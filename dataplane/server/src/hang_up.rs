//! Notice that the other end of a stream is gone, beyond that it sends nothing more.
//!
//! A client that has closed its direction may still wait for its answer, and over TCP one that has
//! closed both looks the same until something is sent to it (FIN). What is told here is certain: it
//! has reset the connection, or closed both directions of a Unix socket.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Waker};

/// Says when the other end of one stream is gone. Clones tell the same.
#[derive(Clone, Debug, Default)]
pub struct HangUp(Rc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    gone: Cell<Gone>,
    waker: RefCell<Option<Waker>>,
}

/// What is known of the other end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gone {
    /// Nothing: it may be there.
    #[default]
    No,
    /// It takes nothing more; what it sent can still be read.
    Closed,
    /// It broke the connection: what it sent and was not read may be lost.
    Reset,
}

impl HangUp {
    /// Takes note, and wakes the task of the connection.
    pub(crate) fn note(&self, gone: Gone) {
        if gone <= self.0.gone.get() {
            return;
        }
        self.0.gone.set(gone);
        let waker = self.0.waker.borrow().clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// What is known; the task is woken when more is.
    pub(crate) fn look(&self, cx: &Context<'_>) -> Gone {
        let mut waker = self.0.waker.borrow_mut();
        match &mut *waker {
            Some(known) => known.clone_from(cx.waker()),
            None => *waker = Some(cx.waker().clone()),
        }
        self.0.gone.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_never_becomes_less() {
        let (one, other) = (HangUp::default(), HangUp::default());
        let cx = Context::from_waker(Waker::noop());
        let clone = one.clone();
        one.note(Gone::Reset);
        one.note(Gone::Closed);
        assert_eq!((clone.look(&cx), other.look(&cx)), (Gone::Reset, Gone::No));
    }
}
