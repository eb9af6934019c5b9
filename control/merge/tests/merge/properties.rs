//! What must hold for any samples on any lanes.

use std::collections::BTreeMap;

use corelane_merge::{MergeSettings, Merger, Workers};
use proptest::prelude::*;
use signal::FlushedLane;

use crate::model::Model;
use crate::recorder::{Recorder, Sample};
use crate::seen::Seen;

const LANES: u16 = 8;
const START_SECS: u64 = 10_000;

/// One sample on its way.
#[derive(Clone, Debug)]
struct Event {
    lane: u16,
    /// Seconds since the flush before.
    offset_secs: u64,
    name: String,
    sample: Sample,
}

/// One flush: what was received since the one before, and the seconds since it.
#[derive(Clone, Debug)]
struct Turn {
    events: Vec<Event>,
    length_secs: u64,
}

/// A sample of type `kind`. Values are whole numbers, so that sums do not depend on their order.
fn sample(kind: u8) -> BoxedStrategy<Sample> {
    let value = (-1000_i32..1000).prop_map(f64::from);
    match kind {
        0 => value.prop_map(Sample::Gauge).boxed(),
        1 => value.prop_map(|value| Sample::Counter { value, rate: 1.0 }).boxed(),
        2 => prop::sample::select(vec!["a", "b", "c", "1", "1.0"]).prop_map(Sample::Set).boxed(),
        3 => {
            value.prop_map(|value| Sample::Histogram { value, rate: 1.0, is_timing: false }).boxed()
        }
        _ => value.prop_map(|value| Sample::Distribution { value, rate: 1.0 }).boxed(),
    }
}

/// An event; with `has_conflicts` any name comes with any type.
fn event(has_conflicts: bool) -> impl Strategy<Value = Event> {
    (0..5_u8, 0..4_u8)
        .prop_flat_map(move |(kind, number)| {
            let name =
                if has_conflicts { format!("m{number}") } else { format!("m{kind}{number}") };
            (0..LANES, 0..40_u64, Just(name), sample(kind))
        })
        .prop_map(|(lane, offset_secs, name, sample)| Event { lane, offset_secs, name, sample })
}

fn turns(has_conflicts: bool) -> impl Strategy<Value = Vec<Turn>> {
    let length = prop_oneof![8 => 1..40_u64, 1 => 200..800_u64];
    let turn = (prop::collection::vec(event(has_conflicts), 0..40), length)
        .prop_map(|(events, length_secs)| Turn { events, length_secs });
    prop::collection::vec(turn, 1..6)
}

/// Plays `turns` on lanes; `place` says on which lane an event lands. What each flush hands over,
/// and its cutoff.
fn play(turns: &[Turn], place: impl Fn(&Event) -> u16) -> Vec<(Vec<FlushedLane>, u64)> {
    let mut lanes: Vec<_> = (0..LANES).map(Recorder::new).collect();
    let mut now = START_SECS;
    let mut stamp = 0;
    let mut flushes = Vec::new();
    for turn in turns {
        for event in &turn.events {
            stamp += 1;
            let secs = now + event.offset_secs.min(turn.length_secs - 1);
            let lane = &mut lanes[usize::from(place(event))];
            lane.record_at(secs, stamp, &event.name, &event.sample);
        }
        now += turn.length_secs;
        let cutoff = now - now % 10;
        flushes.push((lanes.iter_mut().map(|lane| lane.flush(cutoff)).collect(), cutoff));
    }
    flushes
}

fn merge_all(flushes: &[(Vec<FlushedLane>, u64)]) -> Vec<Seen> {
    let mut merger = Merger::new(MergeSettings::default(), None);
    let merge = |(lanes, cutoff): &(Vec<FlushedLane>, u64)| {
        let mut seen = Seen::default();
        let stats = merger.merge(lanes, *cutoff, &mut seen);
        assert!(stats.is_balanced(), "{stats:?}");
        assert_eq!(stats.late_points, 0);
        seen
    };
    flushes.iter().map(merge).collect()
}

/// Equal, up to the rounding of the running mean that a sketch keeps.
fn assert_alike(left: &Seen, right: &Seen) {
    assert_eq!(left.series, right.series);
    assert!(left.sketches.keys().eq(right.sketches.keys()));
    for (ours, theirs) in left.sketches.values().zip(right.sketches.values()) {
        assert_eq!(ours.len(), theirs.len());
        for ((time, a), (other_time, b)) in ours.iter().zip(theirs) {
            assert_eq!((time, a.bins(), a.count()), (other_time, b.bins(), b.count()));
            assert_eq!((a.min(), a.max(), a.sum()), (b.min(), b.max(), b.sum()));
            assert!((a.avg() - b.avg()).abs() <= 1e-9 * (1.0 + a.avg().abs()));
        }
    }
}

proptest! {
    #[test]
    fn the_merge_agrees_with_the_model(turns in turns(true)) {
        let merged = merge_all(&play(&turns, |event| event.lane));
        let mut model = Model::default();
        let mut now = START_SECS;
        let mut stamp = 0;
        for (turn, seen) in turns.iter().zip(merged) {
            for event in &turn.events {
                stamp += 1;
                let secs = now + event.offset_secs.min(turn.length_secs - 1);
                model.record(event.lane, secs, stamp, &event.name, &event.sample);
            }
            now += turn.length_secs;
            let (series, distributions) = model.flush(now - now % 10);
            let seen_series: BTreeMap<_, BTreeMap<_, _>> = seen
                .series
                .into_iter()
                .map(|(id, points)| (id, points.into_iter().collect()))
                .collect();
            prop_assert_eq!(seen_series, series);
            let sketches: BTreeMap<_, _> = seen
                .sketches
                .into_iter()
                .flat_map(|(name, points)| {
                    points.into_iter().map(move |(time, sketch)| ((name.clone(), time), sketch))
                })
                .collect();
            prop_assert!(sketches.keys().eq(distributions.keys()));
            for (sketch, values) in sketches.values().zip(distributions.values()) {
                let expected = (values.len().to_string(), values.iter().sum::<f64>().to_string());
                prop_assert_eq!((sketch.count().to_string(), sketch.sum().to_string()), expected);
            }
        }
    }

    /// However samples are spread over lanes, the same series come out.
    #[test]
    fn the_spread_over_lanes_makes_no_difference(turns in turns(false)) {
        let spread = merge_all(&play(&turns, |event| event.lane));
        let alone = merge_all(&play(&turns, |_| 0));
        for (spread, alone) in spread.iter().zip(&alone) {
            assert_alike(spread, alone);
        }
    }

    #[test]
    fn the_order_of_lanes_makes_no_difference(turns in turns(true), seed: u64) {
        let mut flushes = play(&turns, |event| event.lane);
        let ordered = merge_all(&flushes);
        for (lanes, _) in &mut flushes {
            lanes.sort_by_key(|lane| (seed >> (lane.lane * 8)) & 0xff);
        }
        let shuffled = merge_all(&flushes);
        prop_assert_eq!(ordered, shuffled);
    }

    /// Over several flushes no context gets two points for one time.
    #[test]
    fn no_point_is_ever_sent_twice(turns in turns(true)) {
        let mut sent = std::collections::BTreeSet::new();
        for seen in merge_all(&play(&turns, |event| event.lane)) {
            for ((name, kind, unit), points) in seen.series {
                for (time, _) in points {
                    prop_assert!(sent.insert((name.clone(), kind, unit, time)), "{name} {time}");
                }
            }
        }
    }
}

proptest! {
    // Starting threads takes most of the time.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn threads_make_no_difference(turns in turns(true), threads_max in 2_usize..6) {
        let flushes = play(&turns, |event| event.lane);
        let alone = merge_all(&flushes);
        let workers = Workers { cells_per_thread: 1, ..Workers::new(threads_max) };
        let mut merger = Merger::new(MergeSettings::default(), None);
        for ((lanes, cutoff), alone) in flushes.iter().zip(alone) {
            let (stats, sinks) =
                merger.merge_parallel(lanes, *cutoff, workers, |_| Seen::default());
            prop_assert!(stats.is_balanced());
            let mut together = Seen::default();
            sinks.into_iter().for_each(|sink| together.join(sink));
            prop_assert_eq!(together, alone);
        }
    }
}
