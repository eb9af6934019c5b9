//! Literals to `?`, token by token. spec: apm-obfuscation §3.2

use super::Statement;
use super::scanner::{FUNC_TAG, Scanner};
use super::token::{Kind, Token};
use crate::Options;
use crate::output::Output;

/// What becomes of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It stays.
    Keep,
    /// `?`
    Mark,
    /// It stays, with digits replaced.
    WithoutDigits,
    /// The body of a function, to be obfuscated in its own right.
    Body,
}

/// What has to be known of the tokens before: a state between two tokens of one statement.
#[derive(Debug, Default)]
pub(super) struct Literals {
    is_after_json_operator: bool,
    /// How much of `EXTRACT(` stands right before.
    extract: Extract,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Extract {
    #[default]
    No,
    Name,
    Open,
}

impl Literals {
    /// What becomes of a token. spec: §3.2
    #[inline(always)]
    pub(super) fn outcome(&mut self, input: &[u8], token: &Token, options: &Options) -> Outcome {
        if matches!(token.kind, Kind::Space | Kind::LineComment | Kind::BlockComment) {
            return Outcome::Keep;
        }
        let outcome = self.of_value(input, token, options);
        self.is_after_json_operator = token.kind == Kind::JsonOperator;
        let text = || input.get(token.start..token.end).unwrap_or_default();
        self.extract = match self.extract {
            Extract::Name if text() == b"(" => Extract::Open,
            _ if token.kind == Kind::Function && text().eq_ignore_ascii_case(b"EXTRACT") => {
                Extract::Name
            }
            _ => Extract::No,
        };
        outcome
    }

    #[inline(always)]
    fn of_value(&self, input: &[u8], token: &Token, options: &Options) -> Outcome {
        let lexer = &options.lexer;
        let mark_unless = |keeps: bool| if keeps { Outcome::Keep } else { Outcome::Mark };
        match token.kind {
            Kind::Number | Kind::String | Kind::DollarQuoted => {
                mark_unless(lexer.keep_json_path && self.is_after_json_operator)
            }
            Kind::DollarFunc if options.dollar_quoted_func => Outcome::Body,
            Kind::DollarFunc => Outcome::Mark,
            Kind::PositionalParameter => mark_unless(lexer.keep_positional_parameter),
            Kind::BindParameter => mark_unless(!lexer.replace_bind_parameter),
            Kind::Boolean => mark_unless(lexer.keep_boolean),
            Kind::Null => mark_unless(lexer.keep_null),
            Kind::Identifier if self.extract == Extract::Open => {
                let field = input.get(token.start..token.end).unwrap_or_default();
                if is_date_field(field) { Outcome::Mark } else { with_digits(token, options) }
            }
            Kind::Identifier | Kind::QuotedIdentifier => with_digits(token, options),
            Kind::Space
            | Kind::Function
            | Kind::Command
            | Kind::Keyword
            | Kind::Procedure
            | Kind::Cte
            | Kind::Alias
            | Kind::Operator
            | Kind::JsonOperator
            | Kind::Punctuation
            | Kind::LineComment
            | Kind::BlockComment
            | Kind::Other
            | Kind::End => Outcome::Keep,
        }
    }
}

#[inline(always)]
fn with_digits(token: &Token, options: &Options) -> Outcome {
    if token.has_digits && options.replace_digits { Outcome::WithoutDigits } else { Outcome::Keep }
}

/// Writes the statement with its literals replaced and everything else as it was, trimmed.
pub(crate) fn obfuscate(statement: Statement<'_>, output: &mut Output) {
    output.clear();
    run(statement, statement.text.trim(), output);
}

/// Appends `text` with its literals replaced.
fn run(statement: Statement<'_>, text: &str, output: &mut Output) {
    let input = text.as_bytes();
    let mut scanner = Scanner::new(text, statement.dbms);
    let mut literals = Literals::default();
    loop {
        let token = scanner.next();
        let range = token.start..token.end;
        match literals.outcome(input, &token, statement.options) {
            Outcome::Keep if token.kind == Kind::End => break,
            Outcome::Keep => output.piece(input, range, false),
            Outcome::Mark => output.text(input, b"?", false),
            Outcome::WithoutDigits => output.without_digits(input, range, false),
            Outcome::Body => {
                output.text(input, FUNC_TAG, false);
                let body = range.start + FUNC_TAG.len()..range.end - FUNC_TAG.len();
                run(statement, text.get(body).unwrap_or_default().trim(), output);
                output.text(input, FUNC_TAG, false);
            }
        }
    }
    output.flush(input);
}

/// What `EXTRACT` may be asked for. spec: §3.2
fn is_date_field(word: &[u8]) -> bool {
    DATE_FIELDS.iter().any(|field| field.as_bytes().eq_ignore_ascii_case(word))
}

const DATE_FIELDS: [&str; 22] = [
    "CENTURY",
    "DAY",
    "DECADE",
    "DOW",
    "DOY",
    "EPOCH",
    "HOUR",
    "ISODOW",
    "ISOYEAR",
    "JULIAN",
    "MICROSECONDS",
    "MILLENNIUM",
    "MILLISECONDS",
    "MINUTE",
    "MONTH",
    "QUARTER",
    "SECOND",
    "TIMEZONE",
    "TIMEZONE_HOUR",
    "TIMEZONE_MINUTE",
    "WEEK",
    "YEAR",
];
