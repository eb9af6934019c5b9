//! One statement from its text to the output.

use super::filters::{self, Filters, Print};
use super::quoted;
use super::scanner::Scanner;
use super::token::{Form, Kind, Token};
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
    let text = statement.text;
    let input = text.as_bytes();
    let collects = sinks.collected.is_some()
        && (options.collect.tables || options.collect.commands || options.collect.comments);
    let finds_tables = options.collect.tables;
    let mut filters = Filters::new(options.keep_sql_alias, options.replace_digits);
    let mut is_first = true;
    loop {
        let mut token = scanner.next()?;
        if token.kind == Kind::End {
            break;
        }
        if token.kind == Kind::DollarFunc {
            token.kind = obfuscate_body(statement, &token, sinks.body.as_deref_mut());
        }
        if collects && let Some(collected) = sinks.collected.as_deref_mut() {
            collect(statement, &token, collected);
        }
        if finds_tables {
            let starts_with_letter = || {
                quoted::first_char(text, &token, statement.has_literal_escapes)
                    .is_some_and(crate::chars::is_letter)
            };
            if filters::is_table(filters.last, starts_with_letter) {
                if let Some(collected) = sinks.collected.as_deref_mut() {
                    collect_table(statement, &token, collected);
                }
                token.kind = Kind::TableName;
            }
        }
        let last = filters.last;
        let (kind, print) = filters.pass(token.kind)?;
        filters.last = kind;
        if print == Print::Nothing {
            continue;
        }
        let has_space = !is_first && !filters::is_attached(kind, last);
        is_first = false;
        let writer = Writer { statement, token, has_space };
        if print == Print::Text && token.form == Form::Plain && token.kind != Kind::DollarFunc {
            sinks.output.piece(input, token.start..token.end, has_space);
        } else if print == Print::Mark {
            if token.kind == Kind::Placeholder {
                sinks.output.piece(input, token.start..token.end, has_space);
            } else {
                sinks.output.text(input, b"?", has_space);
            }
        } else {
            writer.write(print, sinks.output, sinks.body.as_deref());
        }
    }
    sinks.output.flush(input);
    if is_first { Err(SqlError::Empty) } else { Ok(()) }
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
    if token.form == Form::Plain && !(statement.options.replace_digits && has_digits()) {
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
struct Writer<'i> {
    statement: Statement<'i>,
    token: Token,
    has_space: bool,
}

impl Writer<'_> {
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
        let token = &self.token;
        if token.kind == Kind::DollarFunc {
            output.text(input, b"$func$", has_space);
            output.text(input, body.map_or(&[], Output::bytes), false);
            return output.text(input, b"$func$", false);
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
        match self.token.form {
            Form::Plain => true,
            Form::Quoted { has_escapes, .. } => {
                !has_escapes && !quoted::is_blank(raw(self.statement, &self.token))
            }
        }
    }
}
