//! Statements that were obfuscated before.
//!
//! Two generations: new entries go into the recent one; when it is full it becomes the older one,
//! and what the older one held is forgotten at once. An entry that is found in the older generation
//! is copied into the recent one if there is room, so that statements in use survive. Every
//! operation takes constant time apart from copying the statement, and nothing is allocated after
//! the first entry of a generation.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::metadata::Metadata;
use crate::names::List;
use crate::{Dbms, Obfuscated};

/// Obfuscated statements by their text and dialect, within a budget of bytes.
#[derive(Debug)]
pub(crate) struct Cache {
    recent: Generation,
    older: Generation,
}

/// Where an entry stands; valid until the next insertion.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    is_recent: bool,
    index: usize,
}

impl Cache {
    /// A cache whose entries cost at most `cost_bytes_max` together; none if that is too little for
    /// any.
    pub(crate) fn new(cost_bytes_max: usize) -> Option<Self> {
        let half = cost_bytes_max / 2;
        (half >= ENTRY_COST_BYTES)
            .then(|| Self { recent: Generation::new(half), older: Generation::new(half) })
    }

    /// The entry of a statement, if there is one.
    pub(crate) fn find(&mut self, query: &str, dbms: Dbms) -> Option<Place> {
        let hash = hash(query, dbms);
        if let Some(index) = self.recent.find(hash, query, dbms) {
            return Some(Place { is_recent: true, index });
        }
        let index = self.older.find(hash, query, dbms)?;
        let entry = self.older.entries.get(index)?;
        if self.recent.cost + entry.cost() <= self.recent.cost_max {
            let done = self.older.view(index);
            if let Some(index) = self.recent.insert(hash, query, dbms, &done) {
                return Some(Place { is_recent: true, index });
            }
        }
        Some(Place { is_recent: false, index })
    }

    /// What an entry holds.
    pub(crate) fn view(&self, place: Place) -> Obfuscated<'_> {
        let generation = if place.is_recent { &self.recent } else { &self.older };
        generation.view(place.index)
    }

    /// Adds a statement that [`find`](Self::find) did not find.
    pub(crate) fn insert(&mut self, query: &str, dbms: Dbms, done: &Obfuscated<'_>) {
        let cost = Entry::new(0, query, dbms, done).map_or(usize::MAX, |entry| entry.cost());
        if cost > self.recent.cost_max {
            return;
        }
        if self.recent.cost + cost > self.recent.cost_max {
            std::mem::swap(&mut self.recent, &mut self.older);
            self.recent.clear();
        }
        self.recent.insert(hash(query, dbms), query, dbms, done);
    }
}

/// What an entry costs beside its texts. spec: apm-obfuscation §1, "Defaults"
const ENTRY_COST_BYTES: usize = 320;

/// How far an entry may stand from where its hash wants it. Statements made to collide are not
/// cached, and cost no more than this to look for.
const PROBES_MAX: usize = 16;

/// Entries that are forgotten together.
#[derive(Debug)]
struct Generation {
    /// Of every entry: the statement, its obfuscated text, the names of its metadata.
    text: String,
    /// Where the names end.
    ends: Vec<u32>,
    entries: Vec<Entry>,
    /// An open hash table of one more than indices into `entries`; zero is free. A power of two.
    slots: Vec<u32>,
    cost: usize,
    cost_max: usize,
}

/// One statement. Its texts follow each other in [`Generation::text`].
#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u64,
    text_start: usize,
    ends_start: usize,
    query_bytes: u32,
    done_bytes: u32,
    /// Bytes and number of the names of each list.
    lists: [(u32, u32); 4],
    dbms: Dbms,
}

impl Entry {
    /// An entry whose texts have no place yet; `None` for texts that no budget allows.
    fn new(hash: u64, query: &str, dbms: Dbms, done: &Obfuscated<'_>) -> Option<Self> {
        let mut lists = [(0, 0); 4];
        for (lengths, list) in lists.iter_mut().zip(done.metadata.lists()) {
            *lengths = (u32::try_from(list.text.len()).ok()?, u32::try_from(list.ends.len()).ok()?);
        }
        Some(Self {
            hash,
            text_start: 0,
            ends_start: 0,
            query_bytes: u32::try_from(query.len()).ok()?,
            done_bytes: u32::try_from(done.text.len()).ok()?,
            lists,
            dbms,
        })
    }

    /// What the entry counts against the budget: what the spec says, and never less than the
    /// memory that it takes.
    fn cost(&self) -> usize {
        let query = self.query_bytes as usize;
        let names: usize = self.lists.iter().map(|&(bytes, _)| bytes as usize).sum();
        let ends: usize = self.lists.iter().map(|&(_, count)| count as usize).sum();
        let slots = 4 * size_of::<u32>();
        let memory = query
            + self.done_bytes as usize
            + names
            + ends * size_of::<u32>()
            + size_of::<Self>()
            + slots;
        memory.max(query + names + ENTRY_COST_BYTES)
    }
}

impl Generation {
    fn new(cost_max: usize) -> Self {
        Self {
            text: String::new(),
            ends: Vec::new(),
            entries: Vec::new(),
            slots: Vec::new(),
            cost: 0,
            cost_max,
        }
    }

    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.entries.clear();
        self.slots.fill(0);
        self.cost = 0;
    }

    /// Takes the memory that the generation may come to need; pages that are not used stay unused.
    fn reserve(&mut self) {
        let entries_max = self.cost_max / ENTRY_COST_BYTES;
        self.text.reserve_exact(self.cost_max);
        self.entries.reserve_exact(entries_max);
        self.slots.resize((2 * entries_max).next_power_of_two(), 0);
    }

    /// The slots that may hold a hash.
    fn probes(&self, hash: u64) -> impl Iterator<Item = usize> + use<> {
        let mask = self.slots.len().wrapping_sub(1);
        #[expect(clippy::cast_possible_truncation, reason = "the low bits are the ones wanted")]
        let first = hash as usize;
        let count = PROBES_MAX.min(self.slots.len());
        (0..count).map(move |step| first.wrapping_add(step) & mask)
    }

    fn find(&self, hash: u64, query: &str, dbms: Dbms) -> Option<usize> {
        for slot in self.probes(hash) {
            let index = (*self.slots.get(slot)? as usize).checked_sub(1)?;
            let entry = self.entries.get(index)?;
            if entry.hash == hash && entry.dbms == dbms {
                let end = entry.text_start + entry.query_bytes as usize;
                if self.text.get(entry.text_start..end) == Some(query) {
                    return Some(index);
                }
            }
        }
        None
    }

    /// Adds an entry for which there is room; `None` if its slots are taken.
    fn insert(
        &mut self,
        hash: u64,
        query: &str,
        dbms: Dbms,
        done: &Obfuscated<'_>,
    ) -> Option<usize> {
        if self.slots.is_empty() {
            self.reserve();
        }
        let slot = self.probes(hash).find(|&slot| self.slots.get(slot) == Some(&0))?;
        let mut entry = Entry::new(hash, query, dbms, done)?;
        entry.text_start = self.text.len();
        entry.ends_start = self.ends.len();
        self.text.push_str(query);
        self.text.push_str(done.text);
        for list in done.metadata.lists() {
            self.text.push_str(list.text);
            self.ends.extend_from_slice(list.ends);
        }
        self.cost += entry.cost();
        let index = self.entries.len();
        self.entries.push(entry);
        *self.slots.get_mut(slot)? = u32::try_from(index + 1).ok()?;
        Some(index)
    }

    fn view(&self, index: usize) -> Obfuscated<'_> {
        let Some(entry) = self.entries.get(index) else { return Obfuscated::default() };
        let mut text_at = entry.text_start + entry.query_bytes as usize;
        let mut ends_at = entry.ends_start;
        let mut text = |bytes: u32| {
            let start = text_at;
            text_at += bytes as usize;
            self.text.get(start..text_at).unwrap_or_default()
        };
        let done = text(entry.done_bytes);
        let [tables, commands, comments, procedures] = entry.lists.map(|(bytes, count)| {
            let start = ends_at;
            ends_at += count as usize;
            List { text: text(bytes), ends: self.ends.get(start..ends_at).unwrap_or_default() }
        });
        let metadata = Metadata { tables, commands, comments, procedures };
        Obfuscated { text: done, metadata }
    }
}

fn hash(query: &str, dbms: Dbms) -> u64 {
    xxh3_64_with_seed(query.as_bytes(), dbms as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Names;

    fn done(text: &str) -> Obfuscated<'_> {
        Obfuscated { text, metadata: Metadata::default() }
    }

    #[test]
    fn an_entry_keeps_text_and_names() {
        let mut cache = Cache::new(10_000).expect("room");
        let (mut tables, mut comments) = (Names::default(), Names::default());
        tables.insert("a");
        tables.insert("b");
        comments.insert("/* c */");
        let metadata =
            Metadata { tables: tables.view(), comments: comments.view(), ..Metadata::default() };
        let stored = Obfuscated { text: "out", metadata };
        assert!(cache.find("in", Dbms::Unknown).is_none());
        cache.insert("other", Dbms::Unknown, &stored);
        cache.insert("in", Dbms::Unknown, &stored);
        let place = cache.find("in", Dbms::Unknown).expect("stored");
        assert_eq!(cache.view(place), stored);
        assert!(cache.find("in", Dbms::MySql).is_none());
    }

    #[test]
    fn statements_in_use_outlive_a_generation() {
        let mut cache = Cache::new(2 * 3 * (ENTRY_COST_BYTES + 2)).expect("room");
        cache.insert("q0", Dbms::Unknown, &done("r0"));
        for number in 10..40 {
            cache.insert(&number.to_string(), Dbms::Unknown, &done("x"));
            let place = cache.find("q0", Dbms::Unknown).expect("in use");
            assert_eq!(cache.view(place).text, "r0");
        }
        assert!(cache.find("10", Dbms::Unknown).is_none(), "not in use");
        assert!(cache.find("39", Dbms::Unknown).is_some());
    }

    #[test]
    fn the_budget_holds_and_memory_is_taken_once() {
        let mut cache = Cache::new(100_000).expect("room");
        let mut capacity = 0;
        for number in 0..10_000 {
            let query = format!("{number:0>width$}", width = number % 700);
            cache.insert(&query, Dbms::Unknown, &done(&query));
            assert!(cache.recent.cost + cache.older.cost <= 100_000);
            let total = cache.recent.text.capacity() + cache.older.text.capacity();
            assert!(capacity == total || number < 1000);
            capacity = total;
        }
        cache.insert(&"x".repeat(50_000), Dbms::Unknown, &done("y"));
        assert!(cache.find(&"x".repeat(50_000), Dbms::Unknown).is_none(), "too large");
    }

    #[test]
    fn too_small_a_budget_is_no_cache() {
        assert!(Cache::new(0).is_none());
        assert!(Cache::new(639).is_none());
        assert!(Cache::new(640).is_some());
    }
}
