//! Tags that series carry as resources instead. spec: metrics-intake §3.1.

/// What becomes of a tag of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role<'a> {
    /// It stays a tag.
    Tag,
    /// It names the device; the last one counts, an empty one names none.
    Device(&'a str),
    /// It becomes a resource.
    Resource { kind: &'a str, name: &'a str },
    /// It is meant as a resource and lacks a part: it is left out.
    Malformed,
}

/// The role of `tag` in a series. Sketches keep every tag.
pub(crate) fn role(tag: &str) -> Role<'_> {
    if let Some(device) = tag.strip_prefix("device:") {
        return Role::Device(device);
    }
    let Some(resource) = tag.strip_prefix("dd.internal.resource:") else {
        return Role::Tag;
    };
    match resource.split_once(':') {
        Some((kind, name)) if !kind.is_empty() && !name.is_empty() => Role::Resource { kind, name },
        Some(_) | None => Role::Malformed,
    }
}

/// The device that `tags` name, empty when there is none.
pub(crate) fn device<T: AsRef<str>>(tags: &[T]) -> &str {
    tags.iter()
        .rev()
        .find_map(|tag| match role(tag.as_ref()) {
            Role::Device(device) => Some(device),
            Role::Tag | Role::Resource { .. } | Role::Malformed => None,
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_follow_the_rules_of_the_series_payload() {
        assert_eq!(role("env:prod"), Role::Tag);
        assert_eq!(role("device"), Role::Tag);
        assert_eq!(role("device:sda1"), Role::Device("sda1"));
        assert_eq!(
            role("dd.internal.resource:aws_rds_instance:db:1"),
            Role::Resource { kind: "aws_rds_instance", name: "db:1" }
        );
        for malformed in ["", "kind", "kind:", ":name"] {
            assert_eq!(role(&format!("dd.internal.resource:{malformed}")), Role::Malformed);
        }
    }

    #[test]
    fn the_last_device_counts() {
        assert_eq!(device(&["device:a", "x:y", "device:b"]), "b");
        assert_eq!(device::<&str>(&[]), "");
    }
}
