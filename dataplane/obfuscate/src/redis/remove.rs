//! Raw commands without any argument.

use crate::change::{Change, settle};

/// Subcommands of `BITFIELD` and of `CONFIG` that are shown.
const BIT_FIELD: [&str; 3] = ["SET", "GET", "INCRBY"];
const CONFIG: [&str; 4] = ["GET", "SET", "RESETSTAT", "REWRITE"];

/// Replaces all arguments of a command by one `?`, except the names of subcommands.
pub fn remove_all_arguments(command: &str, out: &mut String) -> Change {
    let start = out.len();
    let mut words = command.split_whitespace().peekable();
    let name = words.next().unwrap_or_default();
    out.push_str(name);
    let Some(&first) = words.peek() else { return settle(command.as_bytes(), out, start) };
    if name.eq_ignore_ascii_case("BITFIELD") {
        out.push_str(" ?");
        for word in words.filter(|word| is_among(&BIT_FIELD, word)) {
            push_hidden(word, out);
        }
    } else if name.eq_ignore_ascii_case("CONFIG") && is_among(&CONFIG, first) {
        push_hidden(first, out);
    } else {
        out.push_str(" ?");
    }
    settle(command.as_bytes(), out, start)
}

fn push_hidden(subcommand: &str, out: &mut String) {
    out.push(' ');
    out.push_str(subcommand);
    out.push_str(" ?");
}

fn is_among(known: &[&str], word: &str) -> bool {
    known.iter().any(|known| known.eq_ignore_ascii_case(word))
}
