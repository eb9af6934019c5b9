//! What a lane hands over.

use std::sync::Arc;

use crate::{Bucket, Context, Event, ServiceCheck};

/// Everything that one lane collected since it was asked last. Moved, never copied.
#[derive(Debug, Default)]
pub struct FlushedLane {
    /// Index of the lane.
    pub lane: u16,
    /// Closed buckets, oldest first, each start at most once.
    pub buckets: Vec<Bucket>,
    /// Events in order of arrival.
    pub events: Vec<Event>,
    /// Service checks in order of arrival.
    pub checks: Vec<ServiceCheck>,
    /// Samples that carry their own timestamp, in order of arrival.
    pub timed: Vec<TimedSample>,
}

impl FlushedLane {
    /// Whether there is nothing to deliver.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.buckets.is_empty()
            && self.events.is_empty()
            && self.checks.is_empty()
            && self.timed.is_empty()
    }
}

/// Type of a sample that bypasses aggregation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimedKind {
    /// Sent as a gauge.
    Gauge,
    /// Sent as a rate over 10 seconds; the sample rate is ignored.
    Count,
}

/// A sample with a timestamp of its client: delivered as it is. spec: dogstatsd §9.
#[derive(Clone, Debug)]
pub struct TimedSample {
    /// Its context.
    pub context: Arc<Context>,
    /// Its type.
    pub kind: TimedKind,
    /// Unix seconds, at least 1.
    pub timestamp_secs: i64,
    /// Value as received.
    pub value: f64,
}
