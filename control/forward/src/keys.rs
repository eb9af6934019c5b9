//! API keys that cannot be printed by accident, and what is known about them.

use std::fmt;

use http::HeaderValue;

/// The placeholder key that is accepted without asking. Spec: metrics-intake §10.7.
const ZERO_KEY: &str = "00000000000000000000000000000000";

/// Characters of a key that may appear in output.
const SHOWN_CHARS: usize = 5;

/// An API key. `Debug` and `Display` show the last five characters only.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ApiKey(String);

impl ApiKey {
    /// Takes a key as configured, without surrounding white space.
    pub(crate) fn new(raw: &str) -> Self {
        Self(raw.trim().to_owned())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this is the all-zero key of tests and demos.
    pub(crate) fn is_zero(&self) -> bool {
        self.0 == ZERO_KEY
    }

    /// The header value, marked sensitive; `None` if the key holds bytes no header may hold.
    pub(crate) fn header_value(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&self.0).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// `text` with every occurrence of the key replaced by its scrubbed form.
    pub(crate) fn scrub(&self, text: &str) -> String {
        if self.0.is_empty() { text.to_owned() } else { text.replace(&self.0, &self.to_string()) }
    }
}

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chars = self.0.chars().count();
        f.write_str("***")?;
        // A short string shown by its last five characters would be shown whole.
        if chars > 2 * SHOWN_CHARS {
            for ch in self.0.chars().skip(chars - SHOWN_CHARS) {
                write!(f, "{ch}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({self})")
    }
}

/// What the intake said about a key. Spec: metrics-intake §10.7.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyValidity {
    /// Not asked yet, or the answer was neither yes nor no: treated as healthy.
    #[default]
    Unknown,
    /// The intake confirmed it.
    Valid,
    /// The intake refused it with 403. Sending goes on, slowly.
    Invalid,
}

/// Trims keys and removes empty and repeated ones, keeping the order.
///
/// Spec: metrics-intake §10.2.
pub(crate) fn normalise_keys<S: AsRef<str>>(raw: &[S]) -> Vec<ApiKey> {
    let mut keys: Vec<ApiKey> = Vec::with_capacity(raw.len());
    for text in raw {
        let key = ApiKey::new(text.as_ref());
        if !key.is_empty() && !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_shows_only_the_tail() {
        let key = ApiKey::new(" 0123456789abcdef0123456789abcdef\n");
        assert_eq!(key.to_string(), "***bcdef");
        assert_eq!(format!("{key:?}"), "ApiKey(***bcdef)");
        assert_eq!(ApiKey::new("short").to_string(), "***");
        assert_eq!(key.scrub("bad key 0123456789abcdef0123456789abcdef!"), "bad key ***bcdef!");
    }

    #[test]
    fn keys_are_trimmed_and_unique() {
        let keys = normalise_keys(&[" a ", "", "b", "a", "  "]);
        assert_eq!(keys, [ApiKey::new("a"), ApiKey::new("b")]);
    }

    #[test]
    fn a_key_with_control_bytes_has_no_header() {
        assert!(ApiKey::new("a\nb").header_value().is_none());
        assert!(ApiKey::new("ab").header_value().is_some_and(|value| value.is_sensitive()));
    }
}
