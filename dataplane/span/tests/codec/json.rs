//! Writer of the JSON forms.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use corelane_span::Format;
use serde_json::{Value, json};

use crate::model::{Any, Event, Link, Payload, Span};

pub(crate) fn write(payload: &Payload, format: Format) -> Vec<u8> {
    let traces = payload.chunks.iter().map(|chunk| chunk.spans.iter().map(span).collect());
    let traces: Vec<Vec<Value>> = traces.collect();
    let value = if format == Format::V01 { json!(traces.concat()) } else { json!(traces) };
    serde_json::to_vec_pretty(&value).expect("keys are texts")
}

fn span(span: &Span) -> Value {
    let bytes = |bytes: &Vec<u8>| STANDARD.encode(bytes);
    let meta_struct = span.meta_struct.iter().map(|(key, value)| (key.clone(), bytes(value)));
    json!({
        "service": span.service,
        "name": span.name,
        "resource": span.resource,
        "type": span.span_type,
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_id": span.parent_id,
        "start": span.start_ns,
        "duration": span.duration_ns,
        "error": span.error,
        "meta": span.meta,
        "metrics": span.metrics,
        "meta_struct": meta_struct.collect::<std::collections::BTreeMap<_, _>>(),
        "unknown": [{}, [], {"a": [1, -2.5e3, null, true, false, "x\"\\"]}, [[]]],
        "span_links": span.links.iter().map(link).collect::<Vec<_>>(),
        "span_events": span.events.iter().map(event).collect::<Vec<_>>(),
    })
}

fn link(link: &Link) -> Value {
    let attributes = link.attributes.iter().map(|(key, value)| {
        let Any::Text(text) = value else { unreachable!("a tag is text") };
        (key.clone(), json!(text))
    });
    json!({
        "trace_id": link.trace_id[1],
        "trace_id_high": link.trace_id[0],
        "span_id": link.span_id,
        "attributes": attributes.collect::<serde_json::Map<_, _>>(),
        "tracestate": link.tracestate,
        "flags": link.flags,
    })
}

fn event(event: &Event) -> Value {
    let attributes = event.attributes.iter().map(|(key, value)| (key.clone(), any(value)));
    json!({
        "time_unix_nano": event.time_ns,
        "name": event.name,
        "attributes": attributes.collect::<serde_json::Map<_, _>>(),
    })
}

fn any(value: &Any) -> Value {
    match value {
        Any::Text(text) => json!({"type": 0, "string_value": text}),
        Any::Bool(is_true) => json!({"type": 1, "bool_value": is_true}),
        Any::Int(number) => json!({"type": 2, "int_value": number}),
        Any::Double(number) => json!({"type": 3, "double_value": number}),
        Any::Array(values) => {
            json!({"type": 4, "array_value": {"values": values.iter().map(any).collect::<Vec<_>>()}})
        }
        Any::Bytes(_) | Any::Map(_) => unreachable!("not in these formats"),
    }
}
