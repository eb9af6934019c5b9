//! Points of exponential histograms. spec: otlp §5.6.

use sketch::{Bin, Sketch, Summary};

use super::counts::Dropped;
use super::histogram::{OBSERVATIONS_MAX, Totals, as_f64, send_aggregations};
use super::request::{Buckets, Data, ExponentialPoint, Temporality};
use super::run::{Run, Subject};

/// Ratio between neighbouring bins of a sketch.
const GAMMA: f64 = 1.015_625;
/// Its logarithm.
const LN_GAMMA: f64 = 0.015_504_186_535_965_254;
/// Index of the bin that begins half a bin below 1: keys of a sketch are rounded.
const INDEX_OFFSET: f64 = 1338.5;
/// The first index that is too large for a key.
const INDEX_END: f64 = 32_767.0;
/// Below the index of the smallest double: bins below it have bounds of 0.
const INDEX_MIN: f64 = -46_700.0;

pub(crate) fn translate(
    run: &mut Run<'_>,
    subject: &Subject<'_>,
    data: &Data<'_>,
    point: &ExponentialPoint<'_>,
) -> Result<(), Dropped> {
    if data.temporality != Temporality::Delta {
        return Err(Dropped::Temporality);
    }
    let buckets = point.positive.counts.iter().chain(&point.negative.counts);
    let total = buckets.fold(point.zero_count, |sum, count| sum.saturating_add(*count));
    if total > OBSERVATIONS_MAX {
        return Err(Dropped::TooManyObservations);
    }
    if point.positive.is_cut || point.negative.is_cut {
        return Err(Dropped::OutOfRange);
    }
    run.fill(subject, &point.head)?;
    run.identify(subject);
    let context = run.context(subject);
    let stamp = run.stamp(&point.head, true);
    let totals =
        point.sum.is_finite().then(|| Totals { count: as_f64(point.count), sum: point.sum });
    let mut outcome = Err(Dropped::NoObservations);
    if run.settings.sends_aggregations()
        && let Some(totals) = totals
    {
        let ends = [point.min, point.max];
        outcome = send_aggregations(run, subject, &context, stamp, totals, ends);
    }
    let sketch =
        sketch_of(run, point, total).and_then(|sketch| run.send_sketch(&context, stamp, &sketch));
    outcome.or(sketch)
}

/// Bins of a sketch whose counts are not whole yet: index within their half and count, ascending.
#[derive(Debug, Default)]
struct Half(Vec<(i32, f64)>);

/// The sketch of a point with so many observations.
fn sketch_of(
    run: &mut Run<'_>,
    point: &ExponentialPoint<'_>,
    total: u64,
) -> Result<Sketch, Dropped> {
    if total == 0 {
        return Err(Dropped::NoObservations);
    }
    let (mut positive, mut negative) = (Half::default(), Half::default());
    let mut zero_count = as_f64(point.zero_count);
    if total == 1 {
        // Spread over bins it would lie in any of them.
        let halves = [(&point.positive, &mut positive), (&point.negative, &mut negative)];
        for (buckets, half) in halves {
            half.add_single(buckets, point.scale)?;
        }
    } else {
        positive.add(run, &point.positive, point.scale)?;
        negative.add(run, &point.negative, point.scale)?;
    }
    let summary = summary(point, &positive, &negative);
    // What is smaller than any key has none.
    zero_count += positive.take_zeros() + negative.take_zeros();
    let bins = negative.0.iter().rev().map(|&(index, count)| (-index, count));
    let bins = bins.chain([(0, zero_count)]).chain(positive.0.iter().copied());
    Ok(Sketch::from_bins(whole_bins(bins), summary))
}

impl Half {
    /// Spreads each bucket over the bins that it overlaps, by how much it does.
    fn add(&mut self, run: &mut Run<'_>, buckets: &Buckets, scale: i64) -> Result<(), Dropped> {
        let ln_base = ln_base(scale);
        for (index, count) in indices(buckets) {
            let (lower, upper) = (exp_of(index, ln_base), exp_of(index + 1.0, ln_base));
            let first = index_of_ln(index * ln_base).max(INDEX_MIN);
            let (mut bin, mut bin_lower, mut spread) = (first, lower_bound(first), 0.0);
            while bin_lower < upper {
                if bin >= INDEX_END {
                    return Err(Dropped::OutOfRange);
                }
                run.spend(1)?;
                let bin_upper = lower_bound(bin + 1.0);
                let part = (upper.min(bin_upper) - lower.max(bin_lower)) / (upper - lower);
                if part > 0.0 {
                    self.put(bin, count * part);
                    spread += part;
                }
                bin += 1.0;
                bin_lower = bin_upper;
            }
            // Bounds that are equal to the last digit, or both below the smallest double.
            if spread <= 0.0 {
                if first >= INDEX_END {
                    return Err(Dropped::OutOfRange);
                }
                self.put(first, count);
            }
        }
        Ok(())
    }

    /// Puts a single observation into the bin of the value that its bucket stands for.
    fn add_single(&mut self, buckets: &Buckets, scale: i64) -> Result<(), Dropped> {
        let ln_base = ln_base(scale);
        for (index, count) in indices(buckets) {
            let base = ln_base.exp();
            let value = exp_of(index, ln_base) * (2.0 / (1.0 + 1.0 / base));
            let bin = index_of_ln(value.ln()).max(INDEX_MIN);
            if bin >= INDEX_END || bin.is_nan() {
                return Err(Dropped::OutOfRange);
            }
            self.put(bin, count);
        }
        Ok(())
    }

    /// Adds to a bin. One before the last is that, by an error of rounding.
    fn put(&mut self, bin: f64, count: f64) {
        #[expect(clippy::cast_possible_truncation, reason = "between INDEX_MIN and INDEX_END")]
        let index = bin as i32;
        match self.0.last_mut() {
            Some((last, held)) if *last >= index => *held += count,
            _ => self.0.push((index, count)),
        }
    }

    /// Takes out what lies below the first key.
    fn take_zeros(&mut self) -> f64 {
        let end = self.0.partition_point(|(index, _)| *index <= 0);
        self.0.drain(..end).map(|(_, count)| count).sum()
    }
}

/// Buckets with observations: index and count.
fn indices(buckets: &Buckets) -> impl Iterator<Item = (f64, f64)> {
    #[expect(clippy::cast_precision_loss, reason = "32 bits on the wire")]
    let offset = buckets.offset as f64;
    (0u32..)
        .zip(&buckets.counts)
        .filter(|(_, count)| **count > 0)
        .map(move |(at, &count)| (offset + f64::from(at), as_f64(count)))
}

/// Logarithm of the ratio between neighbouring buckets, `2^(2^-scale)`; finite and not 0.
fn ln_base(scale: i64) -> f64 {
    let exponent = i32::try_from(-scale.clamp(-1000, 1000)).unwrap_or_default();
    std::f64::consts::LN_2 * 2f64.powi(exponent)
}

fn exp_of(index: f64, ln_base: f64) -> f64 {
    (index * ln_base).exp()
}

fn index_of_ln(ln: f64) -> f64 {
    (ln / LN_GAMMA + INDEX_OFFSET).floor()
}

/// Lower bound of a bin of the sketch.
fn lower_bound(index: f64) -> f64 {
    ((index - INDEX_OFFSET) * LN_GAMMA).exp()
}

/// What a bin stands for.
fn value_of(index: i32) -> f64 {
    lower_bound(f64::from(index)) * (1.0 + (1.0 - 2.0 / (1.0 + GAMMA)))
}

/// What the bins say of the observations, and above it what the point says.
fn summary(point: &ExponentialPoint<'_>, positive: &Half, negative: &Half) -> Summary {
    let has_zeros = point.zero_count > 0;
    let smallest = |half: &Half| half.0.first().map(|&(index, _)| value_of(index));
    let largest = |half: &Half| half.0.last().map(|&(index, _)| value_of(index));
    let zero = has_zeros.then_some(0.0);
    let weigh = |half: &Half| half.0.iter().map(|&(i, count)| value_of(i) * count).sum::<f64>();
    let count = |half: &Half| half.0.iter().map(|(_, count)| count).sum::<f64>();
    let total = count(positive) + count(negative) + as_f64(point.zero_count);
    let sum = weigh(positive) - weigh(negative);
    #[expect(clippy::cast_possible_truncation, reason = "at most OBSERVATIONS_MAX")]
    let mut summary = Summary {
        min: largest(negative)
            .map(|value| -value)
            .or(zero)
            .or_else(|| smallest(positive))
            .unwrap_or(0.0),
        max: largest(positive)
            .or(zero)
            .or_else(|| smallest(negative).map(|value| -value))
            .unwrap_or(0.0),
        sum,
        avg: sum / total,
        count: total.round() as i64,
    };
    if point.sum.is_finite() && point.count > 0 {
        summary.count = i64::try_from(point.count).unwrap_or(i64::MAX);
        summary.sum = point.sum;
        summary.avg = point.sum / as_f64(point.count);
        if point.count == 1 {
            (summary.min, summary.max) = (point.sum, point.sum);
        }
    }
    summary.min = point.min.unwrap_or(summary.min);
    summary.max = point.max.unwrap_or(summary.max);
    summary
}

/// Rounds counts so that their running total is off by no more than a half.
fn whole_bins(bins: impl Iterator<Item = (i32, f64)>) -> Vec<Bin> {
    let (mut total, mut given, mut whole) = (0.0, 0.0, Vec::new());
    for (key, count) in bins {
        total += count;
        let rounded = (total + 0.5_f64).floor();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked sum")]
        let count = (rounded - given) as u32;
        if count > 0
            && let Ok(key) = i16::try_from(key)
        {
            whole.push(Bin { key, count });
            given = rounded;
        }
    }
    whole
}
