//! Which metrics, tags and senders make the contexts. Users ask this to find high cardinality.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::TopRow;

/// What contexts are grouped by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TopBy {
    /// Metric name.
    #[default]
    Name,
    /// Tag key: the part of a tag before its colon.
    Tag,
    /// Container or other entity.
    Origin,
}

/// What groups are sorted by, largest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TopSort {
    /// Contexts.
    #[default]
    Contexts,
    /// Samples.
    Samples,
}

/// What to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopQuery {
    /// What contexts are grouped by.
    pub by: TopBy,
    /// What groups are sorted by.
    pub sort: TopSort,
    /// Groups listed.
    pub groups_max: usize,
    /// Tag keys listed for each group.
    pub tags_max: usize,
}

impl Default for TopQuery {
    /// Ten groups with five tags each, as the Agent's command.
    fn default() -> Self {
        Self { by: TopBy::Name, sort: TopSort::Contexts, groups_max: 10, tags_max: 5 }
    }
}

/// The contexts alive, grouped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TopReport {
    /// Contexts alive.
    pub contexts: u64,
    /// Their samples since each was made.
    pub samples: u64,
    /// Groups there are, those not listed included.
    pub groups: u64,
    /// The largest groups.
    pub rows: Vec<TopGroup>,
}

/// Contexts that share a name, a tag key or an origin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TopGroup {
    /// What they share; empty for contexts without origin.
    pub key: String,
    /// Contexts.
    pub contexts: u64,
    /// Their samples since each was made.
    pub samples: u64,
    /// Tag keys with the number of their distinct values in the group, largest first.
    pub tags: Vec<(String, u64)>,
}

/// Groups and sorts contexts.
#[must_use]
pub fn top_report(rows: &[TopRow], query: TopQuery) -> TopReport {
    let mut groups: HashMap<&str, Group<'_>> = HashMap::new();
    let mut report = TopReport::default();
    for row in rows {
        report.contexts += 1;
        report.samples += row.samples;
        match query.by {
            TopBy::Name => groups.entry(&row.name).or_default().add(row),
            TopBy::Origin => groups.entry(&row.origin).or_default().add(row),
            TopBy::Tag => {
                let mut keys: Vec<&str> = row.tags.iter().map(|tag| tag_key(tag)).collect();
                keys.sort_unstable();
                keys.dedup();
                for key in keys {
                    groups.entry(key).or_default().add(row);
                }
            }
        }
    }
    report.groups = groups.len() as u64;
    let mut sorted: Vec<(&str, Group<'_>)> = groups.into_iter().collect();
    sorted.sort_unstable_by_key(|(key, group)| {
        let amount = match query.sort {
            TopSort::Contexts => group.contexts,
            TopSort::Samples => group.samples,
        };
        (std::cmp::Reverse(amount), *key)
    });
    sorted.truncate(query.groups_max);
    report.rows = sorted
        .into_iter()
        .map(|(key, group)| TopGroup {
            key: key.to_owned(),
            contexts: group.contexts,
            samples: group.samples,
            tags: group.distinct_tags(query),
        })
        .collect();
    report
}

#[derive(Default)]
struct Group<'a> {
    contexts: u64,
    samples: u64,
    rows: Vec<&'a TopRow>,
}

impl<'a> Group<'a> {
    fn add(&mut self, row: &'a TopRow) {
        self.contexts += 1;
        self.samples += row.samples;
        self.rows.push(row);
    }

    fn distinct_tags(&self, query: TopQuery) -> Vec<(String, u64)> {
        if query.tags_max == 0 {
            return Vec::new();
        }
        let mut values: HashMap<&str, HashSet<&str>> = HashMap::new();
        for tag in self.rows.iter().flat_map(|row| &row.tags) {
            values.entry(tag_key(tag)).or_default().insert(tag);
        }
        let counts = values.into_iter().map(|(key, values)| (key.to_owned(), values.len() as u64));
        let mut counts: Vec<(String, u64)> = counts.collect();
        counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        counts.truncate(query.tags_max);
        counts
    }
}

fn tag_key(tag: &str) -> &str {
    tag.split_once(':').map_or(tag, |(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, tags: &[&str], origin: &str, samples: u64) -> TopRow {
        TopRow {
            name: name.to_owned(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            origin: origin.to_owned(),
            samples,
            ..TopRow::default()
        }
    }

    fn rows() -> Vec<TopRow> {
        vec![
            row("web.hits", &["url:/a", "env:p"], "c1", 10),
            row("web.hits", &["url:/b", "env:p"], "c1", 20),
            row("db.time", &["env:p"], "c2", 900),
        ]
    }

    #[test]
    fn contexts_are_grouped_by_name_with_their_widest_tags() {
        let report = top_report(&rows(), TopQuery::default());
        assert_eq!((report.contexts, report.samples, report.groups), (3, 930, 2));
        assert_eq!(report.rows[0].key, "web.hits");
        let tags = vec![("url".to_owned(), 2), ("env".to_owned(), 1)];
        assert_eq!(report.rows[0].tags, tags);
    }

    #[test]
    fn contexts_are_grouped_by_tag_and_by_origin() {
        let by = |by, sort| {
            let query = TopQuery { by, sort, groups_max: 1, ..TopQuery::default() };
            let report = top_report(&rows(), query);
            (report.rows[0].key.clone(), report.rows[0].contexts, report.groups)
        };
        assert_eq!(by(TopBy::Tag, TopSort::Contexts), ("env".to_owned(), 3, 2));
        assert_eq!(by(TopBy::Origin, TopSort::Contexts), ("c1".to_owned(), 2, 2));
        assert_eq!(by(TopBy::Origin, TopSort::Samples), ("c2".to_owned(), 1, 2));
    }
}
