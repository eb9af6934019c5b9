//! spec: dogstatsd §15.4, and what it leaves open about several lanes.

use std::sync::Arc;

use corelane_merge::{HistogramSettings, MergeSettings, MergeStats, Merger, NameFilter, Workers};
use signal::TimedKind;

use crate::recorder::{BUCKET_SECS, Recorder, Sample, count, histogram};
use crate::seen::Seen;

/// Lanes and a merger.
struct Agent {
    lanes: Vec<Recorder>,
    merger: Merger,
    stats: MergeStats,
}

impl Agent {
    fn new(lanes: u16) -> Self {
        Self::with(lanes, MergeSettings::default(), None)
    }

    fn with(lanes: u16, settings: MergeSettings, filter: Option<NameFilter>) -> Self {
        Self {
            lanes: (0..lanes).map(Recorder::new).collect(),
            merger: Merger::new(settings, filter),
            stats: MergeStats::default(),
        }
    }

    fn record(&mut self, secs: u64, line: &str, sample: &Sample) {
        self.lanes[0].record(secs, line, sample);
    }

    fn flush(&mut self, now_secs: u64) -> Seen {
        let cutoff = now_secs - now_secs % BUCKET_SECS;
        let flushed: Vec<_> = self.lanes.iter_mut().map(|lane| lane.flush(cutoff)).collect();
        let mut seen = Seen::default();
        let stats = self.merger.merge(&flushed, cutoff, &mut seen);
        assert!(stats.is_balanced(), "{stats:?}");
        let points: usize = seen.series.values().map(Vec::len).sum();
        let sketch_points: usize = seen.sketches.values().map(Vec::len).sum();
        assert_eq!(stats.series, seen.series.len() as u64);
        assert_eq!(stats.points, (points + sketch_points) as u64);
        self.stats = stats;
        seen
    }

    fn lines(&mut self, now_secs: u64) -> Vec<String> {
        self.flush(now_secs).lines()
    }
}

#[test]
fn a1_the_last_gauge_of_each_bucket() {
    let mut agent = Agent::new(1);
    for (secs, value) in [(12345, 1.0), (12348, 2.0), (12355, 3.0), (12365, 4.0)] {
        agent.record(secs, "g", &Sample::Gauge(value));
    }
    assert_eq!(agent.lines(12360), ["g GAUGE (12340, 2) (12350, 3)"]);
    assert_eq!(agent.lines(12375), ["g GAUGE (12360, 4)"]);
}

#[test]
fn a2_counters_are_filled_with_zeros_until_they_expire() {
    let mut agent = Agent::new(1);
    agent.record(1004, "c1", &count(1.0));
    agent.record(1002, "c2", &count(2.0));
    agent.record(1003, "g", &Sample::Gauge(2.0));
    assert_eq!(
        agent.lines(1010),
        ["c1 RATE (1000, 0.1)", "c2 RATE (1000, 0.2)", "g GAUGE (1000, 2)"]
    );

    agent.record(1034, "c2", &count(2.0));
    agent.record(1010, "c1", &count(1.0));
    agent.record(1020, "c2", &count(2.0));
    assert_eq!(
        agent.lines(1040),
        ["c1 RATE (1010, 0.1) (1020, 0) (1030, 0)", "c2 RATE (1010, 0) (1020, 0.2) (1030, 0.2)"]
    );

    assert_eq!(agent.lines(1045), [""; 0]);
    assert_eq!(agent.lines(1050), ["c1 RATE (1040, 0)", "c2 RATE (1040, 0)"]);
    agent.lines(1310);
    assert_eq!(agent.lines(1329), ["c2 RATE (1310, 0)"], "c1 was last seen at 1010");
    assert_eq!(agent.stats.zero_filled, 1);
    assert_eq!(agent.lines(1800), ["c2 RATE (1320, 0)"], "the bucket missing until 300 s");
    assert_eq!(agent.stats.counters_tracked, 0);
    assert_eq!(agent.lines(1815), [""; 0]);
}

#[test]
fn a3_rates_scale_counters() {
    let mut agent = Agent::new(1);
    for (value, rate) in [(5.0, 0.1), (1.0, 0.25), (-2.0, 1.0)] {
        agent.record(1000, "c", &Sample::Counter { value, rate });
    }
    assert_eq!(agent.lines(1015), ["c RATE (1000, 5.2)"]);
    assert_eq!(agent.stats.samples_out.counter, 3);
}

#[test]
fn a4_sets_count_distinct_strings_over_lanes() {
    for lanes in 1..=3 {
        let mut agent = Agent::new(lanes);
        for (index, member) in ["a", "b", "a", "1", "1.0"].into_iter().enumerate() {
            let lane = index % usize::from(lanes);
            agent.lanes[lane].record(1000, "s", &Sample::Set(member));
        }
        assert_eq!(agent.lines(1015), ["s GAUGE (1000, 4)"], "{lanes} lanes");
    }
}

#[test]
fn a5_histograms_become_several_series() {
    let mut agent = Agent::new(2);
    for (index, value) in [1.0, 10.0, 4.0, 5.0, 2.0, 2.0].into_iter().enumerate() {
        agent.lanes[index % 2].record(1000, "h", &histogram(value, 1.0));
    }
    assert_eq!(
        agent.lines(1015),
        [
            "h.95percentile GAUGE (1000, 10)",
            "h.avg GAUGE (1000, 4)",
            "h.count RATE (1000, 0.6)",
            "h.max GAUGE (1000, 10)",
            "h.median GAUGE (1000, 2)",
        ]
    );
}

#[test]
fn a6_every_aggregate_with_weights() {
    let names = ["max", "min", "median", "avg", "sum", "count"];
    let (settings, skipped) = HistogramSettings::parse(names, [".20", ".80", ".95"]);
    assert!(skipped.is_empty());
    let settings = MergeSettings { histogram: settings, ..MergeSettings::default() };
    let mut agent = Agent::with(1, settings, None);
    for (value, rate) in [(1.0, 1.0), (2.0, 0.5), (3.0, 0.2), (10.0, 0.5)] {
        agent.record(1000, "h", &histogram(value, rate));
    }
    assert_eq!(
        agent.lines(1015),
        [
            "h.20percentile GAUGE (1000, 2)",
            "h.80percentile GAUGE (1000, 3)",
            "h.95percentile GAUGE (1000, 10)",
            "h.avg GAUGE (1000, 4)",
            "h.count RATE (1000, 1)",
            "h.max GAUGE (1000, 10)",
            "h.median GAUGE (1000, 3)",
            "h.min GAUGE (1000, 1)",
            "h.sum GAUGE (1000, 40)",
        ]
    );
}

#[test]
fn a7_weights_are_not_truncated() {
    let names = ["sum", "avg", "median", "count"];
    let settings = HistogramSettings::parse(names, ["0.95"]).0;
    let settings = MergeSettings { histogram: settings, ..MergeSettings::default() };
    let mut agent = Agent::with(1, settings, None);
    for value in [1.0, 2.0, 3.0] {
        agent.record(1000, "h", &histogram(value, 0.21));
    }
    let seen = agent.flush(1015);
    for (suffix, kind, expected) in [
        ("sum", 3, 28.571_428_571_428_573),
        ("avg", 3, 2.0),
        ("median", 3, 2.0),
        ("95percentile", 3, 3.0),
        ("count", 2, 1.428_571_428_571_428_4),
    ] {
        let (_, value) = seen.series[&(format!("h.{suffix}"), kind, "")][0];
        assert!((value - expected).abs() <= expected * f64::EPSILON, "{suffix}: {value}");
    }
}

#[test]
fn a8_distributions_become_sketches() {
    let mut agent = Agent::new(2);
    for (lane, value) in [(0, 1.0), (1, 2.0), (0, 3.0)] {
        agent.lanes[lane].record(1000, "d", &Sample::Distribution { value, rate: 1.0 });
    }
    agent.lanes[1].record(1011, "d", &Sample::Distribution { value: 4.0, rate: 0.5 });

    let seen = agent.flush(1015);
    let (secs, sketch) = &seen.sketches["d"][0];
    let bins: Vec<_> = sketch.bins().iter().map(|bin| (bin.key, bin.count)).collect();
    assert_eq!((*secs, bins), (1000, vec![(1338, 1), (1383, 1), (1409, 1)]));
    assert_eq!((sketch.count(), sketch.min(), sketch.max()), (3, 1.0, 3.0));
    assert_eq!((sketch.sum(), sketch.avg()), (6.0, 2.0));

    let seen = agent.flush(1030);
    let (secs, sketch) = &seen.sketches["d"][0];
    let bins: Vec<_> = sketch.bins().iter().map(|bin| (bin.key, bin.count)).collect();
    assert_eq!((*secs, bins), (1010, vec![(1427, 2)]));
    assert_eq!((sketch.count(), sketch.sum(), sketch.avg()), (2, 8.0, 4.0));
}

#[test]
fn a9_zeros_fill_every_closed_bucket() {
    let mut agent = Agent::new(1);
    agent.record(1000, "c", &count(1.0));
    agent.record(1000, "x", &Sample::Gauge(1.0));
    assert_eq!(agent.lines(1015), ["c RATE (1000, 0.1)", "x GAUGE (1000, 1)"]);
    assert_eq!(agent.lines(1030), ["c RATE (1010, 0) (1020, 0)"]);
    assert_eq!(agent.lines(1045), ["c RATE (1030, 0)"]);
}

#[test]
fn a11_timed_samples_keep_their_time() {
    let mut agent = Agent::new(2);
    agent.lanes[0].record_timed("m", TimedKind::Gauge, 1_657_100_430, 60.0);
    agent.lanes[1].record_timed("n", TimedKind::Count, 1_657_100_430, 60.0);
    agent.lanes[1].record_timed("m", TimedKind::Gauge, 1_657_100_420, 1.0);
    agent.lanes[1].record_timed("m", TimedKind::Gauge, 1_657_100_430, f64::NAN);
    assert_eq!(
        agent.lines(1015),
        ["m GAUGE (1657100420, 1) (1657100430, 60)", "n RATE (1657100430, 6)"]
    );
    assert_eq!(agent.stats.samples_out.timed, 3);
    assert_eq!(agent.stats.dropped_not_finite, 1);
    assert_eq!(agent.lines(1030), [""; 0], "timed counts get no zeros");
}

#[test]
fn a12_tag_order_and_repetition_make_no_difference() {
    let mut agent = Agent::new(2);
    agent.lanes[0].record_at(1000, 1, "a|#x,y", &Sample::Gauge(1.0));
    agent.lanes[1].record_at(1000, 2, "a|#y,x,x", &Sample::Gauge(2.0));
    assert_eq!(agent.lines(1015), ["a|#x,y GAUGE (1000, 2)"]);
    assert_eq!(agent.stats.contexts, 1);
}

#[test]
fn a13_the_first_type_in_a_lane_wins() {
    let mut agent = Agent::new(1);
    agent.record(1000, "a", &count(1.0));
    agent.record(1001, "a", &Sample::Gauge(5.0));
    assert_eq!(agent.lines(1015), ["a RATE (1000, 0.1)"]);
}

#[test]
fn a13_between_lanes_the_type_with_most_samples_wins() {
    let mut agent = Agent::new(3);
    agent.lanes[0].record(1000, "a", &Sample::Gauge(5.0));
    agent.lanes[1].record(1000, "a", &count(1.0));
    agent.lanes[2].record(1000, "a", &count(1.0));
    agent.lanes[0].record(1000, "b", &count(1.0));
    agent.lanes[1].record(1000, "b", &Sample::Gauge(7.0));
    assert_eq!(agent.lines(1015), ["a RATE (1000, 0.2)", "b GAUGE (1000, 7)"]);
    assert_eq!(agent.stats.dropped_type_conflict, 2);
}

#[test]
fn a14_timings_have_a_unit_except_their_count() {
    let mut agent = Agent::new(1);
    agent.record(1000, "t", &Sample::Histogram { value: 21.0, rate: 1.0, is_timing: true });
    assert_eq!(
        agent.lines(1015),
        [
            "t.95percentile GAUGE millisecond (1000, 21)",
            "t.avg GAUGE millisecond (1000, 21)",
            "t.count RATE (1000, 0.1)",
            "t.max GAUGE millisecond (1000, 21)",
            "t.median GAUGE millisecond (1000, 21)",
        ]
    );
}

#[test]
fn the_gauge_received_last_wins_over_lanes() {
    let mut agent = Agent::new(2);
    agent.lanes[0].record_at(1000, 500, "g", &Sample::Gauge(1.0));
    agent.lanes[1].record_at(1000, 400, "g", &Sample::Gauge(2.0));
    assert_eq!(agent.lines(1015), ["g GAUGE (1000, 1)"]);
}

#[test]
fn zero_fill_follows_a_counter_from_lane_to_lane() {
    let mut agent = Agent::new(2);
    agent.lanes[0].record(1000, "c", &count(1.0));
    agent.flush(1015);
    agent.lanes[1].record(1010, "c", &count(1.0));
    assert_eq!(agent.lines(1030), ["c RATE (1010, 0.1) (1020, 0)"]);
}

#[test]
fn zero_fill_spares_buckets_in_which_the_context_has_another_type() {
    let mut agent = Agent::new(1);
    agent.record(1000, "c", &count(1.0));
    agent.flush(1010);
    agent.record(1010, "c", &Sample::Gauge(3.0));
    assert_eq!(agent.lines(1030), ["c RATE (1020, 0)", "c GAUGE (1010, 3)"]);
}

#[test]
fn late_buckets_go_out_and_are_counted() {
    let mut agent = Agent::new(2);
    agent.lanes[0].record(1000, "c", &count(1.0));
    agent.flush(1020);
    agent.lanes[1].record(1000, "c", &count(1.0));
    assert_eq!(agent.lines(1030), ["c RATE (1000, 0.1) (1020, 0)"]);
    assert_eq!(agent.stats.late_points, 1);
}

#[test]
fn a_clock_set_back_does_not_stop_zero_fill() {
    let mut agent = Agent::new(1);
    agent.record(9000, "c", &count(1.0));
    agent.flush(9010);
    assert_eq!(agent.lines(1010), [""; 0]);
    assert_eq!(agent.lines(1030), ["c RATE (1010, 0) (1020, 0)"]);
    agent.flush(2000);
    assert_eq!(agent.stats.counters_tracked, 0);
}

#[test]
fn the_filter_sees_the_names_of_histogram_series() {
    let filter: NameFilter = Arc::new(|name| name == "h.max" || name.starts_with("gone."));
    let mut agent = Agent::with(1, MergeSettings::default(), Some(filter));
    agent.record(1000, "h", &histogram(1.0, 1.0));
    agent.record(1000, "gone", &histogram(1.0, 1.0));
    let seen = agent.flush(1015);
    let names: Vec<_> = seen.series.keys().map(|id| id.0.as_str()).collect();
    assert_eq!(names, ["h.95percentile", "h.avg", "h.count", "h.median"]);
    assert_eq!(agent.stats.dropped_filtered, 1);
    assert_eq!(agent.stats.samples_out.histogram, 1);
}

#[test]
fn contexts_beyond_the_limit_are_dropped_and_counted() {
    let settings = MergeSettings { contexts_max: 3, ..MergeSettings::default() };
    let mut agent = Agent::with(1, settings, None);
    for name in ["a", "b", "c", "d", "e"] {
        agent.record(1000, name, &count(1.0));
        agent.record(1000, name, &count(1.0));
    }
    assert_eq!(agent.flush(1015).series.len(), 3);
    assert_eq!(agent.stats.dropped_context_limit, 4);
    assert_eq!(agent.stats.counters_tracked, 3);
    assert_eq!(agent.flush(1030).series.len(), 3, "zeros of those that were kept");
}

#[test]
fn sums_beyond_the_range_are_dropped_and_counted() {
    let mut agent = Agent::new(1);
    agent.record(1000, "c", &count(f64::MAX));
    agent.record(1000, "c", &count(f64::MAX));
    assert_eq!(agent.lines(1010), [""; 0]);
    assert_eq!(agent.stats.dropped_not_finite, 2);
}

#[test]
fn started_threads_are_told_to_lower_their_priority() {
    let started = std::sync::atomic::AtomicUsize::new(0);
    let on_start = |_: usize| {
        started.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    };
    let mut lane = Recorder::new(0);
    for index in 0..100 {
        lane.record(1000, &format!("m{index}"), &count(1.0));
    }
    let lanes = [lane.flush(1010)];
    let workers = Workers { threads_max: 3, cells_per_thread: 40, on_start: &on_start };
    let mut merger = Merger::new(MergeSettings::default(), None);
    let (stats, sinks) = merger.merge_parallel(&lanes, 1010, workers, |_| Seen::default());
    assert_eq!((sinks.len(), stats.series), (2, 100));
    assert_eq!(started.load(std::sync::atomic::Ordering::Relaxed), 2);
    let workers = Workers { cells_per_thread: 60, ..workers };
    let (_, sinks) = merger.merge_parallel(&[], 1020, workers, |_| Seen::default());
    assert_eq!(sinks.len(), 1, "little work stays on the calling thread");
    assert_eq!(sinks[0].series.len(), 100);
}
