//! The text that is being written.

use std::ops::Range;

/// A text in the making, mostly pieces of one input.
///
/// SQL that a program wrote often has the spacing already that the output will have. A piece is
/// therefore kept pending as a range of the input; if the next piece follows it there as it shall
/// follow in the output, the range only grows, and all of it is copied at once.
#[derive(Debug, Default)]
pub(crate) struct Output {
    bytes: Vec<u8>,
    pending: Range<usize>,
}

impl Output {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.pending = 0..0;
    }

    /// Appends `input[range]`, after one space if `has_space`. Every call until [`flush`] must
    /// name the same input.
    ///
    /// [`flush`]: Self::flush
    #[inline(always)]
    pub(crate) fn piece(&mut self, input: &[u8], range: Range<usize>, has_space: bool) {
        let end = self.pending.end;
        let is_next = if has_space {
            range.start == end + 1 && input.get(end) == Some(&b' ')
        } else {
            range.start == end
        };
        if is_next && !self.pending.is_empty() {
            self.pending.end = range.end;
        } else {
            self.flush(input);
            if has_space {
                self.bytes.push(b' ');
            }
            self.pending = range;
        }
    }

    /// Appends a text that is not in the input, after one space if `has_space`.
    #[inline(always)]
    pub(crate) fn text(&mut self, input: &[u8], text: &[u8], has_space: bool) {
        self.flush(input);
        if has_space {
            self.bytes.push(b' ');
        }
        self.bytes.extend_from_slice(text);
    }

    /// Appends `input[range]` with every run of ASCII digits replaced by `?`.
    pub(crate) fn without_digits(&mut self, input: &[u8], range: Range<usize>, has_space: bool) {
        let word = input.get(range.clone()).unwrap_or_default();
        if !word.iter().any(u8::is_ascii_digit) {
            return self.piece(input, range, has_space);
        }
        self.flush(input);
        if has_space {
            self.bytes.push(b' ');
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(word);
        replace_digits(&mut self.bytes, start);
    }

    /// Copies what is pending.
    #[inline(always)]
    pub(crate) fn flush(&mut self, input: &[u8]) {
        if !self.pending.is_empty() {
            self.bytes.extend_from_slice(input.get(self.pending.clone()).unwrap_or_default());
        }
        self.pending = 0..0;
    }

    /// What was written and flushed so far.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same as text. Pieces are cut at ASCII bytes, so that it is UTF-8 as the input is.
    pub(crate) fn as_text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap_or_default()
    }

    /// The bytes written so far, to be edited. Nothing may be pending.
    pub(crate) fn bytes_mut(&mut self) -> &mut Vec<u8> {
        debug_assert!(self.pending.is_empty());
        &mut self.bytes
    }
}

/// Replaces every run of ASCII digits in `bytes[start..]` by `?`, in place.
pub(crate) fn replace_digits(bytes: &mut Vec<u8>, start: usize) {
    let mut is_digit_before = false;
    let mut kept = start;
    for at in start..bytes.len() {
        let byte = bytes[at];
        let is_digit = byte.is_ascii_digit();
        if !(is_digit && is_digit_before) {
            bytes[kept] = if is_digit { b'?' } else { byte };
            kept += 1;
        }
        is_digit_before = is_digit;
    }
    bytes.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjacent_pieces_are_copied_at_once() {
        let input = b"a b,c  d";
        let mut output = Output::default();
        output.piece(input, 0..1, false);
        output.piece(input, 2..3, true);
        output.piece(input, 3..4, false);
        assert_eq!(output.bytes(), b"");
        output.piece(input, 4..5, true);
        output.piece(input, 7..8, true);
        output.flush(input);
        assert_eq!(output.bytes(), b"a b, c d");
    }

    #[test]
    fn runs_of_digits_become_one_mark() {
        let input = b"t12_3 x";
        let mut output = Output::default();
        output.without_digits(input, 0..5, false);
        output.without_digits(input, 6..7, true);
        output.flush(input);
        assert_eq!(output.bytes(), b"t?_? x");
    }
}
