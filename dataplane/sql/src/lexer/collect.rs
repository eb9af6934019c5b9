//! Names of tables, commands, procedures and comments. spec: apm-obfuscation §3.3, "Metadata"

use super::obfuscate::Outcome;
use super::quotes;
use super::token::{Kind, Token};
use crate::Collect;
use crate::metadata::Collected;
use crate::names;
use crate::output::replace_digits;

/// Buffers for the names of one statement.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) collected: Collected,
    /// Names that `WITH` gives, which are no tables.
    ctes: names::Names,
    is_in_table_list: bool,
}

impl Scratch {
    pub(super) fn clear(&mut self) {
        self.collected.clear();
        self.ctes.clear();
        self.is_in_table_list = false;
    }
}

/// Collects what is asked for.
#[derive(Debug)]
pub(super) struct Names<'s> {
    pub(super) collect: Collect,
    pub(super) scratch: &'s mut Scratch,
}

impl Names<'_> {
    /// Whether anything is asked for.
    pub(super) fn collects_any(&self) -> bool {
        self.collect != Collect::default()
    }

    pub(super) fn comment(&mut self, text: &str, token: &Token) {
        if self.collect.comments {
            let comment = text.get(token.start..token.end).unwrap_or_default();
            self.scratch.collected.comments.insert(comment);
        }
    }

    /// Takes a token that is neither space nor comment, the sign that is its final text if it is
    /// one, and the token before.
    #[inline(always)]
    pub(super) fn value(
        &mut self,
        text: &str,
        token: &Token,
        outcome: Outcome,
        sign: u8,
        (before, before_sign): (&Token, u8),
    ) {
        match token.kind {
            Kind::Identifier | Kind::QuotedIdentifier | Kind::Function => {
                self.name(text, token, outcome, before, before_sign);
            }
            Kind::Command | Kind::Keyword => {
                if self.collect.commands && token.kind == Kind::Command {
                    self.command(text, token);
                }
                self.scratch.is_in_table_list = false;
            }
            _ if matches!(sign, b'(' | b')') => self.scratch.is_in_table_list = false,
            _ => {}
        }
    }

    fn command(&mut self, text: &str, token: &Token) {
        let mut upper = [0; 16];
        let command = text.as_bytes().get(token.start..token.end).unwrap_or_default();
        let Some(upper) = upper.get_mut(..command.len()) else { return };
        upper.copy_from_slice(command);
        upper.make_ascii_uppercase();
        self.scratch.collected.commands.insert(std::str::from_utf8(upper).unwrap_or_default());
    }

    #[inline(always)]
    fn name(
        &mut self,
        text: &str,
        token: &Token,
        outcome: Outcome,
        before: &Token,
        before_sign: u8,
    ) {
        let is_cte = before.kind == Kind::Cte;
        let is_table =
            before.is_table_indicator || (before_sign == b',' && self.scratch.is_in_table_list);
        self.scratch.is_in_table_list |= before.is_table_indicator;
        let is_procedure = before.kind == Kind::Procedure;
        if is_cte || is_table && self.collect.tables || is_procedure && self.collect.procedures {
            self.store(text, token, outcome, before);
        }
    }

    fn store(&mut self, text: &str, token: &Token, outcome: Outcome, before: &Token) {
        let Scratch { collected, ctes, .. } = &mut *self.scratch;
        let Collected { tables, procedures, name, .. } = collected;
        let raw = text.get(token.start..token.end).unwrap_or_default();
        let is_quoted = token.kind == Kind::QuotedIdentifier;
        let name = if is_quoted || outcome == Outcome::WithoutDigits {
            name.clear();
            if is_quoted {
                quotes::push_unquoted(name, raw.as_bytes());
            } else {
                name.extend_from_slice(raw.as_bytes());
            }
            if outcome == Outcome::WithoutDigits {
                replace_digits(name, 0);
            }
            std::str::from_utf8(name).unwrap_or_default()
        } else {
            raw
        };
        if before.kind == Kind::Cte {
            ctes.insert(name);
        } else if before.kind == Kind::Procedure {
            procedures.insert(name);
        } else if !ctes.view().iter().any(|cte| cte == name) {
            tables.insert(name);
        }
    }
}
