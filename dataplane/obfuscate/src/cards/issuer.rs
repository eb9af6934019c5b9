//! Leading digits of card numbers. spec: apm-obfuscation §7, prefix table.

/// What leading digits say of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issuer {
    /// No issuer's numbers begin like this.
    Unknown,
    /// More digits are needed.
    Open,
    /// An issuer's numbers begin like this.
    Known,
}

/// Looks at `number`, the value of the first one to six digits.
#[must_use]
pub const fn issuer(number: u32) -> Issuer {
    match number {
        1 | 4 => Issuer::Known,
        2 | 3 | 5 | 6 => Issuer::Open,

        34..=39 | 51..=55 | 62 | 65 => Issuer::Known,
        22..=27 | 30 | 50 | 56..=58 | 60..=69 => Issuer::Open,

        300..=305 | 309 | 636 | 644..=649 => Issuer::Known,
        222..=272 | 352..=358 | 500..=509 | 560..=589 | 600..=699 => Issuer::Open,

        3528..=3589 | 5019 | 6011 => Issuer::Known,
        2221..=2720 | 5000..=5099 | 5600..=5899 | 6000..=6999 => Issuer::Open,

        22_210..=27_209 | 50_000..=50_999 | 56_000..=58_999 | 60_000..=69_999 => Issuer::Open,

        222_100..=272_099 | 500_000..=509_999 | 560_000..=589_999 | 600_000..=699_999 => {
            Issuer::Known
        }
        _ => Issuer::Unknown,
    }
}
