//! Numbers as the reference's clients and servers write them. spec: dogstatsd §4.3.

mod hex;

use hex::parse_hex_float;

/// A float with the syntax of Go's `strconv.ParseFloat`: decimal and hexadecimal forms, `inf` and
/// `nan` by name. `None` for anything else, and for a decimal too large to represent.
#[inline]
#[must_use]
pub fn parse_float(text: &[u8]) -> Option<f64> {
    parse_short_decimal(text, text.len())
        .or_else(|| parse_decimal(text))
        .or_else(|| parse_any_float(text))
}

/// A base-10 signed 64-bit integer with an optional sign.
#[must_use]
pub fn parse_int(text: &[u8]) -> Option<i64> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0i64;
    for &byte in digits {
        let digit = i64::from(byte.wrapping_sub(b'0'));
        if digit > 9 {
            return None;
        }
        // Accumulated as a negative number, whose range is the larger one.
        value = value.checked_mul(10)?.checked_sub(digit)?;
    }
    if is_negative { Some(value) } else { value.checked_neg() }
}

/// A plain decimal that is the first `length` bytes of `window`, if it has at most eight besides
/// its sign: all of them are read as one word, without a branch for each. `None` when it is
/// anything else, or when fewer than eight bytes are in the window.
#[inline]
pub(crate) fn parse_short_decimal(window: &[u8], length: usize) -> Option<f64> {
    match window {
        [b'-', window @ ..] => Some(-parse_eight(window.first_chunk()?, length.checked_sub(1)?)?),
        window => parse_eight(window.first_chunk()?, length),
    }
}

#[inline]
fn parse_eight(window: &[u8; 8], length: usize) -> Option<f64> {
    if length == 0 || length > 8 {
        return None;
    }
    // Little-endian: the first character is the lowest byte. The shift drops what is behind the
    // text and puts zeros before it.
    let word = (u64::from_le_bytes(*window) ^ (EACH_BYTE * 0x30)) << (64 - 8 * length);
    let others = word ^ (EACH_BYTE * u64::from(b'.' ^ 0x30));
    // The lowest byte of `others` that is zero; bits above it mean nothing.
    let points = others.wrapping_sub(EACH_BYTE) & !others & (EACH_BYTE * 0x80);
    if points != 0 && length == 1 {
        return None;
    }
    // What is before the point moves up into its place. Computed in any case and then chosen: a
    // branch would be mispredicted wherever whole numbers and fractions mix.
    let point_bit = points.trailing_zeros() & 0x38;
    let behind = word & (u64::MAX << point_bit << 8);
    let before = word & !(u64::MAX << point_bit);
    let digits = if points == 0 { word } else { behind | before << 8 };
    let decimals = if points == 0 { 0 } else { 7 - point_bit / 8 };
    // The highest bit of a byte above 9 is set; a carry into the next byte changes no verdict.
    let not_digits = digits.wrapping_add(EACH_BYTE * 0x76) | digits;
    if not_digits & (EACH_BYTE * 0x80) != 0 {
        return None;
    }
    // Pairs of digits, then pairs of pairs, then all eight.
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let upper = (pairs & 0xff_0000_00ff).wrapping_mul(100 + (1_000_000 << 32));
    let lower = (pairs >> 16 & 0xff_0000_00ff).wrapping_mul(1 + (10_000 << 32));
    let value = upper.wrapping_add(lower) >> 32;
    Some(as_f64(value) / POWERS_OF_TEN.get(decimals as usize)?)
}

/// A word of eight bytes of 1: times `n`, of eight bytes `n`.
const EACH_BYTE: u64 = 0x0101_0101_0101_0101;

/// Plain decimals of at most 15 digits: both the digits and the power of ten are exact doubles, so
/// that one division rounds correctly (Clinger's fast path). `None` when the text is anything else.
#[inline]
fn parse_decimal(text: &[u8]) -> Option<f64> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.len() > 16 {
        return None;
    }
    let mut mantissa = 0u64;
    let mut digit_count = 0usize;
    let mut point_at = None;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            mantissa = mantissa * 10 + u64::from(digit);
            digit_count += 1;
        } else if byte == b'.' && point_at.is_none() {
            point_at = Some(digit_count);
        } else {
            return None;
        }
    }
    if digit_count == 0 || digit_count > 15 {
        return None;
    }
    let scale = POWERS_OF_TEN.get(digit_count - point_at.unwrap_or(digit_count))?;
    let value = as_f64(mantissa) / scale;
    Some(if is_negative { -value } else { value })
}

const POWERS_OF_TEN: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

#[cold]
fn parse_any_float(text: &[u8]) -> Option<f64> {
    let (sign, body) = match text {
        [b'-', body @ ..] => (-1.0, body),
        [b'+', body @ ..] => (1.0, body),
        body => (1.0, body),
    };
    if let [b'0', b'x' | b'X', hex @ ..] = body {
        return parse_hex_float(hex).map(|value| sign * value);
    }
    let is_named = |name: &[u8]| body.eq_ignore_ascii_case(name);
    if is_named(b"inf") || is_named(b"infinity") {
        return Some(sign * f64::INFINITY);
    }
    if is_named(b"nan") {
        return (body.len() == text.len()).then_some(f64::NAN);
    }
    // What is left is decimal: the standard parser knows the same forms, except that a second sign
    // or a name must not reach it, and that it saturates where the reference refuses.
    if !body.first().is_some_and(|&b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let value: f64 = std::str::from_utf8(body).ok()?.parse().ok()?;
    value.is_finite().then_some(sign * value)
}

#[expect(clippy::cast_precision_loss, reason = "rounding to nearest is what a parser wants")]
const fn as_f64(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn forms_of_floats() {
        for (text, expected) in [
            ("1", 1.0),
            ("-1", -1.0),
            ("+1", 1.0),
            ("1.", 1.0),
            (".5", 0.5),
            ("-.5", -0.5),
            ("1e3", 1000.0),
            ("1E-3", 0.001),
            ("1.5e+10", 1.5e10),
            ("0x1p-2", 0.25),
            ("0x1.8p1", 3.0),
            ("-0X1.8P1", -3.0),
            ("0x_1p0", 1.0),
            ("0x1_0p0", 16.0),
            ("0xffffffffffffffffffp0", 4_722_366_482_869_645_213_695.0),
            ("1e-400", 0.0),
            ("0.1", 0.1),
            ("123456789012345", 123_456_789_012_345.0),
            ("0.30000000000000004", 0.300_000_000_000_000_04),
            ("17976931348623157e292", f64::MAX),
        ] {
            assert_eq!(parse_float(text.as_bytes()), Some(expected), "{text}");
        }
        for text in ["inf", "+Inf", "iNfInItY"] {
            assert_eq!(parse_float(text.as_bytes()), Some(f64::INFINITY), "{text}");
        }
        assert_eq!(parse_float(b"-infinity"), Some(f64::NEG_INFINITY));
        assert!(parse_float(b"NaN").is_some_and(f64::is_nan));
        for text in [
            "", " 1", "1 ", "1,5", "1_000", "0x10", "1e400", "-", "+", ".", "e5", "1e", "--1",
            "+-1", "+nan", "-nan", "infinit", "0x", "0xp1", "0x1p", "0x1__0p0", "0x1_p0", "1.2.3",
            "0x.p1", "abc", "1e5.5", "\u{661}",
        ] {
            assert_eq!(parse_float(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn forms_of_integers() {
        assert_eq!(parse_int(b"1657100430"), Some(1_657_100_430));
        assert_eq!(parse_int(b"-9223372036854775808"), Some(i64::MIN));
        assert_eq!(parse_int(b"9223372036854775807"), Some(i64::MAX));
        assert_eq!(parse_int(b"+5"), Some(5));
        for text in ["", "-", "+", "9223372036854775808", "1_0", "1.0", " 1", "0x1"] {
            assert_eq!(parse_int(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn floats_agree_with_the_standard_parser(value in any::<f64>().prop_filter("finite", |v| v.is_finite())) {
            prop_assert_eq!(parse_float(format!("{value}").as_bytes()), Some(value));
            prop_assert_eq!(parse_float(format!("{value:e}").as_bytes()), Some(value));
        }

        #[test]
        fn short_decimals_agree_with_the_standard_parser(text in "-?[0-9]{0,17}(\\.[0-9]{0,17})?") {
            let expected = text.parse::<f64>().ok();
            prop_assert_eq!(parse_float(text.as_bytes()), expected);
        }
    }
}
