//! The bins of a sketch: a sorted list while they are few, an array where their keys lie close.

use std::ops::RangeInclusive;

/// Most bins a sketch keeps; beyond it the lowest bins collapse into one.
pub const BIN_LIMIT: usize = 4096;

/// One bin: how many samples fell on a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bin {
    /// Bin key, see [`key_of`](crate::key_of).
    pub key: i16,
    /// Samples in the bin, at least 1; saturates.
    pub count: u32,
}

/// Bins in order of their keys, each key once.
///
/// The samples of one bucket seldom spread over more than a few hundred neighbouring keys. An array
/// with a place for each of them is then smaller than a list that grows by doubling, and a sample
/// costs one cache line where the search in a list costs ten steps.
#[derive(Clone)]
pub struct Bins(Store);

#[derive(Clone)]
enum Store {
    List(Vec<Bin>),
    /// Counts of all keys from `first` on, those without samples too: at most [`BIN_LIMIT`].
    Array {
        first: i16,
        counts: Vec<u32>,
    },
}

/// A list with fewer bins is searched as fast as an array is reached.
const ARRAY_BINS_MIN: usize = 16;
/// Keys that an array may have for each bin with samples: as large as a list with half its room
/// free.
const KEYS_PER_BIN_MAX: usize = 4;
/// Room for keys beside those of an array, so that a slowly growing range is not copied each time.
const SPARE_KEYS: usize = 32;

impl Default for Bins {
    fn default() -> Self {
        Self(Store::List(Vec::new()))
    }
}

impl Bins {
    /// The bins, in order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = Bin> + Clone {
        let (list, first, counts): (&[Bin], i16, &[u32]) = match &self.0 {
            Store::List(bins) => (bins, 0, &[]),
            Store::Array { first, counts } => (&[], *first, counts),
        };
        let counted = (first..=i16::MAX).zip(counts).filter(|(_, count)| **count > 0);
        list.iter().copied().chain(counted.map(|(key, &count)| Bin { key, count }))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Store::List(bins) => bins.len(),
            Store::Array { counts, .. } => counts.iter().filter(|count| **count > 0).count(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        // An array comes from a list that was not empty.
        matches!(&self.0, Store::List(bins) if bins.is_empty())
    }

    /// Where they are in memory, for a hint to the processor.
    #[inline]
    #[must_use]
    pub const fn as_ptr(&self) -> *const u8 {
        match &self.0 {
            Store::List(bins) => bins.as_ptr().cast(),
            Store::Array { counts, .. } => counts.as_ptr().cast(),
        }
    }

    /// Heap bytes held.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        match &self.0 {
            Store::List(bins) => bins.capacity() * size_of::<Bin>(),
            Store::Array { counts, .. } => counts.capacity() * size_of::<u32>(),
        }
    }

    /// Adds samples to the bin of `key`.
    #[inline]
    pub(crate) fn add(&mut self, key: i16, count: u32) {
        if let Store::Array { first, counts } = &mut self.0
            && let Some(held) = place(*first, key).and_then(|at| counts.get_mut(at))
        {
            *held = held.saturating_add(count);
        } else {
            self.add_slowly(key, count);
        }
    }

    #[inline(never)]
    fn add_slowly(&mut self, key: i16, count: u32) {
        if let Store::List(bins) = &mut self.0 {
            let at = match bins.binary_search_by_key(&key, |bin| bin.key) {
                Ok(at) => return bins[at].count = bins[at].count.saturating_add(count),
                Err(at) => at,
            };
            if bins.len() < bins.capacity() || bins.len() < ARRAY_BINS_MIN {
                bins.insert(at, Bin { key, count });
                return collapse_lowest(bins);
            }
        }
        // A list that must grow, or an array that ends before the key.
        if self.reach(key..=key) {
            return self.add(key, count);
        }
        let mut bins: Vec<Bin> = self.iter().collect();
        let at = bins.partition_point(|bin| bin.key < key);
        bins.insert(at, Bin { key, count });
        collapse_lowest(&mut bins);
        self.0 = Store::List(bins);
    }

    /// Bins in any order and with repeated keys, as few as they are meant to be.
    pub(crate) fn of(mut bins: Vec<Bin>) -> Self {
        bins.retain(|bin| bin.count > 0);
        bins.sort_by_key(|bin| bin.key);
        bins.dedup_by(|next, held| {
            let is_same = next.key == held.key;
            if is_same {
                held.count = held.count.saturating_add(next.count);
            }
            is_same
        });
        collapse_lowest(&mut bins);
        Self(Store::List(bins))
    }

    /// Adds every sample of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        let Some(keys) = other.keys() else { return };
        if matches!(self.0, Store::Array { .. }) && self.reach(keys) {
            for bin in other.iter() {
                self.add(bin.key, bin.count);
            }
            return;
        }
        let mut merged = merge_sorted(self.iter(), other.iter());
        collapse_lowest(&mut merged);
        self.0 = Store::List(merged);
        if self.len() >= ARRAY_BINS_MIN
            && let Some(keys) = self.keys()
        {
            self.reach(keys);
        }
    }

    /// Makes an array of the bins that has places for `keys` too, if it is small enough.
    fn reach(&mut self, keys: RangeInclusive<i16>) -> bool {
        let Some(present) = self.keys() else { return false };
        let is_reached = present.contains(keys.start()) && present.contains(keys.end());
        if is_reached && matches!(self.0, Store::Array { .. }) {
            return true;
        }
        let (first, last) = (*present.start().min(keys.start()), *present.end().max(keys.end()));
        let Some(last_at) = place(first, last).filter(|&at| at < BIN_LIMIT) else { return false };
        if last_at >= self.len() * KEYS_PER_BIN_MAX {
            return false;
        }
        let mut counts = Vec::with_capacity(last_at + 1 + SPARE_KEYS);
        counts.resize(last_at + 1, 0);
        for bin in self.iter() {
            if let Some(held) = place(first, bin.key).and_then(|at| counts.get_mut(at)) {
                *held = bin.count;
            }
        }
        self.0 = Store::Array { first, counts };
        true
    }

    /// From the lowest key to the highest.
    fn keys(&self) -> Option<RangeInclusive<i16>> {
        match &self.0 {
            Store::List(bins) => Some(bins.first()?.key..=bins.last()?.key),
            Store::Array { first, counts } => {
                Some(*first..=first.saturating_add_unsigned(u16::try_from(counts.len()).ok()? - 1))
            }
        }
    }
}

/// Where `key` is in an array that begins at `first`.
#[inline]
fn place(first: i16, key: i16) -> Option<usize> {
    usize::try_from(i32::from(key) - i32::from(first)).ok()
}

/// Folds the lowest bins into the first kept one, so that the high quantiles stay exact.
fn collapse_lowest(bins: &mut Vec<Bin>) {
    let Some(excess) = bins.len().checked_sub(BIN_LIMIT).filter(|&n| n > 0) else { return };
    let mass: u32 = bins.drain(..excess).fold(0, |mass, bin| mass.saturating_add(bin.count));
    if let Some(first) = bins.first_mut() {
        first.count = first.count.saturating_add(mass);
    }
}

fn merge_sorted(left: impl Iterator<Item = Bin>, right: impl Iterator<Item = Bin>) -> Vec<Bin> {
    let (mut left, mut right) = (left.peekable(), right.peekable());
    let mut merged: Vec<Bin> = Vec::new();
    loop {
        let next = match (left.peek(), right.peek()) {
            (Some(ours), Some(theirs)) if theirs.key < ours.key => right.next(),
            (Some(_), _) => left.next(),
            (None, _) => right.next(),
        };
        let Some(bin) = next else { return merged };
        match merged.last_mut() {
            Some(last) if last.key == bin.key => last.count = last.count.saturating_add(bin.count),
            _ => merged.push(bin),
        }
    }
}

impl PartialEq for Bins {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl std::fmt::Debug for Bins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter().map(|bin| (bin.key, bin.count))).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use proptest::prelude::*;

    const fn is_array(bins: &Bins) -> bool {
        matches!(bins.0, Store::Array { .. })
    }

    fn of(keys: impl IntoIterator<Item = i16>) -> Bins {
        let mut bins = Bins::default();
        for key in keys {
            bins.add(key, 1);
        }
        bins
    }

    #[test]
    fn keys_that_lie_close_take_less_as_an_array() {
        let close = of(1000..1500);
        assert!(is_array(&close));
        assert!(close.heap_bytes() <= 500 * 4 + 4 * SPARE_KEYS * 2, "{}", close.heap_bytes());
        let scattered = of((0..500).map(|n| n * 60));
        assert!(!is_array(&scattered));
        assert_eq!((close.len(), scattered.len()), (500, 500));
    }

    #[test]
    fn one_key_far_away_makes_a_list_again() {
        let mut bins = of(1000..1100);
        assert!(is_array(&bins));
        bins.add(i16::MAX, 7);
        bins.add(i16::MIN, 8);
        assert!(!is_array(&bins));
        let ends = [bins.iter().next(), bins.iter().last()];
        assert_eq!(ends.map(|bin| bin.map(|bin| bin.count)), [Some(8), Some(7)]);
        assert_eq!(bins.len(), 102);
    }

    #[test]
    fn counts_saturate_in_both_forms() {
        for mut bins in [of(0..3), of(0..100)] {
            bins.add(1, u32::MAX);
            bins.add(1, 1);
            assert_eq!(bins.iter().nth(1), Some(Bin { key: 1, count: u32::MAX }));
        }
    }

    fn any_keys() -> impl Strategy<Value = Vec<i16>> {
        let cluster =
            (any::<i16>(), 1i16..600, 0usize..300).prop_flat_map(|(start, width, len)| {
                prop::collection::vec(
                    (0..width).prop_map(move |step| start.saturating_add(step)),
                    0..=len,
                )
            });
        prop::collection::vec(cluster, 0..4).prop_map(|clusters| clusters.concat())
    }

    proptest! {
        /// Whatever form they are in at the time.
        #[test]
        fn agree_with_a_map(parts in prop::collection::vec(any_keys(), 1..4)) {
            let mut model = BTreeMap::new();
            let mut merged = Bins::default();
            let mut added = Bins::default();
            for part in parts {
                merged.merge(&of(part.iter().copied()));
                for key in part {
                    added.add(key, 1);
                    *model.entry(key).or_insert(0u32) += 1;
                }
                let expected: Vec<_> = model.iter().map(|(&key, &count)| Bin { key, count }).collect();
                prop_assert_eq!(added.iter().collect::<Vec<_>>(), expected.clone());
                prop_assert_eq!(merged.iter().collect::<Vec<_>>(), expected);
                prop_assert_eq!((added.len(), added.is_empty()), (model.len(), model.is_empty()));
                prop_assert_eq!(&added, &merged);
            }
        }
    }
}
