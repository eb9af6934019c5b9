//! What of a span's attributes the statistics use. spec: apm §9.2, §9.3.
//!
//! The functions take small inputs instead of a span, so that they fit every span model.

mod grpc;
mod peer;

pub use grpc::{GRPC_STATUS_KEYS, grpc_status};
pub use peer::{PeerTagScope, peer_tag_scope};

/// Value in place of one that is not let through.
pub const BLOCKED_VALUE: &str = "agent_blocked_value";

/// Bytes of an additional tag's value that are let through.
const ADDITIONAL_VALUE_BYTES_MAX: usize = 200;

/// What decides whether a span counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpanMarks<'a> {
    /// Metric `_top_level` or `_dd.top_level` is 1.
    pub is_top_level: bool,
    /// Metric `_dd.measured` is 1.
    pub is_measured: bool,
    /// Metric `_dd.partial_version` is present and not negative.
    pub is_partial_snapshot: bool,
    /// Meta `span.kind`.
    pub span_kind: &'a str,
}

/// Where the HTTP status of a span may stand.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HttpStatus<'a> {
    /// Metric `http.status_code`.
    pub metric: Option<f64>,
    /// Meta `http.status_code`.
    pub meta: Option<&'a str>,
    /// Metric `http.response.status_code`.
    pub response_metric: Option<f64>,
}

/// Whether a span is handed to the concentrator. `is_kind_counted` is
/// `apm_config.compute_stats_by_span_kind`.
#[must_use]
pub fn is_counted(span: SpanMarks<'_>, is_kind_counted: bool) -> bool {
    let has_counted_kind = || {
        let is_kind = |kind: &&str| span.span_kind.eq_ignore_ascii_case(kind);
        ["server", "consumer", "client", "producer"].iter().any(is_kind)
    };
    !span.is_partial_snapshot
        && (span.is_top_level || span.is_measured || (is_kind_counted && has_counted_kind()))
}

/// The weight of all spans of a chunk: one by the metric `_sample_rate` of its root.
#[must_use]
pub fn weight(sample_rate: Option<f64>) -> f64 {
    match sample_rate {
        Some(rate) if rate > 0.0 && rate <= 1.0 => 1.0 / rate,
        _ => 1.0,
    }
}

/// The HTTP status of a span, 0 for none.
#[must_use]
pub fn http_status(from: HttpStatus<'_>) -> u32 {
    let in_range = |number: i64| u32::try_from(number).unwrap_or(0);
    let meta = || from.meta.and_then(|text| text.parse::<i64>().ok());
    from.metric
        .and_then(whole)
        .or_else(meta)
        .or_else(|| from.response_metric.and_then(whole))
        .map_or(0, in_range)
}

/// The value of an additional metric tag: one of more than 200 bytes is not let through.
#[must_use]
pub const fn additional_tag_value(value: &str) -> &str {
    if value.len() > ADDITIONAL_VALUE_BYTES_MAX { BLOCKED_VALUE } else { value }
}

/// A metric that is a whole number, and small enough to be exact.
#[expect(clippy::cast_possible_truncation, reason = "compared with the number it came from")]
#[expect(clippy::cast_precision_loss, reason = "below 2^53 nothing is lost")]
#[expect(clippy::float_cmp, reason = "whole means exactly that")]
fn whole(number: f64) -> Option<i64> {
    let whole = number as i64;
    let is_exact = whole.unsigned_abs() < 1 << 53 && whole as f64 == number;
    is_exact.then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn top_level_measured_and_kind_count() {
        let top = SpanMarks { is_top_level: true, ..SpanMarks::default() };
        let measured = SpanMarks { is_measured: true, ..SpanMarks::default() };
        let client = SpanMarks { span_kind: "Client", ..SpanMarks::default() };
        let internal = SpanMarks { span_kind: "internal", ..SpanMarks::default() };
        assert!(is_counted(top, false) && is_counted(measured, false) && is_counted(client, true));
        assert!(!is_counted(client, false) && !is_counted(internal, true));
        assert!(!is_counted(SpanMarks { is_partial_snapshot: true, ..top }, true));
    }

    #[test]
    fn weights_are_inverse_rates() {
        assert_eq!(weight(Some(0.25)), 4.0);
        for rate in [None, Some(0.0), Some(-1.0), Some(1.5), Some(f64::NAN), Some(1.0)] {
            assert_eq!(weight(rate), 1.0);
        }
    }

    #[test]
    fn http_status_is_looked_for_in_order() {
        let status = |metric, meta, response_metric| {
            http_status(HttpStatus { metric, meta, response_metric })
        };
        assert_eq!(status(Some(200.0), Some("404"), None), 200);
        assert_eq!(status(Some(200.5), Some("404"), None), 404);
        assert_eq!(status(None, Some("404"), Some(500.0)), 404);
        assert_eq!(status(None, Some("bad"), Some(500.0)), 500);
        assert_eq!(status(None, None, Some(500.0)), 500);
        assert_eq!(status(Some(-1.0), None, None), 0);
        assert_eq!(status(Some(1e12), None, None), 0);
        assert_eq!(status(Some(f64::NAN), Some("-3"), None), 0);
        assert_eq!(status(Some(f64::INFINITY), None, None), 0);
        assert_eq!(status(None, None, None), 0);
    }

    #[test]
    fn a_long_value_is_blocked() {
        assert_eq!(additional_tag_value("gold"), "gold");
        assert_eq!(additional_tag_value(&"x".repeat(200)).len(), 200);
        assert_eq!(additional_tag_value(&"x".repeat(201)), "agent_blocked_value");
    }
}
