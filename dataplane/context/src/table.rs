//! All contexts of a lane: lookup, creation, expiry.

use std::sync::Arc;

use signal::{Context, ContextId, ContextKey, Provenance, TagSet};

use crate::index::{self, Index};
use crate::interner::{self, Interner};
use crate::{Keys, LineKey, prefetch};

/// Limits of one lane's tables.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most contexts alive.
    pub contexts_max: usize,
    /// Most lines (orders of tags) remembered; beyond it known contexts are resolved in full.
    pub lines_max: usize,
    /// Seconds after the end of its last bucket at which a context is forgotten.
    pub expiry_secs: u64,
}

/// What makes a context, after naming and origin detection.
#[derive(Debug)]
pub struct Description<'a> {
    /// Final name.
    pub name: &'a str,
    /// Final tags in any order, duplicates allowed. Sorted in place.
    pub tags: &'a mut Vec<&'a str>,
    /// Host name, empty for none.
    pub host: &'a str,
    /// Attribution.
    pub provenance: Provenance,
    /// Entity that sent it, empty when unknown.
    pub origin: &'a Arc<str>,
}

/// What an id stands for.
#[derive(Debug)]
pub enum Resolution<'a> {
    /// A context.
    Context(&'a Arc<Context>),
    /// Lines that the filter list drops.
    Filtered,
    /// Nothing any more: the line must be resolved again.
    Expired,
}

/// What a slice of sweeping did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepStats {
    /// Contexts forgotten.
    pub expired: usize,
}

/// The contexts of one lane.
#[derive(Debug)]
pub struct ContextTable {
    keys: Keys,
    limits: Limits,
    lines: Index,
    contexts: Index,
    slots: Vec<Box<[Slot]>>,
    free: Vec<u32>,
    /// Expired ids that lines may still lead to.
    expired: Vec<u32>,
    alive: usize,
    tags: Interner<str>,
    tag_sets: Interner<TagSet>,
    sweep: Sweep,
    empty: Arc<str>,
}

#[derive(Debug, Default)]
struct Slot {
    held: Held,
    /// Start of the last bucket in which the context was seen, or the time a filtered line was.
    seen_secs: u64,
}

#[derive(Debug, Default)]
enum Held {
    #[default]
    Nothing,
    Filtered,
    Context(Arc<Context>),
}

const SLOTS_PER_CHUNK: usize = 1024;

/// Where the present round of sweeping stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sweep {
    Idle,
    Slots(usize),
    Lines(usize),
    Contexts(usize),
    Tags(usize),
}

impl ContextTable {
    /// Empty tables.
    #[must_use]
    pub fn new(keys: Keys, limits: Limits) -> Self {
        Self {
            keys,
            limits,
            lines: Index::default(),
            contexts: Index::default(),
            slots: Vec::new(),
            free: Vec::new(),
            expired: Vec::new(),
            alive: 0,
            tags: Interner::default(),
            tag_sets: Interner::default(),
            sweep: Sweep::Idle,
            empty: Arc::from(""),
        }
    }

    /// The keys all hashes here are made with.
    #[inline]
    #[must_use]
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Starts loading what [`Self::find`] will read.
    #[inline]
    pub fn prefetch(&self, line: LineKey) {
        self.lines.prefetch(line.0);
    }

    /// The id a line led to before.
    #[inline]
    #[must_use]
    pub fn find(&self, line: LineKey) -> Option<ContextId> {
        self.lines.find(line.0)
    }

    /// Starts loading what [`Self::touch`] will read.
    #[inline]
    pub fn prefetch_slot(&self, id: ContextId) {
        if let Some(slot) = slot_of(&self.slots, id) {
            prefetch(slot);
        }
    }

    /// What `id` stands for, seen now: call it at the first touch in a bucket.
    pub fn touch(&mut self, id: ContextId, now_secs: u64) -> Resolution<'_> {
        match self.slot_mut(id) {
            None => Resolution::Expired,
            Some(slot) => {
                slot.seen_secs = now_secs;
                match &slot.held {
                    Held::Context(context) => Resolution::Context(context),
                    Held::Filtered => Resolution::Filtered,
                    Held::Nothing => Resolution::Expired,
                }
            }
        }
    }

    /// The id of a described context, made when it is new. `line` leads to it from now on.
    ///
    /// `None` when it is new and the limit is reached.
    pub fn resolve(
        &mut self,
        line: Option<LineKey>,
        description: Description<'_>,
        now_secs: u64,
    ) -> Option<ContextId> {
        description.tags.sort_unstable();
        description.tags.dedup();
        let hashes = description.tags.iter().map(|tag| self.keys.hash(tag.as_bytes()));
        let tag_set = Keys::tag_set(hashes);
        let key = self.keys.context(description.name, description.host, tag_set);
        // An expired id stays in the index until it is swept.
        let known = self.contexts.find(key.0).filter(|&id| is_held(&self.slots, id));
        let id = match known {
            Some(id) => id,
            None => self.create(key, tag_set, &description, now_secs)?,
        };
        self.remember(line, id);
        Some(id)
    }

    /// The bound of contexts.
    #[must_use]
    pub const fn contexts_max(&self) -> usize {
        self.limits.contexts_max
    }

    /// Changes the bound of contexts. Those beyond it stay until they expire.
    pub const fn set_contexts_max(&mut self, contexts_max: usize) {
        self.limits.contexts_max = contexts_max;
    }

    /// Makes `line` lead to nothing, as the filter list demands. Such lines count as contexts.
    pub fn resolve_filtered(&mut self, line: LineKey, now_secs: u64) {
        if self.alive < self.limits.contexts_max {
            let id = self.take_slot(Held::Filtered, now_secs);
            self.remember(Some(line), id);
        }
    }

    fn remember(&mut self, line: Option<LineKey>, id: ContextId) {
        if let Some(line) = line.filter(|_| self.lines.len() < self.limits.lines_max) {
            self.lines.insert(line.0, id);
        }
    }

    fn create(
        &mut self,
        key: ContextKey,
        tag_set: u128,
        description: &Description<'_>,
        now_secs: u64,
    ) -> Option<ContextId> {
        if self.alive >= self.limits.contexts_max {
            return None;
        }
        let Self { keys, tags, tag_sets, .. } = self;
        let intern = |tags: &mut Interner<str>, text: &str| {
            tags.intern(keys.hash(text.as_bytes()), || Arc::from(text))
        };
        let tag_set = tag_sets.intern(tag_set, || {
            let members = description.tags.iter().map(|tag| intern(tags, tag)).collect();
            Arc::new(TagSet::new(tag_set, members))
        });
        let host = intern(tags, description.host);
        let context = Arc::new(Context {
            key,
            name: Box::from(description.name),
            tags: tag_set,
            host,
            provenance: description.provenance,
            origin: Arc::clone(description.origin),
        });
        let id = self.take_slot(Held::Context(context), now_secs);
        self.contexts.insert(key.0, id);
        Some(id)
    }

    fn take_slot(&mut self, held: Held, now_secs: u64) -> ContextId {
        if self.free.is_empty() {
            let start = self.slots.len() * SLOTS_PER_CHUNK;
            self.slots.push((0..SLOTS_PER_CHUNK).map(|_| Slot::default()).collect());
            let ids = start..start + SLOTS_PER_CHUNK;
            // Lowest id last, so that ids are handed out in order.
            self.free.extend(ids.rev().filter_map(|id| u32::try_from(id).ok()));
        }
        let id = ContextId(self.free.pop().unwrap_or_default());
        if let Some(slot) = self.slot_mut(id) {
            *slot = Slot { held, seen_secs: now_secs };
        }
        self.alive += 1;
        id
    }

    #[inline]
    fn slot_mut(&mut self, id: ContextId) -> Option<&mut Slot> {
        self.slots
            .get_mut(id.0 as usize / SLOTS_PER_CHUNK)?
            .get_mut(id.0 as usize % SLOTS_PER_CHUNK)
    }

    /// Starts a round of sweeping, unless one is under way.
    pub fn start_sweep(&mut self) {
        if self.sweep == Sweep::Idle {
            self.sweep = Sweep::Slots(0);
        }
    }

    /// Whether a round of sweeping is under way.
    #[must_use]
    pub fn is_sweeping(&self) -> bool {
        self.sweep != Sweep::Idle
    }

    /// One slice of the round under way: some 10 to 50 microseconds. Contexts not seen since
    /// `expiry_secs` before `now_secs` are forgotten, then the lines that led to them, and what
    /// only they shared; their ids are free again when the round is over.
    pub fn sweep_slice(&mut self, now_secs: u64) -> SweepStats {
        let mut stats = SweepStats::default();
        self.sweep = match self.sweep {
            Sweep::Idle => Sweep::Idle,
            Sweep::Slots(chunk) if chunk < self.slots.len() => {
                stats.expired = self.expire_chunk(chunk, now_secs);
                Sweep::Slots(chunk + 1)
            }
            Sweep::Slots(_) if self.expired.is_empty() => Sweep::Idle,
            Sweep::Slots(_) => Sweep::Lines(0),
            Sweep::Lines(segment) => {
                let Self { lines, slots, .. } = self;
                lines.retain_segment(segment, |id| is_held(slots, id));
                next(segment, index::SEGMENTS).map_or(Sweep::Contexts(0), Sweep::Lines)
            }
            Sweep::Contexts(segment) => {
                let Self { contexts, slots, .. } = self;
                contexts.retain_segment(segment, |id| is_held(slots, id));
                next(segment, index::SEGMENTS).map_or(Sweep::Tags(0), Sweep::Contexts)
            }
            Sweep::Tags(segment) => {
                // Sets first: they hold the tags.
                self.tag_sets.sweep_segment(segment);
                if let Some(segment) = next(segment, interner::SEGMENTS) {
                    Sweep::Tags(segment)
                } else {
                    self.finish_sweep();
                    Sweep::Idle
                }
            }
        };
        stats
    }

    /// Tags go after all sets that may hold them; then the expired ids are free, and chunks at the
    /// end that hold nothing are given back.
    fn finish_sweep(&mut self) {
        for segment in 0..interner::SEGMENTS {
            self.tags.sweep_segment(segment);
        }
        self.free.append(&mut self.expired);
        if self.alive * 4 < self.slots.len() * SLOTS_PER_CHUNK {
            while self.slots.last().is_some_and(|chunk| chunk.iter().all(Slot::is_vacant)) {
                self.slots.pop();
            }
            let slots = self.slots.len() * SLOTS_PER_CHUNK;
            self.free.retain(|&id| (id as usize) < slots);
            self.free.sort_unstable_by(|a, b| b.cmp(a));
            self.free.shrink_to_fit();
        }
        self.expired.shrink_to(SLOTS_PER_CHUNK);
    }

    fn expire_chunk(&mut self, chunk: usize, now_secs: u64) -> usize {
        let Some(slots) = self.slots.get_mut(chunk) else { return 0 };
        let before = self.expired.len();
        for (offset, slot) in slots.iter_mut().enumerate() {
            let is_stale = slot.seen_secs.saturating_add(self.limits.expiry_secs) < now_secs;
            if is_stale && !slot.is_vacant() {
                slot.held = Held::Nothing;
                let id = u32::try_from(chunk * SLOTS_PER_CHUNK + offset);
                self.expired.extend(id.ok());
            }
        }
        let expired = self.expired.len() - before;
        self.alive -= expired;
        expired
    }

    /// Contexts alive, filtered lines included.
    #[must_use]
    pub const fn alive(&self) -> usize {
        self.alive
    }

    /// Distinct tags held.
    #[must_use]
    pub fn tag_count(&self) -> usize {
        self.tags.len()
    }

    /// The contexts alive in one chunk of 1,024 ids; `None` behind the last chunk.
    pub fn chunk(&self, chunk: usize) -> Option<impl Iterator<Item = (ContextId, &Arc<Context>)>> {
        let slots = self.slots.get(chunk)?;
        let first = u32::try_from(chunk * SLOTS_PER_CHUNK).ok()?;
        Some((first..).zip(slots.iter()).filter_map(|(id, slot)| match &slot.held {
            Held::Context(context) => Some((ContextId(id), context)),
            Held::Filtered | Held::Nothing => None,
        }))
    }

    /// An origin for contexts that have none.
    #[must_use]
    pub const fn no_origin(&self) -> &Arc<str> {
        &self.empty
    }

    /// Heap bytes of the tables, without the strings.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.lines.heap_bytes()
            + self.contexts.heap_bytes()
            + self.slots.len() * SLOTS_PER_CHUNK * size_of::<Slot>()
            + self.alive * size_of::<Context>()
    }
}

impl Slot {
    const fn is_vacant(&self) -> bool {
        matches!(self.held, Held::Nothing)
    }
}

#[inline]
fn slot_of(slots: &[Box<[Slot]>], id: ContextId) -> Option<&Slot> {
    slots.get(id.0 as usize / SLOTS_PER_CHUNK)?.get(id.0 as usize % SLOTS_PER_CHUNK)
}

fn is_held(slots: &[Box<[Slot]>], id: ContextId) -> bool {
    slot_of(slots, id).is_some_and(|slot| !slot.is_vacant())
}

fn next(segment: usize, segments: usize) -> Option<usize> {
    Some(segment + 1).filter(|&next| next < segments)
}

const _: () = assert!(size_of::<Slot>() <= 24, "what the crate documentation says");

#[cfg(test)]
mod tests;
