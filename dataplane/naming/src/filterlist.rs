//! Names that are dropped: whole names or prefixes. spec: dogstatsd §6.3.

/// A sorted list of names or prefixes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterList {
    /// Sorted; with prefixes, no entry is a prefix of another.
    entries: Vec<Box<str>>,
    is_prefix: bool,
}

impl FilterList {
    /// A list of `entries`; with `is_prefix` each stands for every name that starts with it. Empty
    /// entries are left out: an empty prefix would drop everything by accident.
    pub fn new<S: AsRef<str>>(entries: impl IntoIterator<Item = S>, is_prefix: bool) -> Self {
        let mut entries: Vec<Box<str>> =
            entries.into_iter().map(|entry| Box::from(entry.as_ref())).collect();
        entries.retain(|entry| !entry.is_empty());
        entries.sort_unstable();
        // In sorted order everything that starts with an entry follows it directly.
        entries.dedup_by(
            |later, kept| {
                if is_prefix { later.starts_with(&**kept) } else { later == kept }
            },
        );
        Self { entries, is_prefix }
    }

    /// Whether a metric of this name is to be dropped.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        // The greatest entry that is not above the name is the only one that can be its prefix,
        // because no entry is a prefix of another.
        let after = self.entries.partition_point(|entry| &**entry <= name);
        let Some(candidate) = after.checked_sub(1).and_then(|at| self.entries.get(at)) else {
            return false;
        };
        if self.is_prefix { name.starts_with(&**candidate) } else { &**candidate == name }
    }

    /// The entries that can still act when histogram series are named at flush: those that end in
    /// one of the `suffixes` (`.max`, `.95percentile`). All others act when a line arrives.
    #[must_use]
    pub fn flush_side<S: AsRef<str>>(&self, suffixes: &[S]) -> Self {
        let entries = self
            .entries
            .iter()
            .filter(|entry| suffixes.iter().any(|suffix| entry.ends_with(suffix.as_ref())))
            .cloned()
            .collect();
        Self { entries, is_prefix: self.is_prefix }
    }

    /// Whether nothing is ever dropped.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn exact_entries_match_whole_names() {
        let list = FilterList::new(["app.page", "b"], false);
        assert!(list.matches("app.page"));
        assert!(list.matches("b"));
        assert!(!list.matches("app.page2"));
        assert!(!list.matches("app"));
        assert!(!list.matches(""));
    }

    #[test]
    fn prefix_entries_match_what_starts_with_them() {
        let list = FilterList::new(["app.page", "app.page.old", "a"], true);
        assert_eq!(list.entries.len(), 1, "entries behind a shorter prefix are redundant");
        assert!(list.matches("app.page2"));
        assert!(!list.matches("b"));
    }

    #[test]
    fn empty_entries_drop_nothing() {
        assert!(FilterList::new([""], true).is_empty());
        assert!(!FilterList::new([""], true).matches("a"));
    }

    #[test]
    fn flush_side_keeps_entries_with_a_histogram_suffix() {
        let list = FilterList::new(["app.lat.max", "app.page", "x.95percentile"], false);
        let flush = list.flush_side(&[".max", ".95percentile"]);
        assert!(flush.matches("app.lat.max"));
        assert!(flush.matches("x.95percentile"));
        assert!(!flush.matches("app.page"));
        assert!(list.flush_side(&[".avg"]).is_empty());
    }

    proptest! {
        #[test]
        fn agrees_with_trying_every_entry(
            entries in prop::collection::vec("[ab.]{0,4}", 0..12),
            name in "[ab.]{0,6}",
            is_prefix: bool,
        ) {
            let slow = entries.iter().filter(|entry| !entry.is_empty()).any(|entry| {
                if is_prefix { name.starts_with(entry.as_str()) } else { *entry == name }
            });
            prop_assert_eq!(FilterList::new(&entries, is_prefix).matches(&name), slow);
        }
    }
}
