//! Logs.

use super::{NOW, Report, Rule, Rules, broken, check_headers, check_payload};
use crate::{Log, Payload, Request, Route};

const HEADERS: [(&str, &str); 9] = [
    ("dd-api-key", "key"),
    ("content-type", "application/json"),
    ("user-agent", "datadog-agent/7.82.0"),
    ("content-encoding", "zstd"),
    ("dd-protocol", "agent-json"),
    ("dd-evp-origin", "agent"),
    ("dd-evp-origin-version", "7.82.0"),
    ("dd-message-timestamp", "0"),
    ("dd-current-timestamp", "1700000000123"),
];

fn log() -> Log {
    Log { status: "info".into(), timestamp_ms: NOW * 1_000, ..Log::default() }
}

fn of_logs(logs: Vec<Log>) -> Vec<Rule> {
    broken(&Payload { logs, ..Payload::default() }, Route::Logs)
}

fn header_violations(headers: &[(&str, &str)]) -> Vec<String> {
    let headers =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let request = Request { route: Some(Route::Logs), headers, ..Request::default() };
    let mut report = Report::default();
    check_headers(&request, &mut report);
    assert!(report.counts().keys().all(|rule| *rule == Rule::Header));
    report.violations().iter().map(|violation| violation.detail.clone()).collect()
}

#[test]
fn sound_logs_are_accepted() {
    assert_eq!(of_logs(vec![log(); 1_000]), []);
    // OTLP passes the text of a severity through.
    assert_eq!(of_logs(vec![Log { status: "Warnung".into(), ..log() }]), []);
    assert_eq!(of_logs(vec![Log { encoded_bytes: 1_000_000, ..log() }]), []);
}

#[test]
fn each_defect_of_a_log_is_named() {
    let at = |secs: i64| Log { timestamp_ms: (NOW + secs) * 1_000, ..log() };
    assert_eq!(of_logs(vec![at(-64_800), at(64_800)]), []);
    for (logs, rule) in [
        (vec![log(); 1_001], Rule::TooManyItems),
        (vec![Log { encoded_bytes: 1_000_001, ..log() }], Rule::TooLarge),
        (vec![Log { status: String::new(), ..log() }], Rule::Log),
        (vec![at(-64_801)], Rule::Timestamp),
        (vec![at(64_801)], Rule::Timestamp),
        (vec![Log { timestamp_ms: NOW, ..log() }], Rule::Timestamp),
        (vec![Log { timestamp_ms: i64::MIN, ..log() }], Rule::Timestamp),
        (vec![Log { timestamp_ms: i64::MAX, ..log() }], Rule::Timestamp),
        (vec![], Rule::EmptyPayload),
    ] {
        assert_eq!(of_logs(logs), [rule]);
    }
    let probe = Payload { is_probe: true, ..Payload::default() };
    assert_eq!(broken(&probe, Route::Logs), []);
    let remarks = vec!["log 0: the order of keys".to_owned()];
    let unordered = Payload { logs: vec![log()], remarks, ..Payload::default() };
    assert_eq!(broken(&unordered, Route::Logs), [Rule::Format]);
}

#[test]
fn the_size_of_a_payload_is_checked() {
    let payload = Payload { logs: vec![log()], ..Payload::default() };
    for (bytes, is_clean) in [(5_000_000, true), (5_000_001, false)] {
        let mut report = Report::default();
        let rules = Rules::default();
        check_payload(Route::Logs, 1, bytes, &payload, &rules, NOW, &mut report);
        assert_eq!(report.is_clean(), is_clean, "{bytes}");
    }
}

#[test]
fn headers_are_checked() {
    assert_eq!(header_violations(&HEADERS), [""; 0]);
    for (name, _) in HEADERS {
        let without: Vec<_> = HEADERS.into_iter().filter(|(given, _)| *given != name).collect();
        let violations = header_violations(&without);
        let is_needed = name != "content-encoding";
        assert_eq!(violations.len(), usize::from(is_needed), "{violations:?}");
        assert!(!is_needed || violations[0].contains(name), "{violations:?}");
    }
    for (name, value) in [
        ("content-type", "text/plain"),
        ("content-encoding", "deflate"),
        ("content-encoding", "identity"),
        ("dd-protocol", "agent"),
        ("dd-evp-origin", ""),
        ("dd-message-timestamp", "-1"),
        ("dd-current-timestamp", "1.7e12"),
    ] {
        let changed = HEADERS.map(|header| if header.0 == name { (name, value) } else { header });
        assert_eq!(header_violations(&changed).len(), 1, "{name}: {value}");
    }
}
