//! What differs between two loads.

use crate::config::Config;
use crate::entry::{Entry, Reload};
use crate::keys;

/// One key whose value in effect differs.
#[derive(Clone, Debug)]
pub struct Change {
    /// The row.
    pub entry: &'static Entry,
    /// Before, scrubbed.
    pub old: String,
    /// After, scrubbed; may read the same for a secret.
    pub new: String,
    /// Whether the new value acts without a restart.
    pub reload: Reload,
}

impl Config {
    /// Keys whose value in effect differs, in table order. A value that only moved to another
    /// layer is no change.
    #[must_use]
    pub fn changes(old: &Self, new: &Self) -> Vec<Change> {
        keys::all()
            .filter(|entry| old.slots.value(entry) != new.slots.value(entry))
            .map(|entry| Change {
                entry,
                old: old.shown(entry),
                new: new.shown(entry),
                reload: entry.reload(),
            })
            .collect()
    }
}
