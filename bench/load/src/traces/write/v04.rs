//! v0.4: arrays of maps; and v0.7, which has the same spans within chunks and a payload.

use super::{Sender, lower_bits};
use crate::traces::msgpack::Writer;
use crate::traces::shop::{APP_VERSION, ENV, Span, Trace};

/// Traces of spans.
pub(super) fn payload(out: &mut Writer, sender: &Sender, traces: &[Trace]) {
    out.array(traces.len());
    for trace in traces {
        spans(out, sender, trace);
    }
}

/// `TracerPayload`: what v0.4 says in headers stands in the body.
pub(super) fn tracer_payload(out: &mut Writer, sender: &Sender, traces: &[Trace]) {
    let dialect = &sender.dialect;
    let texts = [
        ("container_id", &*sender.container_id),
        ("language_name", dialect.lang),
        ("language_version", dialect.lang_version),
        ("tracer_version", dialect.tracer_version),
        ("runtime_id", &sender.runtime_id),
        ("env", ENV),
        ("hostname", ""),
        ("app_version", APP_VERSION),
    ];
    out.map(texts.len() + 2);
    for (key, value) in texts {
        out.text(key);
        out.text(value);
    }
    out.text("tags");
    out.map(0);
    out.text("chunks");
    out.array(traces.len());
    for trace in traces {
        out.map(5);
        out.text("priority");
        out.signed(trace.priority());
        out.text("origin");
        out.text("");
        out.text("spans");
        spans(out, sender, trace);
        out.text("tags");
        out.nil();
        out.text("dropped_trace");
        out.boolean(false);
    }
}

fn spans(out: &mut Writer, sender: &Sender, trace: &Trace) {
    out.array(trace.spans.len());
    for span in &trace.spans {
        out.map(if span.metrics.is_empty() { 11 } else { 12 });
        if sender.dialect.has_ids_first {
            ids(out, trace, span);
            names(out, span);
            times(out, span);
            maps(out, span);
        } else {
            names(out, span);
            times(out, span);
            maps(out, span);
            ids(out, trace, span);
        }
    }
}

fn ids(out: &mut Writer, trace: &Trace, span: &Span) {
    let trace_id = lower_bits(trace.id);
    let ids = [("trace_id", trace_id), ("span_id", span.span_id), ("parent_id", span.parent_id)];
    for (key, id) in ids {
        out.text(key);
        out.unsigned(id);
    }
}

fn names(out: &mut Writer, span: &Span) {
    for (key, value) in [
        ("service", &*span.service),
        ("name", &span.name),
        ("resource", &span.resource),
        ("type", &span.span_type),
    ] {
        out.text(key);
        out.text(value);
    }
}

fn times(out: &mut Writer, span: &Span) {
    for (key, value) in [
        ("start", span.start_ns.cast_signed()),
        ("duration", span.duration_ns.cast_signed()),
        ("error", i64::from(span.is_error)),
    ] {
        out.text(key);
        out.signed(value);
    }
}

fn maps(out: &mut Writer, span: &Span) {
    out.text("meta");
    out.map(span.meta.len());
    for (key, value) in &span.meta {
        out.text(key);
        out.text(value);
    }
    if span.metrics.is_empty() {
        return;
    }
    out.text("metrics");
    out.map(span.metrics.len());
    for (key, value) in &span.metrics {
        out.text(key);
        out.double(*value);
    }
}
