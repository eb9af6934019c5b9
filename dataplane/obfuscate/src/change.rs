//! Whether a value has become another one.

/// What was done to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "without it, an empty output cannot be told from an unchanged value"]
pub enum Change {
    /// The value stays as it is; the output is as it was before.
    Unchanged,
    /// The result, which may be empty, was appended to the output.
    Written,
}

impl Change {
    /// Whether there is a result in the output.
    #[must_use]
    pub const fn is_written(self) -> bool {
        matches!(self, Self::Written)
    }

    /// The value to go on with: `value` itself, or what was `written`.
    #[must_use]
    pub const fn select<'a>(self, value: &'a str, written: &'a str) -> &'a str {
        match self {
            Self::Unchanged => value,
            Self::Written => written,
        }
    }
}

/// Compares what stands in `out` after `start` with the value it was made from, and takes it back
/// when it is the same.
pub(crate) fn settle(value: &[u8], out: &mut String, start: usize) -> Change {
    if out.as_bytes().get(start..) == Some(value) {
        out.truncate(start);
        return Change::Unchanged;
    }
    Change::Written
}
