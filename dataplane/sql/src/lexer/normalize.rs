//! One spacing, one `?` per list, no aliases, no comments. spec: apm-obfuscation §3.3

use std::ops::Range;

use super::collect::{Names, Scratch};
use super::obfuscate::{Literals, Outcome};
use super::quotes;
use super::scanner::{FUNC_TAG, Scanner};
use super::token::{Kind, Token};
use super::{Statement, obfuscate};
use crate::output::{Output, replace_digits};

/// Buffers for one statement.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    pub(crate) output: Output,
    pub(crate) scratch: Scratch,
    /// The obfuscated and the normalised body of a `$func$`.
    obfuscated_body: Output,
    body: Output,
}

/// A token that is neither space nor comment; also one that was dropped.
#[derive(Clone, Copy, Debug)]
struct Value {
    token: Token,
    /// Its final text if that is a single byte, else zero.
    sign: u8,
    /// Whether its final text ends with a dot, and has more than that.
    is_dotted: bool,
}

impl Value {
    /// What stands before the first token.
    const NONE: Self = Self {
        token: Token { kind: Kind::End, start: 0, end: 0, is_table_indicator: false },
        sign: 0,
        is_dotted: false,
    };
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
    let names = Names { collect: statement.options.collect, scratch };
    let bodies = Bodies { obfuscated: obfuscated_body, normalized: body };
    Run::new(statement, output, Some(names), Some(bodies)).tokens(obfuscates);
}

/// Buffers for the bodies of functions.
struct Bodies<'o> {
    obfuscated: &'o mut Output,
    normalized: &'o mut Output,
}

struct Run<'i, 'o> {
    statement: Statement<'i>,
    input: &'i [u8],
    output: &'o mut Output,
    /// Where names go; those of bodies go nowhere.
    names: Option<Names<'o>>,
    /// Buffers for the bodies of functions, which have no bodies themselves.
    bodies: Option<Bodies<'o>>,
    previous: Value,
    is_identifier_before_previous: bool,
    /// Whether a list of `?` is open.
    is_grouping: bool,
    head: Head,
    is_first: bool,
}

impl<'i, 'o> Run<'i, 'o> {
    fn new(
        statement: Statement<'i>,
        output: &'o mut Output,
        names: Option<Names<'o>>,
        bodies: Option<Bodies<'o>>,
    ) -> Self {
        Self {
            statement,
            input: statement.text.as_bytes(),
            output,
            names: names.filter(Names::collects_any),
            bodies,
            previous: Value::NONE,
            is_identifier_before_previous: false,
            is_grouping: false,
            head: Head::Start,
            is_first: true,
        }
    }

    fn tokens(&mut self, obfuscates: bool) {
        let mut scanner = Scanner::new(self.statement.text, self.statement.dbms);
        let mut literals = Literals::new(self.statement.options, obfuscates);
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
            let outcome = literals.outcome(self.input, &token);
            self.value(token, outcome, obfuscates);
        }
        self.output.flush(self.input);
        let bytes = self.output.bytes_mut();
        if !self.statement.options.lexer.keep_trailing_semicolon && bytes.last() == Some(&b';') {
            bytes.pop();
        }
    }

    /// Deals with one token that is neither space nor comment.
    #[inline(always)]
    fn value(&mut self, token: Token, outcome: Outcome, obfuscates: bool) {
        if self.is_plain(&token, outcome) {
            let has_space = !self.is_first && self.has_space(&token, 0);
            self.is_first = false;
            self.output.piece(self.input, token.start..token.end, has_space);
            return self.advance(token, 0, false);
        }
        let is_unquoted = token.kind == Kind::QuotedIdentifier && self.loses_quotes(&token);
        let shape = Shape { outcome, is_unquoted };
        let sign = self.sign(&token, shape);
        if let Some(names) = &mut self.names {
            let before = (&self.previous.token, self.previous.sign);
            names.value(self.statement.text, &token, outcome, sign, before);
        }
        if self.head != Head::Done {
            self.advance_head(&token, sign);
        }
        if !self.is_dropped(&token, sign) {
            let has_space = !self.is_first && self.has_space(&token, sign);
            self.is_first = false;
            let range = token.start..token.end;
            match outcome {
                Outcome::Keep if !is_unquoted => self.output.piece(self.input, range, has_space),
                Outcome::Mark => self.output.text(self.input, b"?", has_space),
                Outcome::Body => self.write_body(&token, has_space, obfuscates),
                _ => self.write_name(range, shape, has_space),
            }
        }
        self.advance(token, sign, is_unquoted);
    }

    /// Whether a token is only to be written: a word where no list is open, no name is asked for
    /// and nothing is held back.
    #[inline(always)]
    fn is_plain(&self, token: &Token, outcome: Outcome) -> bool {
        outcome == Outcome::Keep
            && token.end > token.start + 1
            && matches!(
                token.kind,
                Kind::Identifier | Kind::Function | Kind::Command | Kind::Keyword | Kind::Operator
            )
            && self.previous.token.kind != Kind::Alias
            && !self.is_grouping
            && self.head == Head::Done
            && self.names.is_none()
    }

    /// Makes the token the one before.
    #[inline(always)]
    fn advance(&mut self, token: Token, sign: u8, is_unquoted: bool) {
        self.is_identifier_before_previous = is_identifier(self.previous.token.kind);
        let is_dotted = sign == 0 && self.ends_with_dot(&token, is_unquoted);
        self.previous = Value { token, sign, is_dotted };
    }

    /// Whether the token is dropped; what was held back for it is written first if it is not.
    #[inline(always)]
    fn is_dropped(&mut self, token: &Token, sign: u8) -> bool {
        let before = self.previous.sign;
        if !self.statement.options.keep_sql_alias {
            if token.kind == Kind::Alias {
                return true;
            }
            if self.previous.token.kind == Kind::Alias {
                if is_identifier(token.kind) {
                    return true;
                }
                let alias = &self.previous.token;
                let range = alias.start..alias.end;
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
            return true;
        }
        if matches!(sign, b')' | b']') {
            self.is_grouping = false;
        } else if before == b',' && sign != b'?' {
            // Also if it was written before: the reference does not look whether it was.
            self.output.text(self.input, b",", false);
        }
        false
    }

    /// Writes an identifier that loses digits, quotes or both.
    fn write_name(&mut self, range: Range<usize>, shape: Shape, has_space: bool) {
        let has_digits = shape.outcome == Outcome::WithoutDigits;
        let name =
            if shape.is_unquoted { quotes::inner(self.input, &range) } else { Some(range.clone()) };
        match name {
            Some(name) if has_digits => self.output.without_digits(self.input, name, has_space),
            Some(name) => self.output.piece(self.input, name, has_space),
            None => {
                self.output.text(self.input, b"", has_space);
                let quoted = self.input.get(range).unwrap_or_default();
                let bytes = self.output.bytes_mut();
                let start = bytes.len();
                quotes::push_unquoted(bytes, quoted);
                if has_digits {
                    replace_digits(bytes, start);
                }
            }
        }
    }

    /// Whether a space stands before the token. spec: §3.3, "Spacing"
    #[inline(always)]
    fn has_space(&self, token: &Token, sign: u8) -> bool {
        let previous = &self.previous;
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
        if !is_identifier(token.kind) {
            return true;
        }
        !previous.is_dotted && (previous.sign != b':' || self.is_identifier_before_previous)
    }

    /// Whether the final text of a token that is no `?` ends with a dot.
    #[inline(always)]
    fn ends_with_dot(&self, token: &Token, is_unquoted: bool) -> bool {
        let end = token.end - usize::from(is_unquoted);
        self.input.get(end - 1) == Some(&b'.')
    }

    /// Whether the quotes of an identifier go.
    fn loses_quotes(&self, token: &Token) -> bool {
        let quoted = self.statement.text.get(token.start..token.end).unwrap_or_default();
        let is_alias = self.previous.token.kind == Kind::Alias;
        !self.statement.options.lexer.keep_identifier_quotation
            && !quotes::are_needed(quoted, is_alias)
    }

    /// The final text of a token if that is a single byte, else zero.
    #[inline(always)]
    fn sign(&self, token: &Token, shape: Shape) -> u8 {
        if shape.outcome == Outcome::Mark {
            return b'?';
        }
        if token.end == token.start + 1 {
            return self.input.get(token.start).copied().unwrap_or(0);
        }
        if shape.is_unquoted { self.sign_of_quoted(token, shape.outcome) } else { 0 }
    }

    fn sign_of_quoted(&self, token: &Token, outcome: Outcome) -> u8 {
        match self.input.get(token.start + 1..token.end - 1).unwrap_or_default() {
            digits
                if outcome == Outcome::WithoutDigits
                    && !digits.is_empty()
                    && digits.iter().all(u8::is_ascii_digit) =>
            {
                b'?'
            }
            &[single] => single,
            _ => 0,
        }
    }

    /// Writes a function's body, obfuscated and normalised in its own right.
    fn write_body(&mut self, token: &Token, has_space: bool, obfuscates: bool) {
        self.output.text(self.input, FUNC_TAG, has_space);
        let range = token.start + FUNC_TAG.len()..token.end - FUNC_TAG.len();
        let text = self.statement.text.get(range).unwrap_or_default();
        if let Some(Bodies { obfuscated, normalized }) = &mut self.bodies {
            obfuscated.clear();
            normalized.clear();
            let mut statement = Statement { text, ..self.statement };
            if obfuscates {
                obfuscate(statement, obfuscated);
                statement.text = obfuscated.as_text().trim();
            }
            Run::new(statement, normalized, None, None).tokens(false);
            self.output.text(self.input, normalized.as_text().trim().as_bytes(), false);
        }
        self.output.text(self.input, FUNC_TAG, false);
    }

    /// Follows the parentheses at the start of the statement, and drops what they held when
    /// something comes after them.
    fn advance_head(&mut self, token: &Token, sign: u8) {
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

/// Whether a token is a name, quoted or not.
#[inline(always)]
fn is_identifier(kind: Kind) -> bool {
    matches!(kind, Kind::Identifier | Kind::QuotedIdentifier)
}
