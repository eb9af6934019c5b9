//! Asks the samplers about a chunk, and does what they say. spec: apm §6 step 4 m, §7.1.

use sampling::{Chunk, Decision, Event, Leaving, Spans};
use span::{Attribute, Batch, Key, Slice, Span, Str, Value};

use crate::access::{head_of, number_of, remove_number, set, str_of};
use crate::facts::{Facts, is_sampled_alone};
use crate::top_level::{is_measured, is_top_level};

/// Sampling mechanism of a decision made by hand.
const MECHANISM_MANUAL: u32 = 4;

/// Spans of a chunk that the samplers look at. Signatures and events of greater chunks are those of
/// their first spans and their root, since the samplers look at a chunk in one go.
const SAMPLED_SPANS_MAX: usize = 4096;
/// Bytes of a status or type of an error that tell signatures apart.
const DISTINCT_BYTES_MAX: usize = 200;

/// The spans of a chunk as the samplers see them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    batch: &'a Batch,
    spans: &'a [Span],
    /// Place of the root among them.
    root: usize,
    facts: Facts,
    /// Stands for a span that is not there.
    none: Span,
}

impl<'a> View<'a> {
    /// `root` is the place of the root in the batch.
    pub(crate) fn new(batch: &'a Batch, chunk: Slice, root: usize, facts: Facts) -> Self {
        let spans = batch.spans.get(chunk.range()).unwrap_or_default();
        let root = root.saturating_sub(chunk.start as usize);
        Self { batch, spans, root, facts, none: Span::default() }
    }

    /// What looking at the spans costs at most.
    pub(crate) fn units(&self) -> usize {
        self.spans.len().min(SAMPLED_SPANS_MAX) * 4
    }

    /// The number by which the samplers know the root.
    fn root(&self) -> usize {
        self.root.min(SAMPLED_SPANS_MAX - 1)
    }

    /// The place in the chunk of what the samplers know by a number: the last one stands for the
    /// root if that lies behind.
    const fn place(root: usize, at: usize) -> usize {
        if at == SAMPLED_SPANS_MAX - 1 && root > at { root } else { at }
    }

    fn span(&self, at: usize) -> &Span {
        self.spans.get(Self::place(self.root, at)).unwrap_or(&self.none)
    }

    fn text(&self, text: Str) -> &str {
        self.batch.strings.text(text)
    }

    fn meta(&self, at: usize, key: Key) -> Option<&str> {
        let text = str_of(self.batch, self.span(at), key)?;
        let head = head_of(&self.batch.strings, text, DISTINCT_BYTES_MAX);
        Some(head.get(..head.floor_char_boundary(DISTINCT_BYTES_MAX)).unwrap_or(head))
    }
}

impl Spans for View<'_> {
    fn count(&self) -> usize {
        self.spans.len().min(SAMPLED_SPANS_MAX)
    }

    fn service(&self, span: usize) -> &str {
        self.text(self.span(span).service)
    }

    fn name(&self, span: usize) -> &str {
        self.text(self.span(span).name)
    }

    fn resource(&self, span: usize) -> &str {
        self.text(self.span(span).resource)
    }

    fn error(&self, span: usize) -> i32 {
        self.span(span).error
    }

    fn http_status_code(&self, span: usize) -> Option<&str> {
        self.meta(span, Key::HttpStatusCode)
    }

    fn error_type(&self, span: usize) -> Option<&str> {
        self.meta(span, Key::ErrorType)
    }

    fn is_top_level(&self, span: usize) -> bool {
        is_top_level(self.batch, self.span(span))
    }

    fn is_measured(&self, span: usize) -> bool {
        is_measured(self.batch, self.span(span))
    }

    // The samplers ask whether any span is, and all were looked at before.
    fn is_sampled_alone(&self, _: usize) -> bool {
        self.facts.has_sampled_span
    }

    fn event_rate(&self, span: usize) -> Option<f64> {
        number_of(self.batch, self.span(span), Key::DdEventRate)
    }

    fn has_exception_event(&self, _: usize) -> bool {
        self.facts.has_exception
    }
}

/// What decides about a chunk besides its spans. `root` is the place of its root in the batch, and
/// `dropped_p0s_weight` what the client dropped for each chunk of the payload.
pub(crate) fn facts<'a>(
    batch: &'a Batch,
    chunk: usize,
    root: usize,
    view: &View<'_>,
    dropped_p0s_weight: f64,
) -> Chunk<'a> {
    let held = batch.chunks.get(chunk).copied().unwrap_or_default();
    let root_span = batch.spans.get(root).copied().unwrap_or_default();
    let is_v1 = batch.format.is_v1();
    let text = |key| str_of(batch, &root_span, key).map(|text| batch.strings.text(text));
    let rate = |key| number_of(batch, &root_span, key).unwrap_or(1.0);
    let high = text(Key::DdTraceIdHigh).and_then(|text| u64::from_str_radix(text, 16).ok());
    let decision_maker = if is_v1 {
        (held.sampling_mechanism == MECHANISM_MANUAL).then_some("-4")
    } else {
        chunk_text(batch, &held, Key::DdDecisionMaker)
    };
    let is_rated = [Key::DdAgentRate, Key::DdRuleRate, Key::SamplingPriorityRate];
    Chunk {
        env: batch.strings.text(batch.header.env),
        priority: held.priority,
        decision_maker,
        trace_id: if is_v1 { held.trace_id } else { root_span.trace_id },
        trace_id_high: if is_v1 { held.trace_id_high } else { high.unwrap_or_default() },
        otel_trace_id: text(Key::OtelTraceId),
        root: view.root(),
        has_remote_parent: root_span.parent_id != 0,
        has_priority_rate: is_rated.iter().any(|key| number_of(batch, &root_span, *key).is_some()),
        client_rate: rate(Key::SampleRate),
        pre_rate: rate(Key::DdPreRate),
        dropped_p0s_weight,
        has_error: view.facts.has_error,
        may_have_sampled_spans: view.facts.has_sampled_span,
        may_have_event_rates: view.facts.has_event_rate,
    }
}

/// Writes a decision into the batch; which spans of the chunk leave is up to [`is_kept`].
pub(crate) fn apply(
    batch: &mut Batch,
    chunk: usize,
    root: usize,
    decision: &Decision,
    events: &[Event],
) {
    let Some(held) = batch.chunks.get_mut(chunk) else { return };
    held.is_dropped_trace = decision.is_dropped_trace;
    held.priority = decision.priority.unwrap_or(held.priority);
    let start = held.spans.start as usize;
    let place = |at: usize| start + View::place(root.saturating_sub(start), at);
    if let Some(mechanism) = decision.mechanism {
        if batch.format.is_v1() {
            held.sampling_mechanism = mechanism;
        } else {
            let text = batch.strings.add(&format!("-{mechanism}"));
            set_chunk_text(batch, chunk, Key::DdDecisionMaker, text);
        }
    }
    if decision.is_error_tracking {
        let text = batch.strings.add("true");
        set_chunk_text(batch, chunk, Key::DdErrorTrackingError, text);
    }
    if let Some((name, number)) = decision.root_metric {
        set(batch, root, Key::of(name.as_bytes()), Value::Double(number));
    }
    if let Some(rare) = decision.rare_span {
        set(batch, place(rare), Key::DdRare, Value::Double(1.0));
    }
    for event in events {
        mark_event(batch, place(event.span), event);
    }
}

/// Whether a span of a chunk leaves. `start` is the place of its first span, `root` that of its
/// root.
pub(crate) fn is_kept(
    batch: &Batch,
    at: usize,
    (start, root): (usize, usize),
    leaving: Leaving,
    events: &[Event],
) -> bool {
    match leaving {
        Leaving::All => true,
        Leaving::SampledSpans => {
            batch.spans.get(at).is_some_and(|span| is_sampled_alone(batch, span))
        }
        Leaving::Events => {
            let place = |event: &Event| start + View::place(root.saturating_sub(start), event.span);
            events.binary_search_by_key(&at, place).is_ok()
        }
        Leaving::Nothing => false,
    }
}

fn mark_event(batch: &mut Batch, at: usize, event: &Event) {
    let rates = [
        (Key::DdEventMaxRate, event.limit_rate),
        (Key::DdClientRate, event.client_rate),
        (Key::DdPreRate, event.pre_rate),
        (Key::DdEventRate, event.extraction_rate),
        (Key::DdAnalyzed, Some(1.0)),
    ];
    for (key, rate) in rates {
        match rate {
            Some(rate) => set(batch, at, key, Value::Double(rate)),
            None if key == Key::DdEventRate => remove_number(batch, at, key),
            None => {}
        }
    }
}

fn chunk_text<'a>(batch: &'a Batch, chunk: &span::Chunk, key: Key) -> Option<&'a str> {
    let tags = batch.attributes.get(chunk.attributes).iter().rev();
    tags.filter(|tag| tag.name == key)
        .find_map(|tag| tag.text())
        .map(|text| batch.strings.text(text))
}

fn set_chunk_text(batch: &mut Batch, chunk: usize, key: Key, text: Str) {
    let Some(chunk) = batch.chunks.get_mut(chunk) else { return };
    let value = Value::Text(text);
    let mut held = batch.attributes.get_mut(chunk.attributes).iter_mut();
    if let Some(held) = held.find(|held| held.name == key) {
        held.set(value);
        return;
    }
    let name = batch.strings.name(key);
    batch.attributes.push(&mut chunk.attributes, Attribute::new(name, key, value));
}
