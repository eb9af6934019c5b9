//! Splits a packet into lines. spec: dogstatsd §2.5.

use memchr::memchr;

use crate::marks::{BLOCK_BYTES, marks};

/// One line, with the places of its separators.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Its bytes, without the line end.
    pub bytes: &'a [u8],
    /// Colons in the first block; those behind the line end may be among them.
    colons: u64,
    pipes: Pipes,
}

/// Pipes not yet taken: masks of the first two blocks of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pipes {
    masks: [u64; 2],
    /// Where to look for pipes behind the masks.
    search_from: usize,
}

impl<'a> Line<'a> {
    /// A line that was split off elsewhere. Newlines in it have no meaning.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        let [colons, first] = marks(bytes, [b':', b'|']);
        let [second] = marks(bytes.get(BLOCK_BYTES..).unwrap_or_default(), [b'|']);
        Self { bytes, colons, pipes: Pipes::new([first, second]) }
    }

    /// The pipes, to be taken one after the other.
    #[inline]
    pub(crate) const fn pipes(&self) -> Pipes {
        self.pipes
    }

    /// The first colon before `end`.
    #[inline]
    pub(crate) fn colon_before(&self, end: usize) -> Option<usize> {
        let colon = if self.colons == 0 {
            memchr(b':', self.bytes)?
        } else {
            self.colons.trailing_zeros() as usize
        };
        Some(colon).filter(|&colon| colon < end)
    }
}

impl Pipes {
    #[inline]
    const fn new(masks: [u64; 2]) -> Self {
        Self { masks, search_from: 2 * BLOCK_BYTES }
    }

    /// The place of the next pipe of `line`.
    #[inline]
    pub(crate) fn take(&mut self, line: &[u8]) -> Option<usize> {
        let [first, second] = &mut self.masks;
        if *first != 0 {
            let at = first.trailing_zeros() as usize;
            *first &= *first - 1;
            Some(at)
        } else if *second != 0 {
            let at = second.trailing_zeros() as usize;
            *second &= *second - 1;
            Some(BLOCK_BYTES + at)
        } else {
            let at = self.search_from + memchr(b'|', line.get(self.search_from..)?)?;
            self.search_from = at + 1;
            Some(at)
        }
    }
}

/// Iterator over the non-empty lines of a packet.
#[derive(Debug)]
pub struct Lines<'a> {
    rest: &'a [u8],
    is_eol_required: bool,
    is_unterminated: bool,
}

impl<'a> Lines<'a> {
    /// Lines of `packet`. With `is_eol_required` a last line without a newline is discarded.
    #[must_use]
    pub const fn new(packet: &'a [u8], is_eol_required: bool) -> Self {
        Self { rest: packet, is_eol_required, is_unterminated: false }
    }

    /// Whether a last line was discarded because its newline was missing. Known after the last
    /// item.
    #[must_use]
    pub const fn is_unterminated(&self) -> bool {
        self.is_unterminated
    }

    /// The next line, which may be empty, and whether a newline ended it.
    #[inline]
    fn split(&mut self) -> (Line<'a>, bool) {
        let packet = self.rest;
        let [newlines, pipes, colons] = marks(packet, [b'\n', b'|', b':']);
        let mut pipes = [pipes & below_lowest(newlines), 0];
        let mut end = newlines.trailing_zeros() as usize;
        if newlines == 0 {
            let next = packet.get(BLOCK_BYTES..).unwrap_or_default();
            let [newlines, next_pipes] = marks(next, [b'\n', b'|']);
            pipes[1] = next_pipes & below_lowest(newlines);
            end = BLOCK_BYTES + newlines.trailing_zeros() as usize;
            if newlines == 0 {
                let behind = packet.get(end..).unwrap_or_default();
                end += memchr(b'\n', behind).unwrap_or(behind.len());
            }
        }
        let (bytes, is_terminated) = match packet.split_at_checked(end) {
            Some((line, [_newline, rest @ ..])) => {
                self.rest = rest;
                (line, true)
            }
            _ => (std::mem::take(&mut self.rest), false),
        };
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        (Line { bytes, colons, pipes: Pipes::new(pipes) }, is_terminated)
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    #[inline]
    fn next(&mut self) -> Option<Line<'a>> {
        while !self.rest.is_empty() {
            let (line, is_terminated) = self.split();
            if !is_terminated && self.is_eol_required {
                self.is_unterminated = true;
                return None;
            }
            if !line.bytes.is_empty() {
                return Some(line);
            }
        }
        None
    }
}

/// All bits below the lowest that is set; every bit when none is.
#[inline]
const fn below_lowest(mask: u64) -> u64 {
    mask.wrapping_sub(1) & !mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(packet: &[u8], is_eol_required: bool) -> (Vec<&[u8]>, bool) {
        let mut lines = Lines::new(packet, is_eol_required);
        let all = lines.by_ref().map(|line| line.bytes).collect();
        (all, lines.is_unterminated())
    }

    /// spec: dogstatsd §15.1, packet splitting.
    #[test]
    fn one_carriage_return_and_empty_lines_are_dropped() {
        let (lines, unterminated) = split(b"a:1|g\n\n\r\nb:2|c\r\n", false);
        assert_eq!(lines, [b"a:1|g".as_slice(), b"b:2|c"]);
        assert!(!unterminated);
        assert_eq!(split(b"a:1|g\r\r\n", false).0, [b"a:1|g\r".as_slice()]);
    }

    #[test]
    fn an_unterminated_line_is_discarded_only_where_required() {
        assert_eq!(split(b"a:1|g\nb:2|c", true), (vec![b"a:1|g".as_slice()], true));
        assert!(!split(b"a:1|g\nb:2|c\n", true).1);
        assert_eq!(split(b"a:1|g\nb:2|c", false).0.len(), 2);
    }

    /// The slow way: everything split, one carriage return stripped, what is empty left out.
    fn split_slowly(packet: &[u8], is_eol_required: bool) -> (Vec<&[u8]>, bool) {
        let mut parts: Vec<&[u8]> = packet.split(|&byte| byte == b'\n').collect();
        let last = parts.last().copied().unwrap_or_default();
        let is_unterminated = is_eol_required && !last.is_empty();
        if is_unterminated {
            parts.pop();
        }
        let lines = parts.into_iter().map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        (lines.filter(|line| !line.is_empty()).collect(), is_unterminated)
    }

    fn places(bytes: &[u8], wanted: u8) -> Vec<usize> {
        (0..).zip(bytes).filter(|(_, byte)| **byte == wanted).map(|(at, _)| at).collect()
    }

    proptest! {
        /// Pieces of many lengths, so that separators and ends fall on every side of a block.
        #[test]
        fn agrees_with_a_slow_split(
            pieces in prop::collection::vec(
                prop_oneof![
                    Just("\n".to_owned()), Just("\r\n".to_owned()), Just("|".to_owned()),
                    Just(":".to_owned()), "x{1,70}".prop_map(String::from),
                ],
                0..40,
            ),
            is_eol_required in any::<bool>(),
        ) {
            let packet = pieces.concat().into_bytes();
            prop_assert_eq!(split(&packet, is_eol_required), split_slowly(&packet, is_eol_required));
            for line in Lines::new(&packet, is_eol_required) {
                for line in [line, Line::new(line.bytes)] {
                    let mut pipes = line.pipes();
                    let taken: Vec<_> = std::iter::from_fn(|| pipes.take(line.bytes)).collect();
                    prop_assert_eq!(taken, places(line.bytes, b'|'));
                    let colons = places(line.bytes, b':');
                    prop_assert_eq!(line.colon_before(line.bytes.len()), colons.first().copied());
                }
            }
        }
    }
}
