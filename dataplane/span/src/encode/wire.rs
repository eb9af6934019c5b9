//! Protobuf primitives.

/// Wire types.
const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const LEN: u8 = 2;

/// The key of a field with a number below 16.
const fn key(field: u8, wire_type: u8) -> u8 {
    debug_assert!(field < 16);
    field << 3 | wire_type
}

/// Appends a base-128 varint.
#[inline]
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(low_byte(value) | 0x80);
        value >>= 7;
    }
    out.push(low_byte(value));
}

#[expect(clippy::cast_possible_truncation, reason = "takes the low byte on purpose")]
const fn low_byte(value: u64) -> u8 {
    value as u8
}

/// Bytes that [`put_varint`] appends.
#[inline]
pub(super) const fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// Bytes of a string field with a number below 16.
#[inline]
pub(super) const fn bytes_len(len: usize) -> usize {
    1 + varint_len(len as u64) + len
}

/// Appends a varint, even zero: a member of a oneof.
#[inline]
pub(super) fn put_uint(out: &mut Vec<u8>, field: u8, value: u64) {
    out.push(key(field, VARINT));
    put_varint(out, value);
}

/// Appends a varint unless it is zero.
#[inline]
pub(super) fn put_some_uint(out: &mut Vec<u8>, field: u8, value: u64) {
    if value != 0 {
        put_uint(out, field, value);
    }
}

/// Appends a signed integer unless it is zero; a negative one takes ten bytes.
#[inline]
pub(super) fn put_some_int(out: &mut Vec<u8>, field: u8, value: i64) {
    put_some_uint(out, field, value.cast_unsigned());
}

/// Appends eight bytes unless they are zero.
#[inline]
pub(super) fn put_some_fixed(out: &mut Vec<u8>, field: u8, value: u64) {
    if value != 0 {
        put_fixed(out, field, value);
    }
}

/// Appends eight bytes.
#[inline]
pub(super) fn put_fixed(out: &mut Vec<u8>, field: u8, value: u64) {
    let mut bytes = [0; 9];
    bytes[0] = key(field, FIXED64);
    bytes[1..].copy_from_slice(&value.to_le_bytes());
    out.extend_from_slice(&bytes);
}

/// Appends key and length of what follows.
#[inline]
pub(super) fn put_len(out: &mut Vec<u8>, field: u8, len: usize) {
    out.push(key(field, LEN));
    put_varint(out, len as u64);
}

/// Appends a string or bytes, even empty ones.
#[inline]
pub(super) fn put_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    put_len(out, field, bytes.len());
    out.extend_from_slice(bytes);
}

/// Appends a string unless it is empty.
#[inline]
pub(super) fn put_some_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    if !bytes.is_empty() {
        put_bytes(out, field, bytes);
    }
}

/// Appends a message that `write` writes, and whose length will probably have `width` bytes.
#[inline]
pub(super) fn put_message(
    out: &mut Vec<u8>,
    field: u8,
    width: usize,
    write: impl FnOnce(&mut Vec<u8>),
) {
    let start = begin_message(out, field, width);
    write(out);
    end_message(out, start, width, false);
}

/// Appends the key of a message and leaves room for its length. Returns where that is.
#[inline]
pub(super) fn begin_message(out: &mut Vec<u8>, field: u8, width: usize) -> usize {
    out.push(key(field, LEN));
    let start = out.len();
    out.resize(start + width, 0);
    start
}

/// Writes the length of a message that ends here. What was left free is filled up to its width, as
/// readers of varints accept it, or the message moves if it is not as long as was thought.
#[inline]
pub(super) fn end_message(out: &mut Vec<u8>, start: usize, width: usize, is_filled: bool) {
    let len = out.len() - start - width;
    let mut needed = varint_len(len as u64);
    if needed < width && is_filled {
        needed = width;
    }
    if needed != width {
        shift(out, start + width, start + needed);
    }
    let mut rest = len as u64;
    for (at, byte) in out.iter_mut().skip(start).take(needed).enumerate() {
        let more = if at + 1 < needed { 0x80 } else { 0 };
        *byte = low_byte(rest) & 0x7f | more;
        rest >>= 7;
    }
}

/// Moves all from one position on to another.
#[cold]
fn shift(out: &mut Vec<u8>, from: usize, to: usize) {
    let end = out.len();
    if to > from {
        out.resize(end + to - from, 0);
    }
    out.copy_within(from..end, to);
    out.truncate(end + to - from);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_exact_whatever_width_was_left() {
        for len in [0, 1, 127, 128, 16_383, 16_384, 70_000] {
            let mut expected = vec![0xff, 0x0a];
            put_varint(&mut expected, len as u64);
            assert_eq!(expected.len() + len, 1 + bytes_len(len));
            expected.extend(std::iter::repeat_n(7, len));
            for width in 1..5 {
                let mut out = vec![0xff];
                put_message(&mut out, 1, width, |out| out.extend(std::iter::repeat_n(7, len)));
                assert_eq!(out, expected, "{len} bytes, {width} left");
            }
        }
    }
}
