//! The one check of everything that is sent. spec: metrics-intake §2.2, §3, §6 to §8; apm §6, §9,
//! §10; logs §2.
//!
//! Used by the intake for every request and by tests of the encoder without any HTTP. A violation
//! is something a careful receiver could object to; a body that cannot be decoded at all never gets
//! here.

mod logs;
mod metric;
mod overwrites;
mod report;
mod shape;
mod stats;
mod traces;

pub use overwrites::Overwrites;
pub(crate) use overwrites::context_hash;
pub use report::{Report, Rule, Violation};

use crate::{Check, Event, Payload, Request, Route};

/// What is still acceptable.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Points of one series payload.
    pub points_max: usize,
    /// Events in one batch, service checks in one body.
    pub batch_max: usize,
    /// How far a timestamp may lie in the past, in seconds. `None` takes every positive one,
    /// because clients may send timestamps of their own.
    pub past_secs_max: Option<i64>,
    /// How far a timestamp may lie in the future, in seconds. Catches milliseconds and worse.
    pub future_secs_max: i64,
    /// The present in Unix seconds, for tests on a simulated clock. `None` is the time of day.
    pub now_secs: Option<i64>,
    /// Whether a tag may be the empty string, which a client can provoke with `#a,,b`.
    pub are_empty_tags_allowed: bool,
    /// Whether series and sketches must name where they come from (v1 cannot).
    pub is_provenance_required: bool,
    /// Bytes up to which tracer payloads are joined in one request.
    pub trace_bytes_max: usize,
    /// Bytes of a resource; 15,000 with the feature `big_resource`.
    pub resource_bytes_max: usize,
    /// How far a span may start in the future, in seconds: nothing corrects a client's clock.
    pub span_future_secs_max: i64,
    /// Whether metrics of a span may be NaN or infinite, as a client can send them.
    pub are_infinite_metrics_allowed: bool,
    /// Whether no span stands for others (`_sample_rate`): hits must then equal what the sketches
    /// hold.
    pub are_stats_unweighted: bool,
    /// How far the timestamp of a log may lie from now, in seconds.
    pub log_age_secs_max: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            points_max: 10_000,
            batch_max: 100,
            past_secs_max: None,
            future_secs_max: 600,
            now_secs: None,
            are_empty_tags_allowed: false,
            is_provenance_required: true,
            trace_bytes_max: 3_200_000,
            resource_bytes_max: 5_000,
            span_future_secs_max: 86_400,
            are_infinite_metrics_allowed: false,
            are_stats_unweighted: false,
            log_age_secs_max: 64_800,
        }
    }
}

/// Checks the contents of one decoded body.
///
/// `encoded_bytes` and `decoded_bytes` are its sizes before and after decompression, `now_secs` the
/// time of day unless the rules fix it.
pub fn check_payload(
    route: Route,
    encoded_bytes: usize,
    decoded_bytes: usize,
    payload: &Payload,
    rules: &Rules,
    now_secs: i64,
    report: &mut Report,
) {
    let now_secs = rules.now_secs.unwrap_or(now_secs);
    check_sizes(route, encoded_bytes, decoded_bytes, report);
    if payload.is_empty() && !payload.is_probe && route != Route::Validate {
        report.add(Rule::EmptyPayload, || "the body holds nothing".to_owned());
    }
    for remark in &payload.remarks {
        report.add(Rule::Format, || remark.clone());
    }
    let point_count = payload.point_count();
    if route.is_series() && point_count > rules.points_max {
        report.add(Rule::TooManyPoints, || format!("{point_count} points in one payload"));
    }
    for (what, count) in [("events", payload.events.len()), ("checks", payload.checks.len())] {
        if count > rules.batch_max && route != Route::Intake {
            report.add(Rule::TooManyItems, || format!("{count} {what} in one body"));
        }
    }
    for metric in &payload.metrics {
        metric::check(metric, rules, now_secs, report);
    }
    for event in &payload.events {
        check_event(event, rules, now_secs, report);
    }
    for check in &payload.checks {
        check_service_check(check, rules, now_secs, report);
    }
    for document in &payload.metadata {
        if let crate::Metadata::Host(value) = document {
            check_host_metadata(value, report);
        }
    }
    logs::check(&payload.logs, rules, now_secs, report);
    if let Some(traces) = &payload.traces {
        traces::check(traces, decoded_bytes, rules, now_secs, report);
    }
    if let Some(stats) = &payload.stats {
        stats::check(stats, rules, report);
    }
}

/// Checks the headers of one request. spec: metrics-intake §1.1, apm §10, logs §2.1.
pub fn check_headers(request: &Request, report: &mut Report) {
    let Some(route) = request.route else { return };
    if let Some(expected) = route.content_type() {
        let given = request.header("content-type").unwrap_or_default();
        let media_type = given.split(';').next().unwrap_or_default().trim();
        if media_type != expected {
            report.add(Rule::Header, || {
                format!("content-type of {} is {given:?}, not {expected}", route.path())
            });
        }
    }
    if route.is_apm() {
        check_apm_headers(request, route, report);
        return;
    }
    if route == Route::Logs {
        logs::check_headers(request, report);
        return;
    }
    for name in ["user-agent", "dd-agent-version"] {
        let is_missing = request.header(name).is_none_or(str::is_empty);
        if is_missing && (name == "user-agent" || route != Route::Validate) {
            report.add(Rule::Header, || format!("{} has no {name}", route.path()));
        }
    }
}

/// Checks what only headers and contents together can show.
pub fn check_exchange(request: &Request, payload: &Payload, report: &mut Report) {
    if let Some(traces) = &payload.traces {
        traces::check_languages(request, traces, report);
    }
}

fn check_apm_headers(request: &Request, route: Route, report: &mut Report) {
    if request.header("user-agent").is_none_or(str::is_empty) {
        report.add(Rule::Header, || format!("{} has no user-agent", route.path()));
    }
    // Empty as long as no tracer has named its language.
    if request.header("x-datadog-reported-languages").is_none() {
        report
            .add(Rule::Header, || format!("{} has no x-datadog-reported-languages", route.path()));
    }
    let encoding = request.header("content-encoding").unwrap_or_default();
    let is_taken = encoding == "gzip" || encoding == "zstd" && route == Route::Traces;
    if !is_taken {
        report
            .add(Rule::Header, || format!("content-encoding of {} is {encoding:?}", route.path()));
    }
    let length = request.header("content-length").and_then(|length| length.parse::<usize>().ok());
    if length != Some(request.encoded_bytes) {
        let bytes = request.encoded_bytes;
        report.add(Rule::Header, || {
            format!("content-length of {} is {length:?} for {bytes} bytes", route.path())
        });
    }
}

fn check_sizes(route: Route, encoded_bytes: usize, decoded_bytes: usize, report: &mut Report) {
    let limits = route.limits();
    for (what, bytes, bytes_max) in [
        ("compressed", encoded_bytes, limits.encoded_bytes_max),
        ("decompressed", decoded_bytes, limits.decoded_bytes_max),
    ] {
        if bytes > bytes_max {
            report.add(Rule::TooLarge, || {
                format!("{bytes} bytes {what}, {} takes {bytes_max}", route.path())
            });
        }
    }
}

fn check_timestamp(
    what: &dyn Fn() -> String,
    timestamp_secs: i64,
    rules: &Rules,
    now_secs: i64,
    report: &mut Report,
) {
    let earliest = rules.past_secs_max.map_or(1, |past| now_secs.saturating_sub(past).max(1));
    let latest = now_secs.saturating_add(rules.future_secs_max);
    if !(earliest..=latest).contains(&timestamp_secs) {
        report.add(Rule::Timestamp, || {
            format!("{}: timestamp {timestamp_secs} is not in {earliest}..={latest}", what())
        });
    }
}

fn check_tags<T: AsRef<str>>(
    what: &dyn Fn() -> String,
    tags: &[T],
    rules: &Rules,
    report: &mut Report,
) {
    for tag in tags {
        if tag.as_ref().is_empty() && !rules.are_empty_tags_allowed {
            report.add(Rule::EmptyTag, || format!("{}: has an empty tag", what()));
        }
    }
    for pair in tags.windows(2) {
        if let [first, second] = pair
            && first.as_ref() == second.as_ref()
        {
            report.add(Rule::DuplicateTag, || format!("{}: {:?} twice", what(), first.as_ref()));
        }
    }
}

fn check_event(event: &Event, rules: &Rules, now_secs: i64, report: &mut Report) {
    let what = || format!("event {:?}", event.title);
    if event.title.is_empty() {
        report.add(Rule::Event, || "an event has no title".to_owned());
    }
    for (field, value, known) in [
        ("priority", &event.priority, &["", "normal", "low"][..]),
        ("alert_type", &event.alert_type, &["", "error", "warning", "info", "success"][..]),
    ] {
        if !known.contains(&value.as_str()) {
            report.add(Rule::Event, || format!("{}: {field} is {value:?}", what()));
        }
    }
    check_timestamp(&what, event.timestamp_secs, rules, now_secs, report);
    check_tags(&what, &event.tags, rules, report);
}

fn check_service_check(check: &Check, rules: &Rules, now_secs: i64, report: &mut Report) {
    let what = || format!("check {:?}", check.name);
    if check.name.is_empty() {
        report.add(Rule::Check, || "a service check has no name".to_owned());
    }
    if !(0..=3).contains(&check.status) {
        report.add(Rule::Check, || format!("{}: status is {}", what(), check.status));
    }
    check_timestamp(&what, check.timestamp_secs, rules, now_secs, report);
    check_tags(&what, &check.tags, rules, report);
}

/// The minimal subset of §9.
fn check_host_metadata(value: &serde_json::Value, report: &mut Report) {
    for pointer in [
        "/internalHostname",
        "/agentVersion",
        "/os",
        "/agent-flavor",
        "/meta/hostname",
        "/meta/socket-hostname",
        "/host-tags/system",
        "/systemStats",
        "/gohai",
    ] {
        if value.pointer(pointer).is_none_or(serde_json::Value::is_null) {
            report.add(Rule::HostMetadata, || format!("host metadata has no {pointer}"));
        }
    }
    if value.get("gohai").is_some_and(|gohai| !gohai.is_string()) {
        report.add(Rule::HostMetadata, || "gohai is not a JSON string".to_owned());
    }
}

#[cfg(test)]
mod tests;
