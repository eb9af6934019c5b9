//! The application that is traced: modelled, as web requests with their database, cache and calls,
//! or of the spans that a tracer was recorded with.

mod dialect;
mod recorded;
mod spans;

use std::borrow::Cow;

pub(super) use dialect::Dialect;
pub(super) use recorded::Recorded;

use crate::rng::Rng;
use crate::traces::TraceSpec;

/// A text of a span; most of them are the same for all.
pub(super) type Text = Cow<'static, str>;

/// One trace: all its spans, in the order of their start.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    /// All 128 bits; the upper half holds seconds, as tracers have it.
    pub(super) id: u128,
    /// Whether its priority is 1.
    pub(super) is_kept: bool,
    pub(super) spans: Vec<Span>,
}

impl Trace {
    /// Priority of the trace.
    pub(super) const fn priority(&self) -> i64 {
        if self.is_kept { 1 } else { 0 }
    }
}

/// One span, as the versions up to v0.7 have it.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) service: Text,
    pub(super) name: Text,
    pub(super) resource: Text,
    pub(super) span_type: Text,
    pub(super) span_id: u64,
    pub(super) parent_id: u64,
    pub(super) start_ns: u64,
    pub(super) duration_ns: u64,
    pub(super) is_error: bool,
    pub(super) meta: Vec<(Text, Text)>,
    pub(super) metrics: Vec<(Text, f64)>,
}

impl Span {
    /// Sets a tag.
    pub(super) fn put(&mut self, key: &'static str, value: impl Into<Text>) {
        self.meta.push((key.into(), value.into()));
    }

    /// Sets a number.
    pub(super) fn measure(&mut self, key: &'static str, value: f64) {
        self.metrics.push((key.into(), value));
    }

    pub(super) fn meta(&self, key: &str) -> Option<&str> {
        self.meta.iter().find(|(given, _)| given == key).map(|(_, value)| &**value)
    }

    pub(super) fn has_metric(&self, key: &str) -> bool {
        self.metrics.iter().any(|(given, _)| given == key)
    }
}

/// Makes traces, the same for the same specification.
#[derive(Debug)]
pub(super) struct Shop<'a> {
    spec: &'a TraceSpec,
    pub(super) dialect: Dialect,
    recorded: Option<Recorded>,
    rng: Rng,
    start_ns: u64,
    made: u64,
}

/// Environment of everything.
pub(super) const ENV: &str = "production";
/// Version of the application.
pub(super) const APP_VERSION: &str = "2026.11.3";

impl<'a> Shop<'a> {
    pub(super) const fn new(
        spec: &'a TraceSpec,
        start_ns: u64,
        recorded: Option<Recorded>,
    ) -> Self {
        let dialect = Dialect::of(spec.language);
        Self { spec, dialect, recorded, rng: Rng::new(spec.seed), start_ns, made: 0 }
    }

    /// Identifies the process of a service.
    pub(super) fn runtime_id(&self, service: u32) -> String {
        let mut rng = Rng::new(self.spec.seed ^ u64::from(service) << 32);
        let (high, low) = (rng.draw(), rng.draw());
        let parts =
            [high >> 32, high >> 16 & 0xffff, high & 0xfff, low >> 48, low & 0xffff_ffff_ffff];
        let [first, second, third, fourth, fifth] = parts;
        format!("{first:08x}-{second:04x}-4{third:03x}-{fourth:04x}-{fifth:012x}")
    }

    /// The next trace of a web service.
    pub(super) fn trace(&mut self, service: u32) -> Trace {
        let kept = u64::from(self.spec.kept_per_mille);
        // Whenever the share passes a whole number, so that any run of traces has its part.
        let is_kept = (self.made + 1) * kept / 1000 > self.made * kept / 1000;
        let has_error = self.rng.below(1000) < u64::from(self.spec.errors_per_mille);
        let start_ns = self.start_ns + self.made * 50_000;
        self.made += 1;
        let upper = (start_ns / 1_000_000_000) << 32;
        let id = u128::from(upper) << 64 | u128::from(self.id());
        let mut trace = Trace { id, is_kept, spans: Vec::new() };
        let resource = self.rng.below(u64::from(self.spec.resources));
        match self.recorded.take() {
            Some(recorded) => {
                recorded.fill(self, &mut trace, start_ns, has_error);
                self.recorded = Some(recorded);
            }
            None => spans::fill(self, &mut trace, service, resource, start_ns, has_error),
        }
        trace
    }

    /// An id that is not zero and fits 63 bits, as most tracers make them.
    const fn id(&mut self) -> u64 {
        (self.rng.draw() >> 1) | 1
    }
}
