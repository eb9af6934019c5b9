//! A map from keyed hashes to numbers.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Numbers by 128-bit hash. The keys are hashes with a secret key already, so that 64 of their bits
/// choose the slot.
#[derive(Debug, Default)]
pub(crate) struct KeyMap {
    numbers: HashMap<u128, u32, BuildHasherDefault<LowBits>>,
}

impl KeyMap {
    #[inline]
    pub(crate) fn find(&self, key: u128) -> Option<u32> {
        self.numbers.get(&key).copied()
    }

    pub(crate) fn insert(&mut self, key: u128, number: u32) {
        self.numbers.insert(key, number);
    }

    /// Forgets all numbers and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.numbers.clear();
    }
}

#[derive(Debug, Default)]
struct LowBits(u64);

impl Hasher for LowBits {
    #[expect(clippy::cast_possible_truncation, reason = "takes the low half on purpose")]
    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
