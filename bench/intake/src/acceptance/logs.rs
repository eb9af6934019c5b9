//! Checks of logs. spec: logs §2.

use super::{Report, Rule, Rules};
use crate::{Log, Request, Route};

/// Entries of one payload.
const ENTRIES_MAX: usize = 1_000;
/// Bytes of one entry: longer ones are taken, and cut.
const ENTRY_BYTES_MAX: usize = 1_000_000;

/// Checks all entries of one payload.
pub(super) fn check(logs: &[Log], rules: &Rules, now_secs: i64, report: &mut Report) {
    let count = logs.len();
    if count > ENTRIES_MAX {
        report.add(Rule::TooManyItems, || format!("{count} logs in one body"));
    }
    for (index, log) in logs.iter().enumerate() {
        let (bytes, timestamp_ms) = (log.encoded_bytes, log.timestamp_ms);
        if bytes > ENTRY_BYTES_MAX {
            report.add(Rule::TooLarge, || format!("log {index}: is of {bytes} bytes"));
        }
        if log.status.is_empty() {
            report.add(Rule::Log, || format!("log {index}: has no status"));
        }
        let age_secs = timestamp_ms.div_euclid(1_000).abs_diff(now_secs);
        if age_secs > rules.log_age_secs_max {
            report.add(Rule::Timestamp, || {
                format!("log {index}: timestamp {timestamp_ms} is {age_secs} s from now")
            });
        }
    }
}

/// Checks the headers of a request with logs.
pub(super) fn check_headers(request: &Request, report: &mut Report) {
    let route = Route::Logs;
    for name in ["dd-api-key", "user-agent", "dd-evp-origin", "dd-evp-origin-version"] {
        if request.header(name).is_none_or(str::is_empty) {
            report.add(Rule::Header, || format!("{} has no {name}", route.path()));
        }
    }
    for name in ["dd-message-timestamp", "dd-current-timestamp"] {
        let given = request.header(name);
        if given.is_none_or(|given| given.parse::<u64>().is_err()) {
            report.add(Rule::Header, || format!("{name} of {} is {given:?}", route.path()));
        }
    }
    for (name, known) in [
        ("dd-protocol", &[Some("agent-json")][..]),
        ("content-encoding", &[None, Some("zstd"), Some("gzip")]),
    ] {
        let given = request.header(name);
        if !known.contains(&given) {
            report.add(Rule::Header, || format!("{name} of {} is {given:?}", route.path()));
        }
    }
}
