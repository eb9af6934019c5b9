//! Sums over traces and trace stats.

use std::collections::BTreeMap;

use super::{NAMES_MAX, OTHER_NAMES, of_name};
use crate::{AgentTraces, LatencySketch, StatsPayload};

/// Sums over all traces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceTotals {
    /// Requests that carried traces.
    pub requests: u64,
    /// Tracer payloads.
    pub payloads: u64,
    /// Chunks, those of dropped traces included.
    pub chunks: u64,
    /// Chunks of traces that the samplers dropped, of which only some spans are left.
    pub dropped_chunks: u64,
    /// Spans.
    pub spans: u64,
    /// Spans with an error.
    pub error_spans: u64,
    /// Bytes of the chunks.
    pub chunk_bytes: u64,
    /// Sums by service.
    pub by_service: BTreeMap<String, ServiceTotals>,
}

/// Sums over all spans of one service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServiceTotals {
    /// Spans.
    pub spans: u64,
    /// Spans without a parent.
    pub roots: u64,
    /// Spans with an error.
    pub errors: u64,
    /// Sum of the durations in nanoseconds.
    pub duration_ns: u64,
}

/// Sums over all trace stats.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatsTotals {
    /// Requests that carried stats.
    pub requests: u64,
    /// Requests that were part of a split flush.
    pub split_requests: u64,
    /// Requests whose stats tracers had made.
    pub client_computed_requests: u64,
    /// Groups, each counted in every bucket.
    pub groups: u64,
    /// Sums over all groups.
    pub sum: GroupTotals,
    /// Sums by service, name and resource.
    pub by_group: BTreeMap<GroupName, GroupTotals>,
}

/// The part of a group's key that people look for.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupName {
    /// Service.
    pub service: String,
    /// Name of the operation.
    pub name: String,
    /// Resource.
    pub resource: String,
}

/// Sums of groups.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GroupTotals {
    /// Spans.
    pub hits: u64,
    /// Spans with an error.
    pub errors: u64,
    /// Top-level spans.
    pub top_level_hits: u64,
    /// Sum of the durations in nanoseconds.
    pub duration_ns: u64,
    /// Durations in sketches of spans without an error.
    pub ok_count: f64,
    /// Durations in sketches of spans with an error.
    pub error_count: f64,
}

impl TraceTotals {
    pub(super) fn add(&mut self, traces: &AgentTraces) {
        self.requests += 1;
        self.payloads += traces.payloads.len() as u64;
        for chunk in traces.chunks() {
            self.chunks += 1;
            self.dropped_chunks += u64::from(chunk.head.is_dropped);
            self.chunk_bytes += chunk.head.encoded_bytes as u64;
        }
        for span in traces.spans() {
            let error = u64::from(span.error != 0);
            self.spans += 1;
            self.error_spans += error;
            let service = of_name(&mut self.by_service, &span.service);
            service.spans += 1;
            service.roots += u64::from(span.is_root());
            service.errors += error;
            let duration_ns = u64::try_from(span.duration_ns).unwrap_or_default();
            service.duration_ns = service.duration_ns.saturating_add(duration_ns);
        }
    }
}

impl StatsTotals {
    pub(super) fn add(&mut self, stats: &StatsPayload) {
        self.requests += 1;
        self.split_requests += u64::from(stats.is_split);
        self.client_computed_requests += u64::from(stats.is_client_computed);
        for group in stats.groups() {
            let count =
                |sketch: &Option<LatencySketch>| sketch.as_ref().map_or(0.0, LatencySketch::count);
            let sums = GroupTotals {
                hits: group.hits,
                errors: group.errors,
                top_level_hits: group.top_level_hits,
                duration_ns: group.duration_ns,
                ok_count: count(&group.ok),
                error_count: count(&group.error),
            };
            self.groups += 1;
            self.sum.add(&sums);
            let mut name = GroupName {
                service: group.key.service.to_string(),
                name: group.key.name.to_string(),
                resource: group.key.resource.to_string(),
            };
            if self.by_group.len() >= NAMES_MAX && !self.by_group.contains_key(&name) {
                name = GroupName { service: OTHER_NAMES.to_owned(), ..GroupName::default() };
            }
            self.by_group.entry(name).or_default().add(&sums);
        }
    }

    /// Sums over all groups of a service and operation, whatever the resource.
    #[must_use]
    pub fn of(&self, service: &str, name: &str) -> GroupTotals {
        let mut sums = GroupTotals::default();
        for (group, totals) in &self.by_group {
            if group.service == service && group.name == name {
                sums.add(totals);
            }
        }
        sums
    }
}

impl GroupTotals {
    fn add(&mut self, other: &Self) {
        self.hits = self.hits.saturating_add(other.hits);
        self.errors = self.errors.saturating_add(other.errors);
        self.top_level_hits = self.top_level_hits.saturating_add(other.top_level_hits);
        self.duration_ns = self.duration_ns.saturating_add(other.duration_ns);
        self.ok_count += other.ok_count;
        self.error_count += other.error_count;
    }
}
