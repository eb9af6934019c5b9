//! Groups of one time span, with all they refer to, so that a bucket moves as one piece.

mod cell;
mod index;
mod set;

use std::sync::Arc;

use xxhash_rust::const_xxh3::const_custom_default_secret;
use xxhash_rust::xxh3::xxh3_64_with_secret;

pub use cell::{Cell, Counts, Exported, Summary};
use index::Index;
pub use set::BucketSet;

use crate::key::{GroupKey, PayloadKey, Reader, TagList};

/// A bucket that left the concentrator.
pub type ClosedBucket = Bucket<Cell>;

/// Groups of one time span.
///
/// Per group: 16 bytes and the cell, 16 to 32 bytes of index, and its key: some 20 bytes and the
/// texts.
#[derive(Clone, Debug)]
pub struct Bucket<C> {
    start_ns: u64,
    duration_ns: u64,
    hash: Arc<KeyHash>,
    /// Keys of all payloads and groups.
    keys: Vec<u8>,
    payloads: Vec<Payload>,
    payload_index: Index,
    groups: Vec<Group<C>>,
    group_index: Index,
    /// Bytes that cells have on the heap, as told by their owner.
    cell_bytes: usize,
}

/// Payload of a bucket.
#[derive(Clone, Copy, Debug)]
struct Payload {
    key: Text,
    tags: Text,
}

#[derive(Clone, Debug)]
struct Group<C> {
    payload: u32,
    key: Text,
    cell: C,
}

const _: () = assert!(size_of::<Group<Cell>>() <= 128);

/// Range of [`Bucket::keys`].
#[derive(Clone, Copy, Debug)]
struct Text {
    start: u32,
    len: u32,
}

/// Hash function of keys, the same for all buckets that are merged.
pub(crate) struct KeyHash {
    secret: [u8; 192],
}

/// A payload of a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PayloadRef<'a> {
    /// Its key.
    pub key: PayloadKey<'a>,
    /// Container tags.
    pub tags: TagList<'a>,
}

/// A group of a bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupRef<'a, C> {
    /// Index of its payload in the bucket.
    pub payload: usize,
    /// Its key.
    pub key: GroupKey<'a>,
    /// What was counted.
    pub cell: &'a C,
}

impl KeyHash {
    /// A function that nobody can foretell who does not know the seed.
    pub(crate) fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self { secret: const_custom_default_secret(seed) })
    }

    fn of(&self, key: &[u8], salt: u32) -> u32 {
        let hash = xxh3_64_with_secret(key, &self.secret) ^ u64::from(salt);
        (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
    }
}

impl std::fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyHash")
    }
}

impl<C> Bucket<C> {
    pub(crate) fn new(start_ns: u64, duration_ns: u64, hash: Arc<KeyHash>) -> Self {
        Self {
            start_ns,
            duration_ns,
            hash,
            keys: Vec::new(),
            payloads: Vec::new(),
            payload_index: Index::default(),
            groups: Vec::new(),
            group_index: Index::default(),
            cell_bytes: 0,
        }
    }

    /// Start in nanoseconds of Unix time.
    #[must_use]
    pub const fn start_ns(&self) -> u64 {
        self.start_ns
    }

    /// Length in nanoseconds.
    #[must_use]
    pub const fn duration_ns(&self) -> u64 {
        self.duration_ns
    }

    /// Number of groups.
    #[must_use]
    pub const fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// The payloads, in the order of their first span.
    pub fn payloads(&self) -> impl ExactSizeIterator<Item = PayloadRef<'_>> {
        self.payloads.iter().map(|payload| self.payload_ref(*payload))
    }

    /// The groups, in the order of their first span.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = GroupRef<'_, C>> {
        self.groups.iter().map(|group| self.group_ref(group))
    }

    /// Bytes of keys.
    #[must_use]
    pub const fn key_bytes(&self) -> usize {
        self.keys.len()
    }

    /// Bytes that cells have on the heap.
    pub(crate) const fn cell_bytes(&self) -> usize {
        self.cell_bytes
    }

    /// Notes that a cell's bytes changed.
    pub(crate) const fn resize_cell(&mut self, bytes_before: usize, bytes: usize) {
        self.cell_bytes = (self.cell_bytes + bytes).saturating_sub(bytes_before);
    }

    pub(crate) fn find_payload(&self, key: &[u8]) -> Option<u32> {
        let is_same = |at: u32| {
            self.payloads.get(at as usize).is_some_and(|held| self.bytes(held.key) == key)
        };
        self.payload_index.find(self.hash.of(key, 0), is_same)
    }

    /// Adds a payload that is not there. `None` when the bucket cannot address more bytes.
    pub(crate) fn add_payload(&mut self, key: &[u8], tags: &[u8]) -> Option<u32> {
        let at = u32::try_from(self.payloads.len()).ok()?;
        let payload = Payload { key: self.keep(key)?, tags: self.keep(tags)? };
        self.payloads.push(payload);
        self.payload_index.insert(self.hash.of(key, 0), at);
        Some(at)
    }

    /// Gives a payload its container tags, if it has none yet. Returns the bytes this takes.
    pub(crate) fn offer_tags(&mut self, payload: u32, tags: &[u8]) -> usize {
        let is_empty = |tags: &[u8]| Reader::new(tags).list().is_empty();
        let held = self.payloads.get(payload as usize).map(|payload| self.bytes(payload.tags));
        if is_empty(tags) || !held.is_some_and(is_empty) { 0 } else { self.set_tags(payload, tags) }
    }

    /// Adds all groups of another bucket of the same time.
    pub fn merge(&mut self, other: Self)
    where
        C: Counts,
    {
        let mut places = Vec::with_capacity(other.payloads.len());
        for payload in &other.payloads {
            let key = other.bytes(payload.key);
            let tags = other.bytes(payload.tags);
            let place = self.find_payload(key);
            if let Some(place) = place {
                self.unite_tags(place, tags);
            }
            places.push(place.or_else(|| self.add_payload(key, tags)));
        }
        let Self { keys, groups, cell_bytes, .. } = other;
        self.cell_bytes += cell_bytes;
        for group in groups {
            let Some(payload) = places.get(group.payload as usize).copied().flatten() else {
                continue;
            };
            let key = slice(&keys, group.key);
            if let Some(held) = self.find(payload, key) {
                held.merge(group.cell);
            } else {
                self.add(payload, key, group.cell);
            }
        }
    }

    pub(crate) fn payload_key(&self, payload: usize) -> &[u8] {
        self.payloads.get(payload).map_or(&[], |payload| self.bytes(payload.key))
    }

    pub(crate) fn payload(&self, payload: usize) -> Option<PayloadRef<'_>> {
        self.payloads.get(payload).map(|payload| self.payload_ref(*payload))
    }

    pub(crate) fn group(&self, group: usize) -> Option<GroupRef<'_, C>> {
        self.groups.get(group).map(|group| self.group_ref(group))
    }

    pub(crate) fn group_payloads(&self) -> impl Iterator<Item = usize> {
        self.groups.iter().map(|group| group.payload as usize)
    }

    pub(crate) fn find(&mut self, payload: u32, key: &[u8]) -> Option<&mut C> {
        let is_same = |at: u32| {
            let group = self.groups.get(at as usize);
            group.is_some_and(|held| held.payload == payload && self.bytes(held.key) == key)
        };
        let at = self.group_index.find(self.hash.of(key, payload), is_same)?;
        self.groups.get_mut(at as usize).map(|group| &mut group.cell)
    }

    /// Adds a group that is not there. `None` when the bucket cannot address more bytes.
    pub(crate) fn add(&mut self, payload: u32, key: &[u8], cell: C) -> Option<&mut C> {
        let at = u32::try_from(self.groups.len()).ok().filter(|at| *at < u32::MAX)?;
        let text = self.keep(key)?;
        self.group_index.insert(self.hash.of(key, payload), at);
        self.groups.push(Group { payload, key: text, cell });
        self.groups.last_mut().map(|group| &mut group.cell)
    }

    /// Keeps the tags that compare higher, so that the order of merging does not matter.
    fn unite_tags(&mut self, payload: u32, tags: &[u8]) {
        let rank = |tags: &[u8]| (tags.len(), tags.to_vec());
        let held = self.payloads.get(payload as usize).map(|payload| self.bytes(payload.tags));
        if held.is_some_and(|held| held != tags && rank(held) < rank(tags)) {
            self.set_tags(payload, tags);
        }
    }

    fn set_tags(&mut self, payload: u32, tags: &[u8]) -> usize {
        let Some(text) = self.keep(tags) else { return 0 };
        if let Some(payload) = self.payloads.get_mut(payload as usize) {
            payload.tags = text;
        }
        tags.len()
    }

    fn payload_ref(&self, payload: Payload) -> PayloadRef<'_> {
        PayloadRef {
            key: PayloadKey::read(self.bytes(payload.key)),
            tags: Reader::new(self.bytes(payload.tags)).list(),
        }
    }

    fn group_ref<'a>(&'a self, group: &'a Group<C>) -> GroupRef<'a, C> {
        let key = GroupKey::read(self.bytes(group.key));
        GroupRef { payload: group.payload as usize, key, cell: &group.cell }
    }

    fn keep(&mut self, bytes: &[u8]) -> Option<Text> {
        let start = u32::try_from(self.keys.len()).ok()?;
        let len = u32::try_from(bytes.len()).ok()?;
        self.keys.extend_from_slice(bytes);
        Some(Text { start, len })
    }

    fn bytes(&self, text: Text) -> &[u8] {
        slice(&self.keys, text)
    }
}

fn slice(keys: &[u8], text: Text) -> &[u8] {
    let start = text.start as usize;
    keys.get(start..start + text.len as usize).unwrap_or_default()
}

impl ClosedBucket {
    /// Bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let sketches =
            |group: &Group<Cell>| group.cell.ok.heap_bytes() + group.cell.error.heap_bytes();
        self.keys.capacity()
            + self.payloads.capacity() * size_of::<Payload>()
            + self.groups.capacity() * size_of::<Group<Cell>>()
            + self.payload_index.heap_bytes()
            + self.group_index.heap_bytes()
            + self.groups.iter().map(sketches).sum::<usize>()
    }
}

#[cfg(test)]
mod tests;
