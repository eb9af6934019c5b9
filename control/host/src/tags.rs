//! Host tags. spec: cloud §14.

/// Settings that become host tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagSettings {
    /// `tags` (`DD_TAGS`).
    pub tags: Vec<String>,
    /// `extra_tags` (`DD_EXTRA_TAGS`).
    pub extra_tags: Vec<String>,
    /// `env`; empty when not configured.
    pub env: String,
    /// `tag_value_split_separator`: key and separator; `k:a,b` becomes `k:a` and `k:b`.
    pub split_separators: Vec<(String, String)>,
}

/// The tags of the host, sorted, without duplicates and empty ones.
#[must_use]
pub fn host_tags(settings: &TagSettings) -> Vec<String> {
    let mut tags = Vec::new();
    for tag in settings.tags.iter().chain(&settings.extra_tags) {
        push_split(tag.trim(), &settings.split_separators, &mut tags);
    }
    if !settings.env.is_empty() {
        tags.push(format!("env:{}", settings.env));
    }
    tags.retain(|tag| !tag.is_empty());
    tags.sort_unstable();
    tags.dedup();
    tags
}

fn push_split(tag: &str, separators: &[(String, String)], tags: &mut Vec<String>) {
    let split = tag.split_once(':').and_then(|(key, value)| {
        let (_, separator) =
            separators.iter().find(|(of, separator)| of == key && !separator.is_empty())?;
        Some((key, value.split(separator.as_str())))
    });
    match split {
        Some((key, values)) => tags.extend(values.map(|value| format!("{key}:{value}"))),
        None => tags.push(tag.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_sources_make_one_sorted_set() {
        let settings = TagSettings {
            tags: vec!["team:b".into(), " role:web ".into(), String::new()],
            extra_tags: vec!["team:b".into(), "az:1".into()],
            env: "prod".into(),
            split_separators: Vec::new(),
        };
        assert_eq!(host_tags(&settings), ["az:1", "env:prod", "role:web", "team:b"]);
        assert!(host_tags(&TagSettings::default()).is_empty());
    }

    #[test]
    fn values_are_split_where_a_separator_is_set() {
        let settings = TagSettings {
            tags: vec!["role:web,db".into(), "other:a,b".into(), "role".into()],
            split_separators: vec![("role".into(), ",".into())],
            ..TagSettings::default()
        };
        assert_eq!(host_tags(&settings), ["other:a,b", "role", "role:db", "role:web"]);
    }
}
