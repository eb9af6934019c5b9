//! The gRPC status of a span. spec: apm §9.3.

use super::whole;

/// Keys under which the status may stand, in meta and in metrics.
pub const GRPC_STATUS_KEYS: [&str; 4] =
    ["rpc.grpc.status_code", "grpc.code", "rpc.grpc.status.code", "grpc.status.code"];

/// Names and numbers.
const NAMES: [(&str, u32); 27] = [
    ("OK", 0),
    ("CANCELLED", 1),
    ("CANCELED", 1),
    ("UNKNOWN", 2),
    ("INVALID_ARGUMENT", 3),
    ("INVALIDARGUMENT", 3),
    ("DEADLINE_EXCEEDED", 4),
    ("DEADLINEEXCEEDED", 4),
    ("NOT_FOUND", 5),
    ("NOTFOUND", 5),
    ("ALREADY_EXISTS", 6),
    ("ALREADYEXISTS", 6),
    ("PERMISSION_DENIED", 7),
    ("PERMISSIONDENIED", 7),
    ("RESOURCE_EXHAUSTED", 8),
    ("RESOURCEEXHAUSTED", 8),
    ("FAILED_PRECONDITION", 9),
    ("FAILEDPRECONDITION", 9),
    ("ABORTED", 10),
    ("OUT_OF_RANGE", 11),
    ("OUTOFRANGE", 11),
    ("UNIMPLEMENTED", 12),
    ("INTERNAL", 13),
    ("UNAVAILABLE", 14),
    ("DATA_LOSS", 15),
    ("DATALOSS", 15),
    ("UNAUTHENTICATED", 16),
];

/// The status of a span: the first whole number among the metrics of [`GRPC_STATUS_KEYS`], else
/// the first text in meta that is not empty. `None` without one, and for a text that is neither a
/// number nor a known name.
#[must_use]
pub fn grpc_status<'a>(
    meta: impl Fn(&str) -> Option<&'a str>,
    metric: impl Fn(&str) -> Option<f64>,
) -> Option<u32> {
    let number = GRPC_STATUS_KEYS.iter().find_map(|key| metric(key).and_then(whole));
    if let Some(number) = number {
        return u32::try_from(number).ok();
    }
    let is_told = |text: &&str| !text.is_empty();
    GRPC_STATUS_KEYS.iter().find_map(|key| meta(key).filter(is_told)).and_then(status_of)
}

/// The number that a text stands for.
fn status_of(text: &str) -> Option<u32> {
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit());
    if is_decimal && let Ok(number) = text.parse() {
        return Some(number);
    }
    let name = text.strip_prefix("StatusCode.").unwrap_or(text);
    let known = NAMES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
    known.map(|(_, number)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_meta(value: &'static str) -> Option<u32> {
        grpc_status(|key| (key == "grpc.code").then_some(value), |_| None)
    }

    #[test]
    fn vectors_of_the_spec() {
        assert_eq!(of_meta("aborted"), Some(10));
        assert_eq!(of_meta("Canceled"), Some(1));
        assert_eq!(of_meta("StatusCode.ABORTED"), Some(10));
        assert_eq!(of_meta("StatusCodee.ABORTED"), None);
        assert_eq!(grpc_status(|_| None, |key| (key == "grpc.code").then_some(1.0)), Some(1));
    }

    #[test]
    fn numbers_become_canonical() {
        assert_eq!(of_meta("007"), Some(7));
        assert_eq!(of_meta("99"), Some(99));
        for text in ["-1", "+1", "1.0", "", "4294967296"] {
            assert_eq!(of_meta(text), None, "{text}");
        }
    }

    #[test]
    fn every_key_is_read_and_metrics_come_first() {
        for key in GRPC_STATUS_KEYS {
            let meta = |asked: &str| (asked == key).then_some("3");
            let metric = |asked: &str| (asked == key).then_some(4.0);
            assert_eq!(grpc_status(meta, |_| None), Some(3));
            assert_eq!(grpc_status(meta, metric), Some(4));
        }
        assert_eq!(grpc_status(|_| Some("3"), |_| Some(0.5)), Some(3));
        assert_eq!(grpc_status(|_| Some("3"), |_| Some(-2.0)), None);
    }
}
