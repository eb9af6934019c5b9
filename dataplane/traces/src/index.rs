//! Span ids of one chunk, for parents, duplicates and top-level spans.

/// An open-addressing table from span id to place in the chunk. It is emptied by raising a stamp,
/// and kept for the next chunk.
#[derive(Clone, Debug)]
pub(crate) struct SpanIndex {
    slots: Vec<Slot>,
    stamp: u32,
    /// Odd, and unknown to clients, so that no choice of ids makes searches long.
    multiplier: u64,
    /// What is shifted out of a hash for the slots in use.
    shift: u32,
    /// Slots in use, a power of two, less one.
    mask: usize,
}

/// An id, and below the stamp of its chunk its place there. Plain numbers, of which the allocator
/// gives many zeroes without writing them.
type Slot = [u64; 2];

/// Slots that are kept for the next chunk; what a greater chunk needed is given back.
const SLOTS_KEPT: usize = 1 << 16;

impl Default for SpanIndex {
    fn default() -> Self {
        Self::new(0)
    }
}

impl SpanIndex {
    /// An empty index; `seed` is random.
    pub(crate) const fn new(seed: u64) -> Self {
        Self { slots: Vec::new(), stamp: 0, multiplier: seed | 1, shift: 63, mask: 1 }
    }

    /// Forgets all spans, and makes room for those of the next chunk.
    pub(crate) fn begin(&mut self, spans: usize) {
        let wanted = (spans * 2).next_power_of_two().max(2);
        self.shift = 64 - wanted.trailing_zeros();
        self.mask = wanted - 1;
        if self.slots.len() < wanted {
            // Nothing of the old is wanted any more.
            self.slots = vec![[0; 2]; wanted];
            self.stamp = 0;
        } else if self.slots.len() > SLOTS_KEPT && wanted <= SLOTS_KEPT {
            self.slots.truncate(SLOTS_KEPT);
            self.slots.shrink_to_fit();
        }
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamp == 0 {
            self.slots = vec![[0; 2]; self.slots.len()];
            self.stamp = 1;
        }
    }

    /// Adds the span at a place of the chunk; of several with one id, the last counts. Whether the
    /// id was there already.
    pub(crate) fn add(&mut self, id: u64, at: usize) -> bool {
        let slot = self.slot(id);
        let place = u64::from(self.stamp) << 32 | u64::from(u32::try_from(at).unwrap_or(u32::MAX));
        let Some(slot) = self.slots.get_mut(slot) else { return false };
        let is_there = stamp(*slot) == self.stamp;
        *slot = [id, place];
        is_there
    }

    /// The place of the span with this id.
    pub(crate) fn at(&self, id: u64) -> Option<usize> {
        let slot = self.slots.get(self.slot(id))?;
        let [_, place] = *slot;
        #[expect(clippy::cast_possible_truncation, reason = "the lower half is the place")]
        let at = place as u32;
        (stamp(*slot) == self.stamp).then_some(at as usize)
    }

    /// The slot of an id, or the vacant one where it belongs.
    fn slot(&self, id: u64) -> usize {
        // The shift leaves fewer bits than a table has slots.
        #[expect(clippy::cast_possible_truncation, reason = "at most 2^32 spans fit a batch")]
        let mut at = (id.wrapping_mul(self.multiplier) >> self.shift) as usize;
        // At most half of the slots are taken.
        while let Some(slot) = self.slots.get(at) {
            let [held, _] = *slot;
            if stamp(*slot) != self.stamp || held == id {
                break;
            }
            at = (at + 1) & self.mask;
        }
        at
    }
}

const fn stamp([_, place]: Slot) -> u32 {
    (place >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fill(index: &mut SpanIndex, ids: &[u64]) -> usize {
        index.begin(ids.len());
        ids.iter().enumerate().filter(|(at, id)| index.add(**id, *at)).count()
    }

    #[test]
    fn a_chunk_forgets_the_one_before() {
        let mut index = SpanIndex::new(7);
        assert_eq!(fill(&mut index, &[1, 2, 1]), 1);
        assert_eq!((index.at(1), index.at(2), index.at(3)), (Some(2), Some(1), None));
        index.stamp = u32::MAX;
        assert_eq!(fill(&mut index, &[3]), 0);
        assert_eq!((index.at(1), index.at(3)), (None, Some(0)));
        assert_eq!(fill(&mut index, &[]), 0);
        assert_eq!(index.at(3), None);
    }

    proptest! {
        #[test]
        fn agrees_with_a_map(
            seed: u64,
            chunks in proptest::collection::vec(proptest::collection::vec(0u64..40, 0..60), 1..4),
        ) {
            let mut index = SpanIndex::new(seed);
            for ids in chunks {
                let duplicates = fill(&mut index, &ids);
                let map: std::collections::BTreeMap<u64, usize> =
                    ids.iter().copied().enumerate().map(|(at, id)| (id, at)).collect();
                prop_assert_eq!(duplicates, ids.len() - map.len());
                for id in 0..50 {
                    prop_assert_eq!(index.at(id), map.get(&id).copied());
                }
            }
        }
    }
}
