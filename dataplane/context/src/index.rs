//! A table from 128-bit keys to context ids that never does much at once.

use signal::ContextId;

use crate::prefetch;

/// Open-addressing table from keys to ids, in 256 segments that grow and shrink on their own.
///
/// Growing to a million entries therefore never moves more than some 4,000 of them at a time
/// (about 20 microseconds). An entry is 16 bytes, the load at most 3/4.
#[derive(Debug)]
pub struct Index {
    segments: Box<[Segment]>,
    len: usize,
}

/// Number of segments, chosen by the highest bits of a key.
pub(crate) const SEGMENTS: usize = 256;

#[derive(Clone, Copy, Debug)]
struct Entry {
    low: u64,
    high: u32,
    id: u32,
}

const VACANT: u32 = u32::MAX;
const VACANT_ENTRY: Entry = Entry { low: 0, high: 0, id: VACANT };

#[derive(Debug)]
struct Segment {
    /// Power of two long.
    entries: Box<[Entry]>,
    len: usize,
}

impl Default for Index {
    fn default() -> Self {
        Self { segments: (0..SEGMENTS).map(|_| Segment::with_slots(MIN_SLOTS)).collect(), len: 0 }
    }
}

const MIN_SLOTS: usize = 4;

impl Index {
    /// Entries.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Heap bytes held.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.segments.iter().map(|s| s.entries.len() * size_of::<Entry>()).sum()
    }

    /// Starts loading the cache line in which `key` would be.
    #[inline]
    pub fn prefetch(&self, key: u128) {
        let segment = &self.segments[segment_of(key)];
        prefetch(&segment.entries[home(low(key)) & (segment.entries.len() - 1)]);
    }

    /// The id of `key`.
    #[inline]
    #[must_use]
    pub fn find(&self, key: u128) -> Option<ContextId> {
        let segment = &self.segments[segment_of(key)];
        let mask = segment.entries.len() - 1;
        let mut at = home(low(key));
        loop {
            let entry = &segment.entries[at & mask];
            if entry.low == low(key) && entry.high == high(key) && entry.id != VACANT {
                return Some(ContextId(entry.id));
            }
            if entry.id == VACANT {
                return None;
            }
            at += 1;
        }
    }

    /// Sets the id of `key`, replacing the one it had.
    pub fn insert(&mut self, key: u128, id: ContextId) {
        debug_assert_ne!(id.0, VACANT);
        let segment = &mut self.segments[segment_of(key)];
        if (segment.len + 1) * 4 > segment.entries.len() * 3 {
            segment.resize(segment.entries.len() * 2);
        }
        let entry = Entry { low: low(key), high: high(key), id: id.0 };
        self.len += usize::from(segment.put(entry));
    }

    /// Drops every entry of one segment whose id is not to be kept; returns how many went. Gives
    /// memory back when the segment is much larger than its contents.
    pub fn retain_segment(&mut self, segment: usize, keep: impl Fn(ContextId) -> bool) -> usize {
        let Some(segment) = self.segments.get_mut(segment) else { return 0 };
        let before = segment.len;
        let kept = segment.entries.iter().filter(|e| e.id != VACANT && keep(ContextId(e.id)));
        let kept = kept.count();
        if kept == before {
            return 0;
        }
        for entry in &mut segment.entries {
            if entry.id != VACANT && !keep(ContextId(entry.id)) {
                entry.id = VACANT;
            }
        }
        // Holes would cut probe sequences short: lay the segment out anew.
        segment.resize((kept * 2).next_power_of_two().max(MIN_SLOTS));
        self.len -= before - kept;
        before - kept
    }
}

impl Segment {
    fn with_slots(slots: usize) -> Self {
        debug_assert!(slots.is_power_of_two());
        Self { entries: vec![VACANT_ENTRY; slots].into_boxed_slice(), len: 0 }
    }

    /// Whether the entry is new.
    fn put(&mut self, entry: Entry) -> bool {
        let mask = self.entries.len() - 1;
        let mut at = home(entry.low);
        loop {
            let slot = &mut self.entries[at & mask];
            if slot.id == VACANT {
                *slot = entry;
                self.len += 1;
                return true;
            }
            if slot.low == entry.low && slot.high == entry.high {
                slot.id = entry.id;
                return false;
            }
            at += 1;
        }
    }

    #[cold]
    fn resize(&mut self, slots: usize) {
        let old = std::mem::replace(self, Self::with_slots(slots));
        for entry in old.entries.iter().filter(|entry| entry.id != VACANT) {
            self.put(*entry);
        }
    }
}

/// Where a probe starts, before masking.
#[expect(clippy::cast_possible_truncation, reason = "only the lowest bits are used")]
const fn home(low: u64) -> usize {
    low as usize
}

const fn segment_of(key: u128) -> usize {
    (key >> 120) as usize
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is meant")]
const fn low(key: u128) -> u64 {
    key as u64
}

#[expect(clippy::cast_possible_truncation, reason = "the 32 bits above the low half are meant")]
const fn high(key: u128) -> u32 {
    (key >> 64) as u32
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::Keys;
    use proptest::prelude::*;

    #[test]
    fn a_replaced_key_keeps_one_entry() {
        let mut index = Index::default();
        index.insert(7, ContextId(1));
        index.insert(7, ContextId(2));
        assert_eq!((index.len(), index.find(7)), (1, Some(ContextId(2))));
        assert_eq!(index.find(8), None);
    }

    #[test]
    fn memory_returns_after_a_sweep() {
        let keys = Keys::from_seed(1);
        let mut index = Index::default();
        let empty = index.heap_bytes();
        for id in 0..100_000u32 {
            index.insert(keys.hash(&id.to_le_bytes()), ContextId(id));
        }
        assert!(index.heap_bytes() <= 100_000 * 16 * 3);
        for segment in 0..SEGMENTS {
            index.retain_segment(segment, |_| false);
        }
        assert_eq!((index.len(), index.heap_bytes()), (0, empty));
    }

    proptest! {
        /// Any order of inserts and sweeps leaves what a map would hold.
        #[test]
        fn agrees_with_a_map(script in prop::collection::vec((0u8..4, 0u32..300), 0..2000)) {
            let keys = Keys::from_seed(3);
            let mut index = Index::default();
            let mut model = HashMap::new();
            for (step, (action, n)) in script.into_iter().enumerate() {
                // Few distinct high bits, so that segments collide.
                let key = keys.hash(&n.to_le_bytes()) & !(0x7fu128 << 121);
                if action == 0 {
                    let parity = n % 2;
                    for segment in 0..SEGMENTS {
                        index.retain_segment(segment, |id| id.0 % 2 == parity);
                    }
                    model.retain(|_, id: &mut ContextId| id.0 % 2 == parity);
                } else {
                    let id = ContextId(u32::try_from(step).unwrap());
                    index.insert(key, id);
                    model.insert(key, id);
                }
            }
            prop_assert_eq!(index.len(), model.len());
            for (key, id) in model {
                prop_assert_eq!(index.find(key), Some(id));
            }
        }
    }
}
