//! Which texts are host names. spec: cloud §1.

use thiserror::Error;

/// Longest host name.
const NAME_BYTES_MAX: usize = 255;
/// Longest host name taken from a client.
const CLIENT_NAME_BYTES_MAX: usize = 253;
/// Names that every host has.
const LOCAL_NAMES: [&str; 4] =
    ["localhost", "localhost.localdomain", "localhost6.localdomain6", "ip6-localhost"];

/// Why a text is not a host name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HostNameRefused {
    /// Nothing there.
    #[error("is empty")]
    Empty,
    /// A name that says nothing.
    #[error("is a name that every host has")]
    Local,
    /// Too long.
    #[error("is longer than 255 bytes")]
    TooLong,
    /// Not labels of letters, digits and inner hyphens.
    #[error(
        "is not made of labels of letters, digits and inner hyphens, joined by dots (RFC 1123)"
    )]
    Malformed,
    /// Holds a NUL.
    #[error("holds a NUL byte")]
    Nul,
}

/// Accepts host names: labels of letters, digits and inner hyphens, joined by dots.
///
/// # Errors
/// See [`HostNameRefused`].
pub fn check_host_name(name: &str) -> Result<(), HostNameRefused> {
    if name.is_empty() {
        return Err(HostNameRefused::Empty);
    }
    if LOCAL_NAMES.iter().any(|local| name.eq_ignore_ascii_case(local)) {
        return Err(HostNameRefused::Local);
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(HostNameRefused::TooLong);
    }
    if name.split('.').all(is_label) { Ok(()) } else { Err(HostNameRefused::Malformed) }
}

fn is_label(label: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !label.is_empty()
        && label.bytes().all(is_inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Cleans a host name that a client sent: line breaks and tabs go, angle brackets become hyphens,
/// all else stays.
///
/// # Errors
/// [`HostNameRefused::TooLong`] beyond 253 bytes, [`HostNameRefused::Nul`].
pub fn normalize_host_name(name: &str) -> Result<String, HostNameRefused> {
    if name.len() > CLIENT_NAME_BYTES_MAX {
        return Err(HostNameRefused::TooLong);
    }
    if name.contains('\0') {
        return Err(HostNameRefused::Nul);
    }
    let kept = name.chars().filter(|c| !matches!(c, '\n' | '\r' | '\t'));
    Ok(kept.map(|c| if matches!(c, '<' | '>') { '-' } else { c }).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn vectors(function: &str) -> Vec<Value> {
        include_str!("../../../tests/vectors/host_cloud.jsonl")
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("json"))
            .filter(|vector| vector["fn"] == function)
            .collect()
    }

    #[test]
    fn valid_names_of_the_vectors() {
        let vectors = vectors("hostname.valid");
        assert_eq!(vectors.len(), 15);
        for vector in vectors {
            let name = vector["in"].as_str().expect("a name");
            assert_eq!(Value::from(check_host_name(name).is_ok()), vector["out"], "{name}");
        }
    }

    #[test]
    fn cleaned_names_of_the_vectors() {
        let vectors = vectors("hostname.normalize");
        assert_eq!(vectors.len(), 5);
        for vector in vectors {
            let name = vector["in"].as_str().expect("a name");
            assert_eq!(normalize_host_name(name).ok().as_deref(), vector["out"].as_str());
        }
    }

    proptest! {
        #[test]
        fn the_check_agrees_with_the_pattern(name in "[a-zA-Z0-9.\\-_é]{0,12}") {
            let pattern = regex::Regex::new(concat!(
                r"^(([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]*[a-zA-Z0-9])\.)*",
                r"([A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9\-]*[A-Za-z0-9])$",
            ))
            .expect("a pattern");
            prop_assert_eq!(check_host_name(&name).is_ok(), pattern.is_match(&name));
        }
    }
}
