//! Links and events of a span, in whatever form the tracer sent them.

use std::collections::BTreeMap;

use intake::ReceivedSpan;
use serde_json::Value;

/// A link: ids, and attributes as texts.
pub(crate) type Link = (u128, u64, BTreeMap<String, String>);
/// An event: name, and attributes as texts.
pub(crate) type Event = (String, BTreeMap<String, String>);

/// Links in order: fields of the span, or a document in meta where the protocol has no field.
pub(crate) fn links_of(span: &ReceivedSpan) -> Vec<Link> {
    if !span.links.is_empty() {
        let texts = |attributes: &intake::Attributes| {
            attributes.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
        };
        let links = span.links.iter();
        return links.map(|link| (link.trace_id, link.span_id, texts(&link.attributes))).collect();
    }
    let links = documents(span, "_dd.span_links");
    let link = |document: &Value| {
        let hex = |key: &str| document[key].as_str().unwrap_or_default().to_owned();
        let trace_id = u128::from_str_radix(&hex("trace_id"), 16).expect("hexadecimal digits");
        let span_id = u64::from_str_radix(&hex("span_id"), 16).expect("hexadecimal digits");
        (trace_id, span_id, texts_of(&document["attributes"]))
    };
    links.iter().map(link).collect()
}

/// Events in order, from the same two places.
pub(crate) fn events_of(span: &ReceivedSpan) -> Vec<Event> {
    if !span.events.is_empty() {
        let texts = |attributes: &intake::Attributes| {
            attributes.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
        };
        let events = span.events.iter();
        return events.map(|event| (event.name.to_string(), texts(&event.attributes))).collect();
    }
    let name = |document: &Value| document["name"].as_str().unwrap_or_default().to_owned();
    let events = documents(span, "events");
    events.iter().map(|document| (name(document), texts_of(&document["attributes"]))).collect()
}

fn documents(span: &ReceivedSpan, key: &str) -> Vec<Value> {
    let Some(text) = span.text(key) else { return Vec::new() };
    serde_json::from_str(&text).expect("a list in JSON")
}

fn texts_of(attributes: &Value) -> BTreeMap<String, String> {
    let Some(attributes) = attributes.as_object() else { return BTreeMap::new() };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    attributes.iter().map(|(key, value)| (key.clone(), text(value))).collect()
}
