//! The long way of a token: through every filter, into the metadata, to the output in any form.

use super::filters::{self, Filters, Print};
use super::quoted;
use super::run::{Sinks, Statement, obfuscate_body};
use super::token::{Kind, Token};
use crate::SqlError;
use crate::metadata::Collected;
use crate::output::{Output, replace_digits};

/// Passes any token through all filters and writes it; true if it was written.
#[inline(never)]
pub(super) fn pass(
    statement: Statement<'_>,
    token: &Token,
    filters: &mut Filters,
    is_first: bool,
    sinks: &mut Sinks<'_>,
) -> Result<bool, SqlError> {
    let mut token = *token;
    let mut is_func = false;
    if token.kind == Kind::DollarFunc {
        is_func = obfuscate_body(statement, &token, sinks.body.as_deref_mut());
        token.kind = if is_func { Kind::DollarFunc } else { Kind::DollarQuoted };
    }
    if let Some(collected) = sinks.collected.as_deref_mut() {
        collect(statement, &token, collected);
    }
    // The text of a body is not that of the token, and no table is called so.
    if statement.options.collect.tables && !is_func && is_table(statement, filters.last, &token) {
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
    write(statement, &token, print, has_space, sinks);
    Ok(true)
}

/// Whether the token after `last` names a table. spec: apm-obfuscation §2.2, "Table rule"
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

fn collect_table(statement: Statement<'_>, token: &Token, collected: &mut Collected) {
    let Collected { tables, name, .. } = collected;
    if is_verbatim(statement, token) && !statement.options.replace_digits {
        return tables.insert(raw(statement, token));
    }
    name.clear();
    quoted::push_text(name, statement.text, token, statement.has_literal_escapes);
    if statement.options.replace_digits {
        replace_digits(name, 0);
    }
    tables.insert(std::str::from_utf8(name).unwrap_or_default());
}

fn write(
    statement: Statement<'_>,
    token: &Token,
    print: Print,
    has_space: bool,
    sinks: &mut Sinks<'_>,
) {
    let input = statement.text.as_bytes();
    let Sinks { output, body, .. } = sinks;
    let (has_paren, has_digits) = match print {
        Print::Nothing => return,
        Print::Mark => return output.text(input, b"?", has_space),
        Print::Text => (false, true),
        Print::TextWithoutDigits => (false, false),
        Print::ParenText => (true, true),
        Print::ParenTextWithoutDigits => (true, false),
    };
    if has_paren {
        output.text(input, b"(", has_space);
    }
    let has_space = has_space || has_paren;
    let range = token.start..token.end;
    if token.kind == Kind::DollarFunc {
        output.text(input, b"$func$", has_space);
        output.text(input, body.as_deref().map_or(&[], Output::bytes), false);
        output.text(input, b"$func$", false);
    } else if !is_verbatim(statement, token) {
        output.text(input, b"", has_space);
        let bytes = output.bytes_mut();
        let start = bytes.len();
        quoted::push_text(bytes, statement.text, token, statement.has_literal_escapes);
        if !has_digits {
            replace_digits(bytes, start);
        }
    } else if has_digits {
        output.piece(input, range, has_space);
    } else {
        output.without_digits(input, range, has_space);
    }
}

/// Whether the text of the token is its bytes.
fn is_verbatim(statement: Statement<'_>, token: &Token) -> bool {
    token.delimiter == 0 || (!token.has_escapes && !quoted::is_blank(raw(statement, token)))
}

/// The bytes of a token as they stand in the text.
fn raw<'i>(statement: Statement<'i>, token: &Token) -> &'i str {
    statement.text.get(token.start..token.end).unwrap_or_default()
}
