//! Cutting without breaking UTF-8. spec: apm §6.5.

use crate::Change;

const ELLIPSIS: &str = "...";

/// The first `bytes_max` bytes, less those of a character that was cut through.
#[must_use]
pub fn cut_str(value: &str, bytes_max: usize) -> &str {
    value.get(..value.floor_char_boundary(bytes_max)).unwrap_or(value)
}

/// [`cut_str`] of bytes that may be no UTF-8: bytes are dropped from the end until a whole
/// character stands there. Bytes that need no cut are not looked at.
#[must_use]
pub fn cut_bytes(value: &[u8], bytes_max: usize) -> &[u8] {
    let Some(mut kept) = value.get(..bytes_max) else { return value };
    if value.len() == bytes_max {
        return value;
    }
    while !kept.is_empty() && !ends_with_character(kept) {
        kept = kept.split_last().map_or(kept, |(_, shorter)| shorter);
    }
    kept
}

/// Appends `value` cut to `bytes_max` and `...`, when it is longer.
#[inline]
pub fn cut_with_ellipsis(value: &str, bytes_max: usize, out: &mut String) -> Change {
    if value.len() <= bytes_max {
        return Change::Unchanged;
    }
    out.push_str(cut_str(value, bytes_max));
    out.push_str(ELLIPSIS);
    Change::Written
}

/// Whether neither this key of a span's metadata nor its value is ever cut: structured data of the
/// tracers, useless when incomplete.
#[must_use]
pub fn is_exempt_from_cut(key: &str) -> bool {
    key.starts_with("_dd.")
        && [".json", ".msgpack", ".protobuf"].iter().any(|suffix| key.ends_with(suffix))
}

fn ends_with_character(value: &[u8]) -> bool {
    (1..=4).any(|width| {
        let tail = value.len().checked_sub(width).and_then(|start| value.get(start..));
        tail.is_some_and(|tail| {
            str::from_utf8(tail).is_ok_and(|tail| tail.chars().nth(1).is_none())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_bytes_at_the_cut_are_dropped() {
        assert_eq!(cut_bytes(b"ab\xff\xfe\xc3\xa9", 4), b"ab");
        assert_eq!(cut_bytes(b"a\xe2\x82\xacb", 3), b"a");
        assert_eq!(cut_bytes(b"a\xe2\x82\xacb", 4), b"a\xe2\x82\xac");
        assert_eq!(cut_bytes(b"a\xff", 2), b"a\xff");
    }

    #[test]
    fn ellipsis_marks_a_cut() {
        let mut out = String::new();
        assert_eq!(cut_with_ellipsis("abc", 3, &mut out), Change::Unchanged);
        assert_eq!(cut_with_ellipsis("abé", 3, &mut out), Change::Written);
        assert_eq!(out, "ab...");
    }

    #[test]
    fn structured_metadata_is_exempt() {
        assert!(is_exempt_from_cut("_dd.appsec.json"));
        assert!(is_exempt_from_cut("_dd.di.snapshot.protobuf"));
        assert!(!is_exempt_from_cut("_dd.origin"));
        assert!(!is_exempt_from_cut("body.json"));
    }
}
