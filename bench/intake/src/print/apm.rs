//! Traces and trace stats as lines.

use super::{LISTED_MAX, push, shortened, tag_list, visible};
use crate::{AgentTraces, LatencySketch, ReceivedSpan, StatsGroup, StatsPayload};

/// A line for each chunk and each of its spans.
pub(super) fn traces(traces: &AgentTraces) -> Vec<String> {
    let mut lines = Vec::new();
    for chunk in traces.chunks() {
        let head = &chunk.head;
        let payload = &head.payload;
        let mut line = format!("trace  {:032x} priority {}", head.trace_id, head.priority);
        if head.is_dropped {
            line.push_str(" dropped");
        }
        if !head.origin.is_empty() {
            push(&mut line, format_args!(" from {}", visible(&head.origin)));
        }
        for text in [&payload.language, &payload.tracer_version] {
            if !text.is_empty() {
                push(&mut line, format_args!(" {}", visible(text)));
            }
        }
        if !payload.env.is_empty() {
            push(&mut line, format_args!(" in {}", visible(&payload.env)));
        }
        let tags = head.tags.iter().map(|(key, value)| format!("{key}:{value}"));
        line.push_str(&listed(tags.collect()));
        lines.push(line);
        lines.extend(chunk.spans.iter().map(span));
    }
    lines
}

/// A line for each group of stats.
pub(super) fn stats(stats: &StatsPayload) -> Vec<String> {
    let mut lines = Vec::new();
    for client in &stats.clients {
        for bucket in &client.buckets {
            let at = bucket.start_ns / 1_000_000_000;
            let env = visible(&client.env);
            for group in &bucket.groups {
                lines.push(format!("stats  {} in {env} at {at}", self::group(group)));
            }
        }
    }
    lines
}

fn span(span: &ReceivedSpan) -> String {
    let [service, name, resource] =
        [&span.service, &span.name, &span.resource].map(|text| visible(text));
    let mut line = format!("span   {service} {name} {resource:?} {} ns", span.duration_ns);
    if span.error != 0 {
        line.push_str(" error");
    }
    if span.is_root() {
        line.push_str(" root");
    }
    for (count, what) in [(span.links.len(), "links"), (span.events.len(), "events")] {
        if count > 0 {
            push(&mut line, format_args!(" {count} {what}"));
        }
    }
    let meta = span.meta.iter().map(|(key, value)| format!("{key}:{value}"));
    let metrics = span.metrics.iter().map(|(key, value)| format!("{key}:{value}"));
    let others = span.others.iter().map(|(key, value)| format!("{key}:{value}"));
    line.push_str(&listed(meta.chain(metrics).chain(others).collect()));
    line
}

fn group(group: &StatsGroup) -> String {
    let key = &group.key;
    let [service, name, resource] =
        [&key.service, &key.name, &key.resource].map(|text| visible(text));
    let mut line = format!(
        "{service} {name} {resource:?} hits={} errors={} top={} sum={} ns",
        group.hits, group.errors, group.top_level_hits, group.duration_ns
    );
    for (name, sketch) in [("ok", &group.ok), ("error", &group.error)] {
        let Some(sketch) = sketch.as_ref().filter(|sketch| sketch.count() > 0.0) else { continue };
        push(&mut line, format_args!(" {name}={}", described(sketch)));
    }
    line.push_str(&tag_list(key.peer_tags.iter().map(|tag| &**tag)));
    line
}

fn described(sketch: &LatencySketch) -> String {
    let quantile = |rank| sketch.quantile(rank).unwrap_or_default();
    format!("n{} p50 {:.0} p99 {:.0}", sketch.count(), quantile(0.5), quantile(0.99))
}

/// Tags of which long ones are cut.
fn listed(tags: Vec<String>) -> String {
    const CHARS_MAX: usize = 120;
    let short: Vec<String> =
        tags.iter().take(LISTED_MAX).map(|tag| shortened(tag, CHARS_MAX)).collect();
    let rest = tags.len() - short.len();
    let mut line = tag_list(short.iter().map(String::as_str));
    if rest > 0 {
        push(&mut line, format_args!(" and {rest} more"));
    }
    line
}
