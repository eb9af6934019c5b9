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

/// What groups of a bucket count: merged by key, and exported once.
pub trait Counts {
    /// Adds what another group of the same key counts. Commutative and associative.
    fn merge(&mut self, other: Self);

    /// The numbers on the wire. `round` makes whole numbers of weighted counts.
    fn export(&self, round: &mut dyn FnMut(f64) -> u64) -> Exported<'_>;
}

/// Numbers of a group on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exported<'a> {
    /// Spans.
    pub hits: u64,
    /// Top-level spans.
    pub top_level_hits: u64,
    /// Failed spans.
    pub errors: u64,
    /// Sum of durations in nanoseconds.
    pub duration_ns: u64,
    /// Durations of spans that did not fail.
    pub ok: Summary<'a>,
    /// Durations of failed spans.
    pub error: Summary<'a>,
}

/// A sketch on its way to the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Summary<'a> {
    /// To be encoded.
    Sketch(&'a Sketch),
    /// As a client encoded it.
    Encoded(&'a [u8]),
}

impl Counts for Cell {
    fn merge(&mut self, other: Self) {
        self.hits += other.hits;
        self.top_level_hits += other.top_level_hits;
        self.errors += other.errors;
        self.duration_ns += other.duration_ns;
        self.ok.merge(&other.ok);
        self.error.merge(&other.error);
    }

    fn export(&self, round: &mut dyn FnMut(f64) -> u64) -> Exported<'_> {
        Exported {
            hits: round(self.hits),
            top_level_hits: round(self.top_level_hits),
            errors: round(self.errors),
            duration_ns: round(self.duration_ns),
            ok: Summary::Sketch(&self.ok),
            error: Summary::Sketch(&self.error),
        }
    }
}

/// What recording a span did to a cell's sketches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Growth {
    /// Bytes taken.
    pub(crate) bytes: usize,
    /// Whether the duration stands in its own bin.
    pub(crate) is_exact: bool,
}

impl Cell {
    /// Counts a span. Unless `may_grow`, its duration goes into the nearest bin that is there.
    #[expect(clippy::cast_precision_loss, reason = "sums of durations are estimates")]
    pub(crate) fn record(&mut self, span: &SpanStats<'_>, may_grow: bool) -> Growth {
        let duration_ns = span.duration_ns.max(0).cast_unsigned();
        self.hits += span.weight;
        self.duration_ns += duration_ns as f64 * span.weight;
        if span.is_top_level {
            self.top_level_hits += span.weight;
        }
        let sketch = if span.is_error {
            self.errors += span.weight;
            &mut self.error
        } else {
            &mut self.ok
        };
        let bytes_before = sketch.heap_bytes();
        let is_exact = if may_grow {
            sketch.insert_duration(duration_ns);
            true
        } else {
            sketch.insert_duration_nearest(duration_ns)
        };
        Growth { bytes: sketch.heap_bytes() - bytes_before, is_exact }
    }
}
