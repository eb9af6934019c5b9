//! Requests as lines for people. The key shows its last five characters only.

mod apm;

use std::fmt::Write;

use crate::{Check, Event, Exchange, Log, Metric, Points};

/// Bins or tags beyond this many are counted instead of listed.
const LISTED_MAX: usize = 30;
/// Characters of the message of a log; the rest is left out.
const MESSAGE_CHARS_MAX: usize = 500;

/// One line about a request: route, answer, what it carried, sizes, sender.
#[must_use]
pub fn summary(exchange: &Exchange) -> String {
    let request = &exchange.request;
    let status = request.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let mut line = format!("{} {} -> {status}", request.method, request.path);
    if let Some(passed) = request.passed {
        push(&mut line, format_args!(", {}", passed.name()));
        let of = ["host", "dd-telemetry-request-type", "dd-evp-origin"];
        for text in of.into_iter().filter_map(|name| request.header(name)) {
            push(&mut line, format_args!(" {}", visible(text)));
        }
    }
    let counts = [
        (request.series_count, "series"),
        (request.sketch_count, "sketches"),
        (request.point_count, "points"),
        (request.event_count, "events"),
        (request.check_count, "checks"),
        (exchange.payload.metadata.len(), "metadata"),
        (request.chunk_count, "chunks"),
        (request.span_count, "spans"),
        (request.group_count, "groups"),
        (request.log_count, "logs"),
    ];
    for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
        push(&mut line, format_args!(", {count} {what}"));
    }
    let encoding = request.header("content-encoding").unwrap_or("identity");
    if request.encoded_bytes > 0 {
        let (encoded, decoded) = (request.encoded_bytes, request.decoded_bytes);
        push(&mut line, format_args!(", {encoded} B {encoding}"));
        // What is passed on is not decoded.
        if request.passed.is_none() {
            push(&mut line, format_args!(" of {decoded} B"));
        }
    }
    if let Some(key) = request.masked_key() {
        push(&mut line, format_args!(", key {key}"));
    }
    if let Some(agent) = request.header("user-agent") {
        push(&mut line, format_args!(", {}", visible(agent)));
    }
    if request.is_resent {
        line.push_str(", sent before");
    }
    if let Some(error) = &request.error {
        push(&mut line, format_args!(", refused: {}", visible(error)));
    }
    if request.violation_count > 0 {
        push(&mut line, format_args!(", {} violations", request.violation_count));
    }
    line
}

/// One line for each metric, event, check, metadata document, trace, span, group of stats, log and
/// violation of a request.
#[must_use]
pub fn details(exchange: &Exchange) -> Vec<String> {
    let payload = &exchange.payload;
    let mut lines: Vec<String> = payload.metrics.iter().map(metric).collect();
    lines.extend(payload.events.iter().map(event));
    lines.extend(payload.checks.iter().map(check));
    lines.extend(payload.metadata.iter().map(|document| {
        let keys = document.value().as_object().map(|object| object.keys().cloned().collect());
        let keys: Vec<String> = keys.unwrap_or_default();
        format!("metadata with {}", visible(&keys.join(", ")))
    }));
    lines.extend(payload.traces.iter().flat_map(apm::traces));
    lines.extend(payload.stats.iter().flat_map(apm::stats));
    lines.extend(payload.logs.iter().map(log));
    lines.extend(exchange.violations.iter().map(|violation| {
        format!("violation of {}: {}", violation.rule.name(), visible(&violation.detail))
    }));
    lines
}

fn metric(metric: &Metric) -> String {
    let mut line = format!("{:<6} {}", metric.kind.name(), visible(&metric.name));
    match &metric.points {
        Points::Values(points) => {
            for point in points.iter().take(LISTED_MAX) {
                push(&mut line, format_args!(" {}@{}", point.value, point.timestamp_secs));
            }
        }
        Points::Sketches(points) => {
            for point in points.iter().take(LISTED_MAX) {
                push(
                    &mut line,
                    format_args!(
                        " n={} min={} max={} sum={} bins={}@{}",
                        point.count,
                        point.min,
                        point.max,
                        point.sum,
                        point.bins.len(),
                        point.timestamp_secs
                    ),
                );
            }
        }
    }
    if metric.points.len() > LISTED_MAX {
        push(&mut line, format_args!(" and {} more", metric.points.len() - LISTED_MAX));
    }
    if metric.interval_secs > 0 {
        push(&mut line, format_args!(" per {} s", metric.interval_secs));
    }
    if !metric.unit.is_empty() {
        push(&mut line, format_args!(" in {}", visible(&metric.unit)));
    }
    if let Some(host) = &metric.host {
        push(&mut line, format_args!(" on {}", visible(host)));
    }
    for resource in metric.resources.iter().filter(|resource| !resource.is_host()) {
        push(&mut line, format_args!(" {}={}", visible(&resource.kind), visible(&resource.name)));
    }
    line.push_str(&tag_list(metric.tags.iter().map(|tag| &**tag)));
    line
}

fn event(event: &Event) -> String {
    let tags = tag_list(event.tags.iter().map(String::as_str));
    format!(
        "event  {} {}: {}{tags}",
        visible(&event.alert_type),
        visible(&event.title),
        visible(&event.text)
    )
}

fn check(check: &Check) -> String {
    let status = match check.status {
        0 => "ok",
        1 => "warning",
        2 => "critical",
        _ => "unknown",
    };
    let tags = tag_list(check.tags.iter().map(String::as_str));
    let message = if check.message.is_empty() { "" } else { ": " };
    let message = format!("{message}{}", visible(&check.message));
    format!("check  {} is {status}{message}{tags}", visible(&check.name))
}

fn log(log: &Log) -> String {
    let message = shortened(&log.message, MESSAGE_CHARS_MAX);
    let mut line = format!("log    {}", visible(&log.status));
    for (word, text) in [("", &log.service), (" from", &log.source), (" on", &log.hostname)] {
        if !text.is_empty() {
            push(&mut line, format_args!("{word} {}", visible(text)));
        }
    }
    push(&mut line, format_args!(": {}", visible(&message)));
    for (key, value) in log.extra.iter().take(LISTED_MAX) {
        let value = shortened(&value.to_string(), MESSAGE_CHARS_MAX);
        push(&mut line, format_args!(" {}={}", visible(key), visible(&value)));
    }
    line.push_str(&tag_list(log.tags.iter().map(String::as_str)));
    line
}

/// The first characters of a text: a statement, a stack or a message must not fill the terminal.
fn shortened(text: &str, chars_max: usize) -> String {
    let mut short: String = text.chars().take(chars_max).collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}

fn tag_list<'a>(tags: impl ExactSizeIterator<Item = &'a str>) -> String {
    let count = tags.len();
    if count == 0 {
        return String::new();
    }
    let listed: Vec<String> = tags.take(LISTED_MAX).map(visible).collect();
    let rest = count - listed.len();
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!(" [{}{more}]", listed.join(", "))
}

/// Control characters escaped, so that nothing received can write over the terminal.
fn visible(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect()
}

fn push(line: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _is_written = line.write_fmt(arguments).is_ok();
}

#[cfg(test)]
mod tests {
    use super::{details, summary};
    use crate::{Check, Event, Exchange, Metadata, Payload, Request, Rule, Violation};

    #[test]
    fn everything_received_has_a_line_without_control_characters() {
        let payload = Payload {
            events: vec![Event {
                title: "deploy\u{1b}[2J".into(),
                text: "two\nlines".into(),
                alert_type: "info".into(),
                tags: (0..40).map(|tag| format!("t:{tag:02}")).collect(),
                ..Event::default()
            }],
            checks: vec![Check { name: "up".into(), status: 2, ..Check::default() }],
            metadata: vec![Metadata::Host(serde_json::json!({"meta": {}, "apiKey": "secret"}))],
            ..Payload::default()
        };
        let detail = "no title".to_owned();
        let violations = vec![Violation { request_id: 1, rule: Rule::Event, detail }];
        let request = Request {
            method: "POST".into(),
            path: "/intake/".into(),
            event_count: 1,
            violation_count: 1,
            error: Some("cut\r".into()),
            ..Request::default()
        };
        let exchange = Exchange { request, payload, violations };
        let line = summary(&exchange);
        assert_eq!(
            line,
            "POST /intake/ -> no answer, 1 events, 1 metadata, refused: cut\\r, 1 violations"
        );
        let lines = details(&exchange);
        assert!(
            lines[0].starts_with("event  info deploy\\u{1b}[2J: two\\nlines [t:00, "),
            "{lines:?}"
        );
        assert!(lines[0].ends_with("t:29 and 10 more]"), "{lines:?}");
        let rest =
            ["check  up is critical", "metadata with apiKey, meta", "violation of event: no title"];
        assert_eq!(lines[1..], rest);
    }
}
