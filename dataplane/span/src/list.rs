//! Lists within one growing vector.

/// Neighbours in an [`Arena`], with room to grow in place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct List {
    start: u32,
    len: u32,
    room: u32,
}

/// Neighbours that do not grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// Index of the first.
    pub start: u32,
    /// How many.
    pub len: u32,
}

/// Lists of one kind of item, one after the other.
#[derive(Clone, Debug)]
pub struct Arena<T> {
    items: Vec<T>,
}

/// Room that a list gets when it moves.
const ROOM: u32 = 6;

impl List {
    /// Number of items.
    #[must_use]
    pub const fn len(self) -> usize {
        self.len as usize
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }
}

impl Slice {
    /// As a range of indices.
    #[must_use]
    pub const fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.start as usize + self.len as usize
    }
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self { items: Vec::new() }
    }
}

impl<T: Copy + Default> Arena<T> {
    /// Empties it, keeping its memory.
    pub fn clear(&mut self) {
        self.items.clear();
    }

    /// Bytes of memory that it keeps.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.items.capacity() * size_of::<T>()
    }

    /// Items held, vacant room included.
    #[must_use]
    pub fn count(&self) -> usize {
        self.items.len()
    }

    /// A list without items at the end, to which [`Arena::push`] adds without moving it as long as
    /// no other list is pushed to.
    #[must_use]
    pub fn list(&self) -> List {
        List { start: index(self.items.len()), len: 0, room: 0 }
    }

    /// A list of `len` default items at the end.
    pub fn list_of(&mut self, len: usize) -> List {
        let list = List { start: index(self.items.len()), len: index(len), room: 0 };
        self.items.resize(self.items.len() + len, T::default());
        list
    }

    /// Gives a list at the end room for what is added later.
    pub fn reserve(&mut self, list: &mut List, room: u32) {
        if list.end() == self.items.len() {
            self.items.resize(self.items.len() + room as usize, T::default());
            list.room = room;
        }
    }

    /// Adds an item to a list, which moves to the end when it has no room.
    // In line, so that the parts of an attribute are written where they stay: read back whole from
    // the stack they would cost a stall each.
    #[inline(always)]
    pub fn push(&mut self, list: &mut List, item: T) {
        if list.room == 0 && list.end() != self.items.len() {
            self.move_to_end(list);
        }
        if list.room == 0 {
            self.items.push(item);
        } else {
            list.room -= 1;
            if let Some(vacant) = self.items.get_mut(list.end()) {
                *vacant = item;
            }
        }
        list.len += 1;
    }

    #[cold]
    fn move_to_end(&mut self, list: &mut List) {
        let start = self.items.len();
        self.items.extend_from_within(list.start as usize..list.end());
        list.start = index(start);
        self.reserve(list, ROOM);
    }

    /// Takes an item out; the order of the others stays.
    pub fn remove(&mut self, list: &mut List, at: usize) {
        if at >= list.len() {
            return;
        }
        let (first, end) = (list.start as usize + at, list.end());
        self.items.copy_within(first + 1..end, first);
        list.len -= 1;
        list.room += 1;
    }

    /// Keeps the items that `is_kept` chooses, in their order.
    pub fn retain(&mut self, list: &mut List, mut is_kept: impl FnMut(&T) -> bool) {
        let (first, mut kept) = (list.start as usize, list.start as usize);
        for at in first..list.end() {
            if self.items.get(at).is_some_and(&mut is_kept) {
                self.items.copy_within(at..=at, kept);
                kept += 1;
            }
        }
        let len = index(kept - first);
        list.room += list.len - len;
        list.len = len;
    }

    /// Adds items at the end that do not grow.
    pub fn extend(&mut self, items: &[T]) -> Slice {
        let slice = Slice { start: index(self.items.len()), len: index(items.len()) };
        self.items.extend_from_slice(items);
        slice
    }

    /// Items that do not grow.
    #[must_use]
    pub fn slice(&self, slice: Slice) -> &[T] {
        self.items.get(slice.range()).unwrap_or_default()
    }

    /// Items that do not grow, to be changed in place.
    pub fn slice_mut(&mut self, slice: Slice) -> &mut [T] {
        self.items.get_mut(slice.range()).unwrap_or_default()
    }

    /// The items of a list.
    #[must_use]
    pub fn get(&self, list: List) -> &[T] {
        self.items.get(list.start as usize..list.end()).unwrap_or_default()
    }

    /// The items of a list, to be changed in place.
    pub fn get_mut(&mut self, list: List) -> &mut [T] {
        self.items.get_mut(list.start as usize..list.end()).unwrap_or_default()
    }
}

impl List {
    const fn end(self) -> usize {
        self.start as usize + self.len as usize
    }
}

/// A decoder makes no more items than its body has bytes.
fn index(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_grows_in_its_room_then_moves() {
        let mut arena = Arena::<u8>::default();
        let mut first = arena.list();
        arena.push(&mut first, 1);
        arena.reserve(&mut first, 1);
        let mut second = arena.list();
        arena.push(&mut second, 9);
        arena.push(&mut first, 2);
        assert_eq!((arena.get(first), arena.count()), (&[1, 2][..], 3));
        arena.push(&mut first, 3);
        arena.push(&mut second, 8);
        assert_eq!(arena.get(first), [1, 2, 3]);
        assert_eq!(arena.get(second), [9, 8]);
    }

    #[test]
    fn removal_keeps_the_order_and_frees_room() {
        let mut arena = Arena::<u8>::default();
        let mut list = arena.list_of(3);
        arena.get_mut(list).copy_from_slice(&[1, 2, 3]);
        arena.remove(&mut list, 1);
        arena.remove(&mut list, 7);
        assert_eq!(arena.get(list), [1, 3]);
        arena.push(&mut list, 4);
        assert_eq!((arena.get(list), arena.count()), (&[1, 3, 4][..], 3));
    }

    #[test]
    fn retaining_keeps_the_order_and_frees_room() {
        let mut arena = Arena::<u8>::default();
        let mut list = arena.list_of(4);
        arena.get_mut(list).copy_from_slice(&[1, 2, 3, 4]);
        arena.retain(&mut list, |item| item % 2 == 0);
        assert_eq!(arena.get(list), [2, 4]);
        arena.push(&mut list, 5);
        assert_eq!((arena.get(list), arena.count()), (&[2, 4, 5][..], 4));
        let slice = arena.extend(&[8, 9]);
        assert_eq!(arena.slice(slice), [8, 9]);
    }

    proptest::proptest! {
        #[test]
        fn lists_agree_with_vectors(steps in proptest::collection::vec((0usize..4, 0u8..4), 0..200)) {
            let mut arena = Arena::<u8>::default();
            let mut lists = [List::default(); 4];
            let mut model: [Vec<u8>; 4] = Default::default();
            for (n, (at, what)) in steps.into_iter().enumerate() {
                if what == 0 && !model[at].is_empty() {
                    let i = n % model[at].len();
                    arena.remove(&mut lists[at], i);
                    model[at].remove(i);
                } else {
                    arena.push(&mut lists[at], what);
                    model[at].push(what);
                }
                for (list, model) in lists.iter().zip(&model) {
                    proptest::prop_assert_eq!(arena.get(*list), &model[..]);
                }
            }
        }
    }
}
