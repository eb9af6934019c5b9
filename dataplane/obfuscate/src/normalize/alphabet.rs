//! Tests whether a value is already normal: one table look-up a byte and no branch.

/// Class of each byte of a value.
pub(super) struct Alphabet {
    classes: [u8; 256],
}

/// An underscore.
const UNDERSCORE: u8 = 1;
/// A byte that cannot follow an underscore. One bit above it, so that a shift brings them together.
const CLASHING: u8 = UNDERSCORE << 1;
/// A byte that cannot stand at all.
const ILLEGAL: u8 = 1 << 2;

/// How much of a value has to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Nothing.
    Valid,
    /// Only the underscore at its end.
    Trailing,
    /// Anything.
    Invalid,
}

impl Alphabet {
    /// The letters of `legal`, and underscores. Neither an underscore nor a `clashing` letter
    /// follows an underscore.
    pub(super) const fn new(legal: &[u8], clashing: &[u8]) -> Self {
        let mut classes = [ILLEGAL; 256];
        let mut at = 0;
        while at < legal.len() {
            classes[legal[at] as usize] = 0;
            at += 1;
        }
        let mut at = 0;
        while at < clashing.len() {
            classes[clashing[at] as usize] = CLASHING;
            at += 1;
        }
        classes[b'_' as usize] = UNDERSCORE | CLASHING;
        Self { classes }
    }

    /// Classifies a value. An underscore at its start is no flaw.
    #[inline]
    pub(super) fn form(&self, value: &[u8]) -> Form {
        let mut flaws = 0;
        let mut previous = 0;
        for &byte in value {
            let class = self.classes[usize::from(byte)];
            flaws |= (class & ILLEGAL) | ((previous << 1) & class);
            previous = class;
        }
        if flaws != 0 {
            Form::Invalid
        } else if previous & UNDERSCORE != 0 {
            Form::Trailing
        } else {
            Form::Valid
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn underscores_stand_alone() {
        const LETTERS: Alphabet = Alphabet::new(b"ab.", b".");
        for (value, form) in [
            ("", Form::Valid),
            ("_a_b.a", Form::Valid),
            ("a._b", Form::Valid),
            ("a_", Form::Trailing),
            ("_", Form::Trailing),
            ("a__b", Form::Invalid),
            ("a_.b", Form::Invalid),
            ("a__", Form::Invalid),
            ("c", Form::Invalid),
            ("a\u{e9}", Form::Invalid),
        ] {
            assert_eq!(LETTERS.form(value.as_bytes()), form, "{value}");
        }
    }
}
