//! Span ids of one chunk, for parents, duplicates and top-level spans.

use span::Span;

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

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    id: u64,
    stamp: u32,
    at: u32,
}

/// Slots that are kept for the next chunk; what a greater chunk needed is given back.
const SLOTS_KEPT: usize = 1 << 16;

impl SpanIndex {
    /// An empty index; `seed` is random.
    pub(crate) const fn new(seed: u64) -> Self {
        Self { slots: Vec::new(), stamp: 0, multiplier: seed | 1, shift: 63, mask: 1 }
    }

    /// Holds the spans of a chunk; of several with one id, the last. Returns how many had an id
    /// that was there already.
    pub(crate) fn fill(&mut self, spans: &[Span]) -> u64 {
        self.clear(spans.len());
        let mut duplicates = 0;
        for (at, span) in spans.iter().enumerate() {
            let slot = self.slot(span.span_id);
            let Some(slot) = self.slots.get_mut(slot) else { continue };
            duplicates += u64::from(slot.stamp == self.stamp);
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            *slot = Slot { id: span.span_id, stamp: self.stamp, at };
        }
        duplicates
    }

    /// The place of the span with this id.
    pub(crate) fn at(&self, id: u64) -> Option<usize> {
        let slot = self.slots.get(self.slot(id))?;
        (slot.stamp == self.stamp).then_some(slot.at as usize)
    }

    /// The slot of an id, or the vacant one where it belongs.
    fn slot(&self, id: u64) -> usize {
        // The shift leaves fewer bits than a table has slots.
        #[expect(clippy::cast_possible_truncation, reason = "at most 2^32 spans fit a batch")]
        let mut at = (id.wrapping_mul(self.multiplier) >> self.shift) as usize;
        // At most half of the slots are taken.
        while let Some(slot) = self.slots.get(at) {
            if slot.stamp != self.stamp || slot.id == id {
                break;
            }
            at = (at + 1) & self.mask;
        }
        at
    }

    fn clear(&mut self, spans: usize) {
        let wanted = (spans * 2).next_power_of_two().max(2);
        self.shift = 64 - wanted.trailing_zeros();
        self.mask = wanted - 1;
        if self.slots.len() < wanted {
            self.slots.resize(wanted, Slot::default());
        } else if self.slots.len() > SLOTS_KEPT && wanted <= SLOTS_KEPT {
            self.slots.truncate(SLOTS_KEPT);
            self.slots.shrink_to_fit();
        }
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamp == 0 {
            self.slots.fill(Slot::default());
            self.stamp = 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spans(ids: &[u64]) -> Vec<Span> {
        ids.iter().map(|&span_id| Span { span_id, ..Span::default() }).collect()
    }

    #[test]
    fn a_chunk_forgets_the_one_before() {
        let mut index = SpanIndex::new(7);
        assert_eq!(index.fill(&spans(&[1, 2, 1])), 1);
        assert_eq!((index.at(1), index.at(2), index.at(3)), (Some(2), Some(1), None));
        index.stamp = u32::MAX;
        assert_eq!(index.fill(&spans(&[3])), 0);
        assert_eq!((index.at(1), index.at(3)), (None, Some(0)));
        assert_eq!(index.fill(&[]), 0);
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
                let duplicates = index.fill(&spans(&ids));
                let map: std::collections::BTreeMap<u64, usize> =
                    ids.iter().copied().enumerate().map(|(at, id)| (id, at)).collect();
                prop_assert_eq!(duplicates, (ids.len() - map.len()) as u64);
                for id in 0..50 {
                    prop_assert_eq!(index.at(id), map.get(&id).copied());
                }
            }
        }
    }
}
