//! DDSketch of the sketches-go family. spec: apm §9.5.

mod index;
mod mapping;
mod store;
mod wire;

pub use index::{GAMMA, index_of, index_of_truncated, lower_bound, truncate};
pub use store::BIN_LIMIT;
pub use wire::SketchError;

use store::Store;

/// Summary of durations: counts of values by bins that are 2 % wide.
///
/// 40 bytes, and 8 bytes per bin of a window that starts with 8 bins and grows by powers of two.
#[derive(Clone, Debug, Default)]
pub struct Sketch {
    store: Store,
    zero_count: f64,
}

/// Two sketches are equal when they count the same, whatever their windows are.
impl PartialEq for Sketch {
    fn eq(&self, other: &Self) -> bool {
        self.zero_count == other.zero_count && self.bins() == other.bins()
    }
}

impl Sketch {
    /// Inserts a duration, truncated to 9 bits behind the leading one. spec: apm §9.4.
    pub fn insert_duration(&mut self, duration_ns: u64) {
        if duration_ns == 0 {
            self.zero_count += 1.0;
        } else {
            self.store.add(index_of_truncated(truncate(duration_ns)), 1.0);
        }
    }

    /// The same without taking memory, but for 64 bytes of an empty sketch: what has no bin yet
    /// goes into the nearest one. Returns whether the duration has its own bin.
    pub fn insert_duration_nearest(&mut self, duration_ns: u64) -> bool {
        if duration_ns == 0 {
            self.zero_count += 1.0;
            return true;
        }
        self.store.add_nearest(index_of_truncated(truncate(duration_ns)), 1.0)
    }

    /// Inserts a value `count` times. A value or a count that is not a number, and a count that is
    /// not positive, change nothing; a negative value counts as zero, since durations have no sign.
    pub fn insert(&mut self, value: f64, count: f64) {
        if value.is_nan() {
            return;
        }
        if value <= index::value_min() {
            if is_count(count) {
                self.zero_count += count;
            }
        } else {
            self.insert_at(index_of(value.min(f64::MAX)), count);
        }
    }

    /// Inserts `count` values of one bin; what is not a positive number changes nothing.
    pub fn insert_at(&mut self, index: i32, count: f64) {
        if is_count(count) {
            self.store.add(index, count);
        }
    }

    /// Adds what another sketch counts.
    pub fn merge(&mut self, other: &Self) {
        self.zero_count += other.zero_count;
        self.store.merge(&other.store);
    }

    /// Number of values.
    #[must_use]
    pub fn count(&self) -> f64 {
        self.zero_count + self.bins().1.iter().sum::<f64>()
    }

    /// Number of values without a bin.
    #[must_use]
    pub const fn zero_count(&self) -> f64 {
        self.zero_count
    }

    /// The bins in use: index of the lowest one, and counts from there to the highest one.
    #[must_use]
    pub fn bins(&self) -> (i32, &[f64]) {
        self.store.bins()
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.store.heap_bytes()
    }
}

fn is_count(count: f64) -> bool {
    count > 0.0 && count.is_finite()
}

#[cfg(test)]
mod tests;
