//! What the scanner finds.

/// What a token is, or what a filter made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An identifier, quoted with backticks or not quoted at all.
    Id,
    Null,
    Boolean,
    Savepoint,
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

/// One token: what it is and where its text stands in the input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// How the text follows from the bytes there.
    pub(super) form: Form,
}

impl Token {
    #[inline(always)]
    pub(super) fn plain(kind: Kind, start: usize, end: usize) -> Self {
        Self { kind, start, end, form: Form::Plain }
    }
}

/// How the text of a token follows from its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// It is the bytes.
    Plain,
    /// The bytes stood between two of these delimiters.
    Quoted { delimiter: u8, has_escapes: bool },
}
