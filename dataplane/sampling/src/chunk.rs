//! What the samplers see of a trace chunk: a few values, and the spans behind a trait.

/// A chunk without a sampling priority has this one.
pub const PRIORITY_NONE: i32 = -128;
/// The user wants the trace kept; also the priority of a chunk that is left with sampled spans.
pub const PRIORITY_USER_KEEP: i32 = 2;

/// Values of one chunk and its payload that decide about it. Plain data: every value is valid.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// Environment of the payload after normalisation; empty if the tracer gave none.
    pub env: &'a str,
    /// Sampling priority of the chunk, or [`PRIORITY_NONE`].
    pub priority: i32,
    /// Chunk tag `_dd.p.dm`, for example `-4`.
    pub decision_maker: Option<&'a str>,
    /// Low 64 bits of the trace id.
    pub trace_id: u64,
    /// High 64 bits of the trace id, 0 if there are none.
    pub trace_id_high: u64,
    /// Meta `otel.trace_id` of the root: 32 hexadecimal digits.
    pub otel_trace_id: Option<&'a str>,
    /// Index of the root span.
    pub root: usize,
    /// Whether the root has a parent id, that is, the trace began elsewhere.
    pub has_remote_parent: bool,
    /// Whether the root has any of the metrics `_dd.agent_psr`, `_dd.rule_psr` and
    /// `_sampling_priority_rate_v1`.
    pub has_priority_rate: bool,
    /// Metric `_sample_rate` of the root; use 1 if it is missing.
    pub client_rate: f64,
    /// Metric `_dd1.sr.rapre` of the root; use 1 if it is missing.
    pub pre_rate: f64,
    /// Chunks that the client dropped, for each chunk of this payload: `Datadog-Client-Dropped-P0-
    /// Traces` divided by the number of chunks in the payload.
    pub dropped_p0s_weight: f64,
    /// Whether a span of the chunk has `error` other than 0.
    pub has_error: bool,
    /// False if no span has metric `_dd.span_sampling.mechanism`; true makes the samplers look.
    pub may_have_sampled_spans: bool,
    /// False if no span has metric `_dd1.sr.eausr`; true makes the samplers look.
    pub may_have_event_rates: bool,
}

impl Chunk<'_> {
    /// Client rate if it is a rate, else 1.
    pub(crate) fn client_rate(&self) -> f64 {
        rate_or_one(self.client_rate)
    }

    /// Rate of a sampler before this one if it is a rate, else 1.
    pub(crate) fn pre_rate(&self) -> f64 {
        rate_or_one(self.pre_rate)
    }

    /// How many chunks this one stands for, without those that the client dropped. spec: apm §7.3.
    pub(crate) fn weight(&self) -> f64 {
        (1.0 / (self.client_rate() * self.pre_rate())).min(WEIGHT_MAX)
    }

    /// How many chunks this one stands for in the priority sampler. spec: apm §7.3.
    pub(crate) fn weight_with_dropped(&self) -> f64 {
        let dropped = self.dropped_p0s_weight;
        self.weight() + if dropped > 0.0 { dropped.min(WEIGHT_MAX) } else { 0.0 }
    }
}

/// Spans of a chunk. The samplers ask only for what they need: the priority sampler reads the
/// service of the root, and nothing else.
pub trait Spans {
    /// Number of spans.
    fn count(&self) -> usize;
    /// Service after normalisation.
    fn service(&self, span: usize) -> &str;
    /// Operation name after normalisation.
    fn name(&self, span: usize) -> &str;
    /// Resource after obfuscation.
    fn resource(&self, span: usize) -> &str;
    /// Error flag; other than 0 is an error.
    fn error(&self, span: usize) -> i32;
    /// Meta `http.status_code`.
    fn http_status_code(&self, span: usize) -> Option<&str>;
    /// Meta `error.type`.
    fn error_type(&self, span: usize) -> Option<&str>;
    /// Whether the span is top-level. spec: apm §6.7.
    fn is_top_level(&self, span: usize) -> bool;
    /// Whether the span is measured. spec: apm §6.7.
    fn is_measured(&self, span: usize) -> bool;
    /// Whether metric `_dd.span_sampling.mechanism` is there, with any value.
    fn is_sampled_alone(&self, span: usize) -> bool;
    /// Metric `_dd1.sr.eausr`.
    fn event_rate(&self, span: usize) -> Option<f64>;
    /// Whether meta `_dd.span_events.has_exception` is `true`.
    fn has_exception_event(&self, span: usize) -> bool;
}

/// Most chunks that one chunk may stand for, so that no header or metric makes a sum infinite.
const WEIGHT_MAX: f64 = 1e9;

fn rate_or_one(rate: f64) -> f64 {
    if rate > 0.0 && rate <= 1.0 { rate } else { 1.0 }
}
