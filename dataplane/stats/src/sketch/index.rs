//! From values to bin indices and back. spec: apm §9.5.

/// Ratio of the bounds of a bin: (1 + 0.01) / (1 - 0.01).
pub const GAMMA: f64 = 1.01 / 0.99;

/// Bits of a duration that survive [`truncate`]: sign, exponent and 9 bits of the mantissa.
const KEPT_BITS: u64 = 0xffff_f800_0000_0000;
const MANTISSA_STEPS: usize = 512;
/// Bits behind the point of [`EXPONENT_STEP`] and [`MANTISSA_INDEX`].
const POINT: u32 = 40;
/// Bins per power of two, ln(2) / ln(gamma) = 34.656..., 40 bits behind the point.
const EXPONENT_STEP: u64 = 38_104_898_999_775;
/// The same with 58 bits behind the point, for building the table.
const EXPONENT_STEP_58: u128 = 9_988_970_643_397_093_104;
/// Index of 1 + i/512, 40 bits behind the point: 4 KiB.
static MANTISSA_INDEX: [u64; MANTISSA_STEPS] = mantissa_index();

/// Smallest value that has a bin; what is smaller counts as zero.
pub(super) fn value_min() -> f64 {
    f64::MIN_POSITIVE * GAMMA
}

/// Index of the bin of a positive value.
#[must_use]
pub fn index_of(value: f64) -> i32 {
    let x = value.ln() * (1.0 / GAMMA.ln());
    // A cast truncates towards zero and saturates; the reference subtracts one from all negative
    // values, whole numbers included.
    #[expect(clippy::cast_possible_truncation, reason = "truncation is the rule")]
    let whole = x as i32;
    if x >= 0.0 { whole } else { whole.saturating_sub(1) }
}

/// Lower bound of a bin: the smallest value in it, but for rounding.
#[must_use]
pub fn lower_bound(index: i32) -> f64 {
    (f64::from(index) * GAMMA.ln()).exp()
}

/// A duration as it is inserted: the low 43 bits of the mantissa are cleared. spec: apm §9.4.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "most of the precision is cleared anyway")]
pub fn truncate(duration_ns: u64) -> f64 {
    f64::from_bits((duration_ns as f64).to_bits() & KEPT_BITS)
}

/// Index of a truncated duration of at least 1, without a logarithm: the same as [`index_of`] for
/// every such value, which a test tries.
#[must_use]
pub fn index_of_truncated(duration: f64) -> i32 {
    debug_assert!(duration >= 1.0, "zero has no bin");
    let bits = duration.to_bits();
    let exponent = (bits >> 52).saturating_sub(1023);
    let mantissa = (bits >> 43) as usize % MANTISSA_STEPS;
    let x = exponent * EXPONENT_STEP + MANTISSA_INDEX.get(mantissa).copied().unwrap_or(0);
    (x >> POINT) as i32
}

/// Logarithms by repeated squaring in fixed point, since `ln` is not available at compile time.
#[expect(clippy::cast_possible_truncation, reason = "each step keeps 64 bits and says why")]
const fn mantissa_index() -> [u64; MANTISSA_STEPS] {
    let mut table = [0; MANTISSA_STEPS];
    let mut at = 0;
    while at < MANTISSA_STEPS {
        // 1 + at/512 with 63 bits behind the point.
        let mut x = (MANTISSA_STEPS + at) as u64 * (1 << 54);
        let mut log2: u128 = 0;
        let mut bit = 0;
        while bit < 48 {
            // The square of a number in [1, 2) is in [1, 4): halve it and note a one.
            let square = (x as u128 * x as u128) >> 63;
            let is_above = square >> 64 != 0;
            x = if is_above { (square >> 1) as u64 } else { square as u64 };
            log2 = (log2 << 1) | is_above as u128;
            bit += 1;
        }
        table[at] = ((log2 * EXPONENT_STEP_58) >> (48 + 58 - POINT)) as u64;
        at += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_of_the_spec() {
        for (duration_ns, truncated, index) in [
            (1, 1.0, 0),
            (1000, 1000.0, 345),
            (12345, 12336.0, 470),
            (1_000_000, 999_424.0, 690),
            (123_456_789, 123_338_752.0, 931),
            (1_000_000_000, 999_292_928.0, 1036),
            (15_000_000_000, 14_998_831_104.0, 1171),
        ] {
            assert_eq!(truncate(duration_ns).to_bits(), f64::to_bits(truncated));
            assert_eq!(index_of(truncated), index);
            assert_eq!(index_of_truncated(truncated), index);
        }
    }

    /// All 32,769 values that a duration can become; no other argument ever occurs.
    #[test]
    fn the_fast_index_equals_the_slow_one_everywhere() {
        for exponent in 0..64_u64 {
            for mantissa in 0..512_u64 {
                let value = f64::from_bits(((exponent + 1023) << 52) | (mantissa << 43));
                assert_eq!(truncate(u64::MAX).to_bits(), 2f64.powi(64).to_bits());
                assert_eq!(index_of_truncated(value), index_of(value), "{value}");
            }
        }
        let largest = truncate(u64::MAX);
        assert_eq!(index_of_truncated(largest), index_of(largest));
    }

    #[test]
    fn negative_indices_round_down() {
        assert_eq!(index_of(0.999), -1);
        assert_eq!(index_of(0.5), -35);
        assert_eq!(index_of(f64::MIN_POSITIVE), -35419);
        assert_eq!(index_of(f64::MAX), 35487);
    }

    #[test]
    fn values_lie_in_their_bins() {
        for index in -2000..2200 {
            let middle = f64::midpoint(lower_bound(index), lower_bound(index + 1));
            assert_eq!(index_of(middle), index);
        }
    }
}
