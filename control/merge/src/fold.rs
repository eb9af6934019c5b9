//! The cells of one context in one bucket become one value. spec: dogstatsd §8.1, §8.3, §8.12.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashSet;

use signal::CellValue;
use sketch::Sketch;

use crate::gather::CellRef;
use crate::histogram::Joined;

/// Type of a cell, in order of preference where two types have as many samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CellKind {
    Gauge,
    Counter,
    Set,
    Histogram,
    Distribution,
}

/// The value of a context in a bucket, over all lanes.
#[derive(Debug)]
pub(crate) enum Folded<'a> {
    Gauge(f64),
    Counter(f64),
    Set(usize),
    /// The samples are in the [`Joined`] given to [`fold`].
    Histogram {
        is_timing: bool,
    },
    Distribution(Cow<'a, Sketch>),
}

/// The type that `cells` of one context and bucket are folded as: the one with most samples, so
/// that the outcome does not depend on which lane comes first. `None` when there is no value.
pub(crate) fn kind_of(cells: &[CellRef<'_>]) -> Option<CellKind> {
    if let [only] = cells {
        return kind(&only.cell.value);
    }
    let kinds = cells.iter().filter_map(|cell| kind(&cell.cell.value));
    kinds.max_by_key(|&candidate| (samples_of(cells, candidate), Reverse(candidate)))
}

/// Samples in the cells of type `kind`.
pub(crate) fn samples_of(cells: &[CellRef<'_>], wanted: CellKind) -> u64 {
    let matching = cells.iter().filter(|cell| kind(&cell.cell.value) == Some(wanted));
    matching.map(|cell| u64::from(cell.cell.samples)).sum()
}

/// Folds the cells of type `kind`; others are passed over. Cells are in order of lanes.
pub(crate) fn fold<'a>(cells: &[CellRef<'a>], kind: CellKind, joined: &mut Joined) -> Folded<'a> {
    let values = cells.iter().map(|cell| &cell.cell.value);
    match kind {
        CellKind::Gauge => Folded::Gauge(latest_gauge(values)),
        CellKind::Counter => Folded::Counter(
            values
                .filter_map(
                    |value| if let CellValue::Counter { sum } = value { Some(sum) } else { None },
                )
                .sum(),
        ),
        CellKind::Set => Folded::Set(cardinality(values)),
        CellKind::Histogram => {
            joined.clear();
            let mut is_timing = false;
            for value in values {
                if let CellValue::Histogram(histogram) = value {
                    is_timing |= histogram.is_timing;
                    joined.add(&histogram.samples);
                }
            }
            Folded::Histogram { is_timing }
        }
        CellKind::Distribution => {
            let sketches = values.filter_map(|value| {
                if let CellValue::Distribution(sketch) = value { Some(&**sketch) } else { None }
            });
            Folded::Distribution(merge_sketches(sketches))
        }
    }
}

const fn kind(value: &CellValue) -> Option<CellKind> {
    match value {
        CellValue::Empty => None,
        CellValue::Gauge { .. } => Some(CellKind::Gauge),
        CellValue::Counter { .. } => Some(CellKind::Counter),
        CellValue::Set(_) => Some(CellKind::Set),
        CellValue::Histogram(_) => Some(CellKind::Histogram),
        CellValue::Distribution(_) => Some(CellKind::Distribution),
    }
}

/// The value received last; of values received at the same time, that of the last lane.
fn latest_gauge<'a>(values: impl Iterator<Item = &'a CellValue>) -> f64 {
    let mut latest = (0, 0.0);
    for cell in values {
        if let &CellValue::Gauge { stamp_us, value } = cell
            && stamp_us >= latest.0
        {
            latest = (stamp_us, value);
        }
    }
    latest.1
}

/// Distinct members over all sets.
fn cardinality<'a>(values: impl Iterator<Item = &'a CellValue>) -> usize {
    let mut sets = values
        .filter_map(|value| if let CellValue::Set(set) = value { Some(&**set) } else { None });
    let (Some(first), second) = (sets.next(), sets.next()) else {
        return 0;
    };
    let Some(second) = second else {
        return first.len();
    };
    let mut union: HashSet<&[u8]> = HashSet::with_capacity(first.len() + second.len());
    for set in [first, second].into_iter().chain(sets) {
        union.extend(set.iter().map(|member| &**member));
    }
    union.len()
}

/// One sketch of all; nothing is copied when there is only one.
fn merge_sketches<'a>(mut sketches: impl Iterator<Item = &'a Sketch>) -> Cow<'a, Sketch> {
    let Some(first) = sketches.next() else {
        return Cow::Owned(Sketch::default());
    };
    sketches.fold(Cow::Borrowed(first), |mut merged, sketch| {
        merged.to_mut().merge(sketch);
        merged
    })
}
