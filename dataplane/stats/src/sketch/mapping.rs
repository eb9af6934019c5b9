//! Bins of other mappings, spread over ours. spec: apm §9.5.

use super::index::{GAMMA, index_of, lower_bound, value_min};
use super::{BIN_LIMIT, Sketch};

/// Parts of a polynomial that approximates the binary logarithm of 1 + s.
const CUBIC: [f64; 3] = [10.0 / 7.0, -3.0 / 5.0, 6.0 / 35.0];

/// Bins over which one foreign bin is spread.
const SPREAD_MAX: i32 = 2048;
const _: () = assert!(SPREAD_MAX as usize == BIN_LIMIT);

/// Relative difference of two bases that are the same.
const TOLERANCE: f64 = 1e-12;

/// How a foreign sketch maps values to indices.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mapping {
    gamma: f64,
    index_offset: f64,
    interpolation: Interpolation,
}

/// How the logarithm between powers of two is taken.
#[derive(Clone, Copy, Debug)]
enum Interpolation {
    /// Exactly.
    None,
    /// As a straight line.
    Linear,
    /// By the polynomial of [`CUBIC`].
    Cubic,
}

impl Mapping {
    /// `None` for a base that is no base and an interpolation that is not known.
    pub(super) fn new(gamma: f64, index_offset: f64, interpolation: u64) -> Option<Self> {
        let interpolation = match interpolation {
            0 => Interpolation::None,
            1 => Interpolation::Linear,
            3 => Interpolation::Cubic,
            _ => return None,
        };
        let is_base = gamma > 1.0 && gamma.is_finite() && index_offset.is_finite();
        is_base.then_some(Self { gamma, index_offset, interpolation })
    }

    /// Whether indices mean the same as ours.
    pub(super) fn is_ours(&self) -> bool {
        matches!(self.interpolation, Interpolation::None)
            && (self.gamma - GAMMA).abs() <= TOLERANCE * GAMMA
            && self.index_offset.abs() <= TOLERANCE
    }

    /// Adds a foreign bin: each of our bins gets the share by which it overlaps.
    pub(super) fn spread(&self, into: &mut Sketch, index: i32, count: f64) {
        let low = self.lower_bound(f64::from(index));
        let high = self.lower_bound(f64::from(index) + 1.0).min(f64::MAX);
        if high <= low || high <= value_min() {
            into.insert(low, count);
            return;
        }
        let low = low.max(value_min());
        let last = index_of(high);
        // The highest first; what a store collapses anyway goes in one piece.
        let first = index_of(low).max(last - (SPREAD_MAX - 1));
        let mut to = high;
        for at in (first..=last).rev() {
            let from = if at == first { low } else { lower_bound(at).max(low).min(to) };
            into.insert_at(at, (to - from) / (high - low) * count);
            to = from;
        }
    }

    fn lower_bound(&self, index: f64) -> f64 {
        let x = (index - self.index_offset) * self.gamma.log2();
        match self.interpolation {
            Interpolation::None => x.exp2(),
            Interpolation::Linear => (1.0 + x - x.floor()) * x.floor().exp2(),
            Interpolation::Cubic => (1.0 + cubic_root(x - x.floor())) * x.floor().exp2(),
        }
    }
}

/// The s in [0, 1] whose polynomial is `y`, by Newton's method: the slope lies between 0.7 and 1.5,
/// so that every step at least squares the error.
fn cubic_root(y: f64) -> f64 {
    let [c, b, a] = CUBIC;
    let mut s = y;
    for _ in 0..8 {
        let value = ((a * s + b) * s + c) * s;
        let slope = (3.0 * a * s + 2.0 * b) * s + c;
        s -= (value - y) / slope;
    }
    s
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a value's index is in a mapping, straight from its definition.
    fn index_in(mapping: &Mapping, value: f64) -> i32 {
        let exponent = value.log2().floor();
        let s = value / exponent.exp2() - 1.0;
        let [c, b, a] = CUBIC;
        let log2 = match mapping.interpolation {
            Interpolation::None => value.log2(),
            Interpolation::Linear => exponent + s,
            Interpolation::Cubic => exponent + ((a * s + b) * s + c) * s,
        };
        (log2 / mapping.gamma.log2() + mapping.index_offset).floor() as i32
    }

    #[test]
    fn bounds_enclose_the_values_of_a_bin() {
        for interpolation in [0, 1, 3] {
            let mapping = Mapping::new(1.02, 3.5, interpolation).unwrap();
            for value in [1.0, 1.3, 1.99, 2.0, 1000.0, 123_456_789.0, 1e15, 0.37] {
                let index = f64::from(index_in(&mapping, value));
                let (low, high) = (mapping.lower_bound(index), mapping.lower_bound(index + 1.0));
                assert!(low <= value * (1.0 + 1e-9) && value < high * (1.0 + 1e-9), "{value}");
            }
        }
    }

    #[test]
    fn counts_are_kept_and_values_stay_close() {
        for interpolation in [0, 1, 3] {
            for gamma in [1.0001, 1.02, 1.04, 2.0, 1e9] {
                let mapping = Mapping::new(gamma, 0.25, interpolation).unwrap();
                assert!(!mapping.is_ours());
                let mut sketch = Sketch::default();
                let index = index_in(&mapping, 1e6);
                mapping.spread(&mut sketch, index, 10.0);
                assert!((sketch.count() - 10.0).abs() < 1e-6, "{gamma} {interpolation}");
                let (first, counts) = sketch.bins();
                let last = first + counts.len() as i32 - 1;
                assert!(first <= index_of(1e6) && index_of(1e6) <= last);
                let is_fine = gamma < 1.05;
                assert!(!is_fine || counts.len() <= 4, "{gamma} {interpolation}");
            }
        }
    }

    #[test]
    fn ends_of_the_range_are_kept() {
        for interpolation in [0, 1, 3] {
            for gamma in [f64::MIN_POSITIVE + 1.0 + f64::EPSILON, 1.01, 1e300] {
                let mapping = Mapping::new(gamma, -1e300, interpolation).unwrap();
                let other = Mapping::new(gamma, 0.0, interpolation).unwrap();
                for index in [i32::MIN, -1, 0, 1, i32::MAX] {
                    let mut sketch = Sketch::default();
                    mapping.spread(&mut sketch, index, 4.0);
                    other.spread(&mut sketch, index, 4.0);
                    assert!((sketch.count() - 8.0).abs() < 1e-6, "{gamma} {index} {sketch:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_mapping_is_refused() {
        for gamma in [1.0, 0.0, -2.0, f64::NAN, f64::INFINITY] {
            assert!(Mapping::new(gamma, 0.0, 0).is_none());
        }
        assert!(Mapping::new(1.02, f64::NAN, 0).is_none());
        assert!(Mapping::new(1.02, 0.0, 2).is_none());
        assert!(Mapping::new(GAMMA + 1e-14, 0.0, 0).unwrap().is_ours());
    }
}
