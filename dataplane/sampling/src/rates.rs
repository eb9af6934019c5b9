//! The snapshot that control publishes to all lanes.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::counts::Kind;
use crate::hash::BySignature;
use crate::rare::{Grant, Seen};
use crate::reply::RatesReply;
use crate::window::BUCKET_SECS;

/// Rates of all samplers over all lanes; immutable and shared.
#[derive(Clone, Debug)]
pub struct Rates {
    pub(crate) kinds: [Arc<KindRates>; 3],
    /// The bucket that was open when this was published, and the weight in it so far by kind.
    pub(crate) open_bucket: u64,
    pub(crate) open_totals: [f64; 3],
    pub(crate) lanes: u32,
    pub(crate) rare: RareShare,
    /// Score of the limit on events. spec: apm §7.7.
    pub(crate) event_score: f64,
    pub(crate) reply: Arc<RatesReply>,
}

impl Rates {
    /// Body and version of the reply to trace requests.
    pub fn reply(&self) -> &Arc<RatesReply> {
        &self.reply
    }

    /// Target of the priority sampler in traces per second (`targetTPS` of a payload).
    pub fn target_tps(&self) -> f64 {
        self.of(Kind::Priority).target
    }

    /// Target of the errors sampler in traces per second (`errorTPS` of a payload).
    pub fn errors_tps(&self) -> f64 {
        self.of(Kind::Errors).target
    }

    /// Whether the rare sampler is on (`rareSamplerEnabled` of a payload).
    pub const fn is_rare_enabled(&self) -> bool {
        self.rare.is_enabled
    }

    /// Live signatures of the priority, no-priority and errors samplers, for status.
    pub fn signature_counts(&self) -> [usize; 3] {
        Kind::ALL.map(|kind| self.of(kind).rates.len())
    }

    pub(crate) fn of(&self, kind: Kind) -> &KindRates {
        &self.kinds[kind as usize]
    }
}

/// Rates of one sampler, as of the last closed bucket.
#[derive(Clone, Debug)]
pub(crate) struct KindRates {
    /// Every live signature; those that came with the open bucket have no rate yet.
    pub(crate) rates: BySignature<Option<f64>>,
    /// Signatures that are not shrunk, once there are many. spec: apm §7.4.
    pub(crate) allowed: Option<BySignature<()>>,
    pub(crate) lowest: f64,
    pub(crate) target: f64,
    /// Largest weight of a closed bucket in the window.
    pub(crate) closed_max: f64,
}

impl KindRates {
    pub(crate) fn new(target: f64) -> Self {
        Self { rates: BySignature::default(), allowed: None, lowest: 1.0, target, closed_max: 0.0 }
    }

    /// Rate of signatures without one, when the open bucket holds `open_total`. spec: apm §7.2.
    pub(crate) fn default_rate(&self, open_total: f64) -> f64 {
        if self.target <= 0.0 {
            return 0.0;
        }
        let seen_tps = self.closed_max.max(open_total) / BUCKET_SECS;
        let rate = if self.target < seen_tps { self.target / seen_tps } else { 1.0 };
        if self.lowest > 0.0 && self.lowest < rate { self.lowest } else { rate }
    }
}

/// What lanes share in the rare sampler.
#[derive(Clone, Debug)]
pub(crate) struct RareShare {
    pub(crate) is_enabled: bool,
    /// One for each lane.
    pub(crate) grants: Arc<[Grant]>,
    /// Spans that lanes stored, by tick of control; the last few ticks, oldest first.
    pub(crate) news: VecDeque<(u64, Arc<[Seen]>)>,
}
