//! What arrived, gathered by context over all payloads and buckets.

use std::collections::{BTreeMap, BTreeSet};

use intake::{Contents, Metric, MetricKind};

use super::{Context, Samples};
use crate::HOST;

/// Series of agents and clients about themselves.
const OWN_PREFIXES: [&str; 2] = ["datadog.", "n_o_i_n_d_e_x.datadog."];

/// Everything that arrived. Contexts that were asked for are taken out of what is left.
pub(super) struct Arrived {
    metrics: BTreeMap<Context, Vec<Metric>>,
    asked: BTreeSet<Context>,
    pub(super) events: Vec<intake::Event>,
    pub(super) checks: Vec<intake::Check>,
}

/// Points of a gauge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gauge {
    pub(super) points: usize,
    pub(super) last: f64,
    pub(super) sum: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Arrived {
    pub(super) fn of(contents: &Contents) -> Self {
        let mut metrics: BTreeMap<Context, Vec<Metric>> = BTreeMap::new();
        for metric in &contents.metrics {
            if OWN_PREFIXES.iter().any(|prefix| metric.name.starts_with(prefix)) {
                continue;
            }
            let tags = metric.tags.iter().map(ToString::to_string).collect();
            metrics.entry((metric.name.to_string(), tags)).or_default().push(metric.clone());
        }
        let mut events = contents.events.clone();
        for event in &mut events {
            event.timestamp_secs = 0;
            event.event_type.clear();
            event.source.clear();
        }
        events.sort_by(|a, b| (&a.title, &a.text).cmp(&(&b.title, &b.text)));
        let is_own = |check: &intake::Check| check.name == "datadog.agent.up";
        let mut checks: Vec<_> =
            contents.checks.iter().filter(|check| !is_own(check)).cloned().collect();
        for check in &mut checks {
            check.timestamp_secs = 0;
        }
        checks.sort_by(|a, b| (&a.name, a.status).cmp(&(&b.name, b.status)));
        Self { metrics, asked: BTreeSet::new(), events, checks }
    }

    /// Contexts that nobody asked for.
    pub(super) fn left(&self) -> impl Iterator<Item = &Context> {
        self.metrics.keys().filter(|context| !self.asked.contains(*context))
    }

    /// What a rate counted: the sum of its points times the interval.
    pub(super) fn counted(&mut self, context: &Context, suffix: &str) -> Result<f64, String> {
        let metrics = self.take(context, suffix, MetricKind::Rate, "")?;
        Ok(metrics.iter().map(Metric::total).sum())
    }

    pub(super) fn gauge(
        &mut self,
        context: &Context,
        suffix: &str,
        unit: &str,
    ) -> Result<Gauge, String> {
        let metrics = self.take(context, suffix, MetricKind::Gauge, unit)?;
        let points: BTreeMap<i64, f64> = metrics
            .iter()
            .flat_map(|metric| metric.points.values())
            .map(|point| (point.timestamp_secs, point.value))
            .collect();
        Ok(Gauge {
            points: points.len(),
            last: points.values().next_back().copied().unwrap_or(f64::NAN),
            sum: points.values().sum(),
            min: points.values().copied().fold(f64::INFINITY, f64::min),
            max: points.values().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    }

    pub(super) fn sketched(&mut self, context: &Context) -> Result<Samples, String> {
        let metrics = self.take(context, "", MetricKind::Sketch, "")?;
        let mut samples = Samples::NONE;
        for point in metrics.iter().flat_map(|metric| metric.points.sketches()) {
            samples.count += u32::try_from(point.count).map_or(f64::NAN, f64::from);
            samples.sum += point.sum;
            samples.min = samples.min.min(point.min);
            samples.max = samples.max.max(point.max);
        }
        Ok(samples)
    }

    fn take(
        &mut self,
        context: &Context,
        suffix: &str,
        kind: MetricKind,
        unit: &str,
    ) -> Result<&[Metric], String> {
        let context = (format!("{}{suffix}", context.0), context.1.clone());
        let metrics = self.metrics.get(&context).map(Vec::as_slice);
        let metrics = metrics.ok_or_else(|| format!("{suffix} did not arrive"))?;
        self.asked.insert(context);
        for metric in metrics {
            let host = metric.host.as_deref();
            if metric.kind != kind || host != Some(HOST) || &*metric.unit != unit {
                return Err(format!(
                    "{suffix} is a {} of host {host:?} in {:?}",
                    metric.kind.name(),
                    metric.unit
                ));
            }
        }
        Ok(metrics)
    }
}
