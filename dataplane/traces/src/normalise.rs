//! Puts spans right, or says why their chunk cannot be. spec: apm §6.1.

use obfuscate::normalize::{Flaw, Normalized, cut_str, name, peer_service, service, tag_value};
use span::{Batch, Key, KeySet, Span, Str, Strings, Value};

use crate::access::{self, str_of};
use crate::counts::{Counts, Dropped, Malformed};

/// Longest type.
const TYPE_BYTES_MAX: usize = 100;
/// The year 2000; what began before has a broken clock.
const START_MIN_NS: i64 = 946_684_800_000_000_000;

/// What normalisation needs to know besides the spans.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    /// Language of the tracer as its header spells it.
    pub(crate) language: &'a str,
    pub(crate) now_ns: u64,
    /// Feature `component2name`.
    pub(crate) is_component_name: bool,
}

/// Keys whose values have rules.
const KEYS: KeySet = KeySet::of(&[
    Key::PeerService,
    Key::DdBaseService,
    Key::Component,
    Key::Env,
    Key::HttpStatusCode,
]);

/// Why the chunk of a span cannot be kept, if so. `first` is its first span.
pub(crate) const fn refusal(is_v1: bool, span: &Span, first: &Span) -> Option<Dropped> {
    if !is_v1 && span.trace_id != first.trace_id {
        Some(Dropped::ForeignSpan)
    } else if !is_v1 && span.trace_id == 0 {
        Some(Dropped::TraceIdZero)
    } else if span.span_id == 0 {
        Some(Dropped::SpanIdZero)
    } else {
        None
    }
}

/// Puts a span right.
pub(crate) fn normalise(
    batch: &mut Batch,
    at: usize,
    context: &Context<'_>,
    counts: &mut Counts,
    out: &mut String,
) {
    let is_v1 = batch.format.is_v1();
    let Some(mut span) = batch.spans.get(at).copied() else { return };
    service_of(&mut span, &mut batch.strings, context, counts, out);
    if span.keys.has_any(KEYS) {
        services(batch, at, counts, out);
    }
    if context.is_component_name
        && let Some(component) = str_of(batch, &span, Key::Component)
    {
        span.name = component;
    }
    let flaws = [Malformed::NameEmpty, Malformed::NameTruncated, Malformed::NameInvalid];
    note(replace(&mut span.name, &mut batch.strings, out, name), flaws, counts);
    if span.resource.is_empty() {
        counts.note(Malformed::ResourceEmpty, 1);
        span.resource = span.name;
    }
    // In the formats before v1.0 the ids that agree are three.
    if span.parent_id == span.span_id && (is_v1 || span.trace_id == span.span_id) {
        span.parent_id = 0;
    }
    times(&mut span, context.now_ns, counts);
    if batch.strings.len_of(span.span_type) > TYPE_BYTES_MAX {
        counts.note(Malformed::TypeTruncated, 1);
        let head = access::head_of(&batch.strings, span.span_type, TYPE_BYTES_MAX);
        let len = cut_str(head, TYPE_BYTES_MAX).len();
        span.span_type = batch.strings.prefix(span.span_type, len);
    }
    if is_v1 {
        tag(&mut span.env, &mut batch.strings, out);
    }
    let Some(held) = batch.spans.get_mut(at) else { return };
    // The lists are not touched here, so that those of the copy are still right.
    *held = span;
    if span.keys.has_any(KEYS) {
        values(batch, at, counts, out);
    }
    links(batch, &span, out);
}

fn service_of(
    span: &mut Span,
    strings: &mut Strings,
    context: &Context<'_>,
    counts: &mut Counts,
    out: &mut String,
) {
    let flaws = [Malformed::ServiceEmpty, Malformed::ServiceTruncated, Malformed::ServiceInvalid];
    let rule = |value: &[u8], out: &mut String| service(value, context.language, out);
    note(replace(&mut span.service, strings, out, rule), flaws, counts);
}

/// Normalises a tag value in place.
pub(crate) fn tag(text: &mut Str, strings: &mut Strings, out: &mut String) {
    out.clear();
    if tag_value(strings.bytes(*text), out).is_written() {
        *text = strings.add(out);
    }
}

fn services(batch: &mut Batch, at: usize, counts: &mut Counts, out: &mut String) {
    use Malformed::{
        BaseServiceInvalid, BaseServiceTruncated, PeerServiceInvalid, PeerServiceTruncated,
    };
    let rules = [
        (Key::PeerService, PeerServiceTruncated, PeerServiceInvalid),
        (Key::DdBaseService, BaseServiceTruncated, BaseServiceInvalid),
    ];
    for (key, truncated, invalid) in rules {
        edit(batch, at, key, |text, strings| {
            let flaw = replace(text, strings, out, peer_service);
            // An empty one stays empty, which is no flaw.
            note(flaw, [invalid, truncated, invalid], counts);
        });
    }
}

fn values(batch: &mut Batch, at: usize, counts: &mut Counts, out: &mut String) {
    if !batch.format.is_v1() {
        edit(batch, at, Key::Env, |text, strings| tag(text, strings, out));
    }
    let Some(span) = batch.spans.get(at) else { return };
    if !span.keys.has(Key::HttpStatusCode) {
        return;
    }
    let status = access::text_of(batch, span, Key::HttpStatusCode, out);
    if status.is_some_and(|status| !is_http_status(status)) {
        counts.note(Malformed::InvalidHttpStatus, 1);
        access::remove_text(batch, at, Key::HttpStatusCode);
    }
}

/// Edits every text that a span has under a key.
pub(crate) fn edit(
    batch: &mut Batch,
    at: usize,
    key: Key,
    mut change: impl FnMut(&mut Str, &mut Strings),
) {
    let Batch { spans, attributes, strings, .. } = batch;
    let Some(span) = spans.get(at).filter(|span| span.keys.has(key)) else { return };
    for held in attributes.get_mut(span.attributes) {
        if held.name == key
            && let Some(mut text) = held.text()
        {
            change(&mut text, strings);
            held.set(Value::Text(text));
        }
    }
}

fn times(span: &mut Span, now_ns: u64, counts: &mut Counts) {
    if span.duration_ns < 0 || span.start_ns.checked_add(span.duration_ns).is_none() {
        counts.note(Malformed::InvalidDuration, 1);
        span.duration_ns = 0;
    }
    if span.start_ns < START_MIN_NS {
        counts.note(Malformed::InvalidStart, 1);
        let now_ns = i64::try_from(now_ns).unwrap_or(i64::MAX);
        let start_ns = now_ns - span.duration_ns;
        span.start_ns = if start_ns < 0 { now_ns } else { start_ns };
    }
}

fn links(batch: &mut Batch, span: &Span, out: &mut String) {
    let Batch { links, nested, strings, .. } = batch;
    for link in links.get(span.links.range()).unwrap_or_default() {
        for held in nested.slice_mut(link.attributes) {
            if held.name == Key::LinkName
                && let Some(mut text) = held.text()
            {
                replace(&mut text, strings, out, name);
                held.set(Value::Text(text));
            }
        }
    }
}

fn is_http_status(text: &str) -> bool {
    text.parse::<i64>().is_ok_and(|status| (100..600).contains(&status))
}

fn replace(
    text: &mut Str,
    strings: &mut Strings,
    out: &mut String,
    rule: impl FnOnce(&[u8], &mut String) -> Normalized,
) -> Option<Flaw> {
    out.clear();
    let result = rule(strings.bytes(*text), out);
    if result.change.is_written() {
        *text = strings.add(out);
    }
    result.flaw
}

fn note(flaw: Option<Flaw>, [empty, long, invalid]: [Malformed; 3], counts: &mut Counts) {
    let Some(flaw) = flaw else { return };
    let reason = match flaw {
        Flaw::Empty => empty,
        Flaw::TooLong => long,
        Flaw::Invalid => invalid,
    };
    counts.note(reason, 1);
}
