//! What was sent, exactly.

use serde::{Deserialize, Serialize};

use crate::Kind;

/// Counts and sums of one metric type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KindTally {
    /// Metric lines.
    pub lines: u64,
    /// Values on these lines.
    pub samples: u64,
    /// Sum of the values; 0 for sets, whose values are members and not numbers.
    pub sum: f64,
    /// Sum of `value / sample rate`: what counters add up to.
    pub weighted_sum: f64,
}

/// Counts and sums of a number of packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Packets (datagrams or frames).
    pub packets: u64,
    /// Bytes of the packets, without length prefixes.
    pub bytes: u64,
    /// Metric lines.
    pub lines: u64,
    /// Values on these lines.
    pub samples: u64,
    /// Gauges.
    pub gauge: KindTally,
    /// Counters.
    pub count: KindTally,
    /// Histograms.
    pub histogram: KindTally,
    /// Distributions.
    pub distribution: KindTally,
    /// Sets.
    pub set: KindTally,
    /// Timings.
    pub timing: KindTally,
}

impl Tally {
    /// The part of one type.
    #[must_use]
    pub const fn kind(&self, kind: Kind) -> &KindTally {
        match kind {
            Kind::Gauge => &self.gauge,
            Kind::Count => &self.count,
            Kind::Histogram => &self.histogram,
            Kind::Distribution => &self.distribution,
            Kind::Set => &self.set,
            Kind::Timing => &self.timing,
        }
    }

    /// Adds `other` `times` times.
    #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 repetitions")]
    pub fn add(&mut self, other: &Self, times: u64) {
        self.packets += other.packets * times;
        self.bytes += other.bytes * times;
        self.lines += other.lines * times;
        self.samples += other.samples * times;
        for kind in Kind::ALL {
            let from = *other.kind(kind);
            let into = self.kind_mut(kind);
            into.lines += from.lines * times;
            into.samples += from.samples * times;
            into.sum += from.sum * times as f64;
            into.weighted_sum += from.weighted_sum * times as f64;
        }
    }

    /// Adds one line that carries `samples` values.
    pub(crate) const fn add_line(&mut self, kind: Kind, samples: u64, sum: f64, rate: f64) {
        self.lines += 1;
        self.samples += samples;
        let into = self.kind_mut(kind);
        into.lines += 1;
        into.samples += samples;
        into.sum += sum;
        into.weighted_sum += sum / rate;
    }

    const fn kind_mut(&mut self, kind: Kind) -> &mut KindTally {
        match kind {
            Kind::Gauge => &mut self.gauge,
            Kind::Count => &mut self.count,
            Kind::Histogram => &mut self.histogram,
            Kind::Distribution => &mut self.distribution,
            Kind::Set => &mut self.set,
            Kind::Timing => &mut self.timing,
        }
    }
}
