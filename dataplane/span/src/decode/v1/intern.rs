//! The table of streaming strings. spec: apm §5.4.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::decode::DecodeError;
use crate::decode::msgpack::Msgpack;
use crate::decode::output::STRINGS_MAX;
use crate::{Key, Str};

/// Strings by their index, and indices by their bytes.
#[derive(Clone, Debug)]
pub(in crate::decode) struct Interned {
    entries: Vec<Entry>,
    /// Index of an entry, 0 for a vacant slot; at most half of them are used.
    slots: Vec<u32>,
    /// The slots before these grew, as long as not all entries of these are in the new ones: moving
    /// all at once would hold the lane.
    old_slots: Vec<u32>,
    /// Entries before this one are in the new slots.
    moved: usize,
    seed: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    text: Str,
    /// Where the bytes are in the body; those of a repaired text are the ones that came.
    start: u32,
    len: u32,
    hash: u32,
    key: Key,
}

/// Slots at the start of a payload, enough for one of 50 spans.
const SLOTS: usize = 1024;
/// Entries that move with each new string, more than enough to be done before slots grow again.
const MOVES: usize = 8;
const EMPTY: Entry = Entry { text: Str::EMPTY, start: 0, len: 0, hash: 0, key: Key::Other };

impl Interned {
    /// A table without strings. The seed keeps a sender from choosing strings that share slots.
    pub(in crate::decode) const fn with_seed(seed: u64) -> Self {
        Self { entries: Vec::new(), slots: Vec::new(), old_slots: Vec::new(), moved: 1, seed }
    }

    pub(in crate::decode) const fn heap_bytes(&self) -> usize {
        let slots = self.slots.capacity() + self.old_slots.capacity();
        self.entries.capacity() * size_of::<Entry>() + slots * size_of::<u32>()
    }

    /// Forgets all strings but the empty one.
    pub(in crate::decode) fn clear(&mut self) {
        self.entries.clear();
        self.entries.push(EMPTY);
        self.slots.clear();
        self.slots.resize(SLOTS, 0);
        self.old_slots = Vec::new();
        self.moved = 1;
    }

    /// Whether no string was seen.
    pub(super) const fn is_new(&self) -> bool {
        self.entries.len() <= 1
    }

    #[inline]
    pub(super) fn get(&self, index: u32) -> Option<(Str, Key)> {
        self.entries.get(index as usize).map(|entry| (entry.text, entry.key))
    }

    /// The string with these bytes of the body; a new one is added.
    pub(super) fn intern(
        &mut self,
        reader: &mut Msgpack<'_>,
        start: usize,
        text: &[u8],
    ) -> Result<(Str, Key), DecodeError> {
        if text.is_empty() {
            return Ok((EMPTY.text, EMPTY.key));
        }
        let hash = self.hash(text);
        let found = find(&self.slots, &self.entries, reader, hash, text)
            .or_else(|| find(&self.old_slots, &self.entries, reader, hash, text));
        if let Some(held) = found {
            return Ok((held.text, held.key));
        }
        let at = self.entries.len();
        let (start, len) = (index(start), index(text.len()));
        let (held, key) = (reader.table.text(start as usize, text), Key::of(text));
        self.push(Entry { text: held, start, len, hash, key })?;
        put(&mut self.slots, hash, index(at));
        self.grow();
        Ok((held, key))
    }

    /// Adds a string even if it is there already; an empty one is left out.
    pub(super) fn append(
        &mut self,
        reader: &mut Msgpack<'_>,
        start: usize,
        text: &[u8],
    ) -> Result<(), DecodeError> {
        let count = self.entries.len();
        let (held, key) = self.intern(reader, start, text)?;
        if held.is_empty() || self.entries.len() > count {
            return Ok(());
        }
        let (start, len, hash) = (index(start), index(text.len()), self.hash(text));
        self.push(Entry { text: held, start, len, hash, key })
    }

    fn push(&mut self, entry: Entry) -> Result<(), DecodeError> {
        if self.entries.len() >= STRINGS_MAX {
            return Err(DecodeError::TooMany);
        }
        self.entries.push(entry);
        Ok(())
    }

    /// Moves some entries, or makes new slots when half of them are used.
    fn grow(&mut self) {
        if !self.old_slots.is_empty() {
            for _ in 0..MOVES {
                let Some(entry) = self.entries.get(self.moved) else { break };
                put(&mut self.slots, entry.hash, index(self.moved));
                self.moved += 1;
            }
            if self.moved >= self.entries.len() {
                self.old_slots = Vec::new();
            }
        }
        if self.entries.len() * 2 > self.slots.len() {
            let slots = vec![0; self.slots.len() * 2];
            self.old_slots = std::mem::replace(&mut self.slots, slots);
            self.moved = 1;
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "half of a hash is one as well")]
    fn hash(&self, text: &[u8]) -> u32 {
        xxh3_64_with_seed(text, self.seed) as u32
    }
}

/// The entry with these bytes, if it is among the slots.
#[inline]
fn find<'e>(
    slots: &[u32],
    entries: &'e [Entry],
    reader: &Msgpack<'_>,
    hash: u32,
    text: &[u8],
) -> Option<&'e Entry> {
    let mut slot = hash as usize & slots.len().wrapping_sub(1);
    while let Some(&index) = slots.get(slot).filter(|index| **index != 0) {
        if let Some(held) = entries.get(index as usize)
            && held.hash == hash
            && reader.range(held.start, held.len) == text
        {
            return Some(held);
        }
        slot = (slot + 1) & (slots.len() - 1);
    }
    None
}

/// Puts an entry into the slots, unless it is there.
fn put(slots: &mut [u32], hash: u32, at: u32) {
    let mask = slots.len().wrapping_sub(1);
    let mut slot = hash as usize & mask;
    while let Some(index) = slots.get(slot).filter(|index| **index != 0) {
        if *index == at {
            return;
        }
        slot = (slot + 1) & mask;
    }
    if let Some(vacant) = slots.get_mut(slot) {
        *vacant = at;
    }
}

/// Bodies are far below 4 GiB.
fn index(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
