//! How long submitters may be held while the disk catches up.
//!
//! Whoever submits more than memory takes is held until the disk has made room, so that a burst
//! reaches the spool instead of being dropped. The time is bounded: a submitter has flushes to
//! make, and a slow disk must cost data, counted, rather than stop the agent.

use std::time::{Duration, Instant};

/// Longest time in one go, for all submitters together.
const PATIENCE_MAX: Duration = Duration::from_secs(2);

/// Patience comes back at this part of the time that nobody is held.
const RECOVERY_DIVISOR: u32 = 5;

/// A budget of waiting time, shared by all submitters of a route.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    left: Duration,
    settled_at: Instant,
    held_count: u32,
}

impl Patience {
    /// A full budget.
    pub(crate) fn new(now: Instant) -> Self {
        Self { left: PATIENCE_MAX, settled_at: now, held_count: 0 }
    }

    /// A submitter starts to wait; it may do so until the time returned.
    pub(crate) fn begin(&mut self, now: Instant) -> Instant {
        self.settle(now);
        self.held_count += 1;
        now + self.left
    }

    /// It goes on.
    pub(crate) fn end(&mut self, now: Instant) {
        self.settle(now);
        self.held_count = self.held_count.saturating_sub(1);
    }

    fn settle(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.settled_at);
        self.settled_at = now;
        self.left = match self.held_count {
            0 => (self.left + passed / RECOVERY_DIVISOR).min(PATIENCE_MAX),
            _ => self.left.saturating_sub(passed),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_together_costs_once_and_rest_restores() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut patience = Patience::new(start);
        assert_eq!(patience.begin(at(0)), at(2000));
        assert_eq!(patience.begin(at(500)), at(2000));
        patience.end(at(1000));
        patience.end(at(1500));
        assert_eq!(patience.begin(at(2500)), at(2500 + 700), "a second of rest gave 200 ms");
        patience.end(at(9000));
        assert_eq!(patience.begin(at(9000)), at(9000), "spent");
        patience.end(at(9000));
        assert_eq!(patience.begin(at(60_000)), at(62_000), "never more than the most");
    }
}
