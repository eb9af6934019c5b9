use serde_json::{Value as Json, json};
use span::Span;

use super::*;
use crate::Signal;
use crate::json::to_protobuf;

mod batches;
mod errors;
mod names;
mod spans;

fn value(of: &Json) -> Json {
    match of {
        Json::Null => json!({}),
        Json::Bool(is_set) => json!({"boolValue": is_set}),
        Json::Number(number) if number.is_f64() => json!({"doubleValue": number}),
        Json::Number(number) => json!({"intValue": number}),
        Json::String(text) => json!({"stringValue": text}),
        Json::Array(elements) => {
            json!({"arrayValue": {"values": elements.iter().map(value).collect::<Vec<_>>()}})
        }
        Json::Object(_) => json!({"kvlistValue": {"values": attributes(of)}}),
    }
}

/// Attributes in the order of their names.
fn attributes(object: &Json) -> Json {
    let entries = object.as_object().unwrap().iter();
    entries.map(|(key, held)| json!({"key": key, "value": value(held)})).collect()
}

/// A request of one resource with one scope.
fn request(resource: &Json, spans: &[Json]) -> Vec<u8> {
    let resource = json!({"attributes": attributes(resource)});
    protobuf(&json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}))
}

fn protobuf(request: &Json) -> Vec<u8> {
    to_protobuf(Signal::Traces, request.to_string().as_bytes()).unwrap()
}

/// A span with these attributes.
fn span_with(object: &Json) -> Json {
    json!({"attributes": attributes(object)})
}

fn run(translator: &mut Translator, batch: &mut Batch, bytes_max: usize) -> Result<(), WireError> {
    while translator.step(batch, bytes_max)? == Progress::More {}
    Ok(())
}

fn translated(settings: Settings, body: Vec<u8>) -> (Translator, Batch) {
    let (mut translator, mut batch) = (Translator::new(settings, 1), Batch::default());
    translator.start(body, &mut batch);
    run(&mut translator, &mut batch, usize::MAX).unwrap();
    (translator, batch)
}

/// The only span of a request with default settings, and its batch.
fn only_span(resource: &Json, span: Json) -> (Span, Batch) {
    let (_, batch) = translated(Settings::default(), request(resource, &[span]));
    assert_eq!(batch.spans.len(), 1);
    (batch.spans[0], batch)
}

/// Texts and numbers of a span by their keys; each key is there once.
fn held(batch: &Batch, span: &Span) -> (Json, Json) {
    let (mut texts, mut numbers) = (serde_json::Map::new(), serde_json::Map::new());
    for attribute in batch.attributes.get(span.attributes) {
        let key = batch.strings.text(attribute.key).to_owned();
        assert!(span.keys.has(attribute.name), "{key}");
        assert_eq!(attribute.name, Key::of(key.as_bytes()));
        let old = if let Value::Text(text) = attribute.value() {
            texts.insert(key.clone(), batch.strings.text(text).into())
        } else {
            let number = attribute.double().unwrap();
            numbers.insert(key.clone(), number.into())
        };
        assert_eq!(old, None, "{key}");
    }
    (texts.into(), numbers.into())
}

fn texts(batch: &Batch, span: &Span) -> Json {
    held(batch, span).0
}
