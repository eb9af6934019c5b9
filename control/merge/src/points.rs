//! The points of one context, collected over its buckets and handed out as series.

use std::borrow::Cow;

use signal::{Context, Point, Series, SeriesKind, SeriesSink, SketchPoint, SketchSeries};
use sketch::Sketch;

use crate::histogram::HistogramSeries;
use crate::{MergeStats, NameFilter};

/// Points of one context by series. Buffers are reused from context to context.
#[derive(Debug)]
pub(crate) struct ContextPoints<'a> {
    /// Counters.
    pub(crate) rates: Vec<Point>,
    /// Gauges and sets.
    pub(crate) gauges: Vec<Point>,
    /// One list per histogram series; first those of plain samples, then those of timings.
    histograms: [Vec<Vec<Point>>; 2],
    /// Samples that the histogram points stand for.
    pub(crate) histogram_samples: u64,
    pub(crate) sketches: Vec<(i64, Cow<'a, Sketch>)>,
    name: String,
}

/// What is the same for every series of a merge.
#[derive(Clone, Copy)]
pub(crate) struct Shape<'p> {
    pub(crate) bucket_secs: u32,
    pub(crate) histogram: &'p [HistogramSeries],
    pub(crate) filter: Option<&'p NameFilter>,
}

impl<'a> ContextPoints<'a> {
    pub(crate) fn new(histogram: &[HistogramSeries]) -> Self {
        let lists = || vec![Vec::new(); histogram.len()];
        Self {
            rates: Vec::new(),
            gauges: Vec::new(),
            histograms: [lists(), lists()],
            histogram_samples: 0,
            sketches: Vec::new(),
            name: String::new(),
        }
    }

    /// The lists of points for one kind of histogram, beside the configured series.
    pub(crate) fn histogram_lists(&mut self, is_timing: bool) -> &mut [Vec<Point>] {
        &mut self.histograms[usize::from(is_timing)]
    }

    /// Hands out every series that has points, and forgets the points.
    pub(crate) fn hand_out(
        &mut self,
        context: &Context,
        shape: Shape<'_>,
        sink: &mut (impl SeriesSink + ?Sized),
        stats: &mut MergeStats,
    ) {
        let plain = |kind, points| Series {
            context,
            suffix: "",
            kind,
            interval_secs: shape.bucket_secs,
            unit: "",
            source_type_name: "",
            is_no_index: false,
            points,
        };
        hand_out_series(plain(SeriesKind::Rate, &self.rates), sink, stats);
        hand_out_series(plain(SeriesKind::Gauge, &self.gauges), sink, stats);
        self.rates.clear();
        self.gauges.clear();
        if self.histogram_samples > 0 {
            self.hand_out_histograms(context, shape, sink, stats);
        }
        if !self.sketches.is_empty() {
            self.hand_out_sketches(context, sink, stats);
        }
    }

    fn hand_out_histograms(
        &mut self,
        context: &Context,
        shape: Shape<'_>,
        sink: &mut (impl SeriesSink + ?Sized),
        stats: &mut MergeStats,
    ) {
        let series_before = stats.series;
        for (lists, is_timing) in self.histograms.iter_mut().zip([false, true]) {
            for (series, points) in shape.histogram.iter().zip(lists) {
                let is_filtered = !points.is_empty()
                    && shape.filter.is_some_and(|filter| {
                        self.name.clear();
                        self.name.push_str(&context.name);
                        self.name.push_str(&series.suffix);
                        filter(&self.name)
                    });
                if !is_filtered {
                    let series = Series {
                        context,
                        suffix: &series.suffix,
                        kind: series.kind(),
                        interval_secs: shape.bucket_secs,
                        unit: if is_timing { series.timing_unit() } else { "" },
                        source_type_name: "",
                        is_no_index: false,
                        points,
                    };
                    hand_out_series(series, sink, stats);
                }
                points.clear();
            }
        }
        let samples = std::mem::take(&mut self.histogram_samples);
        if stats.series > series_before {
            stats.samples_out.histogram += samples;
        } else {
            stats.dropped_filtered += samples;
        }
    }

    fn hand_out_sketches(
        &mut self,
        context: &Context,
        sink: &mut (impl SeriesSink + ?Sized),
        stats: &mut MergeStats,
    ) {
        let points: Vec<SketchPoint<'_>> = self
            .sketches
            .iter()
            .map(|&(timestamp_secs, ref sketch)| SketchPoint {
                timestamp_secs,
                sketch: sketch.as_ref(),
            })
            .collect();
        stats.sketches += 1;
        stats.points += points.len() as u64;
        sink.sketch(SketchSeries { context, points: &points });
        self.sketches.clear();
    }
}

/// Hands out `series` unless it has no point.
pub(crate) fn hand_out_series(
    series: Series<'_>,
    sink: &mut (impl SeriesSink + ?Sized),
    stats: &mut MergeStats,
) {
    if series.points.is_empty() {
        return;
    }
    debug_assert!(series.points.is_sorted_by_key(|point| point.timestamp_secs));
    stats.series += 1;
    stats.points += series.points.len() as u64;
    sink.series(series);
}
