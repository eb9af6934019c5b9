//! What became of the points of requests. spec: otlp §12.

/// Why a point left nothing behind. Each is one counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Dropped {
    /// It says itself that it has no value.
    NoRecordedValue,
    /// Its value, or the whole sketch that it would be, is infinite or no number.
    NotFinite,
    /// Its temporality is not given, or is cumulative for an exponential histogram.
    Temporality,
    /// The bounds of its buckets fall, or are no numbers.
    NonMonotonic,
    /// It has not one bucket more than bounds.
    BucketCount,
    /// It has more observations than a sketch of 4,096 bins of 65,535 holds.
    TooManyObservations,
    /// Its values are too large for the keys of a sketch, or its buckets too many.
    OutOfRange,
    /// The buckets of its request reach over more bins than one request may.
    TooManyBins,
    /// It has no observations at all, which is no loss.
    NoObservations,
    /// It is the first of its cumulative series, from which others are counted, or the first after
    /// the series began anew.
    FirstPoint,
    /// Its series has a point as late or later.
    OlderPoint,
    /// As many cumulative series as are allowed are remembered.
    CumulativeLimit,
    /// Its metric has no data; that counts as one point.
    NoData,
    /// Its metric is meant for others than the intake. spec: otlp §4.10.
    Internal,
    /// One of its attributes is no valid message.
    Malformed,
}

impl Dropped {
    /// All reasons, each at its number.
    pub const ALL: [Self; 15] = [
        Self::NoRecordedValue,
        Self::NotFinite,
        Self::Temporality,
        Self::NonMonotonic,
        Self::BucketCount,
        Self::TooManyObservations,
        Self::OutOfRange,
        Self::TooManyBins,
        Self::NoObservations,
        Self::FirstPoint,
        Self::OlderPoint,
        Self::CumulativeLimit,
        Self::NoData,
        Self::Internal,
        Self::Malformed,
    ];

    /// Name of the reason, for a tag or a status page.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoRecordedValue => "no_recorded_value",
            Self::NotFinite => "not_finite",
            Self::Temporality => "temporality",
            Self::NonMonotonic => "non_monotonic_bounds",
            Self::BucketCount => "bucket_count",
            Self::TooManyObservations => "too_many_observations",
            Self::OutOfRange => "out_of_range",
            Self::TooManyBins => "too_many_bins",
            Self::NoObservations => "no_observations",
            Self::FirstPoint => "first_cumulative_point",
            Self::OlderPoint => "older_point",
            Self::CumulativeLimit => "cumulative_limit",
            Self::NoData => "no_data",
            Self::Internal => "internal",
            Self::Malformed => "malformed",
        }
    }

    /// Whether the sender lost something by it, and should hear of it in `rejected_data_points`.
    #[must_use]
    pub const fn is_rejection(self) -> bool {
        match self {
            Self::NoRecordedValue | Self::NoObservations | Self::FirstPoint | Self::Internal => {
                false
            }
            Self::NotFinite
            | Self::Temporality
            | Self::NonMonotonic
            | Self::BucketCount
            | Self::TooManyObservations
            | Self::OutOfRange
            | Self::TooManyBins
            | Self::OlderPoint
            | Self::CumulativeLimit
            | Self::NoData
            | Self::Malformed => true,
        }
    }
}

/// What became of a number of points.
///
/// `received = emitted + Σ dropped`: a point of which anything is sent is emitted, whatever else of
/// it is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Points that arrived.
    pub received: u64,
    /// Points of which a series or a sketch was sent.
    pub emitted: u64,
    /// Points of which nothing was sent, at the number of the reason.
    pub dropped: [u64; Dropped::ALL.len()],
}

/// What became of the points of one request, or of all since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The points as they were sent to us.
    pub points: Tally,
    /// Copies of them under other names. spec: otlp §6.1, §6.2.
    pub copies: Tally,
    /// Series handed to the sink, one point each.
    pub series: u64,
    /// Sketches handed to the sink, one point each.
    pub sketches: u64,
    /// Resources that name no host, whose points got the agent's. spec: otlp §3.1.
    pub resources_without_host: u64,
}

impl Tally {
    /// Points dropped for a reason.
    #[must_use]
    pub fn dropped_for(&self, reason: Dropped) -> u64 {
        self.dropped.get(reason as usize).copied().unwrap_or_default()
    }

    /// Whether every point is accounted for.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.received == self.emitted + self.dropped.iter().sum::<u64>()
    }

    pub(crate) fn add(&mut self, outcome: Result<(), Dropped>) {
        self.add_many(1, outcome);
    }

    pub(crate) fn add_many(&mut self, points: u64, outcome: Result<(), Dropped>) {
        self.received += points;
        match outcome {
            Ok(()) => self.emitted += points,
            Err(reason) => {
                if let Some(dropped) = self.dropped.get_mut(reason as usize) {
                    *dropped += points;
                }
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        self.received += other.received;
        self.emitted += other.emitted;
        for (sum, dropped) in self.dropped.iter_mut().zip(other.dropped) {
            *sum += dropped;
        }
    }
}

impl Counts {
    /// Points that the sender should be told of as `rejected_data_points`.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        let rejections = Dropped::ALL.into_iter().filter(|reason| reason.is_rejection());
        rejections.map(|reason| self.points.dropped_for(reason)).sum()
    }

    /// Whether every point and every copy is accounted for.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.points.is_balanced() && self.copies.is_balanced()
    }

    /// Adds what became of others.
    pub fn merge(&mut self, other: &Self) {
        self.points.merge(&other.points);
        self.copies.merge(&other.copies);
        self.series += other.series;
        self.sketches += other.sketches;
        self.resources_without_host += other.resources_without_host;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_at_its_number_and_has_its_name() {
        for (at, reason) in Dropped::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, at);
            let others = Dropped::ALL.into_iter().filter(|other| other.name() == reason.name());
            assert_eq!(others.count(), 1, "{}", reason.name());
        }
    }

    #[test]
    fn what_is_lost_is_told_to_the_sender() {
        let mut counts = Counts::default();
        counts.points.add(Ok(()));
        counts.points.add(Err(Dropped::FirstPoint));
        counts.points.add_many(3, Err(Dropped::Temporality));
        counts.copies.add(Err(Dropped::NotFinite));
        let mut total = counts;
        total.merge(&counts);
        assert!(total.is_balanced());
        assert_eq!((counts.rejected(), total.rejected(), total.points.received), (3, 6, 10));
    }
}
