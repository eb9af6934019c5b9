//! Standard output and standard error, with their errors.

use std::io::{self, IsTerminal as _, Write as _};

/// Prints text as it is.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints a line.
pub(crate) fn line(text: &str) -> io::Result<()> {
    print(&format!("{text}\n"))
}

/// Prints a JSON document, indented.
pub(crate) fn json(document: &serde_json::Value) -> io::Result<()> {
    line(&format!("{document:#}"))
}

/// Prints a line on standard error. That nobody reads it is no reason to fail.
pub(crate) fn remark(text: &str) {
    let _is_read = writeln!(io::stderr().lock(), "{text}").is_ok();
}

/// Whether standard output is a terminal that may be drawn on.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Whether a person wants colours on standard error. <https://no-color.org>
pub(crate) fn has_colour() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
