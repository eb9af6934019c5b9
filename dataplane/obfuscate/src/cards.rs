//! Card numbers: whole values that look like one. spec: apm-obfuscation §7.

mod issuer;
mod screen;

pub use issuer::{Issuer, issuer};
pub use screen::CardScreen;

/// What takes the place of a card number.
pub const REPLACEMENT: &str = "?";

const DIGITS_MIN: usize = 12;
const DIGITS_MAX: usize = 16;

/// Whether the whole value looks like a card number: 12 to 16 digits of a known issuer, with spaces
/// and dashes anywhere. With `luhn` the check digit must fit too.
///
/// Almost every value fails on its length or its first byte; no issuer's numbers begin with other
/// digits than 1 to 6.
#[inline]
#[must_use]
pub fn is_card(value: &str, luhn: bool) -> bool {
    let value = value.as_bytes();
    match value.first() {
        Some(b' ' | b'-' | b'1'..=b'6') if value.len() >= DIGITS_MIN => {
            are_digits_card(value, luhn)
        }
        _ => false,
    }
}

/// [`is_card`] of an integer attribute, written in decimal.
#[must_use]
pub fn is_integer_card(value: i64, luhn: bool) -> bool {
    let mut rest = value.unsigned_abs();
    // 20 digits hold any 64-bit number; the sign changes nothing.
    let mut text = [0_u8; 20];
    let mut count = 0;
    for slot in text.iter_mut().rev() {
        let digit = (rest % 10) as u8;
        *slot = b'0' + digit;
        rest /= 10;
        count += 1;
        if rest == 0 {
            break;
        }
    }
    are_digits_card(text.get(text.len() - count..).unwrap_or_default(), luhn)
}

/// [`is_card`] of a floating-point attribute, written in shortest decimal without exponent.
#[must_use]
pub fn is_float_card(value: f64, luhn: bool) -> bool {
    // A fraction brings a point, which no card has; more than 16 digits are no card either.
    if value.abs() >= 1e16 || value.fract().abs() > 0.0 {
        return false;
    }
    #[expect(clippy::cast_possible_truncation, reason = "integral and below 10^16")]
    let integer = value as i64;
    value.is_finite() && is_integer_card(integer, luhn)
}

fn are_digits_card(value: &[u8], luhn: bool) -> bool {
    let mut digits = [0_u8; DIGITS_MAX];
    let mut count = 0;
    let mut number = 0_u32;
    let mut is_issued = false;
    for &byte in value {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b' ' | b'-' => continue,
            _ => return false,
        };
        let Some(slot) = digits.get_mut(count) else { return false };
        *slot = digit;
        count += 1;
        if !is_issued {
            number = number * 10 + u32::from(digit);
            match issuer(number) {
                Issuer::Unknown => return false,
                Issuer::Open => {}
                Issuer::Known => is_issued = true,
            }
        }
    }
    count >= DIGITS_MIN && is_issued && (!luhn || digits.get(..count).is_some_and(has_check_digit))
}

/// Luhn: counted from the right, every second digit is doubled and its digits added.
fn has_check_digit(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &digit)| match (place % 2, u32::from(digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_tested_as_their_text() {
        assert!(is_integer_card(4_111_111_111_111_111, true));
        assert!(is_integer_card(-4_111_111_111_111_111, true));
        assert!(!is_integer_card(4_111_111_111_111_112, true));
        assert!(is_integer_card(4_111_111_111_111_112, false));
        assert!(!is_integer_card(i64::MIN, false));
        assert!(!is_integer_card(0, false));
        assert!(is_float_card(4_111_111_111_111_111.0, true));
        assert!(!is_float_card(4_111_111_111_111.5, false));
        for odd in [f64::NAN, f64::INFINITY, 1e300, 4.1e-7, -0.0] {
            assert!(!is_float_card(odd, false));
        }
    }

    #[test]
    fn a_letter_anywhere_refuses() {
        assert!(!is_card("4111 1111 1111 1111 x", false));
        assert!(!is_card("4111é111111111111111", false));
    }
}
