//! Which of the value columns holds the values of a metric. spec: metrics-intake §6.4.

/// The value column, as bits 4 and 5 of the type say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ValueKind {
    /// Every value is zero: nothing is stored.
    Zero = 0x00,
    /// Whole numbers of less than 48 bits.
    Sint64 = 0x10,
    /// Exact in 32 bits.
    Float32 = 0x20,
    /// Anything else.
    Float64 = 0x30,
}

/// Bits of the type that name the value column.
pub(crate) const VALUE_KIND_MASK: u64 = 0x30;

/// Whole numbers from here on are not stored as such.
const WHOLE_MAX: f64 = 281_474_976_710_656.0;

impl ValueKind {
    /// The smallest column that holds all of `values` exactly. The sign of a zero is not kept.
    #[inline]
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Self {
        let (mut zero, mut whole, mut single) = (true, true, true);
        for value in values {
            zero &= value.abs().to_bits() == 0;
            whole &= value.abs() < WHOLE_MAX && as_whole(value).is_some();
            single &= as_single(value).is_some();
        }
        if zero {
            Self::Zero
        } else if whole {
            Self::Sint64
        } else if single {
            Self::Float32
        } else {
            Self::Float64
        }
    }

    /// The kind that the bits of a type name.
    pub(crate) const fn from_type(kind: u64) -> Self {
        match kind & VALUE_KIND_MASK {
            0x00 => Self::Zero,
            0x10 => Self::Sint64,
            0x20 => Self::Float32,
            _ => Self::Float64,
        }
    }
}

/// The value as an integer if it is one of less than 63 bits.
#[inline]
#[expect(clippy::float_cmp, reason = "exactness is the question")]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "the way back shows whether it was exact"
)]
pub(crate) fn as_whole(value: f64) -> Option<i64> {
    let whole = value as i64;
    (whole as f64 == value).then_some(whole)
}

/// The value as a single float if that is exact.
#[inline]
#[expect(clippy::float_cmp, reason = "exactness is the question")]
#[expect(clippy::cast_possible_truncation, reason = "the way back shows whether it was exact")]
pub(crate) fn as_single(value: f64) -> Option<f32> {
    let single = value as f32;
    (f64::from(single) == value).then_some(single)
}

#[cfg(test)]
mod tests {
    use super::*;

    // spec: metrics-intake §11.6
    #[test]
    fn decisions_of_the_specification() {
        let kind = |values: &[f64]| ValueKind::of(values.iter().copied());
        assert_eq!(kind(&[0.0, -0.0]), ValueKind::Zero);
        assert_eq!(kind(&[3.0]), ValueKind::Sint64);
        assert_eq!(kind(&[281_474_976_710_655.0, -7.0]), ValueKind::Sint64);
        assert_eq!(kind(&[281_474_976_710_656.0]), ValueKind::Float32);
        assert_eq!(kind(&[0.1]), ValueKind::Float64);
        assert_eq!(kind(&[0.0, 5.0]), ValueKind::Sint64);
        assert_eq!(kind(&[0.5, 16_777_217.0]), ValueKind::Float64);
        assert_eq!(kind(&[0.5, 16_777_216.0]), ValueKind::Float32);
        assert_eq!(kind(&[f64::MAX]), ValueKind::Float64);
    }
}
