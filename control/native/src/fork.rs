//! Telling a child of `fork` from its parent.
//!
//! A child has a copy of the memory and none of the threads: locks may be held by nobody, and
//! rings have nobody at the other end. So everything that belongs to a process carries the number
//! of its generation, which a handler of the system's raises in a child.

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

static GENERATION: AtomicU32 = AtomicU32::new(0);

/// The generation that something was made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Birth(u32);

impl Birth {
    /// The present generation.
    pub(crate) fn now() -> Self {
        static WATCH: Once = Once::new();
        WATCH.call_once(watch);
        Self(GENERATION.load(Ordering::Relaxed))
    }

    /// Whether this process is a child of the one in which it was made.
    pub(crate) fn is_before_fork(self) -> bool {
        self != Self(GENERATION.load(Ordering::Relaxed))
    }
}

extern "C" fn raise() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

#[expect(unsafe_code, reason = "the only way to hear of a fork without asking for the process id")]
fn watch() {
    // SAFETY: the handler is a function of this program that only adds to an atomic, which is
    // allowed in a child; there is none for the parent.
    let result = unsafe { libc::pthread_atfork(None, None, Some(raise)) };
    if result != 0 {
        log::warn!("forked children will not be told apart: no memory for a fork handler");
    }
}
