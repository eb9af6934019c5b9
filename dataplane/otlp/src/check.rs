//! What must hold for any bytes, for fuzzing.

use span::decode::Progress;
use span::{Attribute, Batch, List, Str};

use crate::Signal;
use crate::json::to_protobuf;
use crate::traces::{Settings, Translator};
use crate::wire::{Fields, WireError};

/// A text of OTLP/JSON is refused or becomes protobuf, whatever it asks for.
pub fn check_json(text: &[u8]) {
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
        let Ok(request) = to_protobuf(signal, text) else { continue };
        let mut fields = Fields::new(&request);
        while let Some(field) = fields.read().expect("whole fields") {
            assert!(field.number == 1 && field.bytes().is_ok(), "a request holds resources");
        }
        if signal == Signal::Traces {
            check_traces(&request);
        }
    }
}

/// A request of spans neither panics nor depends on its slices; what it gives is whole.
pub fn check_traces(body: &[u8]) {
    let old = Settings { is_naming_v1: true, ..Settings::default() };
    for settings in [Settings::default(), old] {
        let (whole, end) = batches(&settings, body, usize::MAX);
        let (sliced, sliced_end) = batches(&settings, body, 1);
        assert_eq!(end, sliced_end, "slices change the result");
        assert_eq!(whole.len(), sliced.len());
        for (whole, sliced) in whole.iter().zip(&sliced) {
            assert_eq!(whole.spans, sliced.spans);
            assert_eq!(whole.chunks, sliced.chunks);
            assert_eq!((whole.header, whole.tags), (sliced.header, sliced.tags));
            assert_eq!(whole.strings.count(), sliced.strings.count());
            check_batch(whole);
        }
    }
}

fn batches(
    settings: &Settings,
    body: &[u8],
    bytes_max: usize,
) -> (Vec<Batch>, Result<(), WireError>) {
    let (mut translator, mut batch) = (Translator::new(settings.clone(), 1), Batch::default());
    translator.start(body.to_vec(), &mut batch);
    let mut batches = Vec::new();
    loop {
        match translator.step(&mut batch, bytes_max) {
            Ok(Progress::More) => {}
            Ok(Progress::Done) => {
                batches.push(batch.clone());
                if !translator.next(&mut batch) {
                    return (batches, Ok(()));
                }
            }
            Err(error) => return (batches, Err(error)),
        }
    }
}

/// Lists lie within their arenas, chunks are neighbours that have all spans, each is of one trace,
/// texts are UTF-8, and of a span each key is there once.
fn check_batch(batch: &Batch) {
    check_list(batch, batch.tags);
    let mut next = 0;
    for chunk in &batch.chunks {
        assert_eq!(chunk.spans.range().start, next);
        next = chunk.spans.range().end;
        let spans = batch.spans.get(chunk.spans.range()).unwrap_or_default();
        assert!(!spans.is_empty());
        assert!(spans.iter().all(|span| span.trace_id == chunk.trace_id));
        check_list(batch, chunk.attributes);
    }
    assert_eq!(next, batch.spans.len());
    for span in &batch.spans {
        for text in [span.service, span.name, span.resource, span.span_type] {
            check_text(batch, text);
        }
        check_list(batch, span.attributes);
        let attributes = batch.attributes.get(span.attributes);
        let mut keys: Vec<_> = attributes.iter().map(|held| key(batch, held)).collect();
        keys.sort_unstable();
        assert!(keys.windows(2).all(|pair| pair.first() != pair.last()), "a key is there twice");
        assert!(attributes.iter().all(|held| span.keys.has(held.name)));
    }
}

fn key<'b>(batch: &'b Batch, attribute: &Attribute) -> (&'b str, bool) {
    (batch.strings.text(attribute.key), attribute.text().is_some())
}

fn check_list(batch: &Batch, list: List) {
    let attributes = batch.attributes.get(list);
    assert_eq!(attributes.len(), list.len());
    for attribute in attributes {
        check_text(batch, attribute.key);
        match attribute.text() {
            Some(text) => check_text(batch, text),
            None => assert!(attribute.double().is_some(), "neither a text nor a number"),
        }
    }
}

fn check_text(batch: &Batch, text: Str) {
    assert!(text.index() < batch.strings.count());
    assert!(std::str::from_utf8(batch.strings.bytes(text)).is_ok(), "a text is UTF-8");
    assert_eq!(batch.strings.bytes(text).is_empty(), text.is_empty());
}
