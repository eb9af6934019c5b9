//! Batches made by hand, in both models, and what comes out of a processor.

#![allow(dead_code, reason = "each test and bench uses some of it")]

use std::sync::Arc;

use corelane_traces::{Counts, PayloadHead, Piece, Processor, Settings};
use sampling::{LaneSamplers, Rater, SamplingSettings};
use span::{
    Attribute, Batch, Chunk, Event, Format, Key, Link, List, Slice, Span, SpanKind, Str, Value,
};
use stats::{Concentrator, ConcentratorSettings};

/// The time of all tests: 2023-11-14.
pub(crate) const NOW_NS: u64 = 1_700_000_000_000_000_000;
pub(crate) const BOTH: [Format; 2] = [Format::V04, Format::V1];

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Typed {
    Text(String),
    Bool(bool),
    Double(f64),
    Int(i64),
    Bytes(Vec<u8>),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

/// A span to be made.
#[derive(Clone, Debug)]
pub(crate) struct Make {
    pub(crate) trace_id: u64,
    pub(crate) span_id: u64,
    pub(crate) parent_id: u64,
    pub(crate) start_ns: i64,
    pub(crate) duration_ns: i64,
    pub(crate) error: i32,
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) resource: String,
    pub(crate) span_type: String,
    pub(crate) meta: Vec<(String, String)>,
    pub(crate) metrics: Vec<(String, f64)>,
    /// Values of other types.
    pub(crate) typed: Vec<(String, Typed)>,
    pub(crate) events: Vec<Vec<(String, Typed)>>,
    /// Attributes of links.
    pub(crate) links: Vec<Vec<(String, String)>>,
}

/// A chunk to be made.
#[derive(Clone, Debug)]
pub(crate) struct MakeChunk {
    pub(crate) priority: i32,
    pub(crate) origin: String,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) spans: Vec<Make>,
}

/// A valid span of service `web`.
pub(crate) fn span(span_id: u64, parent_id: u64) -> Make {
    Make {
        trace_id: 77,
        span_id,
        parent_id,
        start_ns: (NOW_NS - 2_000_000_000) as i64,
        duration_ns: 1_000_000,
        error: 0,
        service: "web".into(),
        name: "http.request".into(),
        resource: "GET /".into(),
        span_type: "custom".into(),
        meta: Vec::new(),
        metrics: Vec::new(),
        typed: Vec::new(),
        events: Vec::new(),
        links: Vec::new(),
    }
}

impl Make {
    pub(crate) fn meta(mut self, key: &str, value: &str) -> Self {
        self.meta.push((key.into(), value.into()));
        self
    }

    pub(crate) fn metric(mut self, key: &str, value: f64) -> Self {
        self.metrics.push((key.into(), value));
        self
    }

    pub(crate) fn typed(mut self, key: &str, value: Typed) -> Self {
        self.typed.push((key.into(), value));
        self
    }
}

/// A chunk that its tracer wants kept.
pub(crate) fn chunk(spans: &[Make]) -> MakeChunk {
    MakeChunk { priority: 1, origin: String::new(), tags: Vec::new(), spans: spans.to_vec() }
}

pub(crate) fn batch(format: Format, chunks: &[MakeChunk]) -> Batch {
    let mut batch = Batch::default();
    batch.reset(format, Vec::new());
    batch.tags = batch.attributes.list();
    for made in chunks {
        let start = batch.spans.len() as u32;
        let mut attributes = batch.attributes.list();
        for (key, value) in &made.tags {
            push(&mut batch, &mut attributes, key, &Typed::Text(value.clone()));
        }
        for made in &made.spans {
            add_span(&mut batch, made);
        }
        let len = batch.spans.len() as u32 - start;
        let first = made.spans.first();
        let chunk = Chunk {
            priority: made.priority,
            origin: batch.strings.add(&made.origin),
            attributes,
            spans: Slice { start, len },
            trace_id: first.map_or(0, |span| span.trace_id),
            ..Chunk::default()
        };
        batch.chunks.push(chunk);
    }
    batch
}

fn add_span(batch: &mut Batch, made: &Make) {
    let is_v1 = batch.format.is_v1();
    let mut span = Span {
        trace_id: if is_v1 { 0 } else { made.trace_id },
        span_id: made.span_id,
        parent_id: made.parent_id,
        start_ns: made.start_ns,
        duration_ns: made.duration_ns,
        error: made.error,
        service: batch.strings.add(&made.service),
        name: batch.strings.add(&made.name),
        resource: batch.strings.add(&made.resource),
        span_type: batch.strings.add(&made.span_type),
        ..Span::default()
    };
    let mut attributes = batch.attributes.list();
    for (key, value) in &made.meta {
        let text = batch.strings.add(value);
        match key.as_str() {
            "env" if is_v1 => span.env = text,
            "version" if is_v1 => span.version = text,
            "component" if is_v1 => span.component = text,
            "span.kind" if is_v1 => {
                let kinds = (0..6).map(SpanKind::from_number);
                span.kind = kinds.into_iter().find(|kind| kind.as_str() == value).unwrap();
            }
            _ => {
                push(batch, &mut attributes, key, &Typed::Text(value.clone()));
                span.keys.insert(Key::of(key.as_bytes()));
            }
        }
    }
    let metrics = made.metrics.iter().map(|(key, number)| (key, Typed::Double(*number)));
    for (key, value) in metrics.chain(made.typed.iter().map(|(key, value)| (key, value.clone()))) {
        push(batch, &mut attributes, key, &value);
        span.keys.insert(Key::of(key.as_bytes()));
    }
    span.attributes = attributes;
    let first = batch.events.len() as u32;
    for made in &made.events {
        let attributes = entries(batch, made);
        let name = batch.strings.add("event");
        batch.events.push(Event { time_ns: NOW_NS, name, attributes });
    }
    span.events = Slice { start: first, len: batch.events.len() as u32 - first };
    let first = batch.links.len() as u32;
    for made in &made.links {
        let made: Vec<(String, Typed)> =
            made.iter().map(|(key, value)| (key.clone(), Typed::Text(value.clone()))).collect();
        let attributes = entries(batch, &made);
        batch.links.push(Link { attributes, ..Link::default() });
    }
    span.links = Slice { start: first, len: batch.links.len() as u32 - first };
    batch.spans.push(span);
}

fn push(batch: &mut Batch, list: &mut List, key: &str, value: &Typed) {
    let value = typed(batch, value);
    let name = batch.strings.add(key);
    batch.attributes.push(list, Attribute::new(name, Key::of(key.as_bytes()), value));
}

fn entries(batch: &mut Batch, made: &[(String, Typed)]) -> Slice {
    let made: Vec<Attribute> = made
        .iter()
        .map(|(key, value)| {
            let value = typed(batch, value);
            Attribute::new(batch.strings.add(key), Key::of(key.as_bytes()), value)
        })
        .collect();
    batch.nested.extend(&made)
}

fn typed(batch: &mut Batch, value: &Typed) -> Value {
    match value {
        Typed::Text(text) => Value::Text(batch.strings.add(text)),
        Typed::Bool(is_set) => Value::Bool(*is_set),
        Typed::Double(number) => Value::Double(*number),
        Typed::Int(number) => Value::Int(*number),
        Typed::Bytes(bytes) => Value::Bytes(batch.strings.add_bytes(bytes)),
        Typed::List(items) => {
            let items: Vec<_> = items.iter().map(|item| (String::new(), item.clone())).collect();
            Value::Array(entries(batch, &items))
        }
        Typed::Map(items) => Value::Map(entries(batch, items)),
    }
}

/// Samplers of a lone lane.
pub(crate) fn samplers(settings: SamplingSettings) -> LaneSamplers {
    let settings = Arc::new(settings);
    let rater = Rater::new(Arc::clone(&settings), 1);
    let mut samplers = LaneSamplers::new(settings, 0, rater.rates());
    samplers.on_time(NOW_NS / 1_000_000);
    samplers
}

pub(crate) fn processor(settings: Settings, sampling: SamplingSettings) -> Processor {
    let concentrator = Concentrator::new(ConcentratorSettings::default(), NOW_NS);
    Processor::new(Arc::new(settings), samplers(sampling), concentrator, 12345)
}

/// What came out.
pub(crate) struct Done {
    pub(crate) processor: Processor,
    pub(crate) batch: Batch,
    pub(crate) pieces: Vec<Piece>,
}

/// Processes a batch with these settings and no headers.
pub(crate) fn run(settings: Settings, batch: Batch) -> Done {
    run_with(processor(settings, SamplingSettings::default()), batch, &PayloadHead::default())
}

pub(crate) fn run_with(mut processor: Processor, batch: Batch, head: &PayloadHead<'_>) -> Done {
    let mut pieces = Vec::new();
    processor.begin(batch, head, NOW_NS);
    assert!(!processor.step(usize::MAX));
    let batch = processor.finish(&mut pieces);
    assert!(processor.counts().is_balanced(), "{:?}", processor.counts());
    assert_eq!(pieces.iter().map(|piece| piece.chunks.len()).sum::<usize>(), batch.chunks.len());
    Done { processor, batch, pieces }
}

/// Processes one chunk of these spans in the default settings.
pub(crate) fn run_spans(format: Format, spans: &[Make]) -> Done {
    run(Settings::default(), batch(format, &[chunk(spans)]))
}

impl Done {
    pub(crate) fn counts(&self) -> &Counts {
        self.processor.counts()
    }

    /// Span `n` of the first chunk.
    pub(crate) fn span(&self, n: usize) -> &Span {
        &self.batch.spans[self.batch.chunks[0].spans.start as usize + n]
    }

    pub(crate) fn text(&self, text: Str) -> &str {
        self.batch.strings.text(text)
    }

    /// What span `n` of the first chunk has under a key. Promoted fields are read as text.
    pub(crate) fn value(&self, n: usize, key: &str) -> Option<Typed> {
        let span = self.span(n);
        let field = match key {
            "env" => Some(span.env),
            "version" => Some(span.version),
            "component" => Some(span.component),
            _ => None,
        };
        if self.batch.format.is_v1()
            && let Some(field) = field
        {
            return (!field.is_empty()).then(|| Typed::Text(self.text(field).into()));
        }
        let held = self.batch.attributes.get(span.attributes).iter().rev();
        let held = held.clone().find(|held| self.text(held.key) == key)?;
        Some(self.read(held.value()))
    }

    /// A text of span `n` of the first chunk.
    pub(crate) fn meta(&self, n: usize, key: &str) -> Option<String> {
        match self.value(n, key)? {
            Typed::Text(text) => Some(text),
            other => panic!("{key} is {other:?}"),
        }
    }

    /// A number of span `n` of the first chunk.
    pub(crate) fn metric(&self, n: usize, key: &str) -> Option<f64> {
        match self.value(n, key)? {
            Typed::Double(number) => Some(number),
            other => panic!("{key} is {other:?}"),
        }
    }

    /// A tag of the first chunk.
    pub(crate) fn chunk_tag(&self, key: &str) -> Option<String> {
        let held = self.batch.attributes.get(self.batch.chunks[0].attributes);
        let held = held.iter().find(|held| self.text(held.key) == key)?;
        held.text().map(|text| self.text(text).into())
    }

    /// A tag of the payload.
    pub(crate) fn payload_tag(&self, key: &str) -> Option<String> {
        let held = self.batch.attributes.get(self.batch.tags).iter();
        let held = held.clone().find(|held| self.text(held.key) == key)?;
        held.text().map(|text| self.text(text).into())
    }

    /// The attributes of event `n` of the first span.
    pub(crate) fn event(&self, n: usize) -> Vec<(String, Typed)> {
        let event = self.batch.events[self.span(0).events.start as usize + n];
        self.entries(event.attributes)
    }

    pub(crate) fn entries(&self, slice: Slice) -> Vec<(String, Typed)> {
        let held = self.batch.nested.slice(slice).iter();
        held.map(|held| (self.text(held.key).into(), self.read(held.value()))).collect()
    }

    fn read(&self, value: Value) -> Typed {
        match value {
            Value::Text(text) => Typed::Text(self.text(text).into()),
            Value::Bool(is_set) => Typed::Bool(is_set),
            Value::Double(number) => Typed::Double(number),
            Value::Int(number) => Typed::Int(number),
            Value::Bytes(bytes) => Typed::Bytes(self.batch.strings.bytes(bytes).to_vec()),
            Value::Array(slice) => {
                Typed::List(self.entries(slice).into_iter().map(|(_, value)| value).collect())
            }
            Value::Map(slice) => Typed::Map(self.entries(slice)),
        }
    }
}
