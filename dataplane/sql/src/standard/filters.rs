//! What becomes of a token, given what became of the one before it. spec: apm-obfuscation §2.2
//!
//! The spec tells of four filters in a row; [`Filters::pass`] is the same rules as one function.

use super::token::{Kind, Kinds};
use crate::SqlError;

/// What to print for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Print {
    Nothing,
    /// Its text.
    Text,
    /// Its text with digits replaced.
    TextWithoutDigits,
    /// `?`
    Mark,
    /// `( ` and its text.
    ParenText,
    /// `( ` and its text with digits replaced.
    ParenTextWithoutDigits,
}

/// The state between two tokens of one statement.
#[derive(Debug)]
pub(super) struct Filters {
    /// What became of the token before.
    pub(super) last: Kind,
    /// Literals in a row in the group.
    values: u32,
    /// Groups in a row.
    groups: u32,
    keeps_alias: bool,
    replaces_digits: bool,
}

impl Filters {
    pub(super) fn new(keeps_alias: bool, replaces_digits: bool) -> Self {
        Self { last: Kind::Other, values: 0, groups: 0, keeps_alias, replaces_digits }
    }

    /// The kind that the token finally has, and what to print for it. `kind` is that of the token
    /// or [`Kind::TableName`].
    pub(super) fn pass(&mut self, kind: Kind) -> Result<(Kind, Print), SqlError> {
        let (kind, print) = self.discard(kind)?;
        let (kind, print) = self.replace(kind, print);
        Ok(self.group(kind, print))
    }

    /// Whether the counts matter more than [`pass_plain`](Self::pass_plain) knows.
    #[inline(always)]
    pub(super) fn is_inside_groups(&self, kind: Kind) -> bool {
        self.groups > 1 || (self.groups == 1 && kind == Kind::OpenParen)
    }

    /// The same as [`pass`](Self::pass) for the common cases: outside of groups, after a token
    /// that decides nothing, and for a kind that needs no second look at its text.
    #[inline(always)]
    pub(super) fn pass_plain(&mut self, kind: Kind) -> (Kind, Print) {
        if LITERALS.contains(kind) {
            self.groups |= u32::from(self.last == Kind::OpenParen);
            self.values = self.values.saturating_add(1);
            let is_printed = self.values == 1 && kind != Kind::Semicolon;
            return (Kind::Groupable, if is_printed { Print::Mark } else { Print::Nothing });
        }
        if self.values > 0 && kind == Kind::Comma {
            return (Kind::Groupable, Print::Nothing);
        }
        if !NEUTRAL.contains(kind) {
            self.values = 0;
            self.groups = 0;
            if kind == Kind::Comment {
                return (Kind::Filtered, Print::Nothing);
            }
        }
        (kind, Print::Text)
    }

    #[inline(always)]
    fn discard(&self, kind: Kind) -> Result<(Kind, Print), SqlError> {
        if matches!(self.last, Kind::As | Kind::BracketedAlias) {
            if self.last == Kind::BracketedAlias && kind != Kind::CloseBracket {
                return match kind {
                    Kind::Id => Ok((Kind::BracketedAlias, Print::Nothing)),
                    _ => Err(SqlError::BracketedAlias),
                };
            }
            return Ok(match kind {
                Kind::OpenBracket => (Kind::BracketedAlias, Print::Nothing),
                _ if self.keeps_alias => (kind, Print::Text),
                _ => (Kind::Filtered, Print::Nothing),
            });
        }
        Ok(match kind {
            Kind::Comment => (Kind::Filtered, Print::Nothing),
            Kind::Semicolon => (Kind::Groupable, Print::Nothing),
            Kind::As if !self.keeps_alias => (Kind::As, Print::Nothing),
            _ => (kind, Print::Text),
        })
    }

    #[inline(always)]
    fn replace(&self, kind: Kind, print: Print) -> (Kind, Print) {
        if self.last == Kind::Savepoint {
            let is_paren = kind == Kind::OpenParen;
            return (if is_paren { Kind::GroupableParen } else { Kind::Groupable }, Print::Mark);
        }
        match kind {
            Kind::DollarQuoted
            | Kind::String
            | Kind::Number
            | Kind::Null
            | Kind::Variable
            | Kind::Prepared
            | Kind::Boolean
            | Kind::Escape
            | Kind::Placeholder => (Kind::Groupable, Print::Mark),
            Kind::DoubleQuoted if self.last == Kind::Equals => (Kind::Groupable, Print::Mark),
            Kind::TableName | Kind::Id if self.replaces_digits && print == Print::Text => {
                (kind, Print::TextWithoutDigits)
            }
            _ => (kind, print),
        }
    }

    #[inline(always)]
    fn group(&mut self, kind: Kind, print: Print) -> (Kind, Print) {
        let is_literal = matches!(kind, Kind::Groupable | Kind::GroupableParen);
        if (is_literal && self.last == Kind::OpenParen)
            || (kind == Kind::OpenParen && self.groups > 0)
        {
            self.groups = self.groups.saturating_add(1);
        }
        if self.groups > 0
            && self.last == Kind::GroupableParen
            && matches!(kind, Kind::Select | Kind::Delete | Kind::Update | Kind::Id)
        {
            self.values = 0;
            self.groups = 0;
            return match print {
                Print::TextWithoutDigits => (kind, Print::ParenTextWithoutDigits),
                _ => (kind, Print::ParenText),
            };
        }
        if is_literal {
            self.values = self.values.saturating_add(1);
            return if self.values > 1 { (Kind::Groupable, Print::Nothing) } else { (kind, print) };
        }
        if self.values > 0 && kind == Kind::Comma {
            return (Kind::Groupable, Print::Nothing);
        }
        if self.groups > 1 {
            let is_paren = kind == Kind::OpenParen;
            let kind = if is_paren { Kind::GroupableParen } else { Kind::Groupable };
            return (kind, Print::Nothing);
        }
        if !matches!(kind, Kind::Comma | Kind::OpenParen | Kind::CloseParen) {
            self.values = 0;
            self.groups = 0;
        }
        (kind, print)
    }
}

/// What counts as a literal, and the semicolon that counts as one without being shown.
const LITERALS: Kinds = Kinds::of(&[
    Kind::DollarQuoted,
    Kind::String,
    Kind::Number,
    Kind::Null,
    Kind::Variable,
    Kind::Prepared,
    Kind::Boolean,
    Kind::Escape,
    Kind::Placeholder,
    Kind::Semicolon,
]);

/// What leaves the counts as they are.
const NEUTRAL: Kinds = Kinds::of(&[Kind::Comma, Kind::OpenParen, Kind::CloseParen]);

/// Whether the text of a token follows the one before without a space. spec: §2.3
#[inline(always)]
pub(super) fn is_attached(kind: Kind, last: Kind) -> bool {
    kind == Kind::Comma || (kind == Kind::Equals && last == Kind::Colon)
}
