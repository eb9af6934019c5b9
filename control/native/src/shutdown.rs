//! Why an agent ends, and waiting for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Why a wait for the end of an agent is over. The numbers are those of the C ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ShutdownReason {
    /// The program or SIGTERM asked for it.
    GracefulShutdown = 0,
    /// SIGINT came.
    UserInterrupt = 1,
    /// The agent cannot go on.
    FatalError = 2,
    /// The time to wait was over.
    Timeout = 3,
}

/// A request to end. It is one store, so that it can be made from a signal handler.
#[derive(Clone, Debug)]
pub(crate) struct Shutdown {
    asked: Arc<AtomicU8>,
}

const NOT_ASKED: u8 = u8::MAX;

impl Shutdown {
    pub(crate) fn new() -> Self {
        Self { asked: Arc::new(AtomicU8::new(NOT_ASKED)) }
    }

    /// Asks for the end; the first reason stays.
    pub(crate) fn request(&self, reason: ShutdownReason) {
        let asked = &self.asked;
        let _was_first = asked
            .compare_exchange(NOT_ASKED, reason as u8, Ordering::Release, Ordering::Relaxed)
            .is_ok();
    }

    /// Why the end was asked for, if it was.
    pub(crate) fn reason(&self) -> Option<ShutdownReason> {
        use ShutdownReason::{FatalError, GracefulShutdown, Timeout, UserInterrupt};
        let reasons = [GracefulShutdown, UserInterrupt, FatalError, Timeout];
        reasons.get(usize::from(self.asked.load(Ordering::Acquire))).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_stays() {
        let shutdown = Shutdown::new();
        assert_eq!(shutdown.reason(), None);
        shutdown.request(ShutdownReason::UserInterrupt);
        shutdown.request(ShutdownReason::GracefulShutdown);
        assert_eq!(shutdown.reason(), Some(ShutdownReason::UserInterrupt));
    }
}
