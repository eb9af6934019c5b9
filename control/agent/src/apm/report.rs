//! The trace pipeline as `status` sees it.

use lane::{Shedding, TraceCounts};
use sampling::Tallies;

use super::budget::Usage;
use super::stats::StatsCounts;
use super::writer::WriterCounts;

/// Counters of all lanes and of control.
#[derive(Clone, Debug, Default)]
pub(crate) struct TraceReport {
    /// Of each lane, as of its last handover.
    pub(crate) lanes: Vec<TraceCounts>,
    /// Payloads of traces.
    pub(crate) writer: WriterCounts,
    /// Stats.
    pub(crate) stats: StatsCounts,
    /// What the samplers of all lanes saw and kept.
    pub(crate) sampled: Tallies,
    /// Version of the rates that tracers get.
    pub(crate) rates_version: String,
    /// Those rates.
    pub(crate) rates: Vec<(String, f64)>,
    /// Target of the priority sampler.
    pub(crate) target_tps: f64,
    /// Target of the errors sampler.
    pub(crate) errors_tps: f64,
    /// Why traces are refused, if they are.
    pub(crate) shedding: Option<Shedding>,
    /// What the process uses, and may use.
    pub(crate) usage: Usage,
}

impl TraceReport {
    pub(crate) fn new(lanes: usize) -> Self {
        Self { lanes: vec![TraceCounts::default(); lanes], ..Self::default() }
    }

    pub(crate) fn set_lane(&mut self, lane: usize, counts: TraceCounts) {
        if let Some(held) = self.lanes.get_mut(lane) {
            *held = counts;
        }
    }
}
