//! Counts of one turn, before they are published.

use signal::{Counter, LaneCounters};

/// What happened since the last publication: plain numbers, so that counting costs an add.
#[derive(Debug)]
pub struct Tally {
    counts: [u64; Counter::ALL.len()],
}

impl Default for Tally {
    fn default() -> Self {
        Self { counts: [0; Counter::ALL.len()] }
    }
}

impl Tally {
    /// Adds to a counter.
    #[inline]
    pub const fn add(&mut self, counter: Counter, n: u64) {
        self.counts[counter as usize] += n;
    }

    /// What was counted since the last publication.
    #[must_use]
    pub const fn count(&self, counter: Counter) -> u64 {
        self.counts[counter as usize]
    }

    /// Moves the counts to the counters everyone can read.
    pub fn publish(&mut self, counters: &LaneCounters) {
        for &counter in Counter::ALL {
            let count = &mut self.counts[counter as usize];
            if *count > 0 {
                counters.add(counter, std::mem::take(count));
            }
        }
    }
}
