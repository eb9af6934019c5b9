use std::collections::BTreeMap;

use naming::NamingSettings;
use proptest::prelude::*;
use signal::{Cell, CellValue, CheckStatus, TimedKind};

use super::*;

const START_SECS: u64 = 1000;

fn shard_with(settings: ShardSettings, naming: &NamingSettings) -> Shard {
    let rules = Rules::new(naming).unwrap();
    let mut shard = Shard::new(0, settings, Keys::from_seed(9), rules);
    shard.advance(START_SECS);
    shard
}

fn shard() -> Shard {
    let settings = ShardSettings { host: Arc::from("h0"), ..ShardSettings::default() };
    shard_with(settings, &NamingSettings::default())
}

fn send(shard: &mut Shard, packet: &str) {
    let stamp_us = shard.now_secs * 1_000_000;
    shard.on_packets(std::iter::once(Packet {
        bytes: packet.as_bytes(),
        peer: None,
        stamp_us,
        is_eol_required: false,
    }));
}

/// Cells of a flush by bucket start, name and tags.
fn cells(flushed: &FlushedLane) -> BTreeMap<(u64, String), &Cell> {
    let describe = |cell: &Cell| {
        let context = cell.context.as_ref().unwrap();
        let tags: Vec<&str> = context.tags.tags.iter().map(AsRef::as_ref).collect();
        format!("{}{{{}}}@{}", context.name, tags.join(","), context.host)
    };
    flushed
        .buckets
        .iter()
        .flat_map(|bucket| {
            bucket.cells().map(move |cell| ((bucket.start_secs(), describe(cell)), cell))
        })
        .collect()
}

fn value_of(cell: &Cell) -> f64 {
    match &cell.value {
        CellValue::Gauge { value, .. } => *value,
        CellValue::Counter { sum } => *sum,
        CellValue::Set(members) => members.len() as f64,
        CellValue::Histogram(histogram) => histogram.samples.iter().map(|s| s.value).sum(),
        CellValue::Distribution(sketch) => sketch.sum(),
        CellValue::Empty => f64::NAN,
    }
}

fn values(flushed: &FlushedLane) -> Vec<(u64, String, f64)> {
    cells(flushed).into_iter().map(|((start, name), c)| (start, name, value_of(c))).collect()
}

#[test]
fn buckets_close_on_time_and_hold_what_came_in_them() {
    let mut shard = shard();
    send(&mut shard, "c:5|c|@0.1\nc:1|c|@0.25\nc:-2|c\ng:1|g\ng:2:3|g");
    assert!(shard.flush(START_SECS).is_empty(), "the bucket is open");
    shard.advance(START_SECS + 10);
    send(&mut shard, "g:4|g");
    let flushed = shard.flush(START_SECS + 15);
    assert_eq!(
        values(&flushed),
        [(1000, "c{}@h0".into(), 52.0), (1000, "g{}@h0".into(), 3.0)],
        "spec: dogstatsd §15.4 A3"
    );
    shard.advance(START_SECS);
    send(&mut shard, "g:5|g");
    assert_eq!(values(&shard.flush_all()), [(1010, "g{}@h0".into(), 5.0)], "time never goes back");
}

/// spec: dogstatsd §15.4 A4, A12, A13.
#[test]
fn contexts_are_sets_of_tags_and_the_first_type_wins() {
    let mut shard = shard();
    send(&mut shard, "s:a|s\ns:b|s\ns:a|s\ns:1|s\ns:1.0|s");
    send(&mut shard, "a:1|g|#x,y\na:2|g|#y,x,x");
    send(&mut shard, "t:1|c\nt:5|g\nt:6:7|h");
    assert_eq!(shard.tally.count(Counter::DroppedTypeConflict), 3);
    assert_eq!(
        values(&shard.flush_all()),
        [
            (1000, "a{x,y}@h0".into(), 2.0),
            (1000, "s{}@h0".into(), 4.0),
            (1000, "t{}@h0".into(), 1.0)
        ]
    );
}

#[test]
fn rates_out_of_range_are_harmless() {
    let mut shard = shard();
    send(&mut shard, "a:1|c|@0\nb:1|c|@-1\nc:1|c|@nan\nd:10|c|@2\ne:1|c|@inf\nf:1|c|@1e-300");
    let sums: Vec<f64> = values(&shard.flush_all()).into_iter().map(|(_, _, v)| v).collect();
    assert_eq!(sums, [1.0, 1.0, 1.0, 5.0, 1.0, 1.0 / 3.845e-9]);
}

#[test]
fn values_that_are_not_finite_are_dropped_and_counted() {
    let mut shard = shard();
    send(&mut shard, "a:NaN|g\nb:1:inf:2|d\nc:nan:inf|h\nd:inf|c");
    assert_eq!(shard.tally.count(Counter::DroppedNotFinite), 5);
    assert_eq!(shard.tally.count(Counter::Recorded), 2);
    assert_eq!(values(&shard.flush_all()), [(1000, "b{}@h0".into(), 3.0)]);
}

/// spec: dogstatsd §15.2.
#[test]
fn names_hosts_and_tags_are_enriched() {
    let naming = NamingSettings {
        namespace: "app".into(),
        extra_tags: vec!["team:x".into()],
        ..NamingSettings::default()
    };
    let settings = ShardSettings { host: Arc::from("h0"), ..ShardSettings::default() };
    let mut shard = shard_with(settings, &naming);
    send(&mut shard, "page:1|c|#a:b,a:b\njvm.heap:1|g\nx:1|g|#host:h9\ny:1|g|#host:");
    send(&mut shard, "_sc|ok|2|h:h5|#host:h9,z,a|m:msg\n_e{1,4}:t|a\\nb|t:error|#q");
    let flushed = shard.flush_all();
    let names: Vec<String> = cells(&flushed).into_keys().map(|(_, name)| name).collect();
    assert_eq!(
        names,
        ["app.page{a:b,team:x}@h0", "app.x{team:x}@h9", "app.y{team:x}@", "jvm.heap{team:x}@h0"]
    );
    let check = &flushed.checks[0];
    assert_eq!((&*check.host, check.status), ("h5", CheckStatus::Critical));
    assert_eq!(check.tags.iter().map(|t| &**t).collect::<Vec<_>>(), ["a", "team:x", "z"]);
    let event = &flushed.events[0];
    assert_eq!((&*event.text, &*event.host, event.timestamp_secs), ("a\nb", "h0", 1000));
}

#[test]
fn filtered_names_are_dropped_and_counted_by_value() {
    let naming = NamingSettings { filterlist: vec!["noise".into()], ..NamingSettings::default() };
    let mut shard = shard_with(ShardSettings::default(), &naming);
    send(&mut shard, "noise:1:2|c\nnoise:1|c\nfine:1|c");
    assert_eq!(shard.tally.count(Counter::DroppedFiltered), 3);
    assert_eq!(shard.tally.count(Counter::ContextMisses), 2);
    assert_eq!(values(&shard.flush_all()).len(), 1);
}

/// spec: dogstatsd §15.4 A11.
#[test]
fn timestamped_samples_bypass_the_buckets() {
    let mut shard = shard();
    send(&mut shard, "m:60|g|T1657100430\nn:60|c|@0.5|T1657100430\no:1|d|T1657100430\nm:1|g");
    let flushed = shard.flush_all();
    let timed: Vec<_> = flushed
        .timed
        .iter()
        .map(|s| (&*s.context.name, s.kind, s.timestamp_secs, s.value))
        .collect();
    assert_eq!(
        timed,
        [
            ("m", TimedKind::Gauge, 1_657_100_430, 60.0),
            ("n", TimedKind::Count, 1_657_100_430, 60.0)
        ]
    );
    assert_eq!(values(&flushed), [(1000, "m{}@h0".into(), 1.0)]);
    assert_eq!(shard.tally.count(Counter::DroppedTimedType), 1);
}

/// spec: dogstatsd §15.4 A15.
#[test]
fn histograms_are_copied_to_distributions() {
    let settings = ShardSettings {
        distribution_copy_prefix: Some("dist.".into()),
        ..ShardSettings::default()
    };
    let naming = NamingSettings { filterlist: vec!["no".into()], ..NamingSettings::default() };
    let mut shard = shard_with(settings, &naming);
    send(&mut shard, "h:5|h\nh:6|h\nno:1|h\nd:1|d");
    let flushed = shard.flush_all();
    let names: Vec<_> = values(&flushed).into_iter().map(|(_, name, v)| (name, v)).collect();
    let expected = [("dist.h{}@", 11.0), ("d{}@", 1.0), ("h{}@", 11.0)];
    assert_eq!(names, expected.map(|(name, v)| (name.to_owned(), v)));
    assert_eq!(shard.tally.count(Counter::CopiedToDistribution), 3);
}

#[test]
fn limits_drop_and_count() {
    let settings = ShardSettings {
        contexts_max: 2,
        cell_samples_max: 3,
        timed_samples_max: 1,
        events_max: 1,
        ..ShardSettings::default()
    };
    let mut shard = shard_with(settings, &NamingSettings::default());
    send(&mut shard, "a:1:2:3:4:5|h\nb:x|s\nb:y|s\nb:z|s\nb:w|s\nb:x|s\nc:1:2|c");
    assert_eq!(shard.tally.count(Counter::DroppedCellLimit), 3);
    assert_eq!(shard.tally.count(Counter::DroppedContextLimit), 2);
    send(&mut shard, "a:1:2|g|T5\n_e{1,1}:a|b\n_e{1,1}:a|b\n_sc|a|0\n_sc|a|0");
    assert_eq!(shard.tally.count(Counter::DroppedTimedLimit), 1);
    assert_eq!(shard.tally.count(Counter::DroppedEventLimit), 2);
}

#[test]
fn a_context_lives_as_long_as_it_is_seen() {
    let mut shard = shard();
    for step in 0..20 {
        shard.advance(START_SECS + step * 10);
        send(&mut shard, if step < 5 { "a:1|c\nb:1|c" } else { "a:1|c" });
        while shard.sweep_slice() {}
    }
    assert_eq!(shard.contexts.alive(), 1);
    assert_eq!(shard.tally.count(Counter::ContextsExpired), 1);
    assert_eq!(shard.tally.count(Counter::ContextMisses), 2);
    assert_eq!(shard.flush_all().buckets.len(), 20);
}

#[test]
fn new_rules_apply_to_lines_that_are_known() {
    let mut shard = shard();
    send(&mut shard, "a:1|c");
    let naming = NamingSettings { namespace: "n".into(), ..NamingSettings::default() };
    shard.set_rules(Rules::new(&naming).unwrap());
    send(&mut shard, "a:1|c");
    assert_eq!(
        values(&shard.flush_all()),
        [(1000, "a{}@h0".into(), 1.0), (1000, "n.a{}@h0".into(), 1.0)]
    );
}

fn line() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["a", "b", "c", "noise", "", "_e{", "_sc|x", "\u{e9}"]);
    let value = prop::sample::select(vec!["1", "2:3", "nan", "x", "", "1e400", "inf:1"]);
    let kind = prop::sample::select(vec!["c", "g", "h", "d", "s", "ms", "q", "", "1"]);
    let rest = prop::sample::select(vec![
        "",
        "|#t:1,t:2",
        "|#t:2,t:1",
        "|@0.5",
        "|@x",
        "|T5",
        "|T0",
        "|c:abc",
        "|",
        "\r",
        "|#host:h",
    ]);
    (name, value, kind, rest).prop_map(|(n, v, k, r)| format!("{n}:{v}|{k}{r}"))
}

proptest! {
    /// Whatever comes in, every message and every sample is accounted for, and what the cells hold
    /// is what was recorded.
    #[test]
    fn identities_hold(
        packets in prop::collection::vec(prop::collection::vec(line(), 0..40), 1..8),
        contexts_max in 1usize..12,
        copies in any::<bool>(),
    ) {
        let settings = ShardSettings {
            contexts_max,
            cell_samples_max: 4,
            timed_samples_max: 3,
            distribution_copy_prefix: copies.then(|| "copy.".to_owned()),
            ..ShardSettings::default()
        };
        let naming = NamingSettings { filterlist: vec!["noise".into()], ..NamingSettings::default() };
        let mut shard = shard_with(settings, &naming);
        for (step, packet) in packets.iter().enumerate() {
            shard.advance(START_SECS + step as u64 * 7);
            send(&mut shard, &packet.join("\n"));
        }
        let count = |shard: &Shard, counters: &[Counter]| -> u64 {
            counters.iter().map(|&c| shard.tally.count(c)).sum()
        };
        prop_assert_eq!(
            count(&shard, &[Counter::Messages]),
            count(&shard, &[Counter::MetricLines, Counter::Events, Counter::ServiceChecks,
                Counter::DroppedEventLimit]) + count(&shard, Counter::REFUSED)
        );
        prop_assert_eq!(
            count(&shard, &[Counter::Samples, Counter::CopiedToDistribution]),
            count(&shard, &[Counter::Recorded, Counter::RecordedTimed]) + count(&shard, Counter::SAMPLES_DROPPED)
        );
        let recorded = count(&shard, &[Counter::Recorded]);
        let flushed = shard.flush_all();
        let held: u64 = cells(&flushed).values().map(|cell| u64::from(cell.samples)).sum();
        prop_assert_eq!(held, recorded);
    }
}
