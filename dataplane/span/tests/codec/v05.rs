//! Writer of v0.5.

use crate::model::{Payload, Span};
use crate::msgpack::Writer;

#[derive(Default)]
struct Dictionary(Vec<String>);

impl Dictionary {
    fn index(&mut self, text: &str) -> u64 {
        let found = self.0.iter().position(|held| held == text);
        let at = found.unwrap_or_else(|| {
            self.0.push(text.to_owned());
            self.0.len() - 1
        });
        at as u64
    }
}

pub(crate) fn write(payload: &Payload, w: &mut Writer) {
    let mut dictionary = Dictionary::default();
    let mut traces = Writer::new(w.random.clone(), w.is_odd);
    traces.array(payload.chunks.len());
    for chunk in &payload.chunks {
        traces.array(chunk.spans.len());
        chunk.spans.iter().for_each(|held| span(held, &mut traces, &mut dictionary));
    }
    w.array(2);
    w.array(dictionary.0.len());
    dictionary.0.iter().for_each(|text| w.text(text));
    w.out.append(&mut traces.out);
}

fn span(span: &Span, w: &mut Writer, dictionary: &mut Dictionary) {
    w.array(12);
    for text in [&span.service, &span.name, &span.resource] {
        w.plain_uint(dictionary.index(text));
    }
    w.bits(span.trace_id);
    w.bits(span.span_id);
    w.bits(span.parent_id);
    w.int(span.start_ns);
    w.int(span.duration_ns);
    w.int(span.error.into());
    w.map(span.meta.len());
    for (key, value) in &span.meta {
        w.plain_uint(dictionary.index(key));
        w.plain_uint(dictionary.index(value));
    }
    w.map(span.metrics.len());
    for (key, value) in &span.metrics {
        w.plain_uint(dictionary.index(key));
        w.double(*value);
    }
    w.plain_uint(dictionary.index(&span.span_type));
}
