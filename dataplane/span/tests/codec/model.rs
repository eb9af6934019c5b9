//! What a payload means, in plain types.

use std::collections::BTreeMap;

use corelane_span::{Format, PRIORITY_NONE, SpanKind};

use crate::random::Random;

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Payload {
    /// Container id, language, its version, tracer version, runtime id, env, host, app version.
    pub(crate) header: [String; 8],
    pub(crate) tags: BTreeMap<String, Any>,
    pub(crate) chunks: Vec<Chunk>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Chunk {
    pub(crate) priority: i32,
    pub(crate) origin: String,
    pub(crate) attributes: BTreeMap<String, Any>,
    pub(crate) spans: Vec<Span>,
    pub(crate) is_dropped_trace: bool,
    pub(crate) trace_id: [u64; 2],
    pub(crate) sampling_mechanism: u32,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Span {
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) resource: String,
    pub(crate) span_type: String,
    pub(crate) trace_id: u64,
    pub(crate) span_id: u64,
    pub(crate) parent_id: u64,
    pub(crate) start_ns: i64,
    pub(crate) duration_ns: i64,
    pub(crate) error: i32,
    /// Texts of `meta`, or of the attributes of v1.0.
    pub(crate) meta: BTreeMap<String, String>,
    pub(crate) metrics: BTreeMap<String, f64>,
    pub(crate) meta_struct: BTreeMap<String, Vec<u8>>,
    /// Attributes of the types that only v1.0 has.
    pub(crate) others: BTreeMap<String, Any>,
    pub(crate) links: Vec<Link>,
    pub(crate) events: Vec<Event>,
    pub(crate) env: String,
    pub(crate) version: String,
    pub(crate) component: String,
    pub(crate) kind: u8,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Link {
    pub(crate) trace_id: [u64; 2],
    pub(crate) span_id: u64,
    pub(crate) attributes: BTreeMap<String, Any>,
    pub(crate) tracestate: String,
    pub(crate) flags: u32,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Event {
    pub(crate) time_ns: u64,
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, Any>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Any {
    Text(String),
    Bool(bool),
    Double(f64),
    Int(i64),
    Bytes(Vec<u8>),
    Array(Vec<Self>),
    Map(BTreeMap<String, Self>),
}

impl Payload {
    /// A payload that can be written in this format.
    pub(crate) fn random(random: &mut Random, format: Format) -> Self {
        let mut payload = Self::default();
        let has_header = matches!(format, Format::V07 | Format::V1);
        if has_header {
            payload.header = std::array::from_fn(|_| random.text());
            payload.tags = entries(random, 3, |r| tag(r, format));
        }
        for number in 0..random.below(4) {
            let mut chunk = Chunk { priority: PRIORITY_NONE, ..Chunk::default() };
            if has_header {
                chunk.priority = random.number().to_le_bytes()[0].cast_signed().into();
                chunk.origin = random.text();
                chunk.attributes = entries(random, 3, |r| tag(r, format));
                chunk.is_dropped_trace = random.one_in(3);
            }
            let mut trace_id = random.number();
            if format.is_v1() {
                chunk.trace_id = [random.number(), trace_id];
                chunk.sampling_mechanism = random.next().to_le_bytes()[0].into();
            }
            let mut span_count = random.below(4);
            if format == Format::V01 {
                // Chunks come out by trace id, and one without spans cannot be told.
                trace_id = number as u64 * 9;
                span_count = span_count.max(1);
            }
            chunk.spans = (0..span_count).map(|_| Span::random(random, format, trace_id)).collect();
            payload.chunks.push(chunk);
        }
        payload
    }
}

impl Span {
    fn random(random: &mut Random, format: Format, trace_id: u64) -> Self {
        let mut span = Self {
            service: random.text(),
            name: random.text(),
            resource: random.text(),
            span_type: random.text(),
            trace_id,
            span_id: random.number(),
            parent_id: random.number(),
            start_ns: random.number().cast_signed(),
            duration_ns: random.number().cast_signed(),
            error: random.next().to_le_bytes()[0].cast_signed().into(),
            meta: entries(random, 8, Random::text),
            metrics: entries(random, 4, Random::double),
            meta_struct: entries(random, 2, Random::bytes),
            ..Self::default()
        };
        if format == Format::V05 {
            span.meta_struct.clear();
            return span;
        }
        span.links = (0..random.below(3)).map(|_| Link::random(random, format)).collect();
        span.events = (0..random.below(3)).map(|_| Event::random(random, format)).collect();
        if format.is_v1() {
            span.error = random.one_in(2).into();
            span.env = random.text();
            span.version = random.text();
            span.component = random.text();
            span.kind = SpanKind::from_number(u32::from(random.next().to_le_bytes()[1] % 7)) as u8;
            // One key space: a key has one type.
            span.metrics.retain(|key, _| !span.meta.contains_key(key));
            let is_new =
                |key: &String| !span.meta.contains_key(key) && !span.metrics.contains_key(key);
            span.meta_struct.retain(|key, _| is_new(key));
            span.others = entries(random, 3, |r| any_other(r, 3));
            span.others.retain(|key, _| is_new(key) && !span.meta_struct.contains_key(key));
        }
        span
    }
}

impl Link {
    fn random(random: &mut Random, format: Format) -> Self {
        Self {
            trace_id: [random.number(), random.number()],
            span_id: random.number(),
            attributes: entries(random, 3, |r| tag(r, format)),
            tracestate: random.text(),
            flags: u32::try_from(random.number() >> 32).unwrap_or_default(),
        }
    }
}

impl Event {
    fn random(random: &mut Random, format: Format) -> Self {
        let value = |r: &mut Random| if format.is_v1() { any(r, 3) } else { any_of_event(r, true) };
        Self {
            time_ns: random.number(),
            name: random.text(),
            attributes: entries(random, 4, value),
        }
    }
}

fn entries<T>(
    random: &mut Random,
    max: usize,
    mut value: impl FnMut(&mut Random) -> T,
) -> BTreeMap<String, T> {
    (0..random.below(max + 1)).map(|_| (random.key(), value(random))).collect()
}

fn tag(random: &mut Random, format: Format) -> Any {
    if format.is_v1() { any(random, 3) } else { Any::Text(random.text()) }
}

fn any(random: &mut Random, depth: usize) -> Any {
    match random.below(4) {
        0 => Any::Text(random.text()),
        1 => Any::Double(random.double()),
        2 => Any::Bytes(random.bytes()),
        _ => any_other(random, depth),
    }
}

fn any_other(random: &mut Random, depth: usize) -> Any {
    match random.below(if depth == 0 { 2 } else { 4 }) {
        0 => Any::Bool(random.one_in(2)),
        1 => Any::Int(random.number().cast_signed()),
        2 => Any::Array((0..random.below(4)).map(|_| any(random, depth - 1)).collect()),
        _ => Any::Map(entries(random, 3, |r| any(r, depth - 1))),
    }
}

fn any_of_event(random: &mut Random, is_outermost: bool) -> Any {
    match random.below(if is_outermost { 5 } else { 4 }) {
        0 => Any::Text(random.text()),
        1 => Any::Bool(random.one_in(2)),
        2 => Any::Int(random.number().cast_signed()),
        3 => Any::Double(random.double()),
        _ => Any::Array((0..random.below(4)).map(|_| any_of_event(random, false)).collect()),
    }
}
