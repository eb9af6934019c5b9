//! Why records are dropped.

/// Why a record goes no further. Each variant is one counter in `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Dropped {
    /// `exclude_at_match` matched.
    Excluded,
    /// `include_at_match` did not match.
    NotIncluded,
    /// `exclude_truncated`, and the message is only a part of what was logged.
    Truncated,
    /// The intake would not take it whole: 1 MB encoded.
    TooLarge,
}

impl Dropped {
    /// Every reason, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Excluded, Self::NotIncluded, Self::Truncated, Self::TooLarge];

    /// Name in status and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Excluded => "excluded",
            Self::NotIncluded => "not_included",
            Self::Truncated => "truncated",
            Self::TooLarge => "too_large",
        }
    }
}
