//! One statement from its text to the output.

use super::filters::{self, Filters, Print};
use super::quoted;
use super::scanner::Scanner;
use super::token::{Kind, Kinds, Token};
use crate::metadata::Collected;
use crate::output::{Output, push_without_digits};
use crate::{Options, SqlError};

/// What a statement is read with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Statement<'i> {
    pub(crate) text: &'i str,
    pub(crate) options: &'i Options,
    /// Whether a backslash in a string is a plain character. spec: apm-obfuscation §2.5
    pub(crate) has_literal_escapes: bool,
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
struct Sinks<'o> {
    output: &'o mut Output,
    body: Option<&'o mut Output>,
    collected: Option<&'o mut Collected>,
}

fn run(
    statement: Statement<'_>,
    scanner: &mut Scanner<'_>,
    mut sinks: Sinks<'_>,
) -> Result<(), SqlError> {
    let options = statement.options;
    let input = statement.text.as_bytes();
    let careful = Careful::new(options);
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
    fn new(options: &Options) -> Self {
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

/// Passes any token through all filters and writes it; true if it was written.
#[inline(never)]
fn pass(
    statement: Statement<'_>,
    token: &Token,
    filters: &mut Filters,
    is_first: bool,
    sinks: &mut Sinks<'_>,
) -> Result<bool, SqlError> {
    let mut token = *token;
    if token.kind == Kind::DollarFunc {
        token.kind = obfuscate_body(statement, &token, sinks.body.as_deref_mut());
    }
    if let Some(collected) = sinks.collected.as_deref_mut() {
        collect(statement, &token, collected);
    }
    if statement.options.collect.tables && is_table(statement, filters.last, &token) {
        if let Some(collected) = sinks.collected.as_deref_mut() {
            collect_table(statement, &token, collected);
        }
        token.kind = Kind::TableName;
    }
    let last = filters.last;
    let (kind, print) = filters.pass(token.kind)?;
    filters.last = kind;
    if print == Print::Nothing {
        return Ok(false);
    }
    let has_space = !is_first && !filters::is_attached(kind, last);
    let writer = Writer { statement, token: &token, has_space };
    writer.write(print, sinks.output, sinks.body.as_deref());
    Ok(true)
}

/// Whether the token after `last` names a table. spec: §2.2, "Table rule"
fn is_table(statement: Statement<'_>, last: Kind, token: &Token) -> bool {
    match last {
        Kind::From | Kind::Join => {
            quoted::first_char(statement.text, token, statement.has_literal_escapes)
                .is_some_and(crate::chars::is_letter)
        }
        Kind::Update | Kind::Into => true,
        _ => false,
    }
}

/// Obfuscates the body of a `$func$`, and tells what the token is: a plain string if that failed.
#[cold]
fn obfuscate_body(statement: Statement<'_>, token: &Token, body: Option<&mut Output>) -> Kind {
    let Some(body) = body.filter(|_| statement.options.dollar_quoted_func) else {
        return Kind::DollarQuoted;
    };
    body.clear();
    let text = statement.text.get(..token.end).unwrap_or_default();
    let mut scanner =
        Scanner::new(text, token.start, statement.options.dbms, statement.has_literal_escapes);
    let sinks = Sinks { output: body, body: None, collected: None };
    match run(statement, &mut scanner, sinks) {
        Ok(()) => Kind::DollarFunc,
        Err(_) => Kind::DollarQuoted,
    }
}

#[cold]
fn collect(statement: Statement<'_>, token: &Token, collected: &mut Collected) {
    let collect = statement.options.collect;
    if collect.comments && token.kind == Kind::Comment {
        collected.comments.insert(raw(statement, token));
    }
    if collect.commands
        && let Some(command) = token.kind.command()
    {
        collected.commands.insert(command);
    }
}

/// The bytes of a token as they stand in the text.
fn raw<'i>(statement: Statement<'i>, token: &Token) -> &'i str {
    statement.text.get(token.start..token.end).unwrap_or_default()
}

fn collect_table(statement: Statement<'_>, token: &Token, collected: &mut Collected) {
    let has_digits = || raw(statement, token).bytes().any(|byte| byte.is_ascii_digit());
    if token.delimiter == 0 && !(statement.options.replace_digits && has_digits()) {
        return collected.tables.insert(raw(statement, token));
    }
    let mut name = Vec::new();
    quoted::push_text(&mut name, statement.text, token, statement.has_literal_escapes);
    if statement.options.replace_digits {
        let mut without = Vec::with_capacity(name.len());
        push_without_digits(&mut without, &name);
        name = without;
    }
    collected.tables.insert(&String::from_utf8_lossy(&name));
}

/// Writes the texts that are not simply a piece of the input.
struct Writer<'i, 't> {
    statement: Statement<'i>,
    token: &'t Token,
    has_space: bool,
}

impl Writer<'_, '_> {
    #[inline(never)]
    fn write(&self, print: Print, output: &mut Output, body: Option<&Output>) {
        let input = self.statement.text.as_bytes();
        let has_space = match print {
            Print::ParenText | Print::ParenTextWithoutDigits => {
                output.text(input, b"(", self.has_space);
                true
            }
            _ => self.has_space,
        };
        let replaces_digits =
            matches!(print, Print::TextWithoutDigits | Print::ParenTextWithoutDigits);
        let token = self.token;
        if token.kind == Kind::DollarFunc {
            output.text(input, b"$func$", has_space);
            output.text(input, body.map_or(&[], Output::bytes), false);
            return output.text(input, b"$func$", false);
        }
        if print == Print::Mark {
            return output.text(input, b"?", has_space);
        }
        if self.is_verbatim() {
            let range = token.start..token.end;
            return if replaces_digits {
                output.without_digits(input, range, has_space);
            } else {
                output.piece(input, range, has_space);
            };
        }
        output.text(input, b"", has_space);
        let bytes = output.bytes_mut();
        let start = bytes.len();
        let text = self.statement.text;
        quoted::push_text(bytes, text, token, self.statement.has_literal_escapes);
        if replaces_digits {
            let word = bytes.split_off(start);
            push_without_digits(bytes, &word);
        }
    }

    /// Whether the text of the token is its bytes.
    fn is_verbatim(&self) -> bool {
        self.token.delimiter == 0
            || (!self.token.has_escapes && !quoted::is_blank(raw(self.statement, self.token)))
    }
}
