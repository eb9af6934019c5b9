//! A dictionary column: byte keys in order of first appearance, found again by hash.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::wire::put_varint;

/// Whether the column needs to say how long a key is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Every key follows its length: strings.
    #[default]
    Length,
    /// Keys tell their own length: packed numbers.
    Bare,
}

/// Distinct keys, numbered from 1; number 0 is the empty key, which is not stored.
///
/// The column itself holds the keys, so that an entry costs its bytes and 32 more. Clearing keeps
/// the memory.
#[derive(Debug, Default)]
pub(crate) struct Dict {
    framing: Framing,
    /// Secret, so that clients cannot choose names that collide.
    seed: u64,
    column: Vec<u8>,
    entries: Vec<Entry>,
    /// Open addressing: entry number or 0, a power of two of them, at most half of them used.
    slots: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u64,
    start: usize,
    end: usize,
}

const SLOT_COUNT_MIN: usize = 64;

impl Dict {
    pub(crate) const fn new(framing: Framing, seed: u64) -> Self {
        Self { framing, seed, column: Vec::new(), entries: Vec::new(), slots: Vec::new() }
    }

    /// The column as it goes on the wire.
    pub(crate) fn column(&self) -> &[u8] {
        &self.column
    }

    /// Number of the newest key.
    pub(crate) const fn last(&self) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "one payload has fewer than 2^32 keys")]
        {
            self.entries.len() as u32
        }
    }

    /// The key with a number; empty for numbers that were never given.
    pub(crate) fn key(&self, number: u32) -> &[u8] {
        (number as usize)
            .checked_sub(1)
            .and_then(|index| self.entries.get(index))
            .and_then(|entry| self.column.get(entry.start..entry.end))
            .unwrap_or_default()
    }

    /// The number of `key`, given now if it has none.
    #[inline]
    pub(crate) fn intern(&mut self, key: &[u8]) -> u32 {
        if key.is_empty() {
            return 0;
        }
        if self.entries.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let hash = xxh3_64_with_seed(key, self.seed);
        let mask = self.slots.len() - 1;
        let mut slot = index_of(hash) & mask;
        loop {
            let number = self.slots[slot];
            if number == 0 {
                break;
            }
            let entry = self.entries[number as usize - 1];
            if entry.hash == hash && &self.column[entry.start..entry.end] == key {
                return number;
            }
            slot = (slot + 1) & mask;
        }
        self.append(key, hash);
        self.slots[slot] = self.last();
        self.last()
    }

    /// Forgets all keys.
    pub(crate) fn clear(&mut self) {
        self.column.clear();
        self.entries.clear();
        self.slots.fill(0);
    }

    fn append(&mut self, key: &[u8], hash: u64) {
        if self.framing == Framing::Length {
            put_varint(&mut self.column, key.len() as u64);
        }
        let start = self.column.len();
        self.column.extend_from_slice(key);
        self.entries.push(Entry { hash, start, end: self.column.len() });
    }

    #[cold]
    fn grow(&mut self) {
        let count = (self.slots.len() * 2).max(SLOT_COUNT_MIN);
        self.slots.clear();
        self.slots.resize(count, 0);
        let mask = count - 1;
        for (number, entry) in (1_u32..).zip(&self.entries) {
            let mut slot = index_of(entry.hash) & mask;
            while self.slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            self.slots[slot] = number;
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "any bits of a hash choose a slot")]
const fn index_of(hash: u64) -> usize {
    hash as usize
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_agree_with_a_map(keys in prop::collection::vec("[a-d]{0,4}", 0..300), seed: u64) {
            let mut dict = Dict::new(Framing::Length, seed);
            for _ in 0..2 {
                let mut model: HashMap<String, u32> = HashMap::new();
                for key in &keys {
                    let next = u32::try_from(model.len() + 1).unwrap();
                    let expected =
                        if key.is_empty() { 0 } else { *model.entry(key.clone()).or_insert(next) };
                    prop_assert_eq!(dict.intern(key.as_bytes()), expected);
                    prop_assert_eq!(dict.key(expected), key.as_bytes());
                }
                prop_assert_eq!(dict.last() as usize, model.len());
                dict.clear();
                prop_assert!(dict.column().is_empty());
            }
        }
    }
}
