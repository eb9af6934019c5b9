//! Protobuf primitives: varints, keys, strings.

/// A varint field.
pub(crate) const VARINT: u32 = 0;
/// An 8-byte field.
pub(crate) const FIXED64: u32 = 1;
/// A field with a length: string, bytes, message, packed numbers.
pub(crate) const LEN: u32 = 2;

/// Appends a base-128 varint.
#[inline]
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
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
pub(crate) const fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// Maps signed numbers to unsigned ones so that small magnitudes stay small.
#[inline]
pub(crate) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// Inverse of [`zigzag`].
#[inline]
pub(crate) const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

/// Appends the key of a field.
#[inline]
pub(crate) fn put_key(out: &mut Vec<u8>, field: u32, wire_type: u32) {
    put_varint(out, u64::from(field << 3 | wire_type));
}

/// Bytes of the key of a field.
#[inline]
pub(crate) const fn key_len(field: u32) -> usize {
    varint_len((field as u64) << 3)
}

/// Appends key and length of a message or packed field whose `len` bytes follow.
#[inline]
pub(crate) fn put_len(out: &mut Vec<u8>, field: u32, len: usize) {
    put_key(out, field, LEN);
    put_varint(out, len as u64);
}

/// Appends a string or bytes field, even when it is empty.
#[inline]
pub(crate) fn put_bytes(out: &mut Vec<u8>, field: u32, value: &[u8]) {
    put_len(out, field, value.len());
    out.extend_from_slice(value);
}

/// Appends a string field unless it is empty.
#[inline]
pub(crate) fn put_some_str(out: &mut Vec<u8>, field: u32, value: &str) {
    if !value.is_empty() {
        put_bytes(out, field, value.as_bytes());
    }
}

/// Bytes of a field with `len` bytes of content.
#[inline]
pub(crate) const fn field_len(field: u32, len: usize) -> usize {
    key_len(field) + varint_len(len as u64) + len
}

/// Appends a varint field unless it is zero.
#[inline]
pub(crate) fn put_some_varint(out: &mut Vec<u8>, field: u32, value: u64) {
    if value != 0 {
        put_key(out, field, VARINT);
        put_varint(out, value);
    }
}

/// Bytes that [`put_some_varint`] appends.
#[inline]
pub(crate) const fn some_varint_len(field: u32, value: u64) -> usize {
    if value == 0 { 0 } else { key_len(field) + varint_len(value) }
}

/// Appends a double field unless it is positive zero.
#[inline]
pub(crate) fn put_some_double(out: &mut Vec<u8>, field: u32, value: f64) {
    if value.to_bits() != 0 {
        put_key(out, field, FIXED64);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// Bytes that [`put_some_double`] appends.
#[inline]
pub(crate) const fn some_double_len(field: u32, value: f64) -> usize {
    if value.to_bits() == 0 { 0 } else { key_len(field) + 8 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varint_len_is_what_put_varint_appends() {
        for shift in 0..64 {
            for value in [(1_u64 << shift) - 1, 1 << shift, u64::MAX >> shift] {
                let mut out = Vec::new();
                put_varint(&mut out, value);
                assert_eq!(out.len(), varint_len(value), "{value}");
            }
        }
    }

    #[test]
    fn zigzag_round_trips() {
        for value in [0, 1, -1, 2, -2, i64::MAX, i64::MIN] {
            assert_eq!(unzigzag(zigzag(value)), value);
        }
        assert_eq!([zigzag(0), zigzag(-1), zigzag(1)], [0, 1, 2]);
    }
}
