//! Strings as ranges of a request's body, and of what was written since.

use crate::Key;

/// Index of a string in the [`Strings`] of its batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Str(u32);

impl Str {
    /// The empty string, in every table.
    pub const EMPTY: Self = Self(0);

    /// Whether this is the empty string.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its place in the table, for tables beside it.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    pub(crate) const fn from_raw(index: u32) -> Self {
        Self(index)
    }

    pub(crate) const fn raw(self) -> u32 {
        self.0
    }
}

/// The bytes of a request, the strings that were written since, and where each string lies. Also
/// holds binary values, which are ranges like any other.
#[derive(Clone, Debug)]
pub struct Strings {
    body: Vec<u8>,
    written: Vec<u8>,
    ranges: Vec<Range>,
    names: Names,
    /// Texts that were cut while they were read.
    cut_count: u64,
}

/// Where a string lies: from `body.len()` on, in what was written.
#[derive(Clone, Copy, Debug)]
struct Range {
    start: u32,
    len: u32,
}

/// The strings of the known keys that were written.
type Names = [Str; Key::Other as usize];

/// Longest text that is read in full, in bytes; of a longer one the rest is left out. Processing
/// cuts all texts far below, but must have seen a statement whole to take out its literals.
pub const TEXT_BYTES_MAX: usize = 512 << 10;
/// Bytes that processing may write beside a body; what does not fit is replaced by the empty
/// string. Only a hostile set of replace rules gets there.
const WRITTEN_BYTES_MAX: usize = 256 << 20;
/// Longest body that fits the indices together with what is written.
const BODY_BYTES_MAX: usize = 1 << 30;

impl Strings {
    /// A table around a body. A body above 1 GiB is cut; receivers allow far less.
    #[must_use]
    pub fn new(mut body: Vec<u8>) -> Self {
        body.truncate(BODY_BYTES_MAX);
        let ranges = vec![Range { start: 0, len: 0 }];
        Self { body, written: Vec::new(), ranges, names: [Str::EMPTY; _], cut_count: 0 }
    }

    /// Starts over with another body, keeping the table's memory. Returns the old bytes, emptied,
    /// to be filled again.
    pub fn reset(&mut self, mut body: Vec<u8>) -> Vec<u8> {
        body.truncate(BODY_BYTES_MAX);
        self.written.clear();
        self.ranges.truncate(1);
        self.names = [Str::EMPTY; _];
        self.cut_count = 0;
        let mut old = std::mem::replace(&mut self.body, body);
        old.clear();
        old
    }

    /// The request's body, to own.
    #[must_use]
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// The request's body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Bytes of memory that it keeps, the body included.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let ranges = self.ranges.capacity() * size_of::<Range>();
        self.body.capacity() + self.written.capacity() + ranges
    }

    /// Texts of the body that were longer than [`TEXT_BYTES_MAX`].
    #[must_use]
    pub const fn cut_count(&self) -> u64 {
        self.cut_count
    }

    /// Strings in the table, the empty one included.
    #[must_use]
    pub fn count(&self) -> usize {
        self.ranges.len()
    }

    /// The string that is a range of the body, or binary data; empty when it is not within it.
    pub fn at(&mut self, start: usize, len: usize) -> Str {
        let is_within = start.checked_add(len).is_some_and(|end| end <= self.body.len());
        if is_within { self.split().1.at(start, len) } else { Str::EMPTY }
    }

    /// Writes a string.
    pub fn add(&mut self, text: &str) -> Str {
        self.split().1.add(text.as_bytes())
    }

    /// Writes a binary value.
    pub fn add_bytes(&mut self, bytes: &[u8]) -> Str {
        self.split().1.add(bytes)
    }

    /// The name of a known key, written once.
    pub fn name(&mut self, key: Key) -> Str {
        let Some(&name) = self.names.get(key as usize) else { return Str::EMPTY };
        if !name.is_empty() {
            return name;
        }
        let name = self.add(key.as_str());
        if let Some(held) = self.names.get_mut(key as usize) {
            *held = name;
        }
        name
    }

    /// The first `len` bytes of a string; `len` must be a boundary of characters.
    pub fn prefix(&mut self, of: Str, len: usize) -> Str {
        let range = self.range(of);
        if len == 0 {
            return Str::EMPTY;
        }
        if len >= range.len as usize {
            return of;
        }
        self.split().1.push(Range { start: range.start, len: index(len) })
    }

    /// The bytes of a string or binary value.
    #[must_use]
    #[inline]
    pub fn bytes(&self, of: Str) -> &[u8] {
        let Range { start, len } = self.range(of);
        let (start, len) = (start as usize, len as usize);
        if start < self.body.len() {
            return self.body.get(start..start + len).unwrap_or_default();
        }
        let start = start - self.body.len();
        self.written.get(start..start + len).unwrap_or_default()
    }

    /// A string as text; empty when it is binary data that is no UTF-8.
    #[must_use]
    pub fn text(&self, of: Str) -> &str {
        std::str::from_utf8(self.bytes(of)).unwrap_or_default()
    }

    /// Length of a string in bytes.
    #[must_use]
    #[inline]
    pub fn len_of(&self, of: Str) -> usize {
        self.range(of).len as usize
    }

    /// Starts over with the same body, keeping the table's memory.
    pub(crate) fn restart(&mut self) {
        let body = std::mem::take(&mut self.body);
        self.reset(body);
    }

    /// The body, and the table to add to while reading it.
    pub fn split(&mut self) -> (&[u8], Table<'_>) {
        let Self { body, written, ranges, cut_count, .. } = self;
        let body_len = index(body.len());
        (body, Table { body, body_len, written, ranges, cut_count })
    }

    fn range(&self, of: Str) -> Range {
        self.ranges.get(of.index()).copied().unwrap_or(Range { start: 0, len: 0 })
    }
}

/// The table of [`Strings`] while their body is read.
#[derive(Debug)]
pub struct Table<'a> {
    body: &'a [u8],
    body_len: u32,
    written: &'a mut Vec<u8>,
    ranges: &'a mut Vec<Range>,
    cut_count: &'a mut u64,
}

impl Table<'_> {
    /// The string with this text: the range of the body where it lies, or else written. Of a text
    /// above [`TEXT_BYTES_MAX`] the rest is left out.
    pub fn find(&mut self, text: &str) -> Str {
        let bytes = text.as_bytes();
        let bytes = if bytes.len() > TEXT_BYTES_MAX { self.cut(bytes) } else { bytes };
        let start = bytes.as_ptr().addr().wrapping_sub(self.body.as_ptr().addr());
        let end = start.checked_add(bytes.len());
        // What does not borrow from the body lies at other addresses.
        if end.is_some_and(|end| end <= self.body.len()) {
            self.at(start, bytes.len())
        } else {
            self.add(bytes)
        }
    }

    /// What is read of a text beyond [`TEXT_BYTES_MAX`]: whole characters.
    #[cold]
    pub(crate) fn cut<'b>(&mut self, text: &'b [u8]) -> &'b [u8] {
        *self.cut_count += 1;
        let text = text.get(..TEXT_BYTES_MAX).unwrap_or(text);
        let is_inner = |byte: &u8| byte & 0xc0 == 0x80;
        // A character has at most three bytes behind its first.
        let inner = text.iter().rev().take(3).take_while(|byte| is_inner(byte)).count();
        let first = text.len() - inner;
        let is_open = first > 0 && text.get(first - 1).is_some_and(|byte| *byte >= 0xc0);
        text.get(..first - usize::from(is_open)).unwrap_or(text)
    }

    /// The string that is a range of the body; the caller has seen that it lies within.
    #[inline]
    pub(crate) fn at(&mut self, start: usize, len: usize) -> Str {
        debug_assert!(start + len <= self.body_len as usize);
        if len == 0 {
            Str::EMPTY
        } else {
            self.push(Range { start: index(start), len: index(len) })
        }
    }

    /// Writes a string or binary value.
    pub fn add(&mut self, bytes: &[u8]) -> Str {
        let written = self.written.len();
        if bytes.is_empty() || bytes.len() > WRITTEN_BYTES_MAX.saturating_sub(written) {
            return Str::EMPTY;
        }
        self.written.extend_from_slice(bytes);
        let start = self.body_len + index(written);
        self.push(Range { start, len: index(bytes.len()) })
    }

    #[inline]
    fn push(&mut self, range: Range) -> Str {
        let string = Str(index(self.ranges.len()));
        self.ranges.push(range);
        string
    }
}

/// Bodies and what is written beside them are far below 4 GiB.
#[inline]
fn index(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_ranges_of_the_body_and_of_what_was_written() {
        let mut strings = Strings::new(b"GET /users".to_vec());
        let verb = strings.at(0, 3);
        let written = strings.add("users");
        assert_eq!((strings.text(verb), strings.text(written)), ("GET", "users"));
        assert_eq!(strings.body(), b"GET /users");
        let cut = strings.prefix(written, 2);
        assert_eq!(strings.text(cut), "us");
        assert_eq!(strings.prefix(written, 9), written);
    }

    #[test]
    fn a_text_is_found_in_the_body_or_written() {
        let mut strings = Strings::new(b"GET /users".to_vec());
        let (body, mut table) = strings.split();
        let verb = std::str::from_utf8(&body[..3]).unwrap();
        let found = table.find(verb);
        let end = table.find(std::str::from_utf8(&body[10..]).unwrap());
        let written = table.find(&String::from("GET"));
        assert_eq!((strings.text(found), strings.text(written)), ("GET", "GET"));
        assert_eq!((end, strings.written.len()), (Str::EMPTY, 3));
        let long = "é".repeat(TEXT_BYTES_MAX);
        let long = strings.split().1.find(&long);
        assert_eq!((strings.len_of(long), strings.cut_count()), (TEXT_BYTES_MAX - 2, 1));
    }

    #[test]
    fn an_empty_or_impossible_range_is_the_empty_string() {
        let mut strings = Strings::new(b"ab".to_vec());
        assert_eq!(strings.at(1, 0), Str::EMPTY);
        assert_eq!(strings.at(1, 2), Str::EMPTY);
        assert_eq!(strings.at(usize::MAX, 2), Str::EMPTY);
        assert_eq!(strings.add(""), Str::EMPTY);
        assert_eq!(strings.text(Str::EMPTY), "");
        assert_eq!(strings.count(), 1);
    }

    #[test]
    fn the_name_of_a_key_is_written_once() {
        let mut strings = Strings::new(Vec::new());
        let name = strings.name(Key::Env);
        assert_eq!((strings.name(Key::Env), strings.text(name)), (name, "env"));
        assert_eq!(strings.name(Key::Other), Str::EMPTY);
        strings.reset(b"body".to_vec());
        let name = strings.name(Key::Env);
        assert_eq!((strings.text(name), strings.count()), ("env", 2));
    }

    #[test]
    fn a_reset_forgets_the_strings() {
        let mut strings = Strings::new(b"old".to_vec());
        strings.at(0, 3);
        assert!(strings.reset(b"new".to_vec()).is_empty());
        assert_eq!((strings.count(), strings.body()), (1, &b"new"[..]));
    }
}
