//! One copy of each thing, shared by reference counts.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// Things by their hash, in segments so that no insertion moves more than a part of them.
#[derive(Debug)]
pub struct Interner<T: ?Sized> {
    segments: Box<[Segment<T>]>,
}

type Segment<T> = HashMap<u128, Arc<T>, BuildHasherDefault<Folded>>;

/// Number of segments, chosen by the highest bits of a key.
pub(crate) const SEGMENTS: usize = 64;

impl<T: ?Sized> Default for Interner<T> {
    fn default() -> Self {
        Self { segments: (0..SEGMENTS).map(|_| HashMap::default()).collect() }
    }
}

impl<T: ?Sized> Interner<T> {
    /// The thing with this key, made when it is not there.
    pub fn intern(&mut self, key: u128, make: impl FnOnce() -> Arc<T>) -> Arc<T> {
        let segment = &mut self.segments[(key >> 122) as usize];
        Arc::clone(segment.entry(key).or_insert_with(make))
    }

    /// Things held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.segments.iter().map(HashMap::len).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets what nobody else holds in one segment, and gives memory back.
    pub fn sweep_segment(&mut self, segment: usize) {
        if let Some(segment) = self.segments.get_mut(segment) {
            segment.retain(|_, thing| Arc::strong_count(thing) > 1);
            if segment.capacity() > 4 * segment.len() {
                segment.shrink_to(segment.len() * 2);
            }
        }
    }
}

/// Takes keys that are hashes already.
#[derive(Debug, Default)]
struct Folded(u64);

impl Hasher for Folded {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "folding both halves")]
    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64 ^ (key >> 64) as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeping_forgets_what_nobody_holds() {
        let mut interner = Interner::<str>::default();
        let kept = interner.intern(1, || "kept".into());
        drop(interner.intern(2, || "dropped".into()));
        assert!(Arc::ptr_eq(&kept, &interner.intern(1, || "other".into())));
        for segment in 0..SEGMENTS {
            interner.sweep_segment(segment);
        }
        assert_eq!(interner.len(), 1);
    }
}
