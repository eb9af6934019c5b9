//! The comparisons of traces and their stats.

use intake::Totals;
use load::traces::{TraceSent, TraceTally};
use status::{Snapshot, TraceStatus};

use super::{Check, check};

/// What was accepted is received, what is kept is decoded, and every hit is in the stats. Nothing
/// to compare when nothing was sent.
pub(super) fn checks(sent: &[TraceSent], last: &Snapshot, decoded: &Totals) -> Vec<Check> {
    if sent.is_empty() {
        return Vec::new();
    }
    let (mut accepted, mut unanswered) = (TraceTally::default(), TraceTally::default());
    for sent in sent {
        accepted.add(&sent.accepted);
        unanswered.add(&sent.unanswered);
    }
    let none = TraceStatus::default();
    let traces = last.traces.as_ref().unwrap_or(&none);
    let stats = &decoded.stats.sum;
    vec![
        check("trace requests unanswered", 0, unanswered.payloads),
        check("traces", accepted.chunks, traces.traces_received),
        check("spans", accepted.spans, traces.spans_received),
        check("traces kept", traces.traces_kept, decoded.traces.chunks),
        check("spans kept", traces.spans_kept, decoded.traces.spans),
        check("stats, hits", accepted.hits, stats.hits),
        check("stats, errors", accepted.hit_errors, stats.errors),
        check("stats, nanoseconds", accepted.hit_duration_ns, stats.duration_ns),
    ]
}

#[cfg(test)]
mod tests {
    use intake::{GroupTotals, StatsTotals, TraceTotals};

    use super::*;

    fn sent() -> Vec<TraceSent> {
        let accepted = TraceTally {
            chunks: 2,
            spans: 20,
            hits: 6,
            hit_errors: 1,
            hit_duration_ns: 900,
            ..TraceTally::default()
        };
        vec![TraceSent { accepted, ..TraceSent::default() }]
    }

    fn last() -> Snapshot {
        let traces = TraceStatus {
            traces_received: 2,
            spans_received: 20,
            traces_kept: 1,
            spans_kept: 10,
            ..TraceStatus::default()
        };
        Snapshot { traces: Some(traces), ..Snapshot::default() }
    }

    fn decoded() -> Totals {
        let sum = GroupTotals { hits: 6, errors: 1, duration_ns: 900, ..GroupTotals::default() };
        Totals {
            traces: TraceTotals { chunks: 1, spans: 10, ..TraceTotals::default() },
            stats: StatsTotals { sum, ..StatsTotals::default() },
            ..Totals::default()
        }
    }

    fn differing(decoded: &Totals) -> Vec<String> {
        let checks = checks(&sent(), &last(), decoded);
        checks.into_iter().filter(|check| !check.holds()).map(|check| check.what).collect()
    }

    #[test]
    fn all_is_well() {
        assert_eq!(differing(&decoded()), [""; 0]);
        assert!(checks(&[], &Snapshot::default(), &Totals::default()).is_empty());
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut totals = decoded();
        totals.traces.spans = 9;
        totals.stats.sum.errors = 0;
        assert_eq!(differing(&totals), ["spans kept", "stats, errors"]);
    }
}
