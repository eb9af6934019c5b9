//! Checks of trace payloads. spec: apm §6.1, §6.5, §10.1.

use super::shape::{has_name_shape, has_service_shape};
use super::{Report, Rule, Rules};
use crate::{AgentTraces, ReceivedChunk, ReceivedSpan, Request};

/// 2000-01-01 in Unix nanoseconds: an earlier start is replaced. spec: apm §6.1 rule 10
const START_NS_MIN: i64 = 946_684_800_000_000_000;
/// Longest type, service and name.
const NAME_BYTES_MAX: usize = 100;
/// Keys of meta and metrics, with the ellipsis.
const KEY_BYTES_MAX: usize = 203;
/// Values of meta, with the ellipsis.
const VALUE_BYTES_MAX: usize = 25_003;

/// Checks everything of one `AgentPayload`.
pub(super) fn check(
    traces: &AgentTraces,
    decoded_bytes: usize,
    rules: &Rules,
    now_secs: i64,
    report: &mut Report,
) {
    for (field, value) in [
        ("hostName", &traces.agent.host),
        ("env", &traces.agent.env),
        ("agentVersion", &traces.agent.version),
    ] {
        if value.is_empty() {
            report.add(Rule::AgentHead, || format!("AgentPayload has no {field}"));
        }
    }
    check_size(traces, decoded_bytes, rules, report);
    for payload in &traces.payloads {
        if payload.chunks.is_empty() {
            let language = &payload.head.language;
            report.add(Rule::EmptyChunk, || format!("a payload of {language:?} has no chunk"));
        }
    }
    for chunk in traces.chunks() {
        check_chunk(chunk, rules, now_secs, report);
    }
}

/// The header that names the languages: sorted, each once, and at least those of the payload.
pub(super) fn check_languages(request: &Request, traces: &AgentTraces, report: &mut Report) {
    let given = request.header("x-datadog-reported-languages").unwrap_or_default();
    let languages: Vec<&str> = given.split('|').collect();
    if !languages.is_sorted_by(|left, right| left < right) {
        report.add(Rule::Header, || format!("languages {given:?} are not sorted, each once"));
    }
    for payload in &traces.payloads {
        let language = &*payload.head.language;
        if !language.is_empty() && !languages.contains(&language) {
            report.add(Rule::Header, || format!("languages {given:?} lack {language:?}"));
        }
    }
}

/// Payloads are joined up to a size; a single one may exceed it by the chunk that was cut after.
fn check_size(traces: &AgentTraces, decoded_bytes: usize, rules: &Rules, report: &mut Report) {
    if decoded_bytes <= rules.trace_bytes_max {
        return;
    }
    let largest = traces.chunks().map(|chunk| chunk.head.encoded_bytes).max().unwrap_or_default();
    let is_alone = traces.payloads.len() == 1;
    if !is_alone || decoded_bytes.saturating_sub(largest) > rules.trace_bytes_max {
        let (count, bytes_max) = (traces.payloads.len(), rules.trace_bytes_max);
        report.add(Rule::TooLarge, || {
            format!("{count} tracer payloads take {decoded_bytes} bytes, more than {bytes_max}")
        });
    }
}

fn check_chunk(chunk: &ReceivedChunk, rules: &Rules, now_secs: i64, report: &mut Report) {
    let head = &chunk.head;
    if chunk.spans.is_empty() {
        report.add(Rule::EmptyChunk, || "a chunk has no span".to_owned());
        return;
    }
    let trace_id = head.trace_id;
    if trace_id == 0 || chunk.spans.iter().any(|span| span.trace_id != trace_id) {
        report.add(Rule::TraceId, || format!("trace {trace_id:032x}: ids are zero or differ"));
    }
    if !matches!(head.priority, -1..=2 | -128) {
        let priority = head.priority;
        report.add(Rule::Priority, || format!("trace {trace_id:032x}: priority {priority}"));
    }
    for span in &chunk.spans {
        check_span(span, rules, now_secs, report);
    }
}

fn check_span(span: &ReceivedSpan, rules: &Rules, now_secs: i64, report: &mut Report) {
    let what = || format!("span {} {:?} of {:?}", span.span_id, span.name, span.service);
    if span.span_id == 0 || span.parent_id == span.span_id {
        let parent = span.parent_id;
        report.add(Rule::SpanId, || format!("{}: has parent {parent}", what()));
    }
    if !has_service_shape(&span.service) {
        report.add(Rule::SpanText, || format!("{}: service is not normalised", what()));
    }
    if !has_name_shape(&span.name) {
        report.add(Rule::SpanText, || format!("{}: name is not normalised", what()));
    }
    if span.resource.is_empty() {
        report.add(Rule::SpanText, || format!("{}: has no resource", what()));
    }
    check_lengths(span, &what, rules, report);
    for (key, value) in &span.metrics {
        if !value.is_finite() && !rules.are_infinite_metrics_allowed {
            report.add(Rule::NotFinite, || format!("{}: {key} is {value}", what()));
        }
    }
    check_times(span, &what, rules, now_secs, report);
}

fn check_lengths(
    span: &ReceivedSpan,
    what: &dyn Fn() -> String,
    rules: &Rules,
    report: &mut Report,
) {
    let mut check = |text: &str, name: &str, bytes_max: usize| {
        if text.len() > bytes_max {
            let bytes = text.len();
            let text: String = text.chars().take(40).collect();
            report.add(Rule::SpanText, || {
                format!("{}: {name} {text:?} has {bytes} bytes, more than {bytes_max}", what())
            });
        }
    };
    check(&span.service, "service", NAME_BYTES_MAX);
    check(&span.name, "name", NAME_BYTES_MAX);
    check(&span.span_type, "type", NAME_BYTES_MAX);
    check(&span.resource, "resource", rules.resource_bytes_max);
    for (key, value) in span.meta.iter().filter(|(key, _)| !is_exempt(key)) {
        check(key, "meta key", KEY_BYTES_MAX);
        check(value, "meta value", VALUE_BYTES_MAX);
    }
    for key in span.metrics.keys() {
        check(key, "metrics key", KEY_BYTES_MAX);
    }
}

/// Meta that carries a document of an integration is never cut. spec: apm §6.5
fn is_exempt(key: &str) -> bool {
    key.starts_with("_dd.")
        && [".json", ".msgpack", ".protobuf"].iter().any(|suffix| key.ends_with(suffix))
}

fn check_times(
    span: &ReceivedSpan,
    what: &dyn Fn() -> String,
    rules: &Rules,
    now_secs: i64,
    report: &mut Report,
) {
    let (start_ns, duration_ns) = (span.start_ns, span.duration_ns);
    let latest_secs = now_secs.saturating_add(rules.span_future_secs_max);
    let latest_ns = latest_secs.saturating_mul(1_000_000_000);
    if !(START_NS_MIN..=latest_ns).contains(&start_ns) {
        report.add(Rule::SpanTime, || format!("{}: starts at {start_ns}", what()));
    }
    if duration_ns < 0 || start_ns.checked_add(duration_ns).is_none() {
        report.add(Rule::SpanTime, || format!("{}: lasts {duration_ns} ns", what()));
    }
}
