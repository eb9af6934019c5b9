//! Checks of one series or sketch.

use super::{Report, Rule, Rules, check_tags, check_timestamp};
use crate::{Metric, MetricKind, Route, SketchPoint};

/// Product number of an agent. spec: metrics-intake §5.
const PRODUCT_AGENT: u32 = 10;
/// `ln(1 + 1/64)`. spec: dogstatsd §10.1.
const LN_GAMMA: f64 = 0.015_504_186_535_965_254;
/// Key of the value 1.
const KEY_BIAS: f64 = 1338.0;
/// Least magnitude that has a key of its own.
const NORM_MIN: f64 = 9.941_854_089_121_45e-10;
/// Greatest key, which stands for infinity.
const KEY_MAX: f64 = 32_767.0;
/// Bins of one sketch.
const BIN_LIMIT: usize = 4096;

/// Checks a metric and all its points.
pub(super) fn check(metric: &Metric, rules: &Rules, now_secs: i64, report: &mut Report) {
    let what = || format!("{} {}", metric.kind.name(), metric.name);
    if metric.name.is_empty() {
        report.add(Rule::EmptyName, || "a metric has no name".to_owned());
    }
    check_tags(&what, &metric.tags, rules, report);
    check_resources(metric, &what, report);
    check_provenance(metric, rules, &what, report);
    check_interval(metric, &what, report);
    if metric.points.is_empty() {
        report.add(Rule::NoPoints, || format!("{}: has no points", what()));
    }
    for timestamp_secs in metric.points.timestamps() {
        check_timestamp(&what, timestamp_secs, rules, now_secs, report);
    }
    for point in metric.points.values() {
        if !point.value.is_finite() {
            report.add(Rule::NotFinite, || format!("{}: value {}", what(), point.value));
        }
    }
    for point in metric.points.sketches() {
        check_sketch(metric, point, &what, report);
    }
}

/// spec: metrics-intake §3.1, §6.5, §7.1.
fn check_resources(metric: &Metric, what: &dyn Fn() -> String, report: &mut Report) {
    let resources = &metric.resources;
    let is_columnar =
        matches!(metric.route, Route::SeriesV3 | Route::SeriesV3Beta | Route::SketchesV3);
    if metric.route == Route::SeriesV2 && resources.first().is_none_or(|first| !first.is_host()) {
        report.add(Rule::Resource, || format!("{}: the first resource is no host", what()));
    }
    if is_columnar && resources.iter().any(|resource| resource.name.is_empty()) {
        report.add(Rule::Resource, || format!("{}: a resource has no name", what()));
    }
    let host_count = resources.iter().filter(|resource| resource.is_host()).count();
    if host_count > 1 {
        report.add(Rule::Resource, || format!("{}: {host_count} hosts", what()));
    }
    if resources.iter().any(|resource| resource.kind.is_empty()) {
        report.add(Rule::Resource, || format!("{}: a resource has no type", what()));
    }
    if metric.route.is_series() {
        for tag in metric.tags.iter() {
            if tag.starts_with("device:") || tag.starts_with("dd.internal.resource:") {
                report.add(Rule::Resource, || format!("{}: tag {tag} is a resource", what()));
            }
        }
    }
}

fn check_provenance(
    metric: &Metric,
    rules: &Rules,
    what: &dyn Fn() -> String,
    report: &mut Report,
) {
    if !rules.is_provenance_required || metric.route == Route::SeriesV1 {
        return;
    }
    match metric.provenance {
        None => report.add(Rule::Provenance, || format!("{}: has no provenance", what())),
        Some(provenance) if provenance.product != PRODUCT_AGENT => {
            report.add(Rule::Provenance, || {
                format!("{}: product {} is no agent", what(), provenance.product)
            });
        }
        Some(_) => {}
    }
}

fn check_interval(metric: &Metric, what: &dyn Fn() -> String, report: &mut Report) {
    let interval = metric.interval_secs;
    let is_right = match metric.kind {
        MetricKind::Rate => interval > 0,
        MetricKind::Count | MetricKind::Gauge => interval >= 0,
        MetricKind::Sketch => interval == 0,
    };
    if !is_right {
        report.add(Rule::Interval, || format!("{}: interval is {interval}", what()));
    }
}

/// Category of metrics that came over OTLP. spec: metrics-intake §5
const OTLP: u32 = 17;

fn check_sketch(
    metric: &Metric,
    point: &SketchPoint,
    what: &dyn Fn() -> String,
    report: &mut Report,
) {
    let mut broken = |text: String| {
        report.add(Rule::Sketch, || format!("{} at {}: {text}", what(), point.timestamp_secs));
    };
    if !point.is_paired {
        broken("keys and counts differ in number".to_owned());
    }
    if point.bins.is_empty() || point.bins.len() > BIN_LIMIT {
        broken(format!("{} bins", point.bins.len()));
    }
    if point.bins.iter().any(|(_, count)| *count == 0) {
        broken("an empty bin".to_owned());
    }
    if point.bins.windows(2).any(|pair| pair[0].0 > pair[1].0) {
        broken("keys are not ascending".to_owned());
    }
    // A sender of OTLP knows count, sum and ends beside its coarse buckets. spec: otlp §5.5
    let is_of_buckets = metric.provenance.is_some_and(|origin| origin.category == OTLP);
    let bin_sum: i64 = point.bins.iter().map(|(_, count)| i64::from(*count)).sum();
    if bin_sum != point.count && !is_of_buckets {
        broken(format!("bins hold {bin_sum} values, the sketch {}", point.count));
    }
    let numbers = [point.min, point.max, point.avg, point.sum];
    if numbers.iter().any(|number| !number.is_finite()) {
        report.add(Rule::NotFinite, || format!("{}: min, max, avg, sum {numbers:?}", what()));
        return;
    }
    if point.min > point.max {
        broken(format!("min {} is above max {}", point.min, point.max));
    }
    // The columnar form sends no average, and sum / count leaves the range for sampled values.
    let slack = 1e-9 * point.min.abs().max(point.max.abs());
    let is_avg_sent = metric.route == Route::SketchesV2;
    if is_avg_sent && !(point.min - slack..=point.max + slack).contains(&point.avg) {
        broken(format!("avg {} is outside {} to {}", point.avg, point.min, point.max));
    }
    if is_of_buckets {
        return;
    }
    if let Some((last, _)) = point.bins.last() {
        check_key(*last, point.max, "max", &mut broken);
    }
    if let Some((first, _)) = point.bins.first().filter(|_| point.bins.len() < BIN_LIMIT) {
        check_key(*first, point.min, "min", &mut broken);
    }
}

/// The outermost bins hold the least and the greatest value; one key of slack for rounding.
fn check_key(key: i32, value: f64, what: &str, broken: &mut dyn FnMut(String)) {
    let expected = key_of(value);
    if (f64::from(key) - expected).abs() > 1.0 {
        broken(format!("{what} {value} belongs to key {expected}, the bins end at {key}"));
    }
}

/// spec: dogstatsd §10.2.
fn key_of(value: f64) -> f64 {
    let magnitude = value.abs();
    if magnitude < NORM_MIN {
        return 0.0;
    }
    let key = (magnitude.ln() / LN_GAMMA).round_ties_even() + KEY_BIAS;
    key.clamp(1.0, KEY_MAX).copysign(value)
}

#[cfg(test)]
mod tests {
    use super::key_of;

    #[test]
    fn keys_are_those_of_the_specification() {
        for (value, key) in
            [(0.0, 0.0), (1e-9, 1.0), (0.5, 1293.0), (1.0, 1338.0), (42.0, 1579.0), (-3.5, -1419.0)]
        {
            assert!((key_of(value) - key).abs() < 0.5, "{value}");
        }
        assert!((key_of(1e300) - 32_767.0).abs() < 0.5);
    }
}
