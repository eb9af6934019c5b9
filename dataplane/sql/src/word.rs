//! Eight bytes of a word at a time.
//!
//! Most tokens are words, and how long each one is nobody can predict; finding the end without a
//! branch per byte is what makes the tokenizers fast. Words are compared with the ones that are
//! known in the same form: lower case, in one or two integers.

/// How many bytes from `at` on are letters and digits of ASCII, `_` or `.`. It stops near the end
/// of the input, where fewer than eight bytes are left: those have to be looked at one by one.
#[inline(always)]
pub(crate) fn plain_bytes(input: &[u8], at: usize) -> usize {
    bytes_until(input, at, |bytes| {
        within(bytes, b'0', b'9') | equal(bytes, b'_') | equal(bytes, b'.')
    })
}

/// How many bytes from `at` on are letters of ASCII or `_`, but for the end of the input as with
/// [`plain_bytes`].
#[inline(always)]
pub(crate) fn letter_bytes(input: &[u8], at: usize) -> usize {
    bytes_until(input, at, |bytes| equal(bytes, b'_'))
}

/// How many bytes from `at` on are letters of ASCII, or have their high bit set by `others`, which
/// gets eight bytes without high bits.
#[inline(always)]
fn bytes_until(input: &[u8], at: usize, others: impl Fn(u64) -> u64) -> usize {
    let mut end = at;
    while let Some(eight) = eight_at(input, end) {
        let wide = eight & HIGH_BITS;
        let bytes = eight & !HIGH_BITS;
        let letters = within(bytes | SPACES, b'a', b'z');
        let stops = (!(letters | others(bytes)) & HIGH_BITS) | wide;
        if stops != 0 {
            return end - at + (stops.trailing_zeros() / 8) as usize;
        }
        end += 8;
    }
    end - at
}

/// The bytes `input[start..end]` in lower case as an integer, if they are letters: the first byte
/// lowest, zero after the last. Only the first eight are looked at.
#[inline(always)]
pub(crate) fn folded(input: &[u8], start: usize, end: usize) -> u64 {
    let bytes = (end - start).min(8);
    let eight = eight_at(input, start).unwrap_or_else(|| tail(input, start, end));
    (eight | SPACES) & (u64::MAX >> (64 - 8 * bytes.max(1)))
}

/// A word of letters as [`folded`] gives it; any after the eighth are left out.
pub(crate) const fn key(word: &[u8]) -> u64 {
    let mut key = 0;
    let mut index = 0;
    while index < word.len() && index < 8 {
        key |= ((word[index] | 0x20) as u64) << (8 * index);
        index += 1;
    }
    key
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x80 * ONES;
/// The bit that makes letters lower case, in every byte.
const SPACES: u64 = 0x20 * ONES;

#[inline(always)]
fn eight_at(input: &[u8], at: usize) -> Option<u64> {
    let eight = input.get(at..)?.first_chunk::<8>()?;
    Some(u64::from_le_bytes(*eight))
}

#[cold]
fn tail(input: &[u8], start: usize, end: usize) -> u64 {
    let rest = input.get(start..end).unwrap_or_default();
    rest.iter().take(8).rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// The high bit of every byte from `first` to `last`; the input has none set.
#[inline(always)]
fn within(bytes: u64, first: u8, last: u8) -> u64 {
    let from_first = bytes + u64::from(0x80 - first) * ONES;
    let after_last = bytes + u64::from(0x7f - last) * ONES;
    from_first & !after_last
}

/// The high bit of every byte that is `byte`; the input has none set.
#[inline(always)]
fn equal(bytes: u64, byte: u8) -> u64 {
    let differences = bytes ^ (u64::from(byte) * ONES);
    !(differences + 0x7f * ONES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_bytes_are_letters_digits_and_two_signs() {
        for byte in 0..=255_u8 {
            let is_plain = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
            for place in 0..8 {
                let mut input = [b'a'; 8];
                input[place] = byte;
                let expected = if is_plain { 8 } else { place };
                assert_eq!(plain_bytes(&input, 0), expected, "{byte} at {place}");
            }
        }
    }

    #[test]
    fn letter_bytes_are_letters_and_one_sign() {
        assert_eq!(letter_bytes(b"Select_it1 from table", 0), 9);
        assert_eq!(letter_bytes("sélect from".as_bytes(), 0), 1);
    }

    #[test]
    fn long_words_go_on_and_the_tail_is_left_out() {
        assert_eq!(plain_bytes(b"abcdefghijkl mnopqrs", 0), 12);
        assert_eq!(plain_bytes(b"abcdefghijkl", 0), 8);
        assert_eq!(plain_bytes(b"abc", 0), 0);
        assert_eq!(plain_bytes(b"abc", 9), 0);
    }

    #[test]
    fn words_fold_to_their_keys() {
        let input = b"xSeLeCt* FROM savepoint";
        assert_eq!(folded(input, 1, 7), key(b"SELECT"));
        assert_eq!(folded(input, 9, 13), key(b"from"));
        assert_eq!(folded(input, 14, 23), key(b"savepoin"));
        assert_eq!(folded(input, 20, 23), key(b"int"), "at the end of the input");
        assert_ne!(folded(input, 1, 8), key(b"SELECT"));
    }
}
