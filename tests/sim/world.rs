//! The simulated agent and what must hold in it.

use std::collections::{BTreeMap, VecDeque};

use context::Keys;
use encode::{Encoding, MetricsEncoder, Payload, SeriesForm, Settings};
use intake::acceptance::{self, Overwrites};
use intake::{Metric, Report, Route, Rules as IntakeRules};
use merge::{MergeSettings, Merger};
use metrics::{Packet, Shard, ShardSettings};
use naming::{NamingSettings, Rules};
use signal::{Counter, FlushedLane};

use crate::random::Random;

/// What goes wrong in a world, beside the way to the intake, which always does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Faults {
    /// Lanes that do not answer a flush in time; their data follows with a later one.
    pub(crate) has_late_lanes: bool,
    /// Lanes that panic and begin empty.
    pub(crate) has_restarts: bool,
}

/// A lane and its accounts.
struct SimulatedLane {
    shard: Shard,
    recorded: u64,
    handed_over: u64,
}

pub(crate) struct World {
    seed: u64,
    faults: Faults,
    random: Random,
    now_us: u64,
    next_flush_secs: u64,
    lanes: Vec<SimulatedLane>,
    merger: Merger,
    encode: Settings,
    on_the_way: VecDeque<Payload>,
    arrived: Vec<Metric>,
    overwrites: Overwrites,
    overwritten: u64,
    report: Report,
    merged_samples: u64,
    late_points: u64,
    lost_samples: u64,
    sent_samples: u64,
    sent_gauges: u64,
    last_gauges: BTreeMap<String, f64>,
}

const BUCKET_SECS: u64 = 10;
const FLUSH_SECS: u64 = 15;
const LANES: u64 = 3;

impl World {
    pub(crate) fn new(seed: u64, faults: Faults) -> Self {
        let mut random = Random::new(seed);
        let start_secs = 1_700_000_000 + random.below(30);
        let series_form = if random.once_in(2) { SeriesForm::V2 } else { SeriesForm::V3 };
        let compression = Encoding::Identity;
        let mut world = Self {
            seed,
            faults,
            random,
            now_us: start_secs * 1_000_000,
            next_flush_secs: start_secs + FLUSH_SECS,
            lanes: Vec::new(),
            merger: Merger::new(MergeSettings::default(), None),
            encode: Settings { compression, series_form, ..Settings::default() },
            on_the_way: VecDeque::new(),
            arrived: Vec::new(),
            overwrites: Overwrites::new(1 << 20),
            overwritten: 0,
            report: Report::default(),
            merged_samples: 0,
            late_points: 0,
            lost_samples: 0,
            sent_samples: 0,
            sent_gauges: 0,
            last_gauges: BTreeMap::new(),
        };
        for lane in 0..LANES {
            let shard = world.new_shard(lane);
            world.lanes.push(SimulatedLane { shard, recorded: 0, handed_over: 0 });
        }
        world
    }

    fn new_shard(&self, lane: u64) -> Shard {
        let rules = Rules::new(&NamingSettings::default()).expect("the default rules");
        let lane = u16::try_from(lane).expect("a few lanes");
        let settings = ShardSettings { host: "sim".into(), ..ShardSettings::default() };
        let mut shard = Shard::new(lane, settings, Keys::from_seed(self.seed), rules);
        shard.advance(self.now_us / 1_000_000);
        shard
    }

    /// One thing happens.
    pub(crate) fn step(&mut self) {
        // Sometimes just before or at a bucket boundary, sometimes far beyond it.
        let pause_us = [1, 1000, 900_000, 2_500_000, 11_000_000];
        let choice = usize::try_from(self.random.below(5)).expect("a small number");
        self.now_us += pause_us[choice];
        let now_secs = self.now_us / 1_000_000;
        for lane in &mut self.lanes {
            lane.shard.advance(now_secs);
        }
        for _ in 0..self.random.below(4) {
            self.receive();
        }
        if self.faults.has_restarts && self.random.once_in(40) {
            self.restart_lane();
        }
        if now_secs >= self.next_flush_secs {
            self.next_flush_secs = now_secs + FLUSH_SECS;
            let cutoff_secs = now_secs - now_secs % BUCKET_SECS;
            self.flush(cutoff_secs, false);
        }
        self.deliver(true);
    }

    /// A packet comes to one of the lanes. Every count adds 1, every distribution has one sample.
    fn receive(&mut self) {
        let mut packet = String::new();
        for _ in 0..=self.random.below(3) {
            self.now_us += 1;
            let which = self.random.below(6);
            let line = match self.random.below(3) {
                0 => format!("count.{which}:1|c|#a:{which},b:2\n"),
                1 => format!("sizes.{which}:{}|d\n", which + 1),
                _ => {
                    let value = self.random.below(1000);
                    let name = format!("level.{which}");
                    let line = format!("{name}:{value}|g\n");
                    let value = u32::try_from(value).expect("a small number");
                    self.sent_gauges += 1;
                    self.last_gauges.insert(name, f64::from(value));
                    line
                }
            };
            packet.push_str(&line);
            self.sent_samples += 1;
        }
        let lane = usize::try_from(self.random.below(LANES)).expect("a few lanes");
        let lane = &mut self.lanes[lane];
        let before = lane.shard.tally_mut().count(Counter::Recorded);
        lane.shard.on_packets(std::iter::once(Packet {
            bytes: packet.as_bytes(),
            peer: None,
            stamp_us: self.now_us,
            is_eol_required: true,
        }));
        lane.recorded += lane.shard.tally_mut().count(Counter::Recorded) - before;
    }

    fn restart_lane(&mut self) {
        let index = self.random.below(LANES);
        let shard = self.new_shard(index);
        let lane = &mut self.lanes[usize::try_from(index).expect("a few lanes")];
        lane.shard = shard;
        self.lost_samples += lane.recorded - lane.handed_over;
        lane.handed_over = lane.recorded;
    }

    /// Gathers what the lanes hand over, merges and encodes it.
    fn flush(&mut self, cutoff_secs: u64, is_last: bool) {
        let mut handed: Vec<FlushedLane> = Vec::new();
        for lane in &mut self.lanes {
            if self.faults.has_late_lanes && !is_last && self.random.once_in(5) {
                continue;
            }
            let flushed =
                if is_last { lane.shard.flush_all() } else { lane.shard.flush(cutoff_secs) };
            let cells = flushed.buckets.iter().flat_map(|bucket| bucket.cells());
            lane.handed_over += cells.map(|cell| u64::from(cell.samples)).sum::<u64>();
            handed.push(flushed);
        }
        let on_the_way = &mut self.on_the_way;
        let mut encoder =
            MetricsEncoder::new(&self.encode, |payload| on_the_way.push_back(payload));
        let stats = self.merger.merge(&handed, cutoff_secs, &mut encoder);
        let encoded = encoder.finish();
        assert_eq!(encoded.items_in, encoded.items_out, "seed {}", self.seed);
        assert!(stats.is_balanced(), "seed {}: {stats:?}", self.seed);
        self.merged_samples += stats.samples_in;
        self.late_points += stats.late_points;
    }

    /// Delivers what is on the way. A refused payload goes to the end: the order is not kept.
    fn deliver(&mut self, has_faults: bool) {
        for _ in 0..self.on_the_way.len() {
            let Some(payload) = self.on_the_way.pop_front() else { return };
            if has_faults && self.random.once_in(3) {
                self.on_the_way.push_back(payload);
                continue;
            }
            self.take(&payload);
        }
    }

    fn take(&mut self, payload: &Payload) {
        let route = Route::from_path(payload.path()).expect("a route of the intake");
        let decoded = intake::decode(route, &payload.body).expect("a body that can be decoded");
        let now_secs = i64::try_from(self.now_us / 1_000_000).expect("a clock before 2^63");
        let bytes = payload.body.len();
        let rules = IntakeRules { now_secs: Some(now_secs), ..IntakeRules::default() };
        let report = &mut self.report;
        acceptance::check_payload(route, bytes, bytes, &decoded, &rules, now_secs, report);
        for metric in decoded.metrics {
            // Overwriting is judged at the end: late lanes do it by rule.
            let mut ignored = Report::default();
            self.overwritten += self.overwrites.record("", &metric, &mut ignored);
            self.arrived.push(metric);
        }
    }

    /// Stops the world and asserts that everything is accounted for.
    pub(crate) fn finish(mut self) {
        let cutoff_secs = (self.now_us / 1_000_000 / BUCKET_SECS + 1) * BUCKET_SECS;
        self.flush(cutoff_secs, true);
        self.deliver(false);
        let seed = self.seed;
        let recorded: u64 = self.lanes.iter().map(|lane| lane.recorded).sum();
        assert_eq!(recorded, self.sent_samples, "seed {seed}: everything is recorded");
        assert_eq!(recorded, self.merged_samples + self.lost_samples, "seed {seed}");
        assert!(self.report.is_clean(), "seed {seed}: {:?}", self.report.violations());
        if !self.faults.has_late_lanes {
            assert_eq!(self.overwritten, 0, "seed {seed}: one point per context and bucket");
        }
        assert!(self.overwritten <= self.late_points, "seed {seed}");
        if !self.faults.has_restarts {
            self.check_values();
        }
    }

    /// Nothing was lost: counts and sketches add up, gauges have their last value.
    fn check_values(&self) {
        let seed = self.seed;
        let mut counted = 0.0;
        let mut last: BTreeMap<String, (i64, f64)> = BTreeMap::new();
        for metric in &self.arrived {
            if !metric.name.starts_with("level.") {
                counted += metric.total();
                continue;
            }
            for point in metric.points.values() {
                let entry = last.entry(metric.name.to_string()).or_insert((0, f64::NAN));
                if point.timestamp_secs > entry.0 {
                    *entry = (point.timestamp_secs, point.value);
                }
            }
        }
        let others = self.sent_samples - self.sent_gauges;
        let expected = f64::from(u32::try_from(others).expect("few samples"));
        assert!((counted - expected).abs() < 1e-6, "seed {seed}: {counted}, not {expected}");
        if self.faults.has_late_lanes {
            return;
        }
        for (name, value) in &self.last_gauges {
            let (_, arrived) = last[name];
            assert!((arrived - value).abs() < 1e-9, "seed {seed}: {name} {arrived}, not {value}");
        }
    }
}
