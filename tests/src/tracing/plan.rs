//! What a tracer is told to make.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::shapes::SINGLE;

/// Traces for a tracer, in the order they are made.
#[derive(Clone, Debug, Serialize)]
pub struct TracePlan {
    /// How long the process stays after its last span, milliseconds.
    pub linger_ms: u64,
    /// Who counts for stats.
    #[serde(skip)]
    pub counting: Counting,
    /// The traces.
    pub traces: Vec<PlannedTrace>,
}

/// Which spans count as top-level in stats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Counting {
    /// Those that begin the work of a service, as the agent counts. spec: apm §6.7
    #[default]
    Services,
    /// The first span of the process alone.
    Roots,
}

/// One trace.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedTrace {
    /// What the program says about keeping it.
    pub decision: Decision,
    /// Spans; started in this order, parents before children, and finished in reverse.
    pub spans: Vec<PlannedSpan>,
}

/// What a program says about keeping a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Keep it: `manual.keep`.
    Keep,
    /// Drop it: `manual.drop`.
    Drop,
    /// Nothing: the tracer's own sampler keeps everything at this rate.
    Auto,
}

/// One span.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PlannedSpan {
    /// Index of its parent in the trace.
    pub parent: Option<usize>,
    /// A library whose own integration makes the span; everything else says what it makes.
    pub library: Option<Library>,
    /// Service.
    pub service: String,
    /// Name of the operation.
    pub name: String,
    /// Resource; a statement or command where the type has one.
    pub resource: Wording,
    /// Type.
    #[serde(rename = "type")]
    pub span_type: String,
    /// An error within the span.
    pub error: Option<PlannedError>,
    /// Texts.
    pub meta: BTreeMap<String, Wording>,
    /// Numbers.
    pub metrics: BTreeMap<String, f64>,
    /// Links to spans made before.
    pub links: Vec<PlannedLink>,
    /// Events.
    pub events: Vec<PlannedEvent>,
}

/// A library that is traced by an integration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Library {
    /// An embedded SQL database.
    Sql,
    /// A Redis client; the server is part of the program.
    Redis,
}

/// A text as the program writes it, and as it must arrive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wording {
    /// As written.
    pub written: String,
    /// As it must arrive: obfuscated where the product obfuscates.
    pub arriving: String,
}

impl Wording {
    /// A text that arrives otherwise than it is written.
    #[must_use]
    pub fn hidden(written: &str, arriving: &str) -> Self {
        Self { written: written.to_owned(), arriving: arriving.to_owned() }
    }
}

impl From<&str> for Wording {
    fn from(text: &str) -> Self {
        Self::hidden(text, text)
    }
}

impl Serialize for Wording {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.written.serialize(serializer)
    }
}

/// An error as tracers tag it.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedError {
    /// `error.type`.
    #[serde(rename = "type")]
    pub error_type: &'static str,
    /// `error.message`.
    pub message: &'static str,
}

/// A link to a span made before.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedLink {
    /// Index of its trace in the plan.
    pub trace: usize,
    /// Index of the span in it.
    pub span: usize,
    /// Attributes.
    pub attributes: BTreeMap<&'static str, &'static str>,
}

/// Something that happens within a span.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedEvent {
    /// Name.
    pub name: &'static str,
    /// Attributes.
    pub attributes: BTreeMap<&'static str, &'static str>,
}

impl TracePlan {
    /// All spans with the index of their trace and their own.
    pub fn spans(&self) -> impl Iterator<Item = (usize, usize, &PlannedSpan)> + '_ {
        let traces = self.traces.iter().enumerate();
        traces.flat_map(|(trace, planned)| {
            planned.spans.iter().enumerate().map(move |(span, planned)| (trace, span, planned))
        })
    }

    /// The spans that must arrive.
    pub fn kept(&self) -> impl Iterator<Item = (usize, usize, &PlannedSpan)> + '_ {
        self.spans().filter(|(trace, _, span)| self.traces[*trace].is_kept(span))
    }

    /// Whether a span of a trace counts as top-level.
    #[must_use]
    pub fn is_top_level(&self, trace: usize, span: &PlannedSpan) -> bool {
        span.parent.is_none_or(|parent| {
            let parent = &self.traces[trace].spans[parent];
            self.counting == Counting::Services && parent.service != span.service
        })
    }

    /// The spans that count in stats.
    pub fn counted(&self) -> impl Iterator<Item = (usize, usize, &PlannedSpan)> + '_ {
        self.spans()
            .filter(|(trace, _, span)| self.is_top_level(*trace, span) || span.is_measured())
    }
}

impl PlannedTrace {
    /// Whether a span must arrive.
    #[must_use]
    pub fn is_kept(&self, span: &PlannedSpan) -> bool {
        self.decision != Decision::Drop || span.name == SINGLE
    }
}

impl PlannedSpan {
    /// Whether it counts in stats although it is not top-level. spec: apm §9.2
    #[must_use]
    pub fn is_measured(&self) -> bool {
        let kind = self.meta.get("span.kind").map(|kind| kind.written.as_str());
        self.metrics.contains_key("_dd.measured")
            || matches!(kind, Some("server" | "client" | "producer" | "consumer"))
    }
}
