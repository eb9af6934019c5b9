//! The keys that a span has so far: of equal keys the first stays. spec: otlp §4.3.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Hash of a key. Two keys that share one are taken for the same: of 64 bits under a seed, they are
/// not met.
pub(super) fn hash(key: &str, seed: u64) -> u64 {
    xxh3_64_with_seed(key.as_bytes(), seed)
}

/// The key of a number, which is another than that of a text.
pub(super) const fn of_number(hash: u64) -> u64 {
    hash.rotate_left(32)
}

/// A set of hashes that is emptied in no time.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// Which turn filled a slot, and with what; a power of two of them.
    slots: Vec<(u64, u64)>,
    turn: u64,
    len: usize,
}

/// Slots of an empty set: a span has some thirty keys.
const SLOTS: usize = 128;

impl Default for Seen {
    fn default() -> Self {
        Self { slots: vec![(0, 0); SLOTS], turn: 1, len: 0 }
    }
}

impl Seen {
    pub(super) fn clear(&mut self) {
        self.turn += 1;
        self.len = 0;
    }

    /// Adds a key; false when it is there.
    pub(super) fn insert(&mut self, hash: u64) -> bool {
        if self.len * 2 >= self.slots.len() {
            self.grow();
        }
        let is_new = put(&mut self.slots, self.turn, hash);
        self.len += usize::from(is_new);
        is_new
    }

    #[cold]
    fn grow(&mut self) {
        let mut slots = vec![(0, 0); self.slots.len() * 2];
        let held = self.slots.iter().filter(|(turn, _)| *turn == self.turn);
        held.for_each(|(_, hash)| _ = put(&mut slots, self.turn, *hash));
        self.slots = slots;
    }

    pub(super) const fn heap_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<(u64, u64)>()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the slot is of the lower bits")]
fn put(slots: &mut [(u64, u64)], turn: u64, hash: u64) -> bool {
    let mask = slots.len() - 1;
    let mut at = hash as usize & mask;
    // At most every other slot is taken, so that the search ends.
    while let Some(slot) = slots.get_mut(at) {
        if slot.0 != turn {
            *slot = (turn, hash);
            return true;
        }
        if slot.1 == hash {
            return false;
        }
        at = (at + 1) & mask;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_new_once_a_turn() {
        let mut seen = Seen::default();
        for _ in 0..3 {
            for key in 0..1000_u64 {
                assert!(seen.insert(key * 128));
            }
            assert!(!seen.insert(128));
            seen.clear();
        }
        assert!(seen.insert(hash("a", 7)));
        assert!(seen.insert(of_number(hash("a", 7))));
    }
}
