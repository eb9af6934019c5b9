//! One line's values into its cell. spec: dogstatsd §8.3.

use parse::{MetricKind, Values};
use signal::{Cell, CellValue, Counter, WeightedSample};

use crate::Tally;
use crate::pending::Pending;

/// Limits and rules that hold for every cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordOptions {
    pub(crate) rate_min: f64,
    pub(crate) cell_samples_max: usize,
}

/// The state of a cell for its first type.
pub(crate) fn empty_value(kind: MetricKind) -> CellValue {
    match kind {
        // Replaced by the value that follows; if that is not finite, the cell is emptied again.
        MetricKind::Gauge => CellValue::Gauge { stamp_us: 0, value: f64::NAN },
        MetricKind::Counter => CellValue::Counter { sum: 0.0 },
        MetricKind::Histogram | MetricKind::Timing => CellValue::Histogram(Box::default()),
        MetricKind::Distribution => CellValue::Distribution(Box::default()),
        MetricKind::Set => CellValue::Set(Box::default()),
    }
}

/// Records the values of a line in a cell that is open. `numbers` are those of the line.
#[inline]
pub(crate) fn record(
    cell: &mut Cell,
    line: &Pending<'_>,
    numbers: &[f64],
    options: RecordOptions,
    tally: &mut Tally,
) {
    let mut recorded = 0;
    let mut not_finite = 0;
    match (&mut cell.value, line.kind) {
        (CellValue::Counter { sum }, MetricKind::Counter) => {
            let weight = weight_of(line.rate, options.rate_min);
            for &number in numbers {
                if number.is_finite() {
                    *sum += number * weight;
                    recorded += 1;
                } else {
                    not_finite += 1;
                }
            }
        }
        (CellValue::Gauge { stamp_us, value }, MetricKind::Gauge) => {
            for &number in numbers {
                if number.is_finite() {
                    // Within a lane arrival decides, and the kernel's stamps follow it.
                    *value = number;
                    *stamp_us = line.stamp_us.max(*stamp_us);
                    recorded += 1;
                } else {
                    not_finite += 1;
                }
            }
        }
        (CellValue::Distribution(sketch), MetricKind::Distribution) => {
            let rate = if line.rate > 0.0 { line.rate.max(options.rate_min) } else { 1.0 };
            for &number in numbers {
                if number.is_finite() {
                    sketch.insert(number, rate);
                    recorded += 1;
                } else {
                    not_finite += 1;
                }
            }
        }
        (CellValue::Histogram(histogram), MetricKind::Histogram | MetricKind::Timing) => {
            let weight = weight_of(line.rate, options.rate_min);
            histogram.is_timing |= line.kind == MetricKind::Timing;
            let mut room = options.cell_samples_max.saturating_sub(histogram.samples.len());
            for &value in numbers {
                if !value.is_finite() {
                    not_finite += 1;
                } else if room == 0 {
                    tally.add(Counter::DroppedCellLimit, 1);
                } else {
                    histogram.samples.push(WeightedSample { value, weight });
                    room -= 1;
                    recorded += 1;
                }
            }
        }
        (CellValue::Set(members), MetricKind::Set) => {
            let Values::Member(member) = line.values else { return };
            if members.contains(member) {
                recorded = 1;
            } else if members.len() < options.cell_samples_max {
                members.insert(Box::from(member));
                recorded = 1;
            } else {
                tally.add(Counter::DroppedCellLimit, 1);
            }
        }
        _ => tally.add(Counter::DroppedTypeConflict, u64::from(line.count())),
    }
    cell.samples = cell.samples.saturating_add(recorded);
    tally.add(Counter::Recorded, u64::from(recorded));
    if not_finite > 0 {
        tally.add(Counter::DroppedNotFinite, not_finite);
    }
}

/// Samples that one sample at `rate` stands for. A rate that is not a positive number counts as 1.
#[inline]
#[expect(clippy::float_cmp, reason = "the usual rate, exactly")]
fn weight_of(rate: f64, rate_min: f64) -> f64 {
    if rate == 1.0 || !rate.is_finite() || rate <= 0.0 { 1.0 } else { 1.0 / rate.max(rate_min) }
}
