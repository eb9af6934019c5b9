//! Checks of trace stats. spec: apm §9, §10.2.

use std::collections::HashSet;

use super::shape::{has_name_shape, has_service_shape};
use super::{Report, Rule, Rules};
use crate::{ClientStats, LatencySketch, StatsBucket, StatsGroup, StatsPayload};

/// Every bucket lasts ten seconds, whoever made it.
const BUCKET_NS: u64 = 10_000_000_000;
/// Groups of one payload.
const GROUPS_MAX: usize = 4_000;
/// Base of the agent's mapping, for an accuracy of one percent.
const GAMMA: f64 = 1.01 / 0.99;
/// Bins of one store.
const BINS_MAX: i64 = 2_048;

/// Checks everything of one `StatsPayload`.
pub(super) fn check(stats: &StatsPayload, rules: &Rules, report: &mut Report) {
    for (field, value) in [
        ("AgentHostname", &stats.agent_host),
        ("AgentEnv", &stats.agent_env),
        ("AgentVersion", &stats.agent_version),
    ] {
        if value.is_empty() {
            report.add(Rule::AgentHead, || format!("StatsPayload has no {field}"));
        }
    }
    let count = stats.groups().count();
    if count > GROUPS_MAX {
        report.add(Rule::TooManyItems, || format!("{count} groups in one stats payload"));
    }
    for client in &stats.clients {
        check_client(client, stats.is_client_computed, report);
        for bucket in &client.buckets {
            check_bucket(bucket, stats.is_client_computed, report);
            for group in &bucket.groups {
                check_group(group, stats.is_client_computed, rules, report);
            }
        }
    }
}

fn check_client(client: &ClientStats, is_client_computed: bool, report: &mut Report) {
    // Tracers name a host only when told to, and what they name passes through. spec: apm §9.6
    for (field, value, is_needed) in
        [("Env", &client.env, true), ("Hostname", &client.hostname, !is_client_computed)]
    {
        if value.is_empty() && is_needed {
            report.add(Rule::StatsBucket, || format!("ClientStatsPayload has no {field}"));
        }
    }
    if client.buckets.is_empty() {
        report.add(Rule::StatsBucket, || "ClientStatsPayload has no bucket".to_owned());
    }
    let starts: HashSet<u64> = client.buckets.iter().map(|bucket| bucket.start_ns).collect();
    if starts.len() < client.buckets.len() {
        report.add(Rule::StatsBucket, || "two buckets of one sender start together".to_owned());
    }
}

fn check_bucket(bucket: &StatsBucket, is_client_computed: bool, report: &mut Report) {
    let (start_ns, duration_ns) = (bucket.start_ns, bucket.duration_ns);
    let what = || format!("bucket at {start_ns}");
    if duration_ns != BUCKET_NS {
        report.add(Rule::StatsBucket, || format!("{}: lasts {duration_ns} ns", what()));
    }
    // Stats of tracers are kept at odd seconds, so that they never meet those of the agent.
    let is_aligned = if is_client_computed {
        start_ns % 2_000_000_000 == 1_000_000_000
    } else {
        start_ns % BUCKET_NS == 0
    };
    if start_ns == 0 || !is_aligned {
        report.add(Rule::StatsBucket, || format!("{}: is not aligned", what()));
    }
    if bucket.groups.is_empty() {
        report.add(Rule::StatsBucket, || format!("{}: has no group", what()));
    }
    let mut keys = HashSet::new();
    for group in &bucket.groups {
        if !keys.insert(&group.key) {
            report.add(Rule::StatsGroup, || format!("{}: {} twice", what(), name_of(group)));
        }
    }
}

fn check_group(group: &StatsGroup, is_client_computed: bool, rules: &Rules, report: &mut Report) {
    let key = &group.key;
    let mut broken = |rule: Rule, text: String| {
        report.add(rule, || format!("{}: {text}", name_of(group)));
    };
    if !has_service_shape(&key.service) || !has_name_shape(&key.name) || key.resource.is_empty() {
        broken(Rule::SpanText, "service, name or resource is not normalised".to_owned());
    }
    if key.trace_root > 2 {
        broken(Rule::StatsGroup, format!("IsTraceRoot is {}", key.trace_root));
    }
    if key.peer_tags.iter().chain(&key.metric_tags).any(|tag| !tag.contains(':')) {
        broken(Rule::StatsGroup, "a peer or metric tag has no value".to_owned());
    }
    let (hits, errors, top_level) = (group.hits, group.errors, group.top_level_hits);
    // Each count is rounded up or down at random.
    if errors.max(top_level) > hits.saturating_add(1) {
        broken(Rule::StatsGroup, format!("{hits} hits, {errors} errors, {top_level} top-level"));
    }
    for (name, sketch) in [("OkSummary", &group.ok), ("ErrorSummary", &group.error)] {
        match sketch {
            Some(sketch) => {
                if let Err(text) = check_sketch(sketch, is_client_computed) {
                    broken(Rule::Sketch, format!("{name} {text}"));
                }
            }
            None if is_client_computed => {}
            None => broken(Rule::Sketch, format!("{name} has no bytes")),
        }
    }
    if is_client_computed {
        return;
    }
    let count = |sketch: &Option<LatencySketch>| sketch.as_ref().map_or(0.0, LatencySketch::count);
    let (ok, error) = (count(&group.ok), count(&group.error));
    // Sketches count every span once, hits by its weight of at least one.
    let is_covered = ok + error <= as_f64(hits) && error <= as_f64(errors);
    let is_exact = float_eq(ok + error, as_f64(hits)) && float_eq(error, as_f64(errors));
    if hits == 0 || !is_covered || rules.are_stats_unweighted && !is_exact {
        let counts = format!("{hits} hits, {errors} errors");
        broken(Rule::StatsGroup, format!("{counts}; sketches hold {ok} and {error}"));
    }
}

/// A sketch of a tracer has passed through as it was, with a mapping of its own.
fn check_sketch(sketch: &LatencySketch, is_client_computed: bool) -> Result<(), String> {
    let bins = || sketch.bins.iter().chain(&sketch.negative_bins);
    if bins().any(|(_, count)| !count.is_finite() || *count < 0.0) || sketch.zero_count < 0.0 {
        return Err("has a count below 0".to_owned());
    }
    if sketch.gamma.is_nan() || sketch.gamma <= 1.0 {
        return Err(format!("has gamma {}", sketch.gamma));
    }
    if is_client_computed {
        return Ok(());
    }
    let is_ours = (sketch.gamma - GAMMA).abs() < 1e-12
        && sketch.index_offset.abs() < 1e-12
        && sketch.interpolation == 0;
    if !is_ours {
        return Err("has another mapping than the agent's".to_owned());
    }
    if !sketch.has_stores {
        return Err("lacks a store".to_owned());
    }
    if bins().any(|(_, count)| count.fract() != 0.0) {
        return Err("has fractions in counts".to_owned());
    }
    if !sketch.negative_bins.is_empty() {
        return Err("has negative durations".to_owned());
    }
    let is_trimmed = [sketch.bins.first(), sketch.bins.last()]
        .into_iter()
        .flatten()
        .all(|(_, count)| *count > 0.0);
    if !is_trimmed {
        return Err("has empty bins at an end".to_owned());
    }
    let span = match (sketch.bins.first(), sketch.bins.last()) {
        (Some((first, _)), Some((last, _))) => i64::from(*last) - i64::from(*first) + 1,
        _ => 0,
    };
    if span > BINS_MAX {
        return Err(format!("spans {span} bins"));
    }
    Ok(())
}

fn name_of(group: &StatsGroup) -> String {
    let key = &group.key;
    format!("group {:?} {:?} {:?}", key.service, key.name, key.resource)
}

/// Counts are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn as_f64(count: u64) -> f64 {
    count as f64
}

fn float_eq(left: f64, right: f64) -> bool {
    (left - right).abs() < 0.5
}
