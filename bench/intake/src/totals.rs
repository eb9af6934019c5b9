//! Sums over everything received. Their size does not grow with the run.

mod apm;
mod logs;

use std::collections::BTreeMap;

use crate::{AgentTraces, Log, Metric, MetricKind, Points, Request, Rule, StatsPayload};

pub use apm::{GroupName, GroupTotals, ServiceTotals, StatsTotals, TraceTotals};
pub use logs::LogTotals;

/// Names of metrics, services and groups that are summed one by one; further ones share one entry.
const NAMES_MAX: usize = 10_000;
/// The entry of all further names.
const OTHER_NAMES: &str = "(other)";

/// The sums of a name; names beyond [`NAMES_MAX`] share one entry.
fn of_name<'s, T: Default>(sums: &'s mut BTreeMap<String, T>, name: &str) -> &'s mut T {
    let has_room = sums.contains_key(name) || sums.len() < NAMES_MAX;
    sums.entry(if has_room { name } else { OTHER_NAMES }.to_owned()).or_default()
}

/// Sums since the start or the last reset.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    /// Requests by route name (or `unknown`) and status; 0 stands for no answer.
    pub requests: BTreeMap<(&'static str, u16), u64>,
    /// Bytes of all bodies as sent.
    pub encoded_bytes: u64,
    /// Bytes of all accepted bodies after decompression.
    pub decoded_bytes: u64,
    /// Requests whose contents were taken.
    pub accepted: u64,
    /// Bodies that came again because their first answer was lost.
    pub resent: u64,
    /// Series taken, counted once per payload.
    pub series: u64,
    /// Sketches taken, counted once per payload.
    pub sketches: u64,
    /// Points of series and sketches.
    pub points: u64,
    /// Distinct contexts. Counting stops at [`CONTEXTS_MAX`](crate::CONTEXTS_MAX).
    pub contexts: u64,
    /// Events taken.
    pub events: u64,
    /// Service checks taken.
    pub checks: u64,
    /// Metadata documents taken.
    pub metadata: u64,
    /// Points that overwrote an earlier one.
    pub overwrites: u64,
    /// Broken rules.
    pub violations: BTreeMap<Rule, u64>,
    /// Sums by metric name.
    pub by_name: BTreeMap<String, NameTotals>,
    /// Sums over traces.
    pub traces: TraceTotals,
    /// Sums over trace stats.
    pub stats: StatsTotals,
    /// Sums over logs.
    pub logs: LogTotals,
}

/// Sums over all metrics of one name.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NameTotals {
    /// Points.
    pub points: u64,
    /// What counts and rates counted: sums of counts, and of rates times their interval.
    pub counted: f64,
    /// Sum of all gauge values.
    pub gauge_sum: f64,
    /// Latest gauge value in order of arrival.
    pub gauge_last: Option<f64>,
    /// Values in sketches.
    pub sketched: f64,
    /// Sum of the sums of sketches.
    pub sketch_sum: f64,
}

impl Totals {
    /// Accepted requests that an agent passed on for tracers, by kind.
    #[must_use]
    pub fn passed(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for ((name, status), count) in &self.requests {
            let is_known = crate::Route::from_name(name).is_some() || *name == "unknown";
            if !is_known && (200..300).contains(status) {
                *counts.entry(*name).or_default() += count;
            }
        }
        counts
    }

    /// All requests, whatever became of them.
    #[must_use]
    pub fn request_count(&self) -> u64 {
        self.requests.values().sum()
    }

    /// Broken rules, all together.
    #[must_use]
    pub fn violation_count(&self) -> u64 {
        self.violations.values().sum()
    }

    pub(crate) fn add_request(&mut self, request: &Request) {
        let passed = request.passed.map_or("unknown", crate::Passed::name);
        let route = request.route.map_or(passed, crate::Route::name);
        *self.requests.entry((route, request.status.unwrap_or(0))).or_default() += 1;
        self.encoded_bytes += request.encoded_bytes as u64;
        self.resent += u64::from(request.is_resent);
        if request.is_accepted {
            self.accepted += 1;
            self.decoded_bytes += request.decoded_bytes as u64;
        }
    }

    pub(crate) fn add_traces(&mut self, traces: &AgentTraces) {
        self.traces.add(traces);
    }

    pub(crate) fn add_stats(&mut self, stats: &StatsPayload) {
        self.stats.add(stats);
    }

    pub(crate) fn add_logs(&mut self, logs: &[Log]) {
        self.logs.add(logs);
    }

    pub(crate) fn add_metric(&mut self, metric: &Metric) {
        let points = metric.points.len() as u64;
        self.points += points;
        if metric.kind == MetricKind::Sketch {
            self.sketches += 1
        } else {
            self.series += 1
        }
        let totals = of_name(&mut self.by_name, &metric.name);
        totals.points += points;
        match (&metric.points, metric.kind) {
            (Points::Values(values), MetricKind::Gauge) => {
                totals.gauge_sum += metric.total();
                totals.gauge_last = values.last().map(|point| point.value).or(totals.gauge_last);
            }
            (Points::Values(_), _) => totals.counted += metric.total(),
            (Points::Sketches(sketches), _) => {
                totals.sketched += metric.total();
                totals.sketch_sum += sketches.iter().map(|sketch| sketch.sum).sum::<f64>();
            }
        }
    }
}
