//! Tags of a record, in the order of the Agent.

/// Where the tags of a record come from. spec: logs §15.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TagSources<'a> {
    /// Of the container or file, and those that reading it added.
    pub origin: &'a [&'a str],
    /// `sourcecategory` of the source's configuration, without the key; empty for none.
    pub source_category: &'a str,
    /// `tags` of the source's configuration.
    pub source: &'a [&'a str],
    /// Those that processing added.
    pub processing: &'a [&'a str],
}

impl TagSources<'_> {
    /// `ddtags`: all of them, neither sorted nor made unique.
    #[must_use]
    pub fn join(&self) -> String {
        let mut joined = String::new();
        let mut push = |key: &str, tag: &str| {
            if !joined.is_empty() {
                joined.push(',');
            }
            joined.extend([key, tag]);
        };
        self.origin.iter().for_each(|tag| push("", tag));
        if !self.source_category.is_empty() {
            push("sourcecategory:", self.source_category);
        }
        self.source.iter().chain(self.processing).for_each(|tag| push("", tag));
        joined
    }
}
