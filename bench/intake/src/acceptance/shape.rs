//! Shapes of normalised names. spec: apm-obfuscation §9.

/// Whether a service looks as normalisation leaves it.
///
/// The fallback `unnamed-<lang>-service` holds the language as the tracer wrote it.
pub(super) fn has_service_shape(service: &str) -> bool {
    if service.starts_with("unnamed-") && service.ends_with("-service") {
        return true;
    }
    let is_kept = |c: char| {
        matches!(c, 'a'..='z' | '0'..='9' | ':' | '.' | '/' | '-' | '_')
            || !c.is_ascii() && c.is_alphanumeric()
    };
    !service.is_empty()
        && service.chars().all(is_kept)
        && !service.contains("__")
        && !service.ends_with('_')
}

/// Whether the name of an operation looks as normalisation leaves it.
pub(super) fn has_name_shape(name: &str) -> bool {
    let is_kept = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(is_kept)
        && !name.contains("__")
        && !name.ends_with('_')
}

#[cfg(test)]
mod tests {
    use super::{has_name_shape, has_service_shape};

    #[test]
    fn normalised_texts_have_the_shape() {
        for service in ["web-api", "2nd", "a:b/c.d_e", "délicat", "unnamed-C#-service", "_a"] {
            assert!(has_service_shape(service), "{service}");
        }
        for service in ["", "Web", "a b", "a__b", "a_", "a\u{0}"] {
            assert!(!has_service_shape(service), "{service}");
        }
        for name in ["web.request", "a..b", "GET", "a._b", "unnamed_operation"] {
            assert!(has_name_shape(name), "{name}");
        }
        for name in ["", "1a", "a b", "a-b", "a__b", "a_", "é"] {
            assert!(!has_name_shape(name), "{name}");
        }
    }
}
