//! Raw commands: values hidden, keys shown.

use super::rules::{Fate, Judge};
use super::tokens::{Token, Tokens};
use crate::change::{Change, settle};

/// Replaces by `?` what the commands of a query store or authenticate with. Keys, fields and
/// options stay.
pub fn obfuscate(query: &str, out: &mut String) -> Change {
    let start = out.len();
    let mut judge = Judge::new("");
    for token in Tokens::new(query) {
        match token {
            Token::Command(command) => {
                judge = Judge::new(command);
                if out.len() > start {
                    out.push('\n');
                }
                out.push_str(command);
            }
            Token::Argument(argument) => match judge.judge(argument) {
                Fate::Dropped => {}
                Fate::Hidden => out.push_str(" ?"),
                Fate::Shown => {
                    out.push(' ');
                    out.push_str(argument);
                }
            },
        }
    }
    settle(query.as_bytes(), out, start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn obfuscated(query: &str) -> String {
        let mut out = String::new();
        obfuscate(query, &mut out).select(query, &out).to_owned()
    }

    #[test]
    fn quoted_values_are_hidden_whole() {
        assert_eq!(obfuscated("set k \"my \\\" secret\nvalue\" EX 5"), "set k ? EX 5");
        assert_eq!(obfuscated("auth \"my secret\" b\nget k"), "auth ?\nget k");
    }

    #[test]
    fn a_later_set_of_a_bit_field_moves_the_value() {
        assert_eq!(obfuscated("BITFIELD k SET a SET b c d"), "BITFIELD k SET a SET b c ?");
        assert_eq!(obfuscated("BITFIELD SET a b c"), "BITFIELD SET a b c");
    }
}
