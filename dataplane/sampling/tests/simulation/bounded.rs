//! Samplers with a bound in total: rare, and the limit on events.

use std::collections::BTreeMap;

use corelane_sampling::{Chunk, EventSettings, RareSettings, SamplingSettings};

use super::LANES;
use super::fleet::Fleet;
use super::traffic::{Spread, Trace, traces};

fn rare() -> SamplingSettings {
    let rare = RareSettings { is_enabled: true, ..RareSettings::default() };
    SamplingSettings { rare, ..SamplingSettings::default() }
}

/// Times at which chunks were kept as rare, by source.
fn kept(
    lanes: usize,
    spread: Spread,
    traces: impl Iterator<Item = Trace>,
) -> BTreeMap<u64, Vec<u64>> {
    let mut fleet = Fleet::new(rare(), lanes, spread);
    let mut kept: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for trace in traces {
        let decision = fleet.decide(&trace, &Chunk { priority: 0, ..trace.chunk() });
        assert_eq!(decision.is_kept(), decision.rare_span.is_some());
        if decision.is_kept() {
            kept.entry(trace.source).or_default().push(trace.ms);
        }
    }
    kept
}

#[test]
fn rare_tokens_hold_in_total_and_are_not_wasted() {
    // 500 sources from the start, each of 4 traces a second.
    for spread in Spread::ALL {
        for lanes in LANES {
            let what = format!("{lanes} lanes, {spread:?}");
            let kept = kept(lanes, spread, traces(500, 60, |_, _| 4));
            let mut times: Vec<u64> = kept.into_values().flatten().collect();
            times.sort_unstable();
            for (before, ms) in times.iter().enumerate() {
                let allowed = 50 + 5 * (ms / 1000);
                assert!(u64::try_from(before).expect("small") < allowed, "{what} {ms}");
            }
            let all = 50 + 5 * 59;
            assert!(times.len() * 10 >= all * 9, "{what}: {} of {all}", times.len());
        }
    }
}

#[test]
fn a_rare_span_is_kept_again_only_by_another_lane_in_the_same_tick() {
    // A new source every two seconds, of 50 traces a second.
    let new = |source, sec| if sec >= source * 2 { 50 } else { 0 };
    for spread in Spread::ALL {
        for lanes in LANES {
            let what = format!("{lanes} lanes, {spread:?}");
            let kept = kept(lanes, spread, traces(20, 60, new));
            assert_eq!(kept.len(), 20, "{what}: every source is seen");
            for times in kept.values() {
                assert!(times.len() <= lanes, "{what}: {times:?}");
                let (first, last) = (times.first().copied(), times.last().copied());
                assert_eq!(first.map(|ms| ms / 1000), last.map(|ms| ms / 1000), "{what}");
            }
        }
    }
}

#[test]
fn the_limit_on_events_holds_in_total() {
    let events = EventSettings { per_sec_max: 200.0, ..EventSettings::default() };
    let settings = SamplingSettings { events, ..SamplingSettings::default() };
    for spread in Spread::ALL {
        for lanes in LANES {
            let mut fleet = Fleet::new(settings.clone(), lanes, spread);
            let mut kept = 0;
            for trace in traces(20, 90, |_, _| 50) {
                let trace = Trace { event_rate: Some(1.0), ..trace };
                fleet.decide(&trace, &Chunk { priority: 0, ..trace.chunk() });
                kept += u64::from(trace.ms >= 60_000 && !fleet.events(&trace).is_empty());
            }
            let per_sec = kept / 30;
            assert!((185..=225).contains(&per_sec), "{lanes} lanes, {spread:?}: {per_sec}");
        }
    }
}
