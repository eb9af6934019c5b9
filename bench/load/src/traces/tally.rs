//! What requests carry, exactly.

use serde::{Deserialize, Serialize};

use super::shop::{Span, Trace};

/// Counts of a number of payloads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceTally {
    /// Payloads, one to a request.
    pub payloads: u64,
    /// Bytes of their bodies.
    pub body_bytes: u64,
    /// Chunks, each a whole trace.
    pub chunks: u64,
    /// Spans.
    pub spans: u64,
    /// Spans with an error.
    pub error_spans: u64,
    /// Chunks with an error on any span.
    pub error_chunks: u64,
    /// Chunks with priority 1.
    pub kept_chunks: u64,
    /// Spans of these chunks.
    pub kept_spans: u64,
    /// Chunks with an error that have priority 0: the errors sampler decides about them.
    pub dropped_error_chunks: u64,
    /// Spans that trace stats count: top-level, measured, or of a kind. spec: apm §9.2
    pub hits: u64,
    /// Hits with an error.
    pub hit_errors: u64,
    /// Hits that are top-level.
    pub top_level_hits: u64,
    /// Sum of the durations of hits in nanoseconds.
    pub hit_duration_ns: u64,
}

impl TraceTally {
    /// Adds other counts.
    pub const fn add(&mut self, other: &Self) {
        self.payloads += other.payloads;
        self.body_bytes += other.body_bytes;
        self.chunks += other.chunks;
        self.spans += other.spans;
        self.error_spans += other.error_spans;
        self.error_chunks += other.error_chunks;
        self.kept_chunks += other.kept_chunks;
        self.kept_spans += other.kept_spans;
        self.dropped_error_chunks += other.dropped_error_chunks;
        self.hits += other.hits;
        self.hit_errors += other.hit_errors;
        self.top_level_hits += other.top_level_hits;
        self.hit_duration_ns += other.hit_duration_ns;
    }

    pub(super) fn add_trace(&mut self, trace: &Trace) {
        let spans = trace.spans.len() as u64;
        let errors = trace.spans.iter().filter(|span| span.is_error).count() as u64;
        let has_error = errors > 0;
        self.chunks += 1;
        self.spans += spans;
        self.error_spans += errors;
        self.error_chunks += u64::from(has_error);
        if trace.is_kept {
            self.kept_chunks += 1;
            self.kept_spans += spans;
        } else {
            self.dropped_error_chunks += u64::from(has_error);
        }
        for span in trace.spans.iter().filter(|span| is_hit(span)) {
            self.hits += 1;
            self.hit_errors += u64::from(span.is_error);
            self.top_level_hits += u64::from(span.has_metric("_dd.top_level"));
            self.hit_duration_ns += span.duration_ns;
        }
    }
}

fn is_hit(span: &Span) -> bool {
    span.has_metric("_dd.top_level")
        || span.has_metric("_dd.measured")
        || span.meta("span.kind").is_some_and(|kind| kind != "internal")
}
