//! Places by hash: open addressing over 8-byte slots, never emptied slot by slot.

/// Slots of a first table.
const SLOTS_MIN: usize = 16;

/// Which item of a vector has a hash.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// A power of two of them, at most half in use.
    slots: Vec<Slot>,
    used: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    hash: u32,
    /// Position of the item plus one, 0 for a free slot.
    place: u32,
}

impl Index {
    /// The first item with this hash that `is_same` accepts.
    pub(super) fn find(&self, hash: u32, is_same: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots.get(at)?;
            let item = slot.place.checked_sub(1)?;
            if slot.hash == hash && is_same(item) {
                return Some(item);
            }
            at = (at + 1) & mask;
        }
    }

    /// Adds an item that [`Index::find`] does not find.
    pub(super) fn insert(&mut self, hash: u32, item: u32) {
        if self.used * 2 >= self.slots.len() {
            let slots = vec![Slot::default(); (self.slots.len() * 2).max(SLOTS_MIN)];
            for slot in std::mem::replace(&mut self.slots, slots) {
                if slot.place != 0 {
                    self.put(slot);
                }
            }
        }
        self.used += 1;
        self.put(Slot { hash, place: item + 1 });
    }

    /// Bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
    }

    fn put(&mut self, slot: Slot) {
        let mask = self.slots.len() - 1;
        let mut at = slot.hash as usize & mask;
        while let Some(held) = self.slots.get_mut(at) {
            if held.place == 0 {
                *held = slot;
                return;
            }
            at = (at + 1) & mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_with_one_hash_are_told_apart() {
        let mut index = Index::default();
        assert_eq!(index.find(7, |_| true), None);
        for item in 0..1000 {
            index.insert(item % 10, item);
        }
        for item in 0..1000 {
            assert_eq!(index.find(item % 10, |found| found == item), Some(item));
        }
        assert_eq!(index.find(3, |_| false), None);
        assert_eq!(index.find(11, |_| true), None);
    }
}
