//! JSON bodies: of MongoDB, Elasticsearch, OpenSearch, and SQL plans. spec: apm-obfuscation §6.

mod keys;
mod literal;
mod unescape;
mod walk;

use crate::change::{Change, settle};
use keys::Keys;
use walk::Walk;

/// Stands for every scalar.
const REPLACEMENT: &str = "\"?\"";
/// Ends a body that is broken or cut.
const CUT_MARK: &str = "...";
/// Stands for a statement that could not be obfuscated. The backend knows this text.
const FAILED_SQL: &str =
    "Datadog-agent failed to obfuscate SQL string. Enable agent debug logs for more info.";

/// Memory that stays between two bodies, in bytes for each of the two buffers.
const RETAINED_BYTES_MAX: usize = 64 << 10;

/// Obfuscates a statement: appends the result and returns true, or returns false when it cannot be
/// parsed, whatever was appended.
pub type SqlObfuscation<'a> = &'a mut dyn FnMut(&str, &mut String) -> bool;

/// The settings of one kind of body, and memory that its documents share.
#[derive(Clone, Debug, Default)]
pub struct JsonBody {
    kept: Keys,
    sql: Keys,
    /// Open objects and arrays. One byte each, so bounded by the length of the body.
    open: Vec<walk::Container>,
    /// A statement without its escapes.
    statement: String,
}

impl JsonBody {
    /// Bodies whose values under the `kept` keys are shown whole, and whose scalars under the `sql`
    /// keys are statements. Keys are compared as they are written, escapes included.
    pub fn new<S: AsRef<str>>(
        kept: impl IntoIterator<Item = S>,
        sql: impl IntoIterator<Item = S>,
    ) -> Self {
        Self { kept: Keys::new(kept), sql: Keys::new(sql), ..Self::default() }
    }

    /// Replaces the scalars of a body, and drops its white space. Documents may follow each other;
    /// white space between them stays. Of a body that is broken or cut, what was understood is
    /// written, and `...`.
    pub fn obfuscate(&mut self, body: &str, sql: SqlObfuscation<'_>, out: &mut String) -> Change {
        if body.is_empty() {
            return Change::Unchanged;
        }
        let start = out.len();
        out.reserve(body.len());
        let is_whole = Walk::new(self, body, sql, out).run().is_some();
        if !is_whole {
            out.push_str(CUT_MARK);
        }
        self.open.clear();
        self.open.shrink_to(RETAINED_BYTES_MAX);
        self.statement.clear();
        self.statement.shrink_to(RETAINED_BYTES_MAX);
        settle(body.as_bytes(), out, start)
    }
}

#[cfg(test)]
mod tests;
