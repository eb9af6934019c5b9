//! Numbers, which JSON writes in several ways.

use super::schema::Kind;
use crate::output::Output;

/// A number of JSON, or of a text within it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Whole(i128),
    Double(f64),
}

/// Whole numbers up to here have all their digits in a double.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

impl Number {
    /// Reads a decimal number, or one of the names of those that are none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Ok(whole) = text.parse() {
            return Some(Self::Whole(whole));
        }
        match text {
            "NaN" => Some(Self::Double(f64::NAN)),
            "Infinity" => Some(Self::Double(f64::INFINITY)),
            "-Infinity" => Some(Self::Double(f64::NEG_INFINITY)),
            // The names that Rust knows besides are not those of JSON.
            _ if text.contains(|c: char| c.is_ascii_alphabetic() && !matches!(c, 'e' | 'E')) => {
                None
            }
            _ => text.parse().ok().map(Self::Double),
        }
    }

    /// Writes it as content of some kind; none when it does not fit.
    pub(super) fn write(self, kind: Kind, out: &mut Output) -> Option<()> {
        match kind {
            Kind::Double => out.fixed(&self.double().to_bits().to_le_bytes()),
            Kind::Fixed64 => out.fixed(&u64::try_from(self.whole()?).ok()?.to_le_bytes()),
            Kind::SignedFixed64 => out.fixed(&i64::try_from(self.whole()?).ok()?.to_le_bytes()),
            Kind::Fixed32 => out.fixed(&u32::try_from(self.whole()?).ok()?.to_le_bytes()),
            Kind::Unsigned32 => out.varint(u32::try_from(self.whole()?).ok()?.into()),
            Kind::Unsigned64 => out.varint(u64::try_from(self.whole()?).ok()?),
            Kind::Signed64 => out.varint(i64::try_from(self.whole()?).ok()?.cast_unsigned()),
            Kind::Enum(_) => {
                let number = i32::try_from(self.whole()?).ok()?;
                out.varint(i64::from(number).cast_unsigned());
            }
            Kind::Zigzag32 => {
                let number = i32::try_from(self.whole()?).ok()?;
                out.varint(((number << 1) ^ (number >> 31)).cast_unsigned().into());
            }
            Kind::Text | Kind::Id | Kind::Bytes | Kind::Bool | Kind::Message(_) => return None,
        }
        Some(())
    }

    #[expect(clippy::cast_precision_loss, reason = "the nearest double is what JSON means")]
    const fn double(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Double(number) => number,
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "in range and without a fraction")]
    fn whole(self) -> Option<i128> {
        match self {
            Self::Whole(number) => Some(number),
            Self::Double(number) => {
                let is_whole = number.abs() <= EXACT_MAX && number.fract() == 0.0;
                is_whole.then_some(number as i128)
            }
        }
    }
}
