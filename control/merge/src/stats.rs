//! What became of the samples of one flush.

use std::ops::AddAssign;

/// Accounts of one merge, additive over merges.
///
/// `samples_in` equals the sum of `samples_out` and of all `dropped_` numbers, see
/// [`Self::is_balanced`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MergeStats {
    /// Samples found in the shards, timed ones included.
    pub samples_in: u64,
    /// Samples that a series or a sketch handed out stands for.
    pub samples_out: SamplesOut,
    /// Samples dropped: lanes disagreed about the type, and this type had fewer samples.
    pub dropped_type_conflict: u64,
    /// Samples dropped: the limit of contexts was reached.
    pub dropped_context_limit: u64,
    /// Samples dropped: every series of their histogram was filtered, or none is configured.
    pub dropped_filtered: u64,
    /// Samples dropped: the value or the sum of a counter or sketch is not finite.
    pub dropped_not_finite: u64,
    /// Points of histogram series left out because a sum of finite samples is not finite.
    pub points_not_finite: u64,
    /// Contexts with data; one with timed samples counts once more for each type of them.
    pub contexts: u64,
    /// Times that a context had data in a bucket that an earlier flush had already closed. Its
    /// point replaces the zero, or the data, sent then; only a lane that hands over late causes it.
    pub late_points: u64,
    /// Counters that get no zeros because too many are remembered.
    pub counters_untracked: u64,
    /// Counters remembered for zero-fill after the merge. Not additive: the latest value.
    pub counters_tracked: u64,
    /// Zero points made for silent counters, part of `points`.
    pub zero_filled: u64,
    /// Series handed out, sketches excluded.
    pub series: u64,
    /// Sketch series handed out.
    pub sketches: u64,
    /// Points of all series and sketches handed out.
    pub points: u64,
}

/// Samples handed out, by type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SamplesOut {
    /// Gauges; a point stands for all samples of its bucket.
    pub gauge: u64,
    /// Counters.
    pub counter: u64,
    /// Set members, repeated ones included.
    pub set: u64,
    /// Histograms and timings.
    pub histogram: u64,
    /// Distributions.
    pub distribution: u64,
    /// Samples with a timestamp of their own.
    pub timed: u64,
}

impl SamplesOut {
    /// All types together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        let Self { gauge, counter, set, histogram, distribution, timed } = *self;
        gauge + counter + set + histogram + distribution + timed
    }
}

impl MergeStats {
    /// Whether every sample is accounted for.
    #[must_use]
    pub const fn is_balanced(&self) -> bool {
        self.samples_in
            == self.samples_out.total()
                + self.dropped_type_conflict
                + self.dropped_context_limit
                + self.dropped_filtered
                + self.dropped_not_finite
    }
}

impl AddAssign for MergeStats {
    fn add_assign(&mut self, other: Self) {
        self.samples_in += other.samples_in;
        self.samples_out += other.samples_out;
        self.dropped_type_conflict += other.dropped_type_conflict;
        self.dropped_context_limit += other.dropped_context_limit;
        self.dropped_filtered += other.dropped_filtered;
        self.dropped_not_finite += other.dropped_not_finite;
        self.points_not_finite += other.points_not_finite;
        self.contexts += other.contexts;
        self.late_points += other.late_points;
        self.counters_untracked += other.counters_untracked;
        self.counters_tracked = other.counters_tracked;
        self.zero_filled += other.zero_filled;
        self.series += other.series;
        self.sketches += other.sketches;
        self.points += other.points;
    }
}

impl AddAssign for SamplesOut {
    fn add_assign(&mut self, other: Self) {
        self.gauge += other.gauge;
        self.counter += other.counter;
        self.set += other.set;
        self.histogram += other.histogram;
        self.distribution += other.distribution;
        self.timed += other.timed;
    }
}
