//! What a group counts.

use crate::SpanStats;
use crate::sketch::Sketch;

/// What is counted of a group on a lane. spec: apm §9.4.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// Spans, weighted.
    pub hits: f64,
    /// Top-level spans, weighted.
    pub top_level_hits: f64,
    /// Failed spans, weighted.
    pub errors: f64,
    /// Sum of durations in nanoseconds, weighted.
    pub duration_ns: f64,
    /// Durations of spans that did not fail, one each.
    pub ok: Sketch,
    /// Durations of failed spans, one each.
    pub error: Sketch,
}

impl Cell {
    /// Counts a span.
    #[expect(clippy::cast_precision_loss, reason = "sums of durations are estimates")]
    pub(crate) fn record(&mut self, span: &SpanStats<'_>) {
        let duration_ns = u64::try_from(span.duration_ns).unwrap_or(0);
        self.hits += span.weight;
        self.duration_ns += duration_ns as f64 * span.weight;
        if span.is_top_level {
            self.top_level_hits += span.weight;
        }
        if span.is_error {
            self.errors += span.weight;
            self.error.insert_duration(duration_ns);
        } else {
            self.ok.insert_duration(duration_ns);
        }
    }
}
