//! Points of histograms with explicit bounds. spec: otlp §5.5.

use signal::{Context, SeriesKind};
use sketch::{Sketch, key_of};

use super::counts::Dropped;
use super::cumulative::End;
use super::float_text::push_float;
use super::request::{Data, HistogramPoint, PointHead, Temporality};
use super::run::{Part, Run, Stamp, Subject, part_of};
use super::settings::{HistogramMode, ZeroBucket};

/// Observations of one point that a sketch of 4,096 bins of 65,535 each would hold.
pub(crate) const OBSERVATIONS_MAX: u64 = 4096 * 65_535;

/// Where the reference puts observations of a bucket without bounds, by an overflow: the key next
/// to 0 below.
const UNBOUNDED: f64 = -1e-9;

/// A bucket and the observations in it since the last point.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    lower: f64,
    upper: f64,
    count: u64,
}

/// What is known of all observations of a point since the last one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Totals {
    pub(crate) count: f64,
    pub(crate) sum: f64,
}

/// A point, where its series are remembered, and what is known of it.
struct Reading<'p> {
    point: &'p HistogramPoint<'p>,
    identity: u128,
    is_delta: bool,
    stamp: Stamp,
    totals: Result<Totals, Dropped>,
    /// The ends, where observations since the last point have them.
    min: Option<f64>,
    max: Option<f64>,
}

pub(crate) fn translate(
    run: &mut Run<'_>,
    subject: &Subject<'_>,
    data: &Data<'_>,
    point: &HistogramPoint<'_>,
) -> Result<(), Dropped> {
    let is_delta = match data.temporality {
        Temporality::Unspecified => return Err(Dropped::Temporality),
        Temporality::Delta => true,
        Temporality::Cumulative => false,
    };
    if !point.counts.is_empty() && point.counts.len() != point.bounds.len() + 1 {
        return Err(Dropped::BucketCount);
    }
    // No number is not below any.
    if !point.bounds.is_sorted() || point.bounds.iter().any(|bound| bound.is_nan()) {
        return Err(Dropped::NonMonotonic);
    }
    run.fill(subject, &point.head)?;
    let identity = run.identify(subject);
    let reading = Reading {
        point,
        identity,
        is_delta,
        stamp: run.stamp(&point.head, is_delta),
        totals: totals(run, point, identity, is_delta),
        min: known_end(run, &point.head, identity, is_delta, point.min, End::Min),
        max: known_end(run, &point.head, identity, is_delta, point.max, End::Max),
    };
    let context = run.context(subject);
    let mut outcome = Err(reading.totals.err().unwrap_or(Dropped::NoObservations));
    if run.settings.sends_aggregations()
        && let Ok(totals) = reading.totals
    {
        let ends = if is_delta { [point.min, point.max] } else { [None; 2] };
        outcome = send_aggregations(run, subject, &context, reading.stamp, totals, ends);
    }
    let buckets = match run.settings.histogram_mode {
        HistogramMode::Distributions => send_sketch(run, &context, &reading),
        HistogramMode::Counters => send_buckets(run, subject, &reading),
        HistogramMode::NoBuckets => return outcome,
    };
    outcome.or(buckets)
}

/// Sends count, sum, min and max as series; fails only if none of them can be.
pub(crate) fn send_aggregations(
    run: &mut Run<'_>,
    subject: &Subject<'_>,
    context: &Context,
    stamp: Stamp,
    totals: Totals,
    [min, max]: [Option<f64>; 2],
) -> Result<(), Dropped> {
    let unit = subject.unit;
    let count = run.send(context, (".count", SeriesKind::Count, ""), stamp, totals.count);
    let sum = run.send(context, (".sum", SeriesKind::Count, unit), stamp, totals.sum);
    // Gauges have no interval.
    let stamp = Stamp { interval_secs: 0, ..stamp };
    for (suffix, end) in [(".min", min), (".max", max)] {
        if let Some(end) = end {
            run.send(context, (suffix, SeriesKind::Gauge, unit), stamp, end)?;
        }
    }
    count.or(sum)
}

/// Count and sum since the last point.
fn totals(
    run: &mut Run<'_>,
    point: &HistogramPoint<'_>,
    identity: u128,
    is_delta: bool,
) -> Result<Totals, Dropped> {
    let (count, is_finite) = (as_f64(point.count), point.sum.is_finite());
    if is_delta {
        let totals = Totals { count, sum: point.sum };
        return if is_finite { Ok(totals) } else { Err(Dropped::NotFinite) };
    }
    // Both are remembered, whatever the other is.
    let count = run.difference(part_of(identity, Part::Count), &point.head, count);
    let sum = if is_finite {
        run.difference(part_of(identity, Part::Sum), &point.head, point.sum)
    } else {
        Err(Dropped::NotFinite)
    };
    let count = count?;
    // Fewer observations than before: they are counted anew.
    if count < 0.0 { Err(Dropped::FirstPoint) } else { Ok(Totals { count, sum: sum? }) }
}

/// The smallest or largest value, if it is one of the observations since the last point.
fn known_end(
    run: &mut Run<'_>,
    head: &PointHead<'_>,
    identity: u128,
    is_delta: bool,
    value: Option<f64>,
    end: End,
) -> Option<f64> {
    let value = value?;
    if is_delta {
        return Some(value);
    }
    let part = match end {
        End::Min => Part::Min,
        End::Max => Part::Max,
    };
    let key = part_of(identity, part);
    let is_new = run.cumulative.is_new_end(key, head.moment(), value, end, run.now_secs);
    is_new.then_some(value)
}

/// The buckets of a point as they were sent.
fn sent_buckets(point: &HistogramPoint<'_>) -> impl Iterator<Item = Bucket> {
    let lower = std::iter::once(f64::NEG_INFINITY).chain(point.bounds.iter().copied());
    let upper = point.bounds.iter().copied().chain(std::iter::once(f64::INFINITY));
    lower.zip(upper).zip(&point.counts).map(|((lower, upper), &count)| Bucket {
        lower,
        upper,
        count,
    })
}

/// What came into a bucket since the last point; 0 when there were more of them before.
fn counted(run: &mut Run<'_>, reading: &Reading<'_>, bucket: Bucket) -> Result<u64, Dropped> {
    if reading.is_delta {
        return Ok(bucket.count);
    }
    let bounds = [bucket.lower.to_le_bytes(), bucket.upper.to_le_bytes()].concat();
    let key = reading.identity.wrapping_add(run.keys.hash(&bounds));
    let change = run.difference(key, &reading.point.head, as_f64(bucket.count))?;
    if change < 0.0 { Err(Dropped::FirstPoint) } else { Ok(as_count(change)) }
}

/// A count for each bucket, those without observations too.
fn send_buckets(
    run: &mut Run<'_>,
    subject: &Subject<'_>,
    reading: &Reading<'_>,
) -> Result<(), Dropped> {
    let mut outcome = Err(Dropped::NoObservations);
    for bucket in sent_buckets(reading.point) {
        let sent = counted(run, reading, bucket).and_then(|count| {
            run.fill(subject, &reading.point.head)?;
            run.tags.push_with("lower_bound", |text| push_float(text, bucket.lower));
            run.tags.push_with("upper_bound", |text| push_float(text, bucket.upper));
            run.identify(subject);
            let series = (".bucket", SeriesKind::Count, "");
            run.send(&run.context(subject), series, reading.stamp, as_f64(count))
        });
        outcome = if outcome.is_ok() { outcome } else { sent };
    }
    outcome
}

fn send_sketch(run: &mut Run<'_>, context: &Context, reading: &Reading<'_>) -> Result<(), Dropped> {
    let mut buckets = Vec::new();
    let mut reason = reading.totals.err().unwrap_or(Dropped::NoObservations);
    if reading.point.counts.is_empty() {
        buckets.extend(reading.totals.ok().map(|totals| whole(reading, totals)));
    }
    for bucket in sent_buckets(reading.point) {
        match counted(run, reading, bucket) {
            Ok(count) => buckets.push(Bucket { count, ..bucket }),
            Err(why) => reason = why,
        }
    }
    buckets.retain(|bucket| bucket.count > 0);
    let total = buckets.iter().fold(0, |sum: u64, bucket| sum.saturating_add(bucket.count));
    if total > OBSERVATIONS_MAX {
        return Err(Dropped::TooManyObservations);
    }
    let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else { return Err(reason) };
    let mut sketch = Sketch::default();
    for bucket in &buckets {
        let (lower, upper) = bucket.span(run.settings.zero_bucket);
        let count = u32::try_from(bucket.count).map_err(|_| Dropped::TooManyObservations)?;
        run.spend(bins_between(lower, upper).min(bucket.count))?;
        sketch.insert_interpolate(lower, upper, count).map_err(|_| Dropped::NonMonotonic)?;
    }
    summarise(&mut sketch, reading, (first.lower, last.upper));
    run.send_sketch(context, reading.stamp, &sketch)
}

/// The one bucket of a point that has none: between what is known of its ends.
fn whole(reading: &Reading<'_>, totals: Totals) -> Bucket {
    let min = reading.min.unwrap_or(f64::NEG_INFINITY);
    let max = reading.max.unwrap_or(f64::INFINITY);
    // A sender that contradicts itself is believed the smaller.
    Bucket { lower: min, upper: max.max(min), count: as_count(totals.count) }
}

impl Bucket {
    /// Between which values its observations are taken to lie.
    fn span(&self, zero_bucket: ZeroBucket) -> (f64, f64) {
        let (lower, upper) = if self.upper == f64::INFINITY {
            (self.lower, self.lower)
        } else if self.lower == f64::NEG_INFINITY
            || (zero_bucket == ZeroBucket::AtBound && self.lower == 0.0 && self.upper > 0.0)
        {
            (self.upper, self.upper)
        } else {
            (self.lower, self.upper)
        };
        if upper == f64::NEG_INFINITY { (UNBOUNDED, UNBOUNDED) } else { (lower, upper) }
    }
}

/// Bins that a bucket reaches over.
fn bins_between(lower: f64, upper: f64) -> u64 {
    1 + u64::from(key_of(lower).abs_diff(key_of(upper)))
}

/// Overrides what the buckets say of their observations by what the point says.
fn summarise(sketch: &mut Sketch, reading: &Reading<'_>, (lower, upper): (f64, f64)) {
    let mut summary = sketch.summary();
    if let Ok(totals) = reading.totals
        && totals.count > 0.0
    {
        summary.count = i64::try_from(as_count(totals.count)).unwrap_or(i64::MAX);
        summary.sum = totals.sum;
        summary.avg = totals.sum / totals.count;
    }
    if lower.is_finite() {
        summary.min = lower;
    }
    if upper.is_finite() {
        summary.max = upper;
    }
    // Ends of observations before the last point still bound those since.
    let bound = reading.point.min.map(|min| min.max(summary.min));
    summary.min = reading.min.or(bound).unwrap_or(summary.min);
    let bound = reading.point.max.map(|max| max.min(summary.max));
    summary.max = reading.max.or(bound).unwrap_or(summary.max);
    sketch.set_summary(summary);
}

#[expect(clippy::cast_precision_loss, reason = "points are doubles")]
pub(crate) const fn as_f64(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
const fn as_count(number: f64) -> u64 {
    number as u64
}
