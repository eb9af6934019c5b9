//! One spacing, one `?` per list, no aliases, no comments. spec: apm-obfuscation §3.3

use super::collect::{Names, Scratch};
use super::obfuscate::{Literals, Outcome};
use super::quotes;
use super::scanner::{FUNC_TAG, Scanner};
use super::token::{Kind, Token};
use super::{Statement, obfuscate};
use crate::output::{Output, push_without_digits};

/// Buffers for one statement.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    pub(crate) output: Output,
    pub(crate) scratch: Scratch,
    /// The obfuscated and the normalised body of a `$func$`.
    obfuscated_body: Output,
    body: Output,
}

/// The token before, spaces and comments apart; also one that was dropped.
#[derive(Clone, Copy, Debug)]
struct Previous {
    token: Token,
    /// Its final text if that is a single byte, else zero.
    sign: u8,
    /// Whether its final text ends with a dot and has more than that.
    is_dotted: bool,
}

/// How the final text of a token follows from its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    outcome: Outcome,
    is_unquoted: bool,
}

/// The parenthesised part that the statement starts with. spec: "A query starting with `(`"
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Head {
    /// Nothing was read so far.
    Start,
    /// Inside of it.
    Open { depth: u32, has_command: bool },
    /// Behind it: dropped if anything follows, unless it has a command.
    Closed { has_command: bool },
    /// There is none, or it was dealt with.
    Done,
}

/// Writes the normalised statement, obfuscated first if `obfuscates`.
pub(crate) fn normalize(statement: Statement<'_>, obfuscates: bool, buffers: &mut Buffers) {
    let Buffers { output, scratch, obfuscated_body, body } = buffers;
    output.clear();
    scratch.clear();
    let mut run = Run {
        statement,
        input: statement.text.as_bytes(),
        output,
        names: Some(Names { collect: statement.options.collect, scratch }),
        bodies: Some((obfuscated_body, body)),
        obfuscates,
        previous: None,
        is_identifier_before_previous: false,
        is_grouping: false,
        is_comma_held_back: false,
        head: Head::Start,
        is_first: true,
    };
    run.tokens();
}

struct Run<'i, 'o> {
    statement: Statement<'i>,
    input: &'i [u8],
    output: &'o mut Output,
    /// Where names go; bodies have none.
    names: Option<Names<'o>>,
    /// Buffers for the bodies of functions, which have no bodies themselves.
    bodies: Option<(&'o mut Output, &'o mut Output)>,
    obfuscates: bool,
    previous: Option<Previous>,
    is_identifier_before_previous: bool,
    /// Whether a list of `?` is open.
    is_grouping: bool,
    /// Whether the `,` right before was not written.
    is_comma_held_back: bool,
    head: Head,
    is_first: bool,
}

impl Run<'_, '_> {
    fn tokens(&mut self) {
        let mut scanner = Scanner::new(self.statement.text, self.statement.dbms);
        let mut literals = Literals::default();
        loop {
            let token = scanner.next();
            match token.kind {
                Kind::Space => continue,
                Kind::End => break,
                Kind::LineComment | Kind::BlockComment => {
                    if let Some(names) = &mut self.names {
                        names.comment(self.statement.text, &token);
                    }
                    continue;
                }
                _ => {}
            }
            let outcome = if self.obfuscates {
                literals.outcome(self.input, &token, self.statement.options)
            } else if token.kind == Kind::DollarFunc {
                Outcome::Body
            } else {
                Outcome::Keep
            };
            self.value(token, outcome);
        }
        self.output.flush(self.input);
        let bytes = self.output.bytes_mut();
        if !self.statement.options.lexer.keep_trailing_semicolon && bytes.last() == Some(&b';') {
            bytes.pop();
        }
        let kept = bytes.trim_ascii_end().len();
        bytes.truncate(kept);
    }

    /// Deals with one token that is neither space nor comment.
    #[inline(always)]
    fn value(&mut self, token: Token, outcome: Outcome) {
        let shape = Shape { outcome, is_unquoted: self.loses_quotes(&token) };
        let (sign, is_dotted) = self.sign(&token, shape);
        if let Some(names) = &mut self.names {
            let before = self.previous.as_ref().map(|before| (&before.token, before.sign));
            names.value(self.statement.text, &token, outcome, sign, before);
        }
        self.advance_head(&token, sign);
        if !self.is_dropped(&token, sign) {
            self.write(&token, shape, sign);
        }
        self.is_identifier_before_previous =
            self.previous.is_some_and(|previous| previous.token.kind == Kind::Identifier);
        self.previous = Some(Previous { token, sign, is_dotted });
    }

    /// Whether the token is dropped; what was held back for it is written first if it is not.
    #[inline(always)]
    fn is_dropped(&mut self, token: &Token, sign: u8) -> bool {
        let before = self.previous.map_or(0, |previous| previous.sign);
        if !self.statement.options.keep_sql_alias {
            if token.kind == Kind::Alias {
                return true;
            }
            if let Some(alias) = self.previous
                && alias.token.kind == Kind::Alias
            {
                if matches!(token.kind, Kind::Identifier | Kind::QuotedIdentifier) {
                    return true;
                }
                let range = alias.token.start..alias.token.end;
                self.output.piece(self.input, range, !self.is_first);
                self.is_first = false;
            }
        }
        if sign == b'?' {
            if matches!(before, b'(' | b'[') {
                self.is_grouping = true;
            } else if before == b',' && self.is_grouping {
                return true;
            }
        }
        if !self.is_grouping {
            return false;
        }
        if before == b'?' && sign == b',' {
            self.is_comma_held_back = true;
            return true;
        }
        if matches!(sign, b')' | b']') {
            self.is_grouping = false;
        } else if self.is_comma_held_back && sign != b'?' && before == b',' {
            self.output.text(self.input, b",", false);
        }
        self.is_comma_held_back = false;
        false
    }

    #[inline(always)]
    fn write(&mut self, token: &Token, shape: Shape, sign: u8) {
        let has_space = !self.is_first && self.has_space(token, sign);
        self.is_first = false;
        let range = token.start..token.end;
        match shape {
            Shape { outcome: Outcome::Keep, is_unquoted: false } => {
                self.output.piece(self.input, range, has_space);
            }
            Shape { outcome: Outcome::Mark, .. } => self.output.text(self.input, b"?", has_space),
            Shape { outcome: Outcome::WithoutDigits, is_unquoted: false } => {
                self.output.without_digits(self.input, range, has_space);
            }
            Shape { outcome: Outcome::Body, .. } => self.write_body(token, has_space),
            Shape { outcome, is_unquoted: true } => {
                let has_digits = outcome == Outcome::WithoutDigits;
                if let Some(inner) = quotes::inner(self.input, &range) {
                    if has_digits {
                        self.output.without_digits(self.input, inner, has_space);
                    } else {
                        self.output.piece(self.input, inner, has_space);
                    }
                    return;
                }
                self.output.text(self.input, b"", has_space);
                let quoted = self.input.get(range).unwrap_or_default();
                let bytes = self.output.bytes_mut();
                let start = bytes.len();
                quotes::push_unquoted(bytes, quoted);
                if has_digits {
                    let name = bytes.split_off(start);
                    push_without_digits(bytes, &name);
                }
            }
        }
    }

    /// Whether a space stands before the token. spec: §3.3, "Spacing"
    #[inline(always)]
    fn has_space(&self, token: &Token, sign: u8) -> bool {
        let Some(previous) = self.previous else { return true };
        if self.statement.options.lexer.remove_space_between_parentheses
            && (previous.token.kind == Kind::Function
                || matches!(previous.sign, b'(' | b'[')
                || matches!(sign, b')' | b']'))
        {
            return false;
        }
        match sign {
            b',' | b';' => return false,
            b'=' => return previous.sign != b':',
            _ => {}
        }
        if token.kind != Kind::Identifier {
            return true;
        }
        !previous.is_dotted && (previous.sign != b':' || self.is_identifier_before_previous)
    }

    /// Whether the quotes of an identifier go.
    #[inline(always)]
    fn loses_quotes(&self, token: &Token) -> bool {
        if token.kind != Kind::QuotedIdentifier
            || self.statement.options.lexer.keep_identifier_quotation
        {
            return false;
        }
        let is_alias = self.previous.is_some_and(|before| before.token.kind == Kind::Alias);
        let quoted = self.statement.text.get(token.start..token.end).unwrap_or_default();
        !quotes::are_needed(quoted, is_alias)
    }

    /// The final text of a token if that is a single byte, and whether it ends with a dot.
    #[inline(always)]
    fn sign(&self, token: &Token, shape: Shape) -> (u8, bool) {
        let bytes = self.input.get(token.start..token.end).unwrap_or_default();
        match (shape.outcome, bytes) {
            (Outcome::Mark, _) => (b'?', false),
            (_, &[single]) => (single, false),
            (Outcome::Keep, &[_, single, _]) if shape.is_unquoted => (single, false),
            (Outcome::WithoutDigits, [_, digits @ .., _])
                if shape.is_unquoted && digits.iter().all(u8::is_ascii_digit) =>
            {
                (b'?', false)
            }
            _ => (0, token.kind == Kind::Identifier && bytes.last() == Some(&b'.')),
        }
    }

    /// Writes a function's body, obfuscated and normalised in its own right.
    fn write_body(&mut self, token: &Token, has_space: bool) {
        self.output.text(self.input, FUNC_TAG, has_space);
        let range = token.start + FUNC_TAG.len()..token.end - FUNC_TAG.len();
        let text = self.statement.text.get(range).unwrap_or_default();
        if let Some((obfuscated_body, body)) = &mut self.bodies {
            obfuscated_body.clear();
            body.clear();
            let mut statement = Statement { text, ..self.statement };
            if self.obfuscates {
                obfuscate(statement, obfuscated_body);
                statement.text = std::str::from_utf8(obfuscated_body.bytes()).unwrap_or_default();
            }
            let mut run = Run {
                statement,
                input: statement.text.as_bytes(),
                output: body,
                names: None,
                bodies: None,
                obfuscates: false,
                previous: None,
                is_identifier_before_previous: false,
                is_grouping: false,
                is_comma_held_back: false,
                head: Head::Start,
                is_first: true,
            };
            run.tokens();
            self.output.text(self.input, body.bytes(), false);
        }
        self.output.text(self.input, FUNC_TAG, false);
    }

    /// Follows the parentheses at the start of the statement, and drops what they held when
    /// something comes after them.
    #[inline(always)]
    fn advance_head(&mut self, token: &Token, sign: u8) {
        if self.head == Head::Done {
            return;
        }
        self.head = match self.head {
            Head::Start if sign == b'(' => Head::Open { depth: 1, has_command: false },
            Head::Open { depth, has_command } => {
                let has_command = has_command || token.kind == Kind::Command;
                match sign {
                    b'(' => Head::Open { depth: depth.saturating_add(1), has_command },
                    b')' if depth == 1 => Head::Closed { has_command },
                    b')' => Head::Open { depth: depth - 1, has_command },
                    _ => Head::Open { depth, has_command },
                }
            }
            Head::Closed { has_command: false } => {
                self.output.clear();
                self.is_first = true;
                Head::Done
            }
            Head::Start | Head::Closed { .. } | Head::Done => Head::Done,
        };
    }
}
