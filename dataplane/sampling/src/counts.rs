//! What a lane hands over to control.

use std::sync::Arc;

use crate::rare::Seen;
use crate::{Tallies, window};

/// Most signatures a lane counts apart in each sampler; beyond that only totals grow.
pub const SIGNATURES_MAX: usize = 5000;

/// The samplers that count and follow rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Priority,
    NoPriority,
    Errors,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Priority, Self::NoPriority, Self::Errors];
}

/// A service in an environment, as published to tracers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Service {
    pub(crate) name: Box<str>,
    pub(crate) env: Box<str>,
}

/// Weight of one signature in one bucket.
#[derive(Clone, Debug)]
pub(crate) struct Count {
    pub(crate) bucket: u64,
    pub(crate) weight: f64,
    /// Who it is, for the priority sampler.
    pub(crate) service: Option<Arc<Service>>,
    /// `None` is what the lane had no room for.
    pub(crate) signature: Option<u32>,
    pub(crate) kind: Kind,
    /// Whether the lane shrank the signature.
    pub(crate) is_folded: bool,
}

/// Counts of one lane since its last handover, moved to control and given back empty.
///
/// Holds at most six buckets of 3 x [`SIGNATURES_MAX`] rows of 40 bytes; older ones are forgotten,
/// since control would not use them.
#[derive(Debug, Default)]
pub struct LaneCounts {
    pub(crate) lane: usize,
    pub(crate) rows: Vec<Count>,
    pub(crate) rare: RareReport,
    pub(crate) events_seen: f64,
    pub(crate) tallies: Tallies,
}

/// The rare sampler's part of a handover.
#[derive(Debug, Default)]
pub(crate) struct RareReport {
    /// Spans stored since the last handover.
    pub(crate) seen: Vec<Seen>,
    /// Tokens given back.
    pub(crate) tokens: u32,
    /// Chunks that took or lacked a token.
    pub(crate) demand: u64,
    /// Serial of the last grant that arrived.
    pub(crate) serial: u64,
}

const _: () = assert!(size_of::<Count>() <= 40);

impl LaneCounts {
    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.tallies == Tallies::default()
    }

    /// Forgets what is too old for the window at `bucket`.
    pub(crate) fn forget_before_window(&mut self, bucket: u64) {
        let oldest = bucket.saturating_sub(window::WINDOW - 1);
        let kept = self.rows.len();
        self.rows.retain(|row| row.bucket >= oldest);
        self.tallies.late += (kept - self.rows.len()) as u64;
    }

    /// Empties everything and keeps the allocations.
    pub(crate) fn clear(&mut self) {
        self.rows.clear();
        self.rare.seen.clear();
        self.rare =
            RareReport { seen: std::mem::take(&mut self.rare.seen), ..RareReport::default() };
        self.events_seen = 0.0;
        self.tallies = Tallies::default();
    }
}
