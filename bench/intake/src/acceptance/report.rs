//! What a check found, within bounds.

use std::collections::BTreeMap;

/// Violations of one payload that are described; the rest is only counted.
const DESCRIBED_MAX: usize = 100;

/// What a payload can do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// The body is over a hard limit of its route, or a log over that of its own.
    TooLarge,
    /// The body holds nothing.
    EmptyPayload,
    /// Readable, but not as the format says.
    Format,
    /// The body cannot be decompressed or decoded.
    Undecodable,
    /// A header is missing or wrong.
    Header,
    /// No key, or one that is not accepted.
    Key,
    /// Too many points in a series payload.
    TooManyPoints,
    /// Too many events, service checks, groups of stats or logs in one body.
    TooManyItems,
    /// A metric without a name.
    EmptyName,
    /// A tag that is the empty string.
    EmptyTag,
    /// One tag twice on one metric, event or check.
    DuplicateTag,
    /// Host or device is not where the format wants it.
    Resource,
    /// Attribution is missing or not known.
    Provenance,
    /// A value is NaN or infinite.
    NotFinite,
    /// A timestamp outside the accepted window.
    Timestamp,
    /// A metric without points.
    NoPoints,
    /// The interval does not suit the type.
    Interval,
    /// A sketch is not as its writer must make it.
    Sketch,
    /// A second value for a series and timestamp: the first is lost at the backend.
    Overwrites,
    /// An event with impossible fields.
    Event,
    /// A service check with impossible fields.
    Check,
    /// Host metadata without its required parts.
    HostMetadata,
    /// A trace or stats payload does not say which agent sent it.
    AgentHead,
    /// A chunk without spans, or a tracer payload without chunks.
    EmptyChunk,
    /// Trace ids are zero, or differ within a chunk.
    TraceId,
    /// A span without an id, or one that is its own parent.
    SpanId,
    /// A sampling priority that nobody knows.
    Priority,
    /// A text of a span or group is too long or not normalised.
    SpanText,
    /// Start or duration of a span is impossible.
    SpanTime,
    /// Sender, time or length of a bucket of stats is wrong.
    StatsBucket,
    /// Key or counts of a group of stats contradict each other.
    StatsGroup,
    /// A log with impossible fields.
    Log,
}

impl Rule {
    /// Lower-case name, for totals and output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::EmptyPayload => "empty_payload",
            Self::Format => "format",
            Self::Undecodable => "undecodable",
            Self::Header => "header",
            Self::Key => "key",
            Self::TooManyPoints => "too_many_points",
            Self::TooManyItems => "too_many_items",
            Self::EmptyName => "empty_name",
            Self::EmptyTag => "empty_tag",
            Self::DuplicateTag => "duplicate_tag",
            Self::Resource => "resource",
            Self::Provenance => "provenance",
            Self::NotFinite => "not_finite",
            Self::Timestamp => "timestamp",
            Self::NoPoints => "no_points",
            Self::Interval => "interval",
            Self::Sketch => "sketch",
            Self::Overwrites => "overwrites",
            Self::Event => "event",
            Self::Check => "check",
            Self::HostMetadata => "host_metadata",
            Self::AgentHead => "agent_head",
            Self::EmptyChunk => "empty_chunk",
            Self::TraceId => "trace_id",
            Self::SpanId => "span_id",
            Self::Priority => "priority",
            Self::SpanText => "span_text",
            Self::SpanTime => "span_time",
            Self::StatsBucket => "stats_bucket",
            Self::StatsGroup => "stats_group",
            Self::Log => "log",
        }
    }
}

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The request it was found in; 0 outside of an intake.
    pub request_id: u64,
    /// Which rule.
    pub rule: Rule,
    /// What broke it.
    pub detail: String,
}

/// Collects the violations of one payload.
#[derive(Clone, Debug, Default)]
pub struct Report {
    request_id: u64,
    violations: Vec<Violation>,
    counts: BTreeMap<Rule, u64>,
}

impl Report {
    /// An empty report about a request.
    #[must_use]
    pub fn new(request_id: u64) -> Self {
        Self { request_id, ..Self::default() }
    }

    /// Counts a violation and, for the first hundred, describes it.
    pub fn add(&mut self, rule: Rule, detail: impl FnOnce() -> String) {
        *self.counts.entry(rule).or_default() += 1;
        if self.violations.len() < DESCRIBED_MAX {
            let request_id = self.request_id;
            self.violations.push(Violation { request_id, rule, detail: detail() });
        }
    }

    /// The described violations, in the order of the payload.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// How often each rule was broken.
    #[must_use]
    pub const fn counts(&self) -> &BTreeMap<Rule, u64> {
        &self.counts
    }

    /// Whether everything is acceptable.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.counts.is_empty()
    }
}
