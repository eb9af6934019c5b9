//! Writers of v0.3, v0.4 and v0.7.

use std::collections::BTreeMap;

use crate::model::{Any, Event, Link, Payload, Span};
use crate::msgpack::Writer;

/// Writes a field.
type Put<'a> = Box<dyn Fn(&mut Writer) + 'a>;

pub(crate) fn write_v04(payload: &Payload, w: &mut Writer) {
    w.array(payload.chunks.len());
    for chunk in &payload.chunks {
        spans(&chunk.spans, w);
    }
}

pub(crate) fn write_v07(payload: &Payload, w: &mut Writer) {
    const KEYS: [&str; 8] = [
        "container_id",
        "language_name",
        "language_version",
        "tracer_version",
        "runtime_id",
        "env",
        "hostname",
        "app_version",
    ];
    let mut fields: Vec<(&str, Put<'_>)> = vec![
        ("tags", Box::new(|w| tags(&payload.tags, w))),
        ("chunks", Box::new(|w| chunks(payload, w))),
    ];
    for (key, value) in KEYS.iter().zip(&payload.header) {
        fields.push((key, Box::new(move |w| w.text(value))));
    }
    map(fields, w);
}

fn chunks(payload: &Payload, w: &mut Writer) {
    let has_nil = w.is_odd_one_in(8);
    w.array(payload.chunks.len() + usize::from(has_nil));
    if has_nil {
        w.nil();
    }
    for chunk in &payload.chunks {
        map(
            vec![
                ("priority", Box::new(|w: &mut Writer| w.int(chunk.priority.into())) as Put<'_>),
                ("origin", Box::new(|w| w.text(&chunk.origin))),
                ("spans", Box::new(|w| spans(&chunk.spans, w))),
                ("tags", Box::new(|w| tags(&chunk.attributes, w))),
                ("dropped_trace", Box::new(|w| w.bool(chunk.is_dropped_trace))),
            ],
            w,
        );
    }
}

fn spans(spans: &[Span], w: &mut Writer) {
    let has_nil = w.is_odd_one_in(8);
    w.array(spans.len() + usize::from(has_nil));
    if has_nil {
        w.nil();
    }
    for span in spans {
        write_span(span, w);
    }
}

fn write_span(span: &Span, w: &mut Writer) {
    let mut fields: Vec<(&str, Put<'_>)> = vec![
        ("service", Box::new(|w| w.text(&span.service))),
        ("name", Box::new(|w| w.text(&span.name))),
        ("resource", Box::new(|w| w.text(&span.resource))),
        ("type", Box::new(|w| w.text(&span.span_type))),
        ("trace_id", Box::new(|w| w.bits(span.trace_id))),
        ("span_id", Box::new(|w| w.bits(span.span_id))),
        ("parent_id", Box::new(|w| w.bits(span.parent_id))),
        ("start", Box::new(|w| w.int(span.start_ns))),
        ("duration", Box::new(|w| w.int(span.duration_ns))),
        ("error", Box::new(|w| w.int(span.error.into()))),
        ("meta", Box::new(|w| entries(&span.meta, w, |w, value| w.text(value)))),
        ("metrics", Box::new(|w| entries(&span.metrics, w, |w, value| w.double(*value)))),
        ("meta_struct", Box::new(|w| entries(&span.meta_struct, w, |w, value| w.bin(value)))),
    ];
    if !span.links.is_empty() {
        fields.push(("span_links", Box::new(|w| list(&span.links, w, link))));
    }
    if !span.events.is_empty() {
        fields.push(("span_events", Box::new(|w| list(&span.events, w, event))));
    }
    map(fields, w);
}

fn link(link: &Link, w: &mut Writer) {
    let mut fields: Vec<(&str, Put<'_>)> = vec![
        ("trace_id", Box::new(|w| w.bits(link.trace_id[1]))),
        ("span_id", Box::new(|w| w.bits(link.span_id))),
        ("attributes", Box::new(|w| tags(&link.attributes, w))),
        ("tracestate", Box::new(|w| w.text(&link.tracestate))),
        ("flags", Box::new(|w| w.uint(link.flags.into()))),
    ];
    if link.trace_id[0] != 0 {
        fields.push(("trace_id_high", Box::new(|w| w.bits(link.trace_id[0]))));
    }
    map(fields, w);
}

fn event(event: &Event, w: &mut Writer) {
    map(
        vec![
            ("time_unix_nano", Box::new(|w: &mut Writer| w.bits(event.time_ns)) as Put<'_>),
            ("name", Box::new(|w| w.text(&event.name))),
            ("attributes", Box::new(|w| entries(&event.attributes, w, |w, value| any(value, w)))),
        ],
        w,
    );
}

fn any(value: &Any, w: &mut Writer) {
    let (number, key, put): (u64, &str, Put<'_>) = match value {
        Any::Text(text) => (0, "string_value", Box::new(|w| w.text(text))),
        Any::Bool(is_true) => (1, "bool_value", Box::new(|w| w.bool(*is_true))),
        Any::Int(number) => (2, "int_value", Box::new(|w| w.int(*number))),
        Any::Double(number) => (3, "double_value", Box::new(|w| w.double(*number))),
        Any::Array(values) => (
            4,
            "array_value",
            Box::new(|w| {
                let values: Put<'_> = Box::new(|w| list(values, w, any));
                map(vec![("values", values)], w);
            }),
        ),
        Any::Bytes(_) | Any::Map(_) => unreachable!("not in these formats"),
    };
    let mut fields: Vec<(&str, Put<'_>)> = vec![("type", Box::new(move |w| w.uint(number)))];
    if number != 4 || !matches!(value, Any::Array(values) if values.is_empty()) {
        fields.push((key, put));
    }
    if key != "int_value" {
        // A member that its type does not choose.
        fields.push(("int_value", Box::new(|w| w.int(-7))));
    }
    map(fields, w);
}

/// Writes fields in any order, some of them twice and between unknown ones.
fn map(mut fields: Vec<(&str, Put<'_>)>, w: &mut Writer) {
    if w.is_odd {
        w.random.shuffle(&mut fields);
    }
    let has_unknown = w.is_odd_one_in(4);
    let has_twice = w.is_odd_one_in(8);
    w.map(fields.len() + usize::from(has_unknown) + usize::from(has_twice));
    if has_twice && let Some((key, put)) = fields.last() {
        w.text(key);
        put(w);
    }
    for (at, (key, put)) in fields.iter().enumerate() {
        if has_unknown && at == fields.len() / 2 {
            w.text("unknown");
            w.unknown(3);
        }
        w.text(key);
        put(w);
    }
}

fn tags(tags: &BTreeMap<String, Any>, w: &mut Writer) {
    entries(tags, w, |w, value| {
        let Any::Text(text) = value else { unreachable!("a tag is text") };
        w.text(text);
    });
}

fn entries<T>(entries: &BTreeMap<String, T>, w: &mut Writer, put: impl Fn(&mut Writer, &T)) {
    if entries.is_empty() && w.is_odd_one_in(2) {
        return w.nil();
    }
    w.map(entries.len());
    for (key, value) in entries {
        w.text(key);
        put(w, value);
    }
}

fn list<T>(items: &[T], w: &mut Writer, put: impl Fn(&T, &mut Writer)) {
    w.array(items.len());
    for item in items {
        put(item, w);
    }
}
