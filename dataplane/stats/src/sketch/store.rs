//! Bins of a sketch: a dense window of counts that collapses its lowest bins. spec: apm §9.5.

/// Bins that a store keeps at most; what lies lower is counted in the lowest one.
pub const BIN_LIMIT: usize = 2048;

/// Bins of the first window.
const WINDOW_MIN: usize = 8;

/// No number has a bin beyond this index or below its negative: the logarithm of the largest one
/// is 709.8, that of the smallest -708.4.
const INDEX_MAX: i32 = 35_500;

/// Counts by index. Never wider than [`BIN_LIMIT`]; a count at index i stands at max(i, m - 2047)
/// for the highest index m, whatever the order of insertions was.
#[derive(Clone, Debug, Default)]
pub(super) struct Store {
    /// Index of the first count.
    offset: i32,
    counts: Vec<f64>,
}

impl Store {
    /// Adds `count` to a bin, or to the last one that a number can have. One addition when the
    /// window has the bin.
    pub(super) fn add(&mut self, index: i32, count: f64) {
        let index = index.clamp(-INDEX_MAX, INDEX_MAX);
        if let Some(bin) = self.bin(index) {
            *bin += count;
            return;
        }
        let index = self.widen(index);
        if let Some(bin) = self.bin(index) {
            *bin += count;
        }
    }

    /// Adds `count` to a bin, or to the nearest one that the window has, so that nothing grows but
    /// an empty store. Returns whether it is the bin itself.
    pub(super) fn add_nearest(&mut self, index: i32, count: f64) -> bool {
        let Some(last) = self.counts.len().checked_sub(1) else {
            self.add(index, count);
            return true;
        };
        let nearest = index.clamp(self.offset, plus(self.offset, last));
        self.add(nearest, count);
        nearest == index
    }

    /// The bins in use: index of the lowest one, and counts from there to the highest one.
    pub(super) fn bins(&self) -> (i32, &[f64]) {
        let is_used = |count: &f64| *count > 0.0;
        let Some(first) = self.counts.iter().position(is_used) else { return (0, &[]) };
        let last = self.counts.iter().rposition(is_used).unwrap_or(first);
        (plus(self.offset, first), self.counts.get(first..=last).unwrap_or_default())
    }

    /// Adds the bins of another store.
    pub(super) fn merge(&mut self, other: &Self) {
        let (first, counts) = other.bins();
        let Some((highest, lower)) = counts.split_last() else { return };
        // The highest first, so that lower ones collapse at once and the window moves once.
        self.add(plus(first, lower.len()), *highest);
        for (index, count) in (first..).zip(lower) {
            if *count > 0.0 {
                self.add(index, *count);
            }
        }
    }

    /// Bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        self.counts.capacity() * size_of::<f64>()
    }

    fn bin(&mut self, index: i32) -> Option<&mut f64> {
        let at = usize::try_from(i64::from(index) - i64::from(self.offset)).ok()?;
        self.counts.get_mut(at)
    }

    /// Moves the window, if need be, so that it has `index` or the bin that `index` collapses into,
    /// which is returned.
    fn widen(&mut self, index: i32) -> i32 {
        let (low, used) = self.bins();
        let (lowest, highest) = if used.is_empty() {
            (index, index)
        } else {
            (low.min(index), plus(low, used.len() - 1).max(index))
        };
        let floor = minus(highest, BIN_LIMIT - 1);
        let lowest = lowest.max(floor);
        if self.offset <= lowest && distance(self.offset, highest) < self.counts.len() {
            return index.max(lowest);
        }
        let span = distance(lowest, highest) + 1;
        let len = span.next_power_of_two().clamp(WINDOW_MIN, BIN_LIMIT);
        let slack = len - span;
        // Durations scatter around what was seen: half of the room goes to each side.
        let offset = minus(lowest, slack / 2);
        let mut counts = vec![0.0; len];
        for (at, count) in (low..).zip(used) {
            if let Some(bin) = counts.get_mut(distance(offset, at.max(lowest))) {
                *bin += count;
            }
        }
        *self = Self { offset, counts };
        index.max(lowest)
    }
}

fn plus(index: i32, bins: usize) -> i32 {
    index.saturating_add(i32::try_from(bins).unwrap_or(i32::MAX))
}

fn minus(index: i32, bins: usize) -> i32 {
    index.saturating_sub(i32::try_from(bins).unwrap_or(i32::MAX))
}

/// From a lower index to a higher one.
fn distance(from: i32, to: i32) -> usize {
    usize::try_from(i64::from(to) - i64::from(from)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(bins: &[(i32, f64)]) -> Store {
        let mut store = Store::default();
        for (index, count) in bins {
            store.add(*index, *count);
        }
        store
    }

    #[test]
    fn one_value_takes_one_small_window() {
        let store = store(&[(1036, 1.0), (1036, 1.0)]);
        assert_eq!(store.bins(), (1036, [2.0].as_slice()));
        assert_eq!(store.heap_bytes(), 64);
    }

    #[test]
    fn the_lowest_bins_collapse() {
        let expected = |store: &Store| {
            let (first, counts) = store.bins();
            assert_eq!((first, counts.len()), (953, 2048));
            assert_eq!((counts[0], counts[2047]), (6.0, 1.0));
            assert_eq!(counts.iter().sum::<f64>(), 7.0);
        };
        expected(&store(&[(0, 1.0), (1, 2.0), (953, 3.0), (3000, 1.0)]));
        expected(&store(&[(3000, 1.0), (1, 2.0), (953, 3.0), (0, 1.0)]));
        expected(&store(&[(953, 3.0), (1, 2.0), (3000, 1.0), (-7_000, 1.0)]));
    }

    #[test]
    fn a_range_of_exactly_the_limit_stays() {
        let store = store(&[(5, 1.0), (2052, 1.0)]);
        assert_eq!((store.bins().0, store.bins().1.len()), (5, BIN_LIMIT));
    }

    #[test]
    fn the_nearest_bin_needs_no_memory() {
        let mut store = Store::default();
        assert!(store.add_nearest(100, 1.0));
        let (first, last) = (store.offset, store.offset + 7);
        assert!(store.add_nearest(last, 1.0));
        assert!(!store.add_nearest(last + 1, 1.0) && !store.add_nearest(-5, 1.0));
        let (found, counts) = store.bins();
        assert_eq!((found, counts[0], counts[7]), (first, 1.0, 2.0));
        assert_eq!(store.heap_bytes(), 64);
    }

    #[test]
    fn an_index_that_no_number_has_is_clamped() {
        let store = store(&[(i32::MIN, 1.0), (i32::MAX, 1.0), (i32::MIN, 1.0)]);
        let (first, counts) = store.bins();
        assert_eq!((first, counts.len()), (INDEX_MAX - 2047, BIN_LIMIT));
        assert_eq!(counts.iter().sum::<f64>(), 3.0);
        let low = self::store(&[(i32::MIN, 1.0)]);
        assert_eq!(low.bins(), (-INDEX_MAX, [1.0].as_slice()));
    }
}
