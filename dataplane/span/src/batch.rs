//! One decoded request.

use crate::list::{Arena, List, Slice};
use crate::{Attribute, Event, Key, Link, Span, Str, Strings, Value};

/// The priority of a chunk whose tracer decided nothing. spec: apm §7.
pub const PRIORITY_NONE: i32 = -128;

/// Wire format of a request, which is also the model its spans follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// JSON, a flat list of spans.
    V01,
    /// JSON, lists of spans.
    V02,
    /// Lists of spans.
    V03,
    /// Lists of spans.
    #[default]
    V04,
    /// Lists of spans with a dictionary.
    V05,
    /// A payload with chunks.
    V07,
    /// A payload with a string table and typed attributes.
    V1,
}

impl Format {
    /// Whether spans follow the model of v1.0: promoted fields, typed attributes, chunk ids.
    #[must_use]
    pub const fn is_v1(self) -> bool {
        matches!(self, Self::V1)
    }
}

/// What a payload says of its sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Container id.
    pub container_id: Str,
    /// Language of the tracer.
    pub language_name: Str,
    /// Version of the language.
    pub language_version: Str,
    /// Version of the tracer.
    pub tracer_version: Str,
    /// Id of the process.
    pub runtime_id: Str,
    /// Environment.
    pub env: Str,
    /// Host name, when the tracer reports one.
    pub hostname: Str,
    /// Version of the application.
    pub app_version: Str,
}

/// Spans of one trace, received together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Sampling priority: -1, 0, 1, 2, or [`PRIORITY_NONE`].
    pub priority: i32,
    /// Origin, such as `synthetics`.
    pub origin: Str,
    /// Tags (before v1.0) or attributes, in [`Batch::attributes`].
    pub attributes: List,
    /// Its spans in [`Batch::spans`].
    pub spans: Slice,
    /// Whether the trace was dropped and only these spans of it are sent.
    pub is_dropped_trace: bool,
    /// Low 64 bits of the trace id (v1.0; before, each span has it).
    pub trace_id: u64,
    /// High 64 bits of the trace id (v1.0; before, `_dd.p.tid` of a span).
    pub trace_id_high: u64,
    /// Sampling mechanism (v1.0; before, the tag `_dd.p.dm`).
    pub sampling_mechanism: u32,
}

/// One decoded request: a struct of arrays.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Wire format.
    pub format: Format,
    /// Sender.
    pub header: Header,
    /// Tags (before v1.0) or attributes of the payload, in [`Batch::attributes`].
    pub tags: List,
    /// Chunks.
    pub chunks: Vec<Chunk>,
    /// Spans of all chunks.
    pub spans: Vec<Span>,
    /// Attributes of spans, chunks and the payload.
    pub attributes: Arena<Attribute>,
    /// Attributes of links and events, and what lies within arrays and maps.
    pub nested: Arena<Attribute>,
    /// Links of all spans.
    pub links: Vec<Link>,
    /// Events of all spans.
    pub events: Vec<Event>,
    /// All strings.
    pub strings: Strings,
}

/// Spans among which a service is looked for.
const FIRST_SPANS: usize = 16;

impl Default for Chunk {
    fn default() -> Self {
        Self {
            priority: PRIORITY_NONE,
            origin: Str::EMPTY,
            attributes: List::default(),
            spans: Slice::default(),
            is_dropped_trace: false,
            trace_id: 0,
            trace_id_high: 0,
            sampling_mechanism: 0,
        }
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Batch {
    /// An empty batch around a body.
    #[must_use]
    pub fn new(body: Vec<u8>) -> Self {
        Self {
            format: Format::default(),
            header: Header::default(),
            tags: List::default(),
            chunks: Vec::new(),
            spans: Vec::new(),
            attributes: Arena::default(),
            nested: Arena::default(),
            links: Vec::new(),
            events: Vec::new(),
            strings: Strings::new(body),
        }
    }

    /// Starts over with another body, keeping all memory. Returns the old bytes, emptied.
    pub fn reset(&mut self, format: Format, body: Vec<u8>) -> Vec<u8> {
        self.clear(format);
        self.strings.reset(body)
    }

    /// Starts over with the same body, keeping all memory: a body may hold several payloads.
    pub fn restart(&mut self, format: Format) {
        self.clear(format);
        self.strings.restart();
    }

    fn clear(&mut self, format: Format) {
        self.format = format;
        self.header = Header::default();
        self.tags = List::default();
        self.chunks.clear();
        self.spans.clear();
        self.attributes.clear();
        self.nested.clear();
        self.links.clear();
        self.events.clear();
    }

    /// The body that it was decoded from.
    #[must_use]
    pub fn into_body(self) -> Vec<u8> {
        self.strings.into_body()
    }

    /// The service of the first span that names one, of those that were decoded; empty if there is
    /// none.
    #[must_use]
    pub fn first_service(&self) -> &str {
        let mut first = self.spans.iter().take(FIRST_SPANS);
        let service = first.find(|span| !span.service.is_empty()).map(|span| span.service);
        self.strings.text(service.unwrap_or_default())
    }

    /// Bytes of memory that a reset keeps: after a huge body a batch is better dropped.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.chunks.capacity() * size_of::<Chunk>()
            + self.spans.capacity() * size_of::<Span>()
            + self.links.capacity() * size_of::<Link>()
            + self.events.capacity() * size_of::<Event>()
            + self.attributes.heap_bytes()
            + self.nested.heap_bytes()
            + self.strings.heap_bytes()
    }

    /// The last text that a span has under a known key: an entry of `meta` before v1.0.
    #[must_use]
    pub fn meta(&self, span: &Span, key: Key) -> Option<Str> {
        if !span.keys.has(key) {
            return None;
        }
        let attributes = self.attributes.get(span.attributes);
        attributes.iter().rev().filter(|held| held.name == key).find_map(|held| held.text())
    }

    /// The last number that a span has under a known key: an entry of `metrics` before v1.0.
    #[must_use]
    pub fn metric(&self, span: &Span, key: Key) -> Option<f64> {
        if !span.keys.has(key) {
            return None;
        }
        let attributes = self.attributes.get(span.attributes);
        attributes.iter().rev().filter(|held| held.name == key).find_map(|held| held.double())
    }

    /// Sets an attribute of a span: replaces the last one of the same key and kind, or adds it.
    pub fn set(&mut self, span: usize, key: Key, value: Value) {
        let Some(span) = self.spans.get_mut(span) else { return };
        if span.keys.has(key) {
            let same = std::mem::discriminant(&value);
            let held = self.attributes.get_mut(span.attributes).iter_mut().rev();
            let is_same = |held: &&mut Attribute| {
                held.name == key && same == std::mem::discriminant(&held.value())
            };
            if let Some(held) = held.into_iter().find(is_same) {
                held.set(value);
                return;
            }
        }
        let name = self.strings.name(key);
        span.keys.insert(key);
        self.attributes.push(&mut span.attributes, Attribute::new(name, key, value));
    }

    /// Removes all attributes of a span under a known key that `is_removed` chooses.
    pub fn remove(&mut self, span: usize, key: Key, is_removed: impl Fn(Value) -> bool) {
        let Some(span) = self.spans.get_mut(span).filter(|span| span.keys.has(key)) else { return };
        let is_kept = |held: &Attribute| held.name != key || !is_removed(held.value());
        self.attributes.retain(&mut span.attributes, is_kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Batch {
        let mut batch = Batch::default();
        batch.spans.push(Span::default());
        batch
    }

    #[test]
    fn meta_and_metrics_are_two_key_spaces() {
        let mut batch = batch();
        let text = batch.strings.add("200");
        batch.set(0, Key::HttpStatusCode, Value::Text(text));
        batch.set(0, Key::HttpStatusCode, Value::Double(404.0));
        batch.set(0, Key::HttpStatusCode, Value::Double(500.0));
        let span = batch.spans[0];
        assert_eq!(batch.meta(&span, Key::HttpStatusCode), Some(text));
        assert_eq!(batch.metric(&span, Key::HttpStatusCode), Some(500.0));
        assert_eq!(span.attributes.len(), 2);
        assert_eq!(batch.meta(&span, Key::Env), None);
    }

    #[test]
    fn a_restart_keeps_the_body_alone() {
        let mut batch = Batch::new(b"body".to_vec());
        batch.spans.push(Span::default());
        batch.strings.add("text");
        batch.restart(Format::V07);
        assert_eq!((batch.format, batch.spans.len()), (Format::V07, 0));
        assert_eq!((batch.strings.count(), batch.strings.body()), (1, &b"body"[..]));
    }

    #[test]
    fn a_removed_key_is_gone() {
        let mut batch = batch();
        batch.set(0, Key::Env, Value::Double(1.0));
        let text = batch.strings.add("prod");
        batch.set(0, Key::Env, Value::Text(text));
        batch.remove(0, Key::Env, |value| matches!(value, Value::Text(_)));
        let span = batch.spans[0];
        assert_eq!(batch.meta(&span, Key::Env), None);
        assert_eq!(batch.metric(&span, Key::Env), Some(1.0));
    }
}
