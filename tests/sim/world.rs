//! The simulated agent and what must hold in it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use encode::{Encoding, MetricsEncoder, Payload, SeriesForm, Settings};
use intake::acceptance::{self, Overwrites};
use intake::{Metric, Report, Route, Rules as IntakeRules};
use lane::{Command, Now, Outcome, Output, Transport, Wait};
use merge::{MergeSettings, Merger};
use signal::{Counter, FlushedLane};

use crate::clients::Clients;
use crate::lanes::{LANES, Lane, start};
use crate::random::Random;

/// What goes wrong in a world, beside the way to the intake, which always does.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// Lanes that get no turn for a while; their data follows with a later flush.
    pub(crate) has_late_lanes: bool,
    /// Lanes that panic and begin empty.
    pub(crate) has_restarts: bool,
    /// Clients that do not wait at a full socket.
    pub(crate) has_full_sockets: bool,
}

pub(crate) struct World {
    seed: u64,
    faults: Faults,
    random: Random,
    /// Instant zero of the world, and how far it has come since.
    origin: Instant,
    start_us: u64,
    elapsed_us: u64,
    next_flush_secs: u64,
    clients: Clients,
    lanes: Vec<Lane>,
    merger: Merger,
    encode: Settings,
    on_the_way: VecDeque<Payload>,
    arrived: Vec<Metric>,
    overwrites: Overwrites,
    overwritten: u64,
    report: Report,
    merged_samples: u64,
    timed_samples: u64,
    late_points: u64,
    turned_away: u64,
    restarts: u64,
}

const BUCKET_SECS: u64 = 10;
const FLUSH_SECS: u64 = 15;
/// A lane that nobody woke looks at its clock so often; ten times as often would be real, and slow.
const TICK_US: u64 = 500_000;

impl World {
    pub(crate) fn new(seed: u64, faults: Faults, origin: Instant) -> Self {
        let mut random = Random::new(seed);
        let start_secs = 1_700_000_000 + random.below(30);
        let series_form = if random.once_in(2) { SeriesForm::V2 } else { SeriesForm::V3 };
        let compression = Encoding::Identity;
        let start_us = start_secs * 1_000_000;
        let now = Now { unix_us: start_us, instant: origin };
        Self {
            seed,
            faults,
            random,
            origin,
            start_us,
            elapsed_us: 0,
            next_flush_secs: start_secs + FLUSH_SECS,
            clients: Clients::default(),
            lanes: start(seed, now),
            merger: Merger::new(MergeSettings::default(), None),
            encode: Settings { compression, series_form, ..Settings::default() },
            on_the_way: VecDeque::new(),
            arrived: Vec::new(),
            overwrites: Overwrites::new(1 << 20),
            overwritten: 0,
            report: Report::default(),
            merged_samples: 0,
            timed_samples: 0,
            late_points: 0,
            turned_away: 0,
            restarts: 0,
        }
    }

    const fn now_us(&self) -> u64 {
        self.start_us + self.elapsed_us
    }

    fn now(&self) -> Now {
        let instant = self.origin + Duration::from_micros(self.elapsed_us);
        Now { unix_us: self.now_us(), instant }
    }

    /// One thing happens.
    pub(crate) fn step(&mut self) {
        // Sometimes just before or at a bucket boundary, sometimes far beyond it.
        let pause_us = [1, 1000, 900_000, 2_500_000, 11_000_000];
        let choice = self.random.index(5);
        self.pass(pause_us[choice]);
        for _ in 0..self.random.below(40) {
            self.send();
        }
        if self.faults.has_late_lanes && self.random.once_in(10) {
            let sleeper = self.random.index(LANES);
            self.lanes[sleeper].stalled_until_us = self.elapsed_us + 20_000_000;
        }
        if self.faults.has_restarts && self.random.once_in(40) {
            let index = self.random.index(LANES);
            self.lanes[index].send(Command::Panic);
        }
        let now_secs = self.now_us() / 1_000_000;
        if now_secs >= self.next_flush_secs {
            self.next_flush_secs = now_secs + FLUSH_SECS;
            self.flush(now_secs - now_secs % BUCKET_SECS);
        }
        self.deliver(true);
    }

    /// Time passes; lanes take the turns that fall due in it, in the order of their times.
    fn pass(&mut self, us: u64) {
        let end = self.elapsed_us + us;
        loop {
            let due = self.lanes.iter().map(Lane::due_us).enumerate();
            let Some((index, due_us)) = due.min_by_key(|(_, due_us)| *due_us) else { return };
            if due_us > end {
                self.elapsed_us = end;
                return;
            }
            self.elapsed_us = self.elapsed_us.max(due_us);
            self.turn(index);
        }
    }

    fn turn(&mut self, index: usize) {
        let now = self.now();
        let lane = &mut self.lanes[index];
        let wait = match lane.simulated.turn(now) {
            Outcome::Waits(wait) => wait,
            Outcome::Restarted => {
                self.restarts += 1;
                Wait::Again
            }
            Outcome::Stopped => {
                lane.has_stopped = true;
                return;
            }
        };
        let wait_us = match wait {
            // A turn takes its time.
            Wait::Again => 1,
            Wait::Pause(pause) => u64::try_from(pause.as_micros()).expect("a short pause"),
            Wait::Ready => TICK_US,
        };
        lane.is_pausing = matches!(wait, Wait::Pause(_));
        lane.wakes_us = self.elapsed_us + wait_us;
    }

    /// A packet comes to one of the lanes.
    fn send(&mut self) {
        self.elapsed_us += 1;
        let now_us = self.now_us();
        let (transport, packet) = self.clients.packet(&mut self.random, now_us);
        let index = match transport {
            Transport::Udp => self.random.index(LANES),
            // One lane reads them, and others help it.
            Transport::Unixgram => 0,
            Transport::Unixstream | Transport::Submitted => packet.connection,
        };
        let bytes = packet.text.as_bytes();
        loop {
            let now_us = self.now_us();
            if self.lanes[index].simulated.deliver(transport, bytes, now_us) {
                break;
            }
            if self.faults.has_full_sockets {
                self.turned_away += 1;
                return;
            }
            // The client waits.
            self.pass(1000);
        }
        self.clients.note_sent(&packet);
        self.lanes[index].wake(self.elapsed_us);
    }

    /// Asks the lanes for what is complete, as control does, and waits a while for the answers.
    fn flush(&mut self, cutoff_secs: u64) {
        for lane in &mut self.lanes {
            lane.send(Command::Flush { cutoff_secs });
            lane.wake(self.elapsed_us);
        }
        self.pass(1_000_000);
        let handed = self.take_outputs();
        self.merge(&handed, cutoff_secs);
    }

    fn take_outputs(&mut self) -> Vec<FlushedLane> {
        let mut handed = Vec::new();
        for output in self.lanes.iter_mut().flat_map(Lane::outputs) {
            match output {
                Output::Flushed(lane) | Output::Timed(lane) | Output::Stopped(lane) => {
                    handed.push(*lane);
                }
                Output::Top(_) | Output::TopEnd | Output::Traces(_) => {}
            }
        }
        handed
    }

    fn merge(&mut self, handed: &[FlushedLane], cutoff_secs: u64) {
        self.timed_samples += handed.iter().map(|lane| lane.timed.len() as u64).sum::<u64>();
        let on_the_way = &mut self.on_the_way;
        let mut encoder =
            MetricsEncoder::new(&self.encode, |payload| on_the_way.push_back(payload));
        let stats = self.merger.merge(handed, cutoff_secs, &mut encoder);
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
        let now_secs = i64::try_from(self.now_us() / 1_000_000).expect("a clock before 2^63");
        let bytes = payload.body.len();
        let rules = IntakeRules { now_secs: Some(now_secs), ..IntakeRules::default() };
        let report = &mut self.report;
        acceptance::check_payload(route, bytes, bytes, &decoded, &rules, now_secs, report);
        for metric in decoded.metrics {
            if metric.name.starts_with("timed.") {
                // As many points as a client likes, at whatever time.
                continue;
            }
            // Overwriting is judged at the end: late lanes do it by rule.
            let mut ignored = Report::default();
            self.overwritten += self.overwrites.record("", &metric, &mut ignored);
            self.arrived.push(metric);
        }
    }

    /// Stops the world and asserts that everything is accounted for.
    pub(crate) fn finish(mut self) {
        for lane in &mut self.lanes {
            lane.stalled_until_us = 0;
            lane.send(Command::Stop { with_open_bucket: true });
            lane.wake(self.elapsed_us);
        }
        for _ in 0..100 {
            self.pass(TICK_US);
        }
        assert!(self.lanes.iter().all(|lane| lane.has_stopped), "seed {}", self.seed);
        let handed = self.take_outputs();
        let cutoff_secs = (self.now_us() / 1_000_000 / BUCKET_SECS + 1) * BUCKET_SECS;
        self.merge(&handed, cutoff_secs);
        self.deliver(false);
        self.check_accounts();
        let seed = self.seed;
        assert!(self.report.is_clean(), "seed {seed}: {:?}", self.report.violations());
        if !self.faults.has_late_lanes {
            assert_eq!(self.overwritten, 0, "seed {seed}: one point per context and bucket");
        }
        assert!(self.overwritten <= self.late_points, "seed {seed}");
        if !self.faults.has_restarts {
            self.check_values();
        }
    }

    fn counted(&self, counters: &[Counter]) -> u64 {
        let of_lane = |lane: &Lane| counters.iter().map(|it| lane.counted(*it)).sum::<u64>();
        self.lanes.iter().map(of_lane).sum()
    }

    /// The identities of ARCHITECTURE.md, from the socket to the merge.
    fn check_accounts(&self) {
        let (seed, sent) = (self.seed, &self.clients.sent);
        let sum = |counters: &[Counter]| self.counted(counters);
        let received = [
            Counter::UdpPackets,
            Counter::UdsPackets,
            Counter::StreamPackets,
            Counter::SubmittedPackets,
        ];
        assert_eq!(sent.packets, sum(&received), "seed {seed}: packets");
        assert_eq!(sent.lines, sum(&[Counter::Messages]), "seed {seed}: messages");
        let accepted = [Counter::MetricLines, Counter::Events, Counter::ServiceChecks];
        assert_eq!(sent.lines, sum(&accepted) + sum(Counter::REFUSED), "seed {seed}");
        assert_eq!(sent.refused, sum(Counter::REFUSED), "seed {seed}: refused");
        let recorded = sum(&[Counter::Recorded]);
        assert_eq!(sent.samples, recorded, "seed {seed}: nothing is dropped");
        assert_eq!(sent.timed, sum(&[Counter::RecordedTimed]), "seed {seed}");
        assert_eq!(sent.timed, self.timed_samples, "seed {seed}: they outlive a restart");
        let lost = sum(&[Counter::LostInRestart]);
        let merged = self.merged_samples - self.timed_samples;
        assert_eq!(recorded, merged + lost, "seed {seed}: merged or lost");
        assert_eq!(self.restarts, sum(&[Counter::Restarts]), "seed {seed}");
        assert!(self.restarts > 0 || lost == 0, "seed {seed}");
        assert!(self.faults.has_full_sockets || self.turned_away == 0, "seed {seed}");
    }

    /// Nothing was lost: counts and sketches add up, gauges have their last value.
    fn check_values(&self) {
        let seed = self.seed;
        let mut counted = 0.0;
        let mut last: BTreeMap<Arc<str>, (i64, f64)> = BTreeMap::new();
        for metric in &self.arrived {
            if !metric.name.starts_with("level.") {
                counted += metric.total();
                continue;
            }
            for point in metric.points.values() {
                let entry = last.entry(Arc::from(&*metric.name)).or_insert((0, f64::NAN));
                if point.timestamp_secs > entry.0 {
                    *entry = (point.timestamp_secs, point.value);
                }
            }
        }
        let expected = f64::from(u32::try_from(self.clients.sent.ones).expect("few samples"));
        assert!((counted - expected).abs() < 1e-6, "seed {seed}: {counted}, not {expected}");
        if self.faults.has_late_lanes {
            return;
        }
        for (name, value) in &self.clients.last_gauges {
            let (_, arrived) = last[name.as_str()];
            assert!((arrived - value).abs() < 1e-9, "seed {seed}: {name} {arrived}, not {value}");
        }
    }
}
