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

/// What becomes of each token, and what has to be known of those before.
#[derive(Debug)]
pub(super) struct Literals {
    /// By kind, unless the tokens before change it.
    outcomes: [Outcome; Kind::COUNT],
    keeps_json_path: bool,
    is_after_json_operator: bool,
    /// How much of `EXTRACT(` stands right before.
    extract: Extract,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extract {
    No,
    Name,
    Open,
}

impl Literals {
    /// The rules of one statement; all tokens are kept unless it `obfuscates`.
    pub(super) fn new(options: &Options, obfuscates: bool) -> Self {
        let lexer = &options.lexer;
        let mut outcomes = [Outcome::Keep; Kind::COUNT];
        let mut mark = |kind: Kind, is_marked: bool| {
            if is_marked {
                outcomes[kind as usize] = Outcome::Mark;
            }
        };
        mark(Kind::Number, obfuscates);
        mark(Kind::String, obfuscates);
        mark(Kind::DollarQuoted, obfuscates);
        mark(Kind::PositionalParameter, obfuscates && !lexer.keep_positional_parameter);
        mark(Kind::BindParameter, obfuscates && lexer.replace_bind_parameter);
        mark(Kind::Boolean, obfuscates && !lexer.keep_boolean);
        mark(Kind::Null, obfuscates && !lexer.keep_null);
        let is_body = options.dollar_quoted_func || !obfuscates;
        outcomes[Kind::DollarFunc as usize] = if is_body { Outcome::Body } else { Outcome::Mark };
        if obfuscates && options.replace_digits {
            outcomes[Kind::Identifier as usize] = Outcome::WithoutDigits;
            outcomes[Kind::QuotedIdentifier as usize] = Outcome::WithoutDigits;
        }
        Self {
            outcomes,
            keeps_json_path: lexer.keep_json_path && obfuscates,
            is_after_json_operator: false,
            extract: Extract::No,
        }
    }

    /// What becomes of a token that is neither space nor comment.
    #[inline(always)]
    pub(super) fn outcome(&mut self, input: &[u8], token: &Token) -> Outcome {
        let mut outcome = self.outcomes[token.kind as usize];
        if self.keeps_json_path {
            let is_path = matches!(token.kind, Kind::Number | Kind::String | Kind::DollarQuoted);
            if is_path && self.is_after_json_operator {
                outcome = Outcome::Keep;
            }
            self.is_after_json_operator = token.kind == Kind::JsonOperator;
        }
        if self.extract != Extract::No || token.kind == Kind::Function {
            outcome = self.inside_extract(input, token, outcome);
        }
        outcome
    }

    /// Follows `EXTRACT(` and takes out the field after it.
    fn inside_extract(&mut self, input: &[u8], token: &Token, outcome: Outcome) -> Outcome {
        let text = input.get(token.start..token.end).unwrap_or_default();
        let is_field = self.extract == Extract::Open
            && token.kind == Kind::Identifier
            && self.outcomes[Kind::Number as usize] == Outcome::Mark
            && is_date_field(text);
        self.extract = match self.extract {
            Extract::Name if text == b"(" => Extract::Open,
            _ if token.kind == Kind::Function && text.eq_ignore_ascii_case(b"EXTRACT") => {
                Extract::Name
            }
            _ => Extract::No,
        };
        if is_field { Outcome::Mark } else { outcome }
    }
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
    let mut literals = Literals::new(statement.options, true);
    let mut copied = 0;
    loop {
        let token = scanner.next();
        match token.kind {
            Kind::End => break,
            Kind::Space | Kind::LineComment | Kind::BlockComment => continue,
            _ => {}
        }
        let outcome = literals.outcome(input, &token);
        if outcome == Outcome::Keep {
            continue;
        }
        let range = token.start..token.end;
        output.piece(input, copied..range.start, false);
        copied = range.end;
        match outcome {
            Outcome::Keep => {}
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
    output.piece(input, copied..input.len(), false);
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
