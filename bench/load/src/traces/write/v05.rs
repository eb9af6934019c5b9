//! v0.5: a dictionary of strings, and spans as arrays of twelve.

use std::collections::HashMap;

use super::lower_bits;
use crate::traces::msgpack::Writer;
use crate::traces::shop::Trace;

/// Strings in the order of their first use.
#[derive(Default)]
struct Dictionary<'a> {
    texts: Vec<&'a str>,
    known: HashMap<&'a str, u64>,
}

impl<'a> Dictionary<'a> {
    fn index(&mut self, text: &'a str) -> u64 {
        *self.known.entry(text).or_insert_with(|| {
            self.texts.push(text);
            self.texts.len() as u64 - 1
        })
    }
}

/// The dictionary and the traces.
pub(super) fn payload(out: &mut Writer, traces: &[Trace]) {
    let mut dictionary = Dictionary::default();
    dictionary.index("");
    // Indices are written while the dictionary grows; it stands in front.
    let mut body = out.clone();
    body.array(traces.len());
    for trace in traces {
        body.array(trace.spans.len());
        for span in &trace.spans {
            body.array(12);
            for text in [&*span.service, &span.name, &span.resource] {
                body.unsigned(dictionary.index(text));
            }
            for id in [lower_bits(trace.id), span.span_id, span.parent_id] {
                body.unsigned(id);
            }
            body.signed(span.start_ns.cast_signed());
            body.signed(span.duration_ns.cast_signed());
            body.signed(i64::from(span.is_error));
            body.map(span.meta.len());
            for (key, value) in &span.meta {
                body.unsigned(dictionary.index(key));
                body.unsigned(dictionary.index(value));
            }
            body.map(span.metrics.len());
            for (key, value) in &span.metrics {
                body.unsigned(dictionary.index(key));
                body.double(*value);
            }
            body.unsigned(dictionary.index(&span.span_type));
        }
    }
    out.array(2);
    out.array(dictionary.texts.len());
    for text in &dictionary.texts {
        out.text(text);
    }
    out.bytes.append(&mut body.bytes);
}
