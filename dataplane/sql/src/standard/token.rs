//! What the scanner finds.

/// What a token is, or what a filter made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// An identifier, quoted with backticks or not quoted at all.
    Id,
    Null,
    Boolean,
    Savepoint,
    Limit,
    As,
    Select,
    From,
    Update,
    Delete,
    Insert,
    Into,
    Join,
    Alter,
    Create,
    Grant,
    Revoke,
    Commit,
    Begin,
    Truncate,
    Drop,
    Number,
    String,
    DoubleQuoted,
    DollarQuoted,
    /// `$func$...$func$` whose body could be obfuscated.
    DollarFunc,
    Variable,
    Prepared,
    Escape,
    Placeholder,
    Comma,
    OpenParen,
    CloseParen,
    OpenBracket,
    CloseBracket,
    Semicolon,
    Equals,
    Colon,
    Comment,
    /// Any other token; it passes the filters as it is.
    Other,
    /// The end of the statement.
    End,
    /// The statement cannot be read on.
    Failed,
    // From here on: kinds that only filters give.
    TableName,
    /// Dropped.
    Filtered,
    /// Replaced by `?`, or part of a list that was.
    Groupable,
    /// The same for a `(`.
    GroupableParen,
    /// Inside of the brackets of a dropped alias.
    BracketedAlias,
}

impl Kind {
    /// The name of a command, for the metadata.
    pub(super) fn command(self) -> Option<&'static str> {
        Some(match self {
            Self::Select => "SELECT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Insert => "INSERT",
            Self::Join => "JOIN",
            Self::Alter => "ALTER",
            Self::Create => "CREATE",
            Self::Grant => "GRANT",
            Self::Revoke => "REVOKE",
            Self::Commit => "COMMIT",
            Self::Begin => "BEGIN",
            Self::Truncate => "TRUNCATE",
            Self::Drop => "DROP",
            _ => return None,
        })
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kinds(u64);

impl Kinds {
    pub(super) const ALL: Self = Self(u64::MAX);

    pub(super) const fn of(kinds: &[Kind]) -> Self {
        let mut bits = 0;
        let mut index = 0;
        while index < kinds.len() {
            bits |= 1 << kinds[index] as u8;
            index += 1;
        }
        Self(bits)
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[inline(always)]
    pub(super) const fn contains(self, kind: Kind) -> bool {
        self.0 >> kind as u8 & 1 != 0
    }
}

const _: () = assert!((Kind::BracketedAlias as u8) < 64, "a set has 64 bits");

/// One token: what it is and where its text stands in the input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: Kind,
    /// What stood before and after the text if it was quoted, else zero.
    pub(super) delimiter: u8,
    /// Whether doubled delimiters or escapes of a quoted text have to be resolved.
    pub(super) has_escapes: bool,
}

impl Token {
    #[inline(always)]
    pub(super) fn plain(kind: Kind, start: usize, end: usize) -> Self {
        Self { start, end, kind, delimiter: 0, has_escapes: false }
    }
}
