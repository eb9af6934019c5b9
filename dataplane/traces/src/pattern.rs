//! Patterns of settings, in the syntax of RE2.

use pattern::translate;
use regex::Regex;

use crate::SettingsError;

/// A compiled pattern, searched for anywhere in a text.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: Box<str>,
    regex: Regex,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// The pattern is no regular expression; the message names `rule`, the setting it comes from.
    pub fn new(rule: &str, source: &str) -> Result<Self, SettingsError> {
        let regex = Regex::new(&translate(source)).map_err(|error| SettingsError::Pattern {
            rule: rule.to_owned(),
            pattern: source.to_owned(),
            source: Box::new(error),
        })?;
        Ok(Self { source: source.into(), regex })
    }

    /// The pattern as it was configured.
    #[must_use]
    pub const fn source(&self) -> &str {
        &self.source
    }

    /// Whether it occurs in a text.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    pub(crate) const fn regex(&self) -> &Regex {
        &self.regex
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_read_as_re2_reads_them() {
        let matches = |pattern, text| Pattern::new("test", pattern).unwrap().matches(text);
        assert!(matches(r"^GET /{user}/\Qa.b\E$", "GET /{user}/a.b"));
        assert!(!matches(r"\d", "\u{0665}"), "an Arabic digit");
    }

    #[test]
    fn what_is_wrong_is_said_with_the_rule() {
        for wrong in ["(", "a)", r"\1", "[b-a]", r"\", "*"] {
            let error = Pattern::new("ignore_resources[2]", wrong).unwrap_err().to_string();
            assert!(error.starts_with("ignore_resources[2]: "), "{error}");
            assert!(error.contains(wrong), "{error}");
        }
    }
}
