//! The no-priority and errors samplers: lanes decide by the rates and the trace id.

use corelane_sampling::{Chunk, SamplingSettings, is_kept_at};

use super::fleet::Fleet;
use super::reference::Reference;
use super::traffic::{Spread, Trace, traces};
use super::{LANES, WARM_UP_SECS, assert_rate};

const SECS: u64 = 80;
/// What the target allows for a bucket.
const BUCKET_TARGET: u64 = 50;

/// Twenty sources of 2 to 200 traces a second.
fn per_sec(source: u64, _: u64) -> u64 {
    if source == 0 { 200 } else { source * 2 }
}

/// A chunk for the no-priority sampler, or for the errors sampler after a drop of the tracer.
fn chunk(trace: &Trace) -> Chunk<'_> {
    let chunk = trace.chunk();
    if chunk.has_error { Chunk { priority: 0, ..chunk } } else { chunk }
}

/// What a fleet and the reference kept of each trace.
fn decisions(
    lanes: usize,
    spread: Spread,
    traces: impl Iterator<Item = Trace>,
) -> Vec<(u64, bool, bool)> {
    let mut fleet = Fleet::new(SamplingSettings::default(), lanes, spread);
    let mut reference = Reference::new(10.0);
    traces
        .map(|trace| {
            let is_kept = fleet.decide(&trace, &chunk(&trace)).is_kept();
            (trace.ms, is_kept, is_kept_at(trace.id, reference.score(&trace)))
        })
        .collect()
}

fn kept_between(decisions: &[(u64, bool, bool)], from_ms: u64, to_ms: u64) -> (u64, u64) {
    let during = decisions.iter().filter(|(ms, ..)| (from_ms..to_ms).contains(ms));
    during.fold((0, 0), |(fleet, reference), &(_, own, other)| {
        (fleet + u64::from(own), reference + u64::from(other))
    })
}

#[test]
fn decisions_are_those_of_one_lane_after_the_first_bucket() {
    for error in [0, 1] {
        for spread in Spread::ALL {
            for lanes in LANES {
                let traces = traces(20, SECS, per_sec).map(|trace| Trace { error, ..trace });
                let decisions = decisions(lanes, spread, traces);
                let what = format!("{lanes} lanes, {spread:?}, error {error}");
                let different = decisions.iter().filter(|(_, own, reference)| own != reference);
                let last = different.map(|&(ms, ..)| ms).max();
                if lanes == 1 {
                    assert_eq!(last, None, "{what}");
                }
                assert!(last.is_none_or(|ms| ms < 5000), "{what}: {last:?}");
                let (kept, _) = kept_between(&decisions, WARM_UP_SECS * 1000, SECS * 1000);
                assert_rate(kept, SECS - WARM_UP_SECS, 10.0, &what);
            }
        }
    }
}

#[test]
fn a_sudden_flood_is_kept_hardly_more_often_than_by_one_lane() {
    // One trace a second, and twice 20,000 of another signature.
    let flood = |source, sec| if source == 1 && matches!(sec % 60, 2 | 3) { 20_000 } else { 1 };
    for spread in Spread::ALL {
        for lanes in LANES {
            let decisions = decisions(lanes, spread, traces(2, 64, flood));
            for from_ms in [2000, 62_000] {
                let what = format!("{lanes} lanes, {spread:?}, {from_ms}");
                let allowed = u64::try_from(lanes - 1).expect("small") * BUCKET_TARGET;
                let (kept, reference) = kept_between(&decisions, from_ms, from_ms + 1000);
                assert!(kept >= BUCKET_TARGET, "{what}: {kept}");
                assert!(kept <= reference + allowed, "{what}: {kept} {reference}");
                let (kept, reference) = kept_between(&decisions, from_ms + 1000, from_ms + 2000);
                // Lanes know of the flood, but of its growth only their own part.
                assert!(kept <= reference + BUCKET_TARGET, "{what}, then: {kept} {reference}");
            }
        }
    }
}

#[test]
fn one_busy_lane_of_many_decides_as_one_lane() {
    // 8 a second of ever new signatures, and 15 of a known one.
    let traces = traces(2, 60, |source, _| 8 + source * 7).map(|trace| {
        let resource = format!("GET /{}", trace.ms / 5000 * (1 - trace.source));
        Trace { source: 0, resource, error: 1, ..trace }
    });
    let decisions = decisions(64, Spread::PerSource, traces);
    assert!(decisions.iter().all(|(_, own, reference)| own == reference));
}

#[test]
fn many_signatures_are_shrunk_alike_on_all_lanes() {
    // 300 signatures of 1 or 2 a second.
    let all = || traces(300, SECS, |source, _| 1 + source % 2);
    for spread in Spread::ALL {
        for lanes in LANES {
            let what = format!("{lanes} lanes, {spread:?}");
            let mut fleet = Fleet::new(SamplingSettings::default(), lanes, spread);
            let mut kept = 0;
            for trace in all() {
                let is_kept = fleet.decide(&trace, &trace.chunk()).is_kept();
                kept += u64::from(is_kept && trace.ms >= WARM_UP_SECS * 1000);
            }
            assert_rate(kept, SECS - WARM_UP_SECS, 10.0, &what);
            let [_, live, _] = fleet.rates().signature_counts();
            assert!((100..=200).contains(&live), "{what}: {live}");
            for trace in all().take_while(|trace| trace.ms < 1000) {
                let rates = fleet.no_priority_rates(&trace);
                assert!(
                    rates.iter().all(|rate| rate.to_bits() == rates[0].to_bits()),
                    "{what}: {rates:?}"
                );
            }
        }
    }
}

#[test]
fn one_lane_shrinks_as_the_reference() {
    let all = traces(300, SECS, |source, _| 1 + source % 2);
    let decisions = decisions(1, Spread::Even, all);
    assert!(decisions.iter().all(|(_, own, reference)| own == reference));
}
