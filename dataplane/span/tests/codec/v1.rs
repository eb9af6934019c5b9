//! Writer of v1.0.

use std::collections::BTreeMap;

use crate::model::{Any, Chunk, Event, Link, Payload, Span};
use crate::msgpack::Writer;

/// A writer and the strings it has sent.
pub(crate) struct Streaming<'a> {
    w: &'a mut Writer,
    sent: Vec<String>,
}

/// Writes a field.
type Put<'a> = Box<dyn Fn(&mut Streaming<'_>) + 'a>;

pub(crate) fn write(payload: &Payload, w: &mut Writer) {
    let mut s = Streaming { w, sent: vec![String::new()] };
    let mut fields: Vec<(u64, Put<'_>)> = vec![
        (10, Box::new(|s| s.attributes(payload.tags.iter()))),
        (11, Box::new(|s| s.list(&payload.chunks, Streaming::chunk))),
    ];
    for (number, text) in (2..).zip(&payload.header) {
        fields.push((number, Box::new(move |s| s.text(text))));
    }
    s.map(fields);
}

impl Streaming<'_> {
    fn text(&mut self, text: &str) {
        let known = self.sent.iter().position(|held| held == text);
        match known {
            // The empty string, or any other, may be sent again.
            Some(_) if self.w.is_odd_one_in(6) => self.w.str(text),
            Some(at) => self.w.plain_uint(at as u64),
            None => {
                self.w.str(text);
                self.sent.push(text.to_owned());
            }
        }
    }

    fn map(&mut self, mut fields: Vec<(u64, Put<'_>)>) {
        if self.w.is_odd {
            self.w.random.shuffle(&mut fields);
        }
        let has_unknown = self.w.is_odd_one_in(4);
        self.w.map(fields.len() + usize::from(has_unknown));
        for (at, (number, put)) in fields.iter().enumerate() {
            if has_unknown && at == fields.len() / 2 {
                self.w.plain_uint(99);
                for text in self.w.unknown(3) {
                    if !self.sent.contains(&text) {
                        self.sent.push(text);
                    }
                }
            }
            self.w.plain_uint(*number);
            put(self);
        }
    }

    fn list<T>(&mut self, items: &[T], put: impl Fn(&mut Self, &T)) {
        self.w.array(items.len());
        items.iter().for_each(|item| put(self, item));
    }

    fn trace_id(&mut self, [high, low]: [u64; 2]) {
        self.w.bin(&[high.to_be_bytes(), low.to_be_bytes()].concat());
    }

    fn chunk(&mut self, chunk: &Chunk) {
        self.map(vec![
            (1, Box::new(|s: &mut Streaming<'_>| s.w.int(chunk.priority.into())) as Put<'_>),
            (2, Box::new(|s| s.text(&chunk.origin))),
            (3, Box::new(|s| s.attributes(chunk.attributes.iter()))),
            (4, Box::new(|s| s.list(&chunk.spans, Streaming::span))),
            (5, Box::new(|s| s.w.bool(chunk.is_dropped_trace))),
            (6, Box::new(|s| s.trace_id(chunk.trace_id))),
            (7, Box::new(|s| s.w.uint(chunk.sampling_mechanism.into()))),
        ]);
    }

    fn span(&mut self, span: &Span) {
        self.map(vec![
            (1, Box::new(|s: &mut Streaming<'_>| s.text(&span.service)) as Put<'_>),
            (2, Box::new(|s| s.text(&span.name))),
            (3, Box::new(|s| s.text(&span.resource))),
            (4, Box::new(|s| s.w.bits(span.span_id))),
            (5, Box::new(|s| s.w.bits(span.parent_id))),
            (6, Box::new(|s| s.w.uint(span.start_ns.cast_unsigned()))),
            (7, Box::new(|s| s.w.uint(span.duration_ns.cast_unsigned()))),
            (8, Box::new(|s| s.w.bool(span.error != 0))),
            (9, Box::new(|s| s.span_attributes(span))),
            (10, Box::new(|s| s.text(&span.span_type))),
            (11, Box::new(|s| s.list(&span.links, Streaming::link))),
            (12, Box::new(|s| s.list(&span.events, Streaming::event))),
            (13, Box::new(|s| s.text(&span.env))),
            (14, Box::new(|s| s.text(&span.version))),
            (15, Box::new(|s| s.text(&span.component))),
            (16, Box::new(|s| s.w.uint(span.kind.into()))),
        ]);
    }

    fn span_attributes(&mut self, span: &Span) {
        let mut all = span.others.clone();
        all.extend(span.meta.iter().map(|(key, text)| (key.clone(), Any::Text(text.clone()))));
        all.extend(span.metrics.iter().map(|(key, number)| (key.clone(), Any::Double(*number))));
        let bytes = span.meta_struct.iter();
        all.extend(bytes.map(|(key, bytes)| (key.clone(), Any::Bytes(bytes.clone()))));
        self.attributes(all.iter());
    }

    fn link(&mut self, link: &Link) {
        self.map(vec![
            (1, Box::new(|s: &mut Streaming<'_>| s.trace_id(link.trace_id)) as Put<'_>),
            (2, Box::new(|s| s.w.bits(link.span_id))),
            (3, Box::new(|s| s.attributes(link.attributes.iter()))),
            (4, Box::new(|s| s.text(&link.tracestate))),
            (5, Box::new(|s| s.w.uint(link.flags.into()))),
        ]);
    }

    fn event(&mut self, event: &Event) {
        self.map(vec![
            (1, Box::new(|s: &mut Streaming<'_>| s.w.bits(event.time_ns)) as Put<'_>),
            (2, Box::new(|s| s.text(&event.name))),
            (3, Box::new(|s| s.attributes(event.attributes.iter()))),
        ]);
    }

    fn attributes<'m>(&mut self, entries: impl ExactSizeIterator<Item = (&'m String, &'m Any)>) {
        self.w.array(3 * entries.len());
        for (key, value) in entries {
            self.text(key);
            self.any(value);
        }
    }

    fn any(&mut self, value: &Any) {
        match value {
            Any::Text(text) => {
                self.w.plain_uint(1);
                self.text(text);
            }
            Any::Bool(is_true) => {
                self.w.plain_uint(2);
                self.w.bool(*is_true);
            }
            Any::Double(number) => {
                self.w.plain_uint(3);
                self.w.double(*number);
            }
            Any::Int(number) => {
                self.w.plain_uint(4);
                self.w.int(*number);
            }
            Any::Bytes(bytes) => {
                self.w.plain_uint(5);
                self.w.bin(bytes);
            }
            Any::Array(values) => {
                self.w.plain_uint(6);
                self.w.array(2 * values.len());
                values.iter().for_each(|value| self.any(value));
            }
            Any::Map(entries) => self.map_value(entries),
        }
    }

    fn map_value(&mut self, entries: &BTreeMap<String, Any>) {
        self.w.plain_uint(7);
        self.attributes(entries.iter());
    }
}
