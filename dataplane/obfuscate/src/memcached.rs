//! Memcached commands. spec: apm-obfuscation §5.

use crate::change::{Change, settle};

/// Takes the value out of a command: without `keep_command` nothing is left, with it the first
/// line, which holds the command and its key.
pub fn obfuscate(command: &str, keep_command: bool, out: &mut String) -> Change {
    let start = out.len();
    if keep_command {
        let line = command.split("\r\n").next().unwrap_or_default();
        out.push_str(line.trim());
    }
    settle(command.as_bytes(), out, start)
}
