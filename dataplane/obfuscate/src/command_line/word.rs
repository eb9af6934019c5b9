//! Sensitive words as patterns. spec: apm-obfuscation §8.

/// Longest word; it bounds the size of its compiled pattern.
const WORD_BYTES_MAX: usize = 256;

/// Why a word cannot be sensitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WordRefused {
    /// It would match everything.
    #[error("a sensitive word needs a letter, a digit or `_`; name a part of the option")]
    OnlyWildcards,
    /// `**`.
    #[error("a sensitive word cannot contain `**`; one `*` stands for any number of characters")]
    RepeatedWildcard,
    /// Anything but letters, digits, `_` and `*`.
    #[error("a sensitive word cannot contain {0:?}; use letters, digits, `_` and `*`")]
    Character(char),
    /// More bytes than a word may have.
    #[error("a sensitive word has at most 256 characters; shorten it")]
    TooLong,
}

/// The expression that finds the word as an argument with its value.
pub(super) fn pattern(word: &str) -> Result<String, WordRefused> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '*');
    if let Some(refused) = word.chars().find(|&c| !is_allowed(c)) {
        return Err(WordRefused::Character(refused));
    }
    if word.contains("**") {
        return Err(WordRefused::RepeatedWildcard);
    }
    if word.len() > WORD_BYTES_MAX {
        return Err(WordRefused::TooLong);
    }
    if word.trim_matches('*').is_empty() {
        return Err(WordRefused::OnlyWildcards);
    }
    // Space classes are spelled out: `\s` would take in Unicode's.
    let (body, ending) = match word.strip_suffix('*') {
        Some(body) => (body, "[^ =:]*"),
        None => (word, ""),
    };
    let body = body.replace('*', r"[^\t\n\x0c\r =:$/]*");
    let key = format!("(?P<key>(?: +| -{{1,2}})(?i:{body}{ending}))");
    let value = r#"(?:"[^"]*"|'[^']*'|[^\t\n\x0c\r ]*)"#;
    Ok(format!("{key}(?P<delimiter> +|=|:){value}"))
}

/// The longest part of the word between wildcards, in lower case.
pub(super) fn needle(word: &str) -> Box<str> {
    let part = word.split('*').max_by_key(|part| part.len()).unwrap_or_default();
    part.to_ascii_lowercase().into_boxed_str()
}
