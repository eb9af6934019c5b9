//! What can be wrong with settings.

/// Why a setting was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A pattern does not compile.
    #[error("{rule}: correct the regular expression `{pattern}`: {source}")]
    Pattern {
        /// The setting, and which of its entries.
        rule: String,
        /// The pattern as configured.
        pattern: String,
        /// What is wrong with it.
        source: Box<regex::Error>,
    },
    /// A replace rule names no tag.
    #[error("replace_tags[{index}]: name the tag to replace, `*` for all of them")]
    NoName {
        /// Which of the rules, from 0.
        index: usize,
    },
}
