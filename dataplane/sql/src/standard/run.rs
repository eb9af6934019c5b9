//! One statement from its text to the output.

use super::filters::{self, Filters, Print};
use super::pass::pass;
use super::scanner::Scanner;
use super::token::{Kind, Kinds, Token};
use crate::metadata::Collected;
use crate::output::Output;
use crate::{Options, SqlError};

/// What a statement is read with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Statement<'i> {
    pub(crate) text: &'i str,
    pub(crate) options: &'i Options,
    /// Whether a backslash in a string is a plain character. spec: apm-obfuscation §2.5
    pub(crate) has_literal_escapes: bool,
    /// Whether every token goes the long way. The result is the same; checks compare the two.
    pub(crate) is_careful: bool,
}

/// Buffers for one statement.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    pub(crate) output: Output,
    /// Output for the body of a `$func$`.
    body: Output,
    pub(crate) collected: Collected,
}

/// A statement that failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failure {
    pub(crate) error: SqlError,
    /// Whether a backslash was seen in a string, so that reading it differently may help.
    pub(crate) has_seen_escape: bool,
}

/// Writes the obfuscated statement to the output, which it clears first.
pub(crate) fn obfuscate(statement: Statement<'_>, buffers: &mut Buffers) -> Result<(), Failure> {
    let Buffers { output, body, collected } = buffers;
    output.clear();
    collected.clear();
    let mut scanner =
        Scanner::new(statement.text, 0, statement.options.dbms, statement.has_literal_escapes);
    let sinks = Sinks { output, body: Some(body), collected: Some(collected) };
    run(statement, &mut scanner, sinks)
        .map_err(|error| Failure { error, has_seen_escape: scanner.has_seen_escape() })
}

/// Where the parts of the result go. The body of a function has none of its own bodies, since it
/// cannot contain the tag that ends it, and its metadata is not asked for.
pub(super) struct Sinks<'o> {
    pub(super) output: &'o mut Output,
    pub(super) body: Option<&'o mut Output>,
    pub(super) collected: Option<&'o mut Collected>,
}

fn run(
    statement: Statement<'_>,
    scanner: &mut Scanner<'_>,
    mut sinks: Sinks<'_>,
) -> Result<(), SqlError> {
    let options = statement.options;
    let input = statement.text.as_bytes();
    let careful = Careful::new(statement);
    let mut filters = Filters::new(options.keep_sql_alias, options.replace_digits);
    let mut is_first = true;
    loop {
        let token = scanner.next();
        if careful.is_needed(&token, &filters) {
            match token.kind {
                Kind::End => break,
                Kind::Failed => return Err(scanner.error()),
                _ => is_first &= !pass(statement, &token, &mut filters, is_first, &mut sinks)?,
            }
            continue;
        }
        let last = filters.last;
        let (kind, print) = filters.pass_plain(token.kind);
        filters.last = kind;
        let has_space = !is_first && !filters::is_attached(kind, last);
        match print {
            Print::Nothing => continue,
            Print::Mark if token.kind != Kind::Placeholder => {
                sinks.output.text(input, b"?", has_space);
            }
            _ => sinks.output.piece(input, token.start..token.end, has_space),
        }
        is_first = false;
    }
    sinks.output.flush(input);
    if is_first { Err(SqlError::Empty) } else { Ok(()) }
}

/// What tells the tokens that need more than [`Filters::pass_plain`].
struct Careful {
    last: Kinds,
    kind: Kinds,
}

impl Careful {
    fn new(statement: Statement<'_>) -> Self {
        if statement.is_careful {
            return Self { last: Kinds::ALL, kind: Kinds::ALL };
        }
        let options = statement.options;
        let tables = Kinds::of(&[Kind::From, Kind::Join, Kind::Update, Kind::Into]);
        let names = Kinds::of(&[Kind::Id]);
        let none = Kinds::of(&[]);
        let collects = options.collect.commands || options.collect.comments;
        Self {
            last: CAREFUL_AFTER.and(if options.collect.tables { tables } else { none }),
            kind: CAREFUL
                .and(if collects { COLLECTED } else { none })
                .and(if options.replace_digits { names } else { none }),
        }
    }

    #[inline(always)]
    fn is_needed(&self, token: &Token, filters: &Filters) -> bool {
        self.last.contains(filters.last)
            || self.kind.contains(token.kind)
            || token.delimiter == b'`'
            || filters.is_inside_groups(token.kind)
    }
}

/// Kinds that are never plain.
const CAREFUL: Kinds = Kinds::of(&[
    Kind::End,
    Kind::Failed,
    Kind::As,
    Kind::DoubleQuoted,
    Kind::DollarFunc,
    Kind::Savepoint,
]);

/// Kinds after which no token is plain.
const CAREFUL_AFTER: Kinds =
    Kinds::of(&[Kind::As, Kind::BracketedAlias, Kind::Savepoint, Kind::GroupableParen]);

/// Kinds that the metadata tells of.
const COLLECTED: Kinds = Kinds::of(&[
    Kind::Comment,
    Kind::Select,
    Kind::Update,
    Kind::Delete,
    Kind::Insert,
    Kind::Join,
    Kind::Alter,
    Kind::Create,
    Kind::Grant,
    Kind::Revoke,
    Kind::Commit,
    Kind::Begin,
    Kind::Truncate,
    Kind::Drop,
]);

/// Obfuscates the body of a `$func$`; false if that is not wanted or failed, so that the token is
/// a string like any other.
#[cold]
pub(super) fn obfuscate_body(
    statement: Statement<'_>,
    token: &Token,
    body: Option<&mut Output>,
) -> bool {
    let Some(body) = body.filter(|_| statement.options.dollar_quoted_func) else {
        return false;
    };
    body.clear();
    let text = statement.text.get(..token.end).unwrap_or_default();
    let mut scanner =
        Scanner::new(text, token.start, statement.options.dbms, statement.has_literal_escapes);
    let sinks = Sinks { output: body, body: None, collected: None };
    run(statement, &mut scanner, sinks).is_ok()
}
