//! OTLP metrics to payloads of points. spec: otlp §5

use std::time::{Duration, Instant};

use encode::EncodeStats;
use otlp::metrics::{Dropped, Translator};
use otlp::wire::WireError;

use crate::counts::{Counts, PointCounts};
use crate::inlet::Rejected;
use crate::{PointOutlet, PointSink};

/// The translator, and the payloads under construction.
pub(crate) struct Points {
    translator: Translator,
    open: PointOutlet,
    /// Payloads that are not full yet, and since when.
    sink: Option<(Box<dyn PointSink>, Instant)>,
    wait: Duration,
    encoded: EncodeStats,
}

impl Points {
    /// Points leave when their payload is full, or after `wait`.
    pub(crate) fn new(translator: Translator, open: PointOutlet, wait: Duration) -> Self {
        Self { translator, open, sink: None, wait, encoded: EncodeStats::default() }
    }

    /// Takes a request in protobuf.
    pub(crate) fn take(&mut self, body: &[u8], now_ms: u64) -> Result<Rejected, WireError> {
        let Self { translator, open, sink, .. } = self;
        let (sink, _) = sink.get_or_insert_with(|| (open(), Instant::now()));
        let counts = translator.translate(body, now_ms / 1000, &mut **sink)?;
        let reasons = Dropped::ALL
            .into_iter()
            .filter(|reason| reason.is_rejection() && counts.points.dropped_for(*reason) > 0);
        let reasons: Vec<&str> = reasons.map(Dropped::name).collect();
        Ok(Rejected { count: counts.rejected(), reason: reasons.join(", ") })
    }

    /// When points have to leave, if there are any.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.sink.as_ref().map(|(_, since)| *since + self.wait)
    }

    /// Sends what there is.
    pub(crate) fn flush(&mut self) {
        if let Some((mut sink, _)) = self.sink.take() {
            self.encoded.merge(&sink.finish());
        }
    }

    /// Adds its counters. What the encoder has is counted when it leaves.
    pub(crate) fn count(&self, counts: &mut Counts) {
        let translated = self.translator.counts();
        let by_reason = Dropped::ALL.into_iter();
        let by_reason =
            by_reason.map(|reason| (reason.name(), translated.points.dropped_for(reason)));
        counts.points = PointCounts {
            received: translated.points.received,
            translated: translated.points.emitted,
            dropped: by_reason.filter(|(_, count)| *count > 0).collect(),
            remembered: self.translator.cumulative_series() as u64,
            points_in: translated.series + translated.sketches,
            points_out: self.encoded.points_out,
            points_lost: self.encoded.points_in - self.encoded.points_out,
        };
    }
}
