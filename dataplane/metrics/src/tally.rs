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

    /// Brings the counts of a turn that a panic cut short into balance: messages whose packet was
    /// not finished are counted, and samples that came to no end count as recorded. Returns these.
    pub fn settle(&mut self) -> u64 {
        let sum = |counters: &[Counter]| counters.iter().map(|it| self.count(*it)).sum::<u64>();
        let messages = sum(&[Counter::MetricLines, Counter::Events, Counter::ServiceChecks])
            + sum(Counter::REFUSED);
        let unfinished = messages.saturating_sub(self.count(Counter::Messages));
        let samples = sum(&[Counter::Samples, Counter::CopiedToDistribution]);
        let ended =
            sum(&[Counter::Recorded, Counter::RecordedTimed]) + sum(Counter::SAMPLES_DROPPED);
        let lost = samples.saturating_sub(ended);
        self.add(Counter::Messages, unfinished);
        self.add(Counter::Recorded, lost);
        lost
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
