//! Rules as a configuration has them.

use pattern::translate;
use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use thiserror::Error;

/// Memory of one compiled pattern. Patterns come from the configuration, whose author is trusted,
/// but not to know what `(\pL{1000}){1000}` takes.
const PATTERN_BYTES_MAX: usize = 32 << 20;

/// A rule as it is configured, in a file or as JSON in the environment.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct RuleConfig {
    /// `type`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Says in messages which rule it is.
    pub name: String,
    /// A regular expression in the syntax of RE2, searched for anywhere in a message.
    pub pattern: String,
    /// What `mask_sequences` puts in place of a match: text with `$1`, `${name}` and `$$`.
    pub replace_placeholder: String,
}

/// What is wrong with a rule; the Agent's words.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum RuleError {
    /// It has no name.
    #[error("all processing rules must have a name")]
    NoName,
    /// It has no type.
    #[error("type must be set for processing rule `{name}`")]
    NoKind {
        /// Its name.
        name: String,
    },
    /// There is no such type.
    #[error("type {kind} is not supported for processing rule `{name}`")]
    UnknownKind {
        /// Its name.
        name: String,
        /// Its type.
        kind: String,
    },
    /// Its type needs a pattern.
    #[error("no pattern provided for processing rule: {name}")]
    NoPattern {
        /// Its name.
        name: String,
    },
    /// Its pattern is no regular expression, or one that takes too much memory.
    #[error("invalid pattern {pattern} for processing rule: {name}")]
    BadPattern {
        /// Its name.
        name: String,
        /// Its pattern.
        pattern: String,
        /// What the engine says of the pattern after its translation.
        source: Box<regex::Error>,
    },
}

/// Types of rules.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Exclude,
    Include,
    Mask,
    ExcludeTruncated,
    MultiLine,
    RemapSource,
}

impl RuleConfig {
    /// Its type, if it is complete. What only compiling shows is not looked at.
    pub(super) fn kind(&self) -> Result<Kind, RuleError> {
        if self.name.is_empty() {
            return Err(RuleError::NoName);
        }
        let name = || self.name.clone();
        let kind = match &*self.kind {
            "" => return Err(RuleError::NoKind { name: name() }),
            "exclude_truncated" => return Ok(Kind::ExcludeTruncated),
            "remap_source" => return Ok(Kind::RemapSource),
            "exclude_at_match" => Kind::Exclude,
            "include_at_match" => Kind::Include,
            "mask_sequences" => Kind::Mask,
            "multi_line" => Kind::MultiLine,
            kind => {
                return Err(RuleError::UnknownKind { name: name(), kind: kind.to_owned() });
            }
        };
        if self.pattern.is_empty() { Err(RuleError::NoPattern { name: name() }) } else { Ok(kind) }
    }

    /// Compiles the pattern.
    pub(super) fn regex(&self) -> Result<Regex, RuleError> {
        let mut builder = RegexBuilder::new(&translate(&self.pattern));
        builder.size_limit(PATTERN_BYTES_MAX).build().map_err(|error| RuleError::BadPattern {
            name: self.name.clone(),
            pattern: self.pattern.clone(),
            source: Box::new(error),
        })
    }
}
