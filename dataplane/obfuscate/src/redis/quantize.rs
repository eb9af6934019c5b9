//! Resources: the names of the first commands, no arguments.

use crate::change::{Change, settle};

/// Commands that are named; more are shown as `...`.
const COMMANDS_MAX: usize = 3;
/// Ends a query that its tracer has cut.
const CUT_MARK: &str = "...";
/// Commands whose first argument is part of the name.
const COMPOUND: [&str; 6] = ["CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DEBUG", "SCRIPT"];

/// Replaces a query by the names of its first three commands, in upper case. What a cut left of a
/// name is not shown.
pub fn quantize(query: &str, out: &mut String) -> Change {
    let start = out.len();
    let mut named = 0;
    let mut is_cut = false;
    for line in query.split('\n') {
        if named == COMMANDS_MAX {
            break;
        }
        let mut words = line.split(' ').filter(|word| !word.is_empty());
        let Some(command) = words.next() else { continue };
        let compound = COMPOUND.iter().any(|known| known.eq_ignore_ascii_case(command));
        let argument = if compound { words.next() } else { None };
        if [Some(command), argument].iter().flatten().any(|word| word.ends_with(CUT_MARK)) {
            is_cut = true;
            continue;
        }
        push_upper(command, start, out);
        if let Some(argument) = argument {
            push_upper(argument, start, out);
        }
        named += 1;
        is_cut = false;
    }
    if named == COMMANDS_MAX || is_cut {
        push_upper(CUT_MARK, start, out);
    }
    settle(query.as_bytes(), out, start)
}

/// Appends a word in upper case, after a space unless it is the first one after `start`.
fn push_upper(word: &str, start: usize, out: &mut String) {
    if out.len() > start {
        out.push(' ');
    }
    let word_start = out.len();
    out.push_str(word);
    if let Some(written) = out.get_mut(word_start..) {
        written.make_ascii_uppercase();
    }
}
