//! The priority sampler: tracers obey the rates they are told.

use std::collections::BTreeMap;

use corelane_sampling::{Chunk, SamplingSettings, is_kept_at};

use super::fleet::Fleet;
use super::reference::{Reference, fnv};
use super::traffic::{Spread, Trace, traces};
use super::{LANES, WARM_UP_SECS, assert_rate};

const SECS: u64 = 90;

/// From 1 to 400 traces a second.
fn steady(source: u64, _: u64) -> u64 {
    match source {
        0 => 400,
        1 => 150,
        _ => source - 1,
    }
}

/// The same, but two services come and go.
fn changing(source: u64, sec: u64) -> u64 {
    match source {
        2 if sec % 40 < 20 => 100,
        3 if (40..50).contains(&sec) => 60,
        2 | 3 => 0,
        _ => steady(source, sec),
    }
}

fn fleet(lanes: usize, spread: Spread) -> Fleet {
    Fleet::new(SamplingSettings::default(), lanes, spread)
}

/// Decides as the tracer of the trace and then as its lane; returns whether it is kept.
fn is_kept(fleet: &mut Fleet, trace: &Trace) -> bool {
    // The tracer knows the rates of the last reply.
    fleet.pass(trace.ms);
    let is_wanted = is_kept_at(trace.id, fleet.tracer_rate(&trace.service));
    let chunk = Chunk { priority: i32::from(is_wanted), ..trace.chunk() };
    let decision = fleet.decide(trace, &chunk);
    assert_eq!(decision.is_kept(), is_wanted);
    is_wanted
}

/// Compares the published rates with those of one lane at every bucket; returns the kept traces a
/// second after the warm-up.
fn compare(lanes: usize, spread: Spread, per_sec: fn(u64, u64) -> u64) -> u64 {
    let mut fleet = fleet(lanes, spread);
    let mut reference = Reference::new(10.0);
    let mut names = BTreeMap::new();
    let mut kept = 0;
    for trace in traces(9, SECS, per_sec) {
        let is_kept = is_kept(&mut fleet, &trace);
        kept += u64::from(is_kept && trace.ms >= WARM_UP_SECS * 1000);
        let signature = fnv(&[trace.service.as_bytes(), b",prod"]);
        let key = || format!("service:{},env:prod", trace.service);
        names.entry(signature).or_insert_with(key);
        if reference.count(&trace, signature, 1.0) && trace.ms >= 5000 {
            let expected = expected(&reference, &names);
            assert_eq!(published(&fleet), expected, "{lanes} lanes, {spread:?}, {}", trace.ms);
        }
    }
    kept
}

#[test]
fn rates_are_exactly_those_of_one_lane_and_the_target_holds() {
    for spread in Spread::ALL {
        for lanes in LANES {
            let kept = compare(lanes, spread, steady);
            assert_rate(kept, SECS - WARM_UP_SECS, 10.0, &format!("{lanes} lanes, {spread:?}"));
        }
    }
}

#[test]
fn rates_are_exactly_those_of_one_lane_when_services_come_and_go() {
    let one = compare(1, Spread::Even, changing);
    for spread in Spread::ALL {
        assert_eq!(compare(8, spread, changing), one, "{spread:?}");
    }
}

fn published(fleet: &Fleet) -> BTreeMap<String, f64> {
    fleet.rates().reply().rates().map(|(key, rate)| (key.to_owned(), rate)).collect()
}

fn expected(reference: &Reference, names: &BTreeMap<u32, String>) -> BTreeMap<String, f64> {
    let rates = reference.rates.iter();
    let mut rates: BTreeMap<String, f64> =
        rates.map(|(signature, &rate)| (names[signature].clone(), rate)).collect();
    rates.insert(String::from("service:,env:"), reference.default_rate());
    rates
}

#[test]
fn traces_that_tracers_drop_count() {
    for spread in Spread::ALL {
        for lanes in LANES {
            let mut fleet = fleet(lanes, spread);
            let mut dropped = [0.0; 9];
            let mut kept = 0;
            for trace in traces(9, SECS, steady) {
                fleet.pass(trace.ms);
                let dropped = &mut dropped[usize::try_from(trace.source).expect("small")];
                if !is_kept_at(trace.id, fleet.tracer_rate(&trace.service)) {
                    *dropped += 1.0;
                    continue;
                }
                let dropped_p0s_weight = std::mem::replace(dropped, 0.0);
                let chunk = Chunk { priority: 1, dropped_p0s_weight, ..trace.chunk() };
                assert!(fleet.decide(&trace, &chunk).is_kept());
                kept += u64::from(trace.ms >= WARM_UP_SECS * 1000);
            }
            // The tracers report what they drop with the next trace they keep, so a bucket may get
            // what belongs to another, and the largest bucket of the window overstates the traffic.
            let secs = SECS - WARM_UP_SECS;
            let bounds = secs * 6..=secs * 11;
            assert!(bounds.contains(&kept), "{lanes} lanes, {spread:?}: {kept} in {secs} s");
        }
    }
}

#[test]
fn late_ticks_delay_rates_and_change_nothing_else() {
    let outcome = |lanes, spread| -> Vec<bool> {
        let mut fleet = fleet(lanes, spread).ticking_at(700);
        traces(9, SECS, steady).map(|trace| is_kept(&mut fleet, &trace)).collect()
    };
    let one = outcome(1, Spread::Even);
    for spread in Spread::ALL {
        for lanes in [2, 64] {
            assert_eq!(outcome(lanes, spread), one, "{lanes} lanes, {spread:?}");
        }
    }
    let kept = traces(9, SECS, steady).zip(&one);
    let kept = kept.filter(|(trace, is_kept)| **is_kept && trace.ms >= WARM_UP_SECS * 1000).count();
    let kept = u64::try_from(kept).expect("small");
    assert_rate(kept, SECS - WARM_UP_SECS, 10.0, "late ticks");
}
