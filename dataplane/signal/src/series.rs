//! Finished points, as the merge hands them to an encoder. Everything is borrowed: an encoder
//! writes each series out and keeps nothing.

use sketch::Sketch;

use crate::Context;

/// Type of a series on the wire. spec: metrics-intake §3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SeriesKind {
    /// A sum over the interval.
    Count = 1,
    /// A sum divided by the interval.
    Rate = 2,
    /// A value at a time.
    Gauge = 3,
}

/// One point of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Unix seconds.
    pub timestamp_secs: i64,
    /// The value, finite.
    pub value: f64,
}

/// One series with at least one point.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    /// Name, tags, host and provenance.
    pub context: &'a Context,
    /// Appended to the name of the context: `.max`, `.95percentile`, or empty.
    pub suffix: &'a str,
    /// Type on the wire.
    pub kind: SeriesKind,
    /// Seconds that a point covers; 0 for the agent's own gauges.
    pub interval_secs: u32,
    /// Unit name (`millisecond`), empty when there is none.
    pub unit: &'a str,
    /// `System` for the agent's own heartbeat, empty otherwise.
    pub source_type_name: &'a str,
    /// Whether the backend must not index the series. spec: metrics-intake §5.
    pub is_no_index: bool,
    /// Points in ascending order of time.
    pub points: &'a [Point],
}

/// One point of a distribution.
#[derive(Clone, Copy, Debug)]
pub struct SketchPoint<'a> {
    /// Unix seconds.
    pub timestamp_secs: i64,
    /// The sketch, not empty.
    pub sketch: &'a Sketch,
}

/// One distribution with at least one point.
#[derive(Clone, Copy, Debug)]
pub struct SketchSeries<'a> {
    /// Name, tags, host and provenance.
    pub context: &'a Context,
    /// Points in ascending order of time.
    pub points: &'a [SketchPoint<'a>],
}

/// Takes finished series one by one.
pub trait SeriesSink {
    /// Takes one series.
    fn series(&mut self, series: Series<'_>);
    /// Takes one distribution.
    fn sketch(&mut self, sketch: SketchSeries<'_>);
}
