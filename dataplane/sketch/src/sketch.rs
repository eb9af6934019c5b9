//! The sketch itself: a summary and bins.

use crate::interpolate::{NotMonotonic, interpolate};
use crate::key::{GAMMA, key_of, lower_bound};
use crate::{BIN_LIMIT, Bin, Bins};

/// What a sketch says of all its samples at once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// Smallest sample.
    pub min: f64,
    /// Largest sample.
    pub max: f64,
    /// Sum of the samples.
    pub sum: f64,
    /// Mean of the samples.
    pub avg: f64,
    /// Number of samples, not negative.
    pub count: i64,
}

/// Summary of a stream of samples with 1/128 relative accuracy on every quantile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sketch {
    min: f64,
    max: f64,
    sum: f64,
    avg: f64,
    count: i64,
    bins: Bins,
}

impl Sketch {
    /// Adds one sample that stands for `1 / rate` samples. A rate outside `(0, 1]` counts as 1.
    ///
    /// The sum uses the exact inverse of the rate, the count its integer part.
    /// spec: dogstatsd §10.3.
    pub fn insert(&mut self, value: f64, rate: f64) {
        if rate > 0.0 && rate < 1.0 {
            let weight = 1.0 / rate;
            // A rate down to 1e-18 cannot overflow the count with one sample.
            #[expect(clippy::cast_possible_truncation, reason = "saturating, then capped")]
            let count = (weight as i64).clamp(1, i64::from(u32::MAX));
            self.insert_weighted(value, count, weight);
        } else {
            self.insert_weighted(value, 1, 1.0);
        }
    }

    /// Adds `count` samples that lie anywhere between two bounds, spread evenly. To the summary
    /// each is the lower bound of its bin. Bounds that map to one key give one bin.
    ///
    /// Costs a few ns for each key between that gets samples: 0.4 ms where all do.
    /// spec: dogstatsd §10.5.
    ///
    /// # Errors
    /// [`NotMonotonic`] when `lower` maps to a higher key than `upper`; nothing is added then.
    pub fn insert_interpolate(
        &mut self,
        lower: f64,
        upper: f64,
        count: u32,
    ) -> Result<(), NotMonotonic> {
        let keys = i32::from(key_of(upper)) - i32::from(key_of(lower));
        if usize::try_from(keys).is_ok_and(|keys| keys >= BIN_LIMIT) {
            // More bins than are kept: collapsed once instead of with each.
            let mut bins = Vec::new();
            interpolate(lower, upper, count, &mut |key, count| bins.push(Bin { key, count }))?;
            for bin in &bins {
                self.summarise(lower_bound(bin.key), i64::from(bin.count), f64::from(bin.count));
            }
            self.bins.merge(&Bins::of(bins));
            return Ok(());
        }
        interpolate(lower, upper, count, &mut |key, count| {
            self.summarise(lower_bound(key), i64::from(count), f64::from(count));
            self.bins.add(key, count);
        })
    }

    /// A sketch of bins, in any order, and what is known of the samples in them.
    #[must_use]
    pub fn from_bins(bins: impl IntoIterator<Item = Bin>, summary: Summary) -> Self {
        let mut sketch = Self { bins: Bins::of(bins.into_iter().collect()), ..Self::default() };
        sketch.set_summary(summary);
        sketch
    }

    /// What it says of all samples at once.
    #[must_use]
    pub const fn summary(&self) -> Summary {
        let Self { min, max, sum, avg, count, bins: _ } = *self;
        Summary { min, max, sum, avg, count }
    }

    /// Overrides the summary with what is known from elsewhere. The bins stay as they are.
    pub const fn set_summary(&mut self, summary: Summary) {
        let Summary { min, max, sum, avg, count } = summary;
        (self.min, self.max, self.sum, self.avg, self.count) = (min, max, sum, avg, count);
    }

    fn insert_weighted(&mut self, value: f64, count: i64, weight: f64) {
        self.summarise(value, count, weight);
        self.bins.add(key_of(value), u32::try_from(count).unwrap_or(u32::MAX));
    }

    #[inline]
    fn summarise(&mut self, value: f64, count: i64, weight: f64) {
        if self.count == 0 {
            self.min = value;
            self.max = value;
        } else {
            self.min = self.min.min(value);
            self.max = self.max.max(value);
        }
        self.count = self.count.saturating_add(count);
        self.sum += weight * value;
        self.avg += (value - self.avg) * as_f64(count) / as_f64(self.count);
    }

    /// Adds every sample of `other`. Merging is commutative up to rounding of sum and average.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            self.clone_from(other);
            return;
        }
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.count = self.count.saturating_add(other.count);
        self.sum += other.sum;
        self.avg += (other.avg - self.avg) * as_f64(other.count) / as_f64(self.count);
        self.bins.merge(&other.bins);
    }

    /// The quantile `q`, interpolated within its bin. 0 for an empty sketch. spec: dogstatsd §10.4.
    #[must_use]
    pub fn quantile(&self, q: f64) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        if q <= 0.0 {
            return self.min;
        }
        if q >= 1.0 {
            return self.max;
        }
        let rank = (q * as_f64(self.count - 1)).round_ties_even();
        let mut seen = 0.0;
        for (index, bin) in self.bins.iter().enumerate() {
            seen += f64::from(bin.count);
            if seen > rank {
                let weight = (seen - rank) / f64::from(bin.count);
                let low = lower_bound(bin.key);
                let high = low * GAMMA;
                let low = if index == 0 { self.min } else { low };
                return low * weight + high * (1.0 - weight);
            }
        }
        self.max
    }

    /// The bins.
    #[must_use]
    pub const fn bins(&self) -> &Bins {
        &self.bins
    }

    /// Number of samples, each counted with the integer part of its weight.
    #[must_use]
    pub const fn count(&self) -> i64 {
        self.count
    }

    /// Smallest sample; 0 when empty.
    #[must_use]
    pub const fn min(&self) -> f64 {
        self.min
    }

    /// Largest sample; 0 when empty.
    #[must_use]
    pub const fn max(&self) -> f64 {
        self.max
    }

    /// Weighted sum of the samples.
    #[must_use]
    pub const fn sum(&self) -> f64 {
        self.sum
    }

    /// Weighted mean of the samples; 0 when empty.
    #[must_use]
    pub const fn avg(&self) -> f64 {
        self.avg
    }
}

const fn as_f64(count: i64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
