//! What payloads of every format are decoded to.

mod logs;
mod stats;
mod traces;

use std::sync::Arc;

use serde_json::Value;

use crate::Route;

pub use logs::Log;
pub use stats::{ClientStats, LatencySketch, StatsBucket, StatsGroup, StatsKey, StatsPayload};
pub use traces::{
    AgentHead, AgentTraces, Attribute, Attributes, ChunkHead, ReceivedChunk, ReceivedEvent,
    ReceivedLink, ReceivedSpan, TraceFormat, TracerHead, TracerPayload,
};

/// Everything that one request body held.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Payload {
    /// Series and sketches, in order.
    pub metrics: Vec<Metric>,
    /// Events, in order.
    pub events: Vec<Event>,
    /// Service checks, in order.
    pub checks: Vec<Check>,
    /// Host metadata or inventories.
    pub metadata: Vec<Metadata>,
    /// Traces.
    pub traces: Option<AgentTraces>,
    /// Trace stats.
    pub stats: Option<StatsPayload>,
    /// Logs, in order.
    pub logs: Vec<Log>,
    /// Whether it is the `{}` with which agents ask whether logs are taken.
    pub is_probe: bool,
    /// Departures from the format that a receiver can read all the same; acceptance reports them.
    pub remarks: Vec<String>,
}

impl Payload {
    /// Number of points, plain and sketches together.
    #[must_use]
    pub fn point_count(&self) -> usize {
        self.metrics.iter().map(|metric| metric.points.len()).sum()
    }

    /// Whether the body carried nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.metrics.is_empty()
            && self.events.is_empty()
            && self.checks.is_empty()
            && self.metadata.is_empty()
            && self.logs.is_empty()
            && self.traces.as_ref().is_none_or(|traces| traces.chunks().next().is_none())
            && self.stats.as_ref().is_none_or(|stats| stats.groups().next().is_none())
    }
}

/// Type of a metric on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MetricKind {
    /// A sum over the interval.
    Count,
    /// A sum divided by the interval.
    Rate,
    /// A value at a time.
    Gauge,
    /// A distribution.
    Sketch,
}

impl MetricKind {
    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Rate => "rate",
            Self::Gauge => "gauge",
            Self::Sketch => "sketch",
        }
    }
}

/// One series or one sketch with its points.
///
/// Strings are shared, because a columnar payload may mention one of them very often.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Name.
    pub name: Arc<str>,
    /// Type.
    pub kind: MetricKind,
    /// Tags, sorted; duplicates are kept.
    pub tags: Arc<[Arc<str>]>,
    /// Host; `None` when there is none or it is empty.
    pub host: Option<Arc<str>>,
    /// Resources in the order of the payload, the host included.
    pub resources: Arc<[Resource]>,
    /// Seconds that a point covers.
    pub interval_secs: i64,
    /// Unit, empty when there is none.
    pub unit: Arc<str>,
    /// Source type name, empty when there is none.
    pub source_type_name: Arc<str>,
    /// Attribution; `None` when the payload has none for this metric.
    pub provenance: Option<Provenance>,
    /// Whether the backend is asked not to index the metric.
    pub is_no_index: bool,
    /// The points.
    pub points: Points,
    /// Where the metric arrived.
    pub route: Route,
}

impl Metric {
    /// Whether `tag` is one of the tags.
    #[must_use]
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.binary_search_by(|probe| (**probe).cmp(tag)).is_ok()
    }

    /// Whether it is a distribution.
    #[must_use]
    pub fn is_sketch(&self) -> bool {
        self.kind == MetricKind::Sketch
    }

    /// Name of the first resource of a type, for instance `device`.
    #[must_use]
    pub fn resource(&self, kind: &str) -> Option<&str> {
        let resource = self.resources.iter().find(|resource| &*resource.kind == kind)?;
        Some(&resource.name)
    }

    /// What was counted: the sum of a count, of a rate times its interval, or the number of values
    /// in a sketch. For a gauge the sum of its values, which only tests with known values can use.
    #[must_use]
    pub fn total(&self) -> f64 {
        match &self.points {
            Points::Values(points) => {
                let sum: f64 = points.iter().map(|point| point.value).sum();
                if self.kind == MetricKind::Rate { sum * as_f64(self.interval_secs) } else { sum }
            }
            Points::Sketches(points) => points.iter().map(|point| as_f64(point.count)).sum(),
        }
    }
}

/// A named thing that a metric is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Resource {
    /// `host`, `device` or another type.
    pub kind: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

impl Resource {
    /// Whether it is the host that the metric belongs to.
    #[must_use]
    pub fn is_host(&self) -> bool {
        &*self.kind == "host"
    }
}

/// Attribution of a metric. spec: metrics-intake §5.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// Product, 10 for an agent.
    pub product: u32,
    /// Category, 10 for DogStatsD.
    pub category: u32,
    /// Service, 0 for DogStatsD.
    pub service: u32,
}

/// The points of one metric.
#[derive(Clone, Debug, PartialEq)]
pub enum Points {
    /// Points of a series.
    Values(Vec<Point>),
    /// Points of a distribution.
    Sketches(Vec<SketchPoint>),
}

impl Points {
    /// Number of points.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::Values(points) => points.len(),
            Self::Sketches(points) => points.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The plain points; none for a distribution.
    #[must_use]
    pub fn values(&self) -> &[Point] {
        match self {
            Self::Values(points) => points,
            Self::Sketches(_) => &[],
        }
    }

    /// The sketches; none for a series.
    #[must_use]
    pub fn sketches(&self) -> &[SketchPoint] {
        match self {
            Self::Values(_) => &[],
            Self::Sketches(points) => points,
        }
    }

    /// Timestamps of all points in Unix seconds.
    pub fn timestamps(&self) -> impl Iterator<Item = i64> + '_ {
        let values = self.values().iter().map(|point| point.timestamp_secs);
        values.chain(self.sketches().iter().map(|point| point.timestamp_secs))
    }
}

/// One point of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Unix seconds.
    pub timestamp_secs: i64,
    /// The value.
    pub value: f64,
}

/// One point of a distribution.
#[derive(Clone, Debug, PartialEq)]
pub struct SketchPoint {
    /// Unix seconds.
    pub timestamp_secs: i64,
    /// Number of values.
    pub count: i64,
    /// Least value.
    pub min: f64,
    /// Greatest value.
    pub max: f64,
    /// Average as sent; the columnar format has none, there it is `sum / count`.
    pub avg: f64,
    /// Sum of the values.
    pub sum: f64,
    /// `(key, count)` in the order of the payload.
    pub bins: Vec<(i32, u32)>,
    /// Whether keys and counts were sent as lists of one length.
    pub is_paired: bool,
}

/// One event. Empty strings stand for what was not sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Title.
    pub title: String,
    /// Text.
    pub text: String,
    /// Unix seconds.
    pub timestamp_secs: i64,
    /// `normal`, `low`.
    pub priority: String,
    /// Host.
    pub host: String,
    /// Tags, sorted.
    pub tags: Vec<String>,
    /// `error`, `warning`, `info`, `success`.
    pub alert_type: String,
    /// Key under which events are grouped.
    pub aggregation_key: String,
    /// Source type name.
    pub source_type_name: String,
    /// Event type; only in JSON.
    pub event_type: String,
    /// Outer key of the JSON form (`api` or the source type name).
    pub source: String,
}

/// One service check run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// Name.
    pub name: String,
    /// Host.
    pub host: String,
    /// Unix seconds.
    pub timestamp_secs: i64,
    /// 0 ok, 1 warning, 2 critical, 3 unknown.
    pub status: i64,
    /// Message.
    pub message: String,
    /// Tags, sorted.
    pub tags: Vec<String>,
}

/// A metadata document.
#[derive(Clone, Debug, PartialEq)]
pub enum Metadata {
    /// Host metadata from `/intake/`. spec: metrics-intake §9.
    Host(Value),
    /// Anything else: inventories, agent checks.
    Other(Value),
}

impl Metadata {
    /// The document.
    #[must_use]
    pub const fn value(&self) -> &Value {
        match self {
            Self::Host(value) | Self::Other(value) => value,
        }
    }
}

/// Counts and intervals as floating point; both are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts and intervals are far below 2^53")]
pub(crate) const fn as_f64(n: i64) -> f64 {
    n as f64
}
