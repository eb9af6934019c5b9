//! The least recently used names and what they map to.

use std::collections::HashMap;
use std::sync::Arc;

use super::Mapped;

/// Longer names are mapped each time, so that the cache stays small whatever is received.
const NAME_BYTES_MAX: usize = 1024;

/// Marks the end of the list of uses.
const NONE: usize = usize::MAX;

/// A map of bounded size that forgets the name unused for longest.
///
/// Slots form a ring of uses through `older` and `newer`; a slot is reused once the cache is full.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    entries_max: usize,
    index: HashMap<Arc<str>, usize>,
    slots: Vec<Slot>,
    newest: usize,
    oldest: usize,
    /// Result for a name too long to be kept.
    uncached: Option<Arc<Mapped>>,
}

#[derive(Clone, Debug)]
struct Slot {
    name: Arc<str>,
    mapped: Option<Arc<Mapped>>,
    older: usize,
    newer: usize,
}

impl Cache {
    /// A cache of at most `entries_max` names, at least one.
    pub(super) fn new(entries_max: usize) -> Self {
        Self {
            entries_max: entries_max.max(1),
            index: HashMap::new(),
            slots: Vec::new(),
            newest: NONE,
            oldest: NONE,
            uncached: None,
        }
    }

    /// The result for `name`, asked of `resolve` when it is not known.
    pub(super) fn get_or_insert_with(
        &mut self,
        name: &str,
        resolve: impl FnOnce() -> Option<Mapped>,
    ) -> Option<&Mapped> {
        if name.len() > NAME_BYTES_MAX {
            self.uncached = resolve().map(Arc::new);
            return self.uncached.as_deref();
        }
        let slot = match self.index.get(name) {
            Some(&slot) => {
                self.unlink(slot);
                slot
            }
            None => self.insert(name.into(), resolve().map(Arc::new)),
        };
        self.link_newest(slot);
        self.slots.get(slot).and_then(|slot| slot.mapped.as_deref())
    }

    /// Stores a new name in a free slot, or in the one unused for longest; not yet linked.
    fn insert(&mut self, name: Arc<str>, mapped: Option<Arc<Mapped>>) -> usize {
        let slot = Slot { name: Arc::clone(&name), mapped, older: NONE, newer: NONE };
        let at = if self.slots.len() < self.entries_max {
            self.slots.push(slot);
            self.slots.len() - 1
        } else {
            let at = self.oldest;
            self.unlink(at);
            let forgotten = std::mem::replace(&mut self.slots[at], slot);
            self.index.remove(&forgotten.name);
            at
        };
        self.index.insert(name, at);
        at
    }

    fn unlink(&mut self, at: usize) {
        let Slot { older, newer, .. } = self.slots[at];
        match self.slots.get_mut(older) {
            Some(slot) => slot.newer = newer,
            None => self.oldest = newer,
        }
        match self.slots.get_mut(newer) {
            Some(slot) => slot.older = older,
            None => self.newest = older,
        }
    }

    fn link_newest(&mut self, at: usize) {
        let older = std::mem::replace(&mut self.newest, at);
        self.slots[at].older = older;
        self.slots[at].newer = NONE;
        match self.slots.get_mut(older) {
            Some(slot) => slot.newer = at,
            None => self.oldest = at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mapped(name: &str) -> Option<Mapped> {
        Some(Mapped { name: name.into(), tags: Box::default() })
    }

    proptest! {
        /// The model is a list in order of use.
        #[test]
        fn agrees_with_a_list_in_order_of_use(
            entries_max in 1_usize..5,
            names in prop::collection::vec("[a-g]", 0..60),
        ) {
            let mut cache = Cache::new(entries_max);
            let mut model: Vec<String> = Vec::new();
            for name in names {
                let mut was_asked = false;
                let found = cache.get_or_insert_with(&name, || {
                    was_asked = true;
                    mapped(&name)
                });
                prop_assert_eq!(found.map(|mapped| &*mapped.name), Some(&*name));
                let known = model.iter().position(|kept| *kept == name);
                prop_assert_eq!(was_asked, known.is_none());
                match known {
                    Some(at) => drop(model.remove(at)),
                    None if model.len() == entries_max => drop(model.remove(0)),
                    None => {}
                }
                model.push(name);
                prop_assert_eq!(cache.index.len(), model.len());
                prop_assert!(cache.slots.len() <= entries_max);
            }
        }
    }

    #[test]
    fn misses_are_remembered_and_long_names_are_not() {
        let mut cache = Cache::new(2);
        assert!(cache.get_or_insert_with("a", || None).is_none());
        assert!(cache.get_or_insert_with("a", || mapped("never asked")).is_none());
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        assert!(cache.get_or_insert_with(&long, || mapped("b")).is_some());
        assert!(cache.get_or_insert_with(&long, || None).is_none());
        assert_eq!(cache.slots.len(), 1);
    }
}
