//! What the scanner finds.

/// What a token is. spec: apm-obfuscation §3.1
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Space,
    Identifier,
    QuotedIdentifier,
    /// An identifier directly followed by `(`.
    Function,
    Command,
    Keyword,
    Boolean,
    Null,
    /// `PROCEDURE` or `PROC`.
    Procedure,
    /// `WITH`
    Cte,
    /// `AS`
    Alias,
    /// Also one that is not closed.
    String,
    Number,
    /// Also one that is not closed.
    DollarQuoted,
    /// `$func$...$func$`
    DollarFunc,
    PositionalParameter,
    BindParameter,
    Operator,
    JsonOperator,
    Punctuation,
    LineComment,
    BlockComment,
    /// Anything that passes as it is: wildcards, system variables, and what is not SQL.
    Other,
    /// The end of the statement.
    End,
}

impl Kind {
    /// How many kinds there are.
    pub(super) const COUNT: usize = Self::End as usize + 1;
}

/// One token: what it is and where its text stands in the input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether a name after it is that of a table.
    pub(super) is_table_indicator: bool,
}
