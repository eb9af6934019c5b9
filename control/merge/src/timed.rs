//! Samples that carry their own timestamp: no aggregation, no zeros. spec: dogstatsd §9.

use signal::{Point, Series, SeriesKind, SeriesSink, TimedKind, TimedSample};

use crate::MergeStats;
use crate::points::hand_out_series;

/// Seconds that the rate of a timed count covers, whatever the width of buckets.
const TIMED_INTERVAL_SECS: u32 = 10;

/// Most points in one series of timed samples; a longer run goes out as several series.
const POINTS_MAX: usize = 1024;

/// Hands out `samples`, which are sorted by context, type and time, as one series per context and
/// type. `points` is a buffer.
pub(crate) fn hand_out_timed(
    samples: &[&TimedSample],
    points: &mut Vec<Point>,
    sink: &mut (impl SeriesSink + ?Sized),
    stats: &mut MergeStats,
) {
    let runs = samples.chunk_by(|a, b| a.context.key == b.context.key && a.kind == b.kind);
    for run in runs {
        let Some(first) = run.first() else { continue };
        stats.contexts += 1;
        let (kind, divisor) = match first.kind {
            TimedKind::Gauge => (SeriesKind::Gauge, 1.0),
            TimedKind::Count => (SeriesKind::Rate, f64::from(TIMED_INTERVAL_SECS)),
        };
        for part in run.chunks(POINTS_MAX) {
            points.clear();
            points.extend(
                part.iter()
                    .map(|sample| Point {
                        timestamp_secs: sample.timestamp_secs,
                        value: sample.value / divisor,
                    })
                    .filter(|point| point.value.is_finite()),
            );
            stats.samples_out.timed += points.len() as u64;
            stats.dropped_not_finite += (part.len() - points.len()) as u64;
            let series = Series {
                context: &first.context,
                suffix: "",
                kind,
                interval_secs: TIMED_INTERVAL_SECS,
                unit: "",
                source_type_name: "",
                is_no_index: false,
                points,
            };
            hand_out_series(series, sink, stats);
        }
    }
}
