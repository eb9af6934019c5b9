//! Finds a second value for a series and timestamp, across payloads.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem;

use super::{Report, Rule};
use crate::Metric;

/// Remembers which points were sent, in two generations so that memory stays bounded: when the
/// younger is full the older is forgotten.
#[derive(Debug)]
pub struct Overwrites {
    younger: HashSet<u64>,
    older: HashSet<u64>,
    points_max: usize,
}

impl Overwrites {
    /// Remembers at least the last `points_max` points and at most twice as many, at some 20 bytes
    /// each.
    #[must_use]
    pub fn new(points_max: usize) -> Self {
        Self { younger: HashSet::new(), older: HashSet::new(), points_max: points_max.max(1) }
    }

    /// Takes the points of a metric and reports those that were there already. `scope` separates
    /// senders that may repeat each other, for instance by their keys.
    ///
    /// Returns how many values were overwritten.
    pub fn record(&mut self, scope: &str, metric: &Metric, report: &mut Report) -> u64 {
        let series = series_hash(scope, metric);
        let mut count = 0;
        for timestamp_secs in metric.points.timestamps() {
            let point = point_hash(series, timestamp_secs);
            if self.older.contains(&point) || !self.younger.insert(point) {
                count += 1;
                report.add(Rule::Overwrites, || {
                    let tags = metric.tags.join(",");
                    format!("{} [{tags}] at {timestamp_secs}: sent before", metric.name)
                });
            }
            if self.younger.len() >= self.points_max {
                self.older = mem::take(&mut self.younger);
            }
        }
        count
    }
}

fn point_hash(series: u64, timestamp_secs: i64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (series, timestamp_secs).hash(&mut hasher);
    hasher.finish()
}

/// Identity of a series within a scope. Two points meet by chance once in 2^64 pairs; with the
/// fixed keys of the hasher a run can be repeated.
fn series_hash(scope: &str, metric: &Metric) -> u64 {
    let mut hasher = DefaultHasher::new();
    scope.hash(&mut hasher);
    metric.route.hash(&mut hasher);
    context_hash_into(metric, &mut hasher);
    hasher.finish()
}

/// Identity of a context: name, tags, host and resources.
pub(crate) fn context_hash(metric: &Metric) -> u64 {
    let mut hasher = DefaultHasher::new();
    context_hash_into(metric, &mut hasher);
    hasher.finish()
}

fn context_hash_into(metric: &Metric, hasher: &mut DefaultHasher) {
    metric.name.hash(hasher);
    metric.tags.hash(hasher);
    metric.host.hash(hasher);
    for resource in metric.resources.iter().filter(|resource| !resource.is_host()) {
        resource.hash(hasher);
    }
}
