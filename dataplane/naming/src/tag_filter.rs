//! Tags that are taken off the series of a metric. spec: dogstatsd §6.4.
//!
//! The filter acts when a context is named, before aggregation: contexts that differ only in
//! removed tags are one context from the start, so nothing has to be merged again at flush.

use std::collections::HashMap;

use crate::{TagAction, TagRule};

/// Which tags one metric keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagFilter {
    action: TagAction,
    /// Sorted, unique.
    keys: Vec<Box<str>>,
}

impl TagFilter {
    /// Whether the series keeps `tag`. The key of a tag is the text before its first colon.
    #[must_use]
    pub fn keeps(&self, tag: &str) -> bool {
        let key = tag.split_once(':').map_or(tag, |(key, _)| key);
        let is_listed = self.keys.binary_search_by(|listed| (**listed).cmp(key)).is_ok();
        match self.action {
            TagAction::Include => is_listed,
            TagAction::Exclude => !is_listed,
        }
    }
}

/// The filters of all metrics that have one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagFilters {
    by_name: HashMap<Box<str>, TagFilter>,
}

impl TagFilters {
    /// Filters from configured rules. Rules for one name and one action are joined; with different
    /// actions, exclude wins.
    #[must_use]
    pub fn new(rules: &[TagRule]) -> Self {
        let mut by_name: HashMap<Box<str>, TagFilter> = HashMap::new();
        for rule in rules {
            let filter = by_name
                .entry(Box::from(&*rule.metric_name))
                .or_insert_with(|| TagFilter { action: rule.action, keys: Vec::new() });
            if filter.action != rule.action {
                if rule.action == TagAction::Include {
                    continue;
                }
                *filter = TagFilter { action: TagAction::Exclude, keys: Vec::new() };
            }
            filter.keys.extend(rule.tags.iter().map(|tag| Box::from(&**tag)));
        }
        for filter in by_name.values_mut() {
            filter.keys.sort_unstable();
            filter.keys.dedup();
        }
        Self { by_name }
    }

    /// The filter of the metric with the final name `name`.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<&TagFilter> {
        if self.by_name.is_empty() { None } else { self.by_name.get(name) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str, action: TagAction, tags: &[&str]) -> TagRule {
        TagRule {
            metric_name: name.to_owned(),
            action,
            tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
        }
    }

    fn kept<'a>(filters: &TagFilters, name: &str, tags: &[&'a str]) -> Vec<&'a str> {
        let filter = filters.of(name).expect("the test asks for filtered metrics");
        tags.iter().copied().filter(|tag| filter.keeps(tag)).collect()
    }

    #[test]
    fn rules_match_by_key_before_the_first_colon() {
        let filters = TagFilters::new(&[rule("m", TagAction::Exclude, &["pod"])]);
        let tags = ["pod:a:b", "pod", "podname:x", ":pod"];
        assert_eq!(kept(&filters, "m", &tags), ["podname:x", ":pod"]);
        assert!(filters.of("m2").is_none());
    }

    #[test]
    fn include_keeps_only_listed_keys_and_joins_rules() {
        let filters = TagFilters::new(&[
            rule("m", TagAction::Include, &["env"]),
            rule("m", TagAction::Include, &["app", "env"]),
        ]);
        assert_eq!(kept(&filters, "m", &["env:x", "app:y", "pod:z"]), ["env:x", "app:y"]);
    }

    #[test]
    fn exclude_wins_over_include_in_either_order() {
        let include = rule("m", TagAction::Include, &["env"]);
        let exclude = rule("m", TagAction::Exclude, &["pod"]);
        for rules in [[include.clone(), exclude.clone()], [exclude, include]] {
            let filters = TagFilters::new(&rules);
            assert_eq!(kept(&filters, "m", &["env:x", "app:y", "pod:z"]), ["env:x", "app:y"]);
        }
    }
}
