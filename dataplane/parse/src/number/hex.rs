//! Hexadecimal floats, rounded exactly. spec: dogstatsd §4.3.

/// Digits, optional point, mandatory binary exponent, without the `0x`. A `_` may stand between
/// two digits or between the prefix and a digit. `None` for anything else and for a number too
/// large to represent.
#[cold]
pub(super) fn parse_hex_float(text: &[u8]) -> Option<f64> {
    let at = text.iter().position(|byte| matches!(byte, b'p' | b'P'))?;
    let (digits, exponent) = text.split_at_checked(at)?;
    let exponent = parse_exponent(exponent.get(1..)?)?;

    let mut mantissa = 0u64;
    let mut mantissa_exponent = 0i64;
    let mut is_inexact = false;
    let mut has_digits = false;
    let mut is_fraction = false;
    // The prefix counts as a digit for an underscore.
    let mut previous = b'0';
    for &byte in digits {
        match byte {
            b'_' if previous == b'.' => return None,
            b'_' | b'.' if previous == b'_' => return None,
            b'_' => {}
            b'.' if is_fraction => return None,
            b'.' => is_fraction = true,
            _ => {
                let digit = u64::from(char::from(byte).to_digit(16)?);
                has_digits = true;
                if mantissa >> 60 == 0 {
                    mantissa = mantissa << 4 | digit;
                    mantissa_exponent -= if is_fraction { 4 } else { 0 };
                } else {
                    is_inexact |= digit != 0;
                    mantissa_exponent += if is_fraction { 0 } else { 4 };
                }
            }
        }
        previous = byte;
    }
    if !has_digits || previous == b'_' {
        return None;
    }
    // The lowest bit stands for all digits cut off: it is far below the rounding position.
    let value =
        scaled(mantissa | u64::from(is_inexact), exponent.saturating_add(mantissa_exponent));
    value.is_finite().then_some(value)
}

/// Optional sign, then digits, with `_` between digits; saturates where no mantissa could bring the
/// number back into range.
fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] => (1, digits),
        digits => (1, digits),
    };
    let mut exponent = 0i64;
    let mut previous = b'_';
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                exponent = exponent.saturating_mul(10).saturating_add(i64::from(byte - b'0'));
            }
            b'_' if previous != b'_' => {}
            _ => return None,
        }
        previous = byte;
    }
    (previous != b'_').then_some(sign * exponent)
}

/// `mantissa * 2^exponent`, rounded once, to nearest and ties to even, also where the result is
/// subnormal.
fn scaled(mantissa: u64, exponent: i64) -> f64 {
    // Exponent of the last place of the smallest and of the largest doubles.
    const LAST_PLACE_MIN: i64 = -1074;
    const LAST_PLACE_MAX: i64 = 971;
    if mantissa == 0 {
        return 0.0;
    }
    let bits = i64::from(u64::BITS - mantissa.leading_zeros());
    let last_place = exponent.saturating_add(bits - 53).max(LAST_PLACE_MIN);
    if last_place > LAST_PLACE_MAX {
        return f64::INFINITY;
    }
    // At least -52, as `last_place` is at least `exponent + bits - 53`.
    let dropped_bits = last_place.saturating_sub(exponent);
    let units = if dropped_bits <= 0 {
        u128::from(mantissa) << dropped_bits.unsigned_abs()
    } else if dropped_bits < 128 {
        let wide = u128::from(mantissa);
        let (kept, half) = (wide >> dropped_bits, 1u128 << (dropped_bits - 1));
        let rest = wide & (half | (half - 1));
        kept + u128::from(rest > half || (rest == half && kept & 1 == 1))
    } else {
        0
    };
    // At most 2^53 units, so every step is exact.
    #[expect(clippy::cast_precision_loss, reason = "at most 2^53")]
    let units = units as f64;
    if last_place < -1022 {
        units * power_of_two(-1022) * power_of_two(last_place + 1022)
    } else {
        units * power_of_two(last_place)
    }
}

/// `2^exponent` for the exponents of normal doubles.
const fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits((exponent + 1023).cast_unsigned() << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<f64> {
        parse_hex_float(text.as_bytes())
    }

    #[test]
    fn rounds_once_to_even() {
        for (text, expected) in [
            ("1p-2", 0.25),
            ("1.8P+1", 3.0),
            (".8p0", 0.5),
            ("1.p0", 1.0),
            ("ffffffffffffffffffp0", 4_722_366_482_869_645_213_695.0),
            ("1.fffffffffffff7p1023", f64::MAX),
            // Subnormals: half of the smallest is a tie, a little more is not.
            ("1p-1074", f64::from_bits(1)),
            ("1p-1075", 0.0),
            ("1.0000000000001p-1075", f64::from_bits(1)),
            ("1.8p-1074", f64::from_bits(2)),
            // Rounding to 53 bits first and then to the subnormal place would give 2 units.
            ("1.7ffffffffffffcp-1074", f64::from_bits(1)),
            ("1p-99999999999999999999", 0.0),
            ("0p99999999999999999999", 0.0),
        ] {
            assert_eq!(parse(text).map(f64::to_bits), Some(expected.to_bits()), "{text}");
        }
        for text in ["1p1024", "1.fffffffffffff8p1023", "1p99999999999999999999"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn underscores_stand_between_digits_or_after_the_prefix() {
        for (text, expected) in
            [("_1p0", 1.0), ("1_0p0", 16.0), ("1p1_0", 1024.0), ("1_0.8_0p0", 16.5)]
        {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
        for text in [
            "__1p0", "1__0p0", "1_p0", "_.8p0", "1_.8p0", "1._8p0", "1p_1", "1p1_", "_p0", "1.8_p0",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "p1", ".p1", "1", "1p", "1p+", "1p+-1", "1.2.3p1", "1gp1", "1p1.5", "1pp1"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
