//! One walk over the sorted cells of a range of keys, beside the counters remembered for it.

use std::sync::Arc;

use signal::{Context, FlushedLane, Point, SeriesSink, TimedSample};

use crate::MergeStats;
use crate::fold::{CellKind, Folded, fold, kind_of, samples_of};
use crate::gather::{CellRef, KeyRange, gather_cells, gather_timed};
use crate::histogram::Joined;
use crate::points::{ContextPoints, Shape};
use crate::timed::hand_out_timed;
use crate::zero_fill::{Tracked, ZeroWindow};

/// What all walks of one merge share.
#[derive(Clone, Copy)]
pub(crate) struct Plan<'p> {
    pub(crate) shape: Shape<'p>,
    pub(crate) window: &'p ZeroWindow,
    /// Starts of all buckets, sorted, unique.
    pub(crate) starts: &'p [u64],
    /// Buckets that start before it were closed by an earlier flush.
    pub(crate) closed_secs: u64,
    pub(crate) contexts_max: usize,
    /// Cells in all shards, to size buffers.
    pub(crate) cells: usize,
}

/// State of one thread that walks one range after the other.
pub(crate) struct Walk<'a, 'p, S: ?Sized> {
    plan: Plan<'p>,
    sink: &'p mut S,
    stats: MergeStats,
    /// Counters seen for the first time.
    fresh: Vec<Tracked>,
    cells: Vec<CellRef<'a>>,
    timed: Vec<&'a TimedSample>,
    points: ContextPoints<'a>,
    joined: Joined,
    /// Bucket starts in which the present context has data.
    taken: Vec<u64>,
    timed_points: Vec<Point>,
}

/// What a walk leaves behind.
#[derive(Debug)]
pub(crate) struct Walked {
    pub(crate) stats: MergeStats,
    /// Counters to remember from now on, sorted by key.
    pub(crate) fresh: Vec<Tracked>,
}

impl<'a, 'p, S: SeriesSink + ?Sized> Walk<'a, 'p, S> {
    pub(crate) fn new(plan: Plan<'p>, sink: &'p mut S) -> Self {
        Self {
            plan,
            sink,
            stats: MergeStats::default(),
            fresh: Vec::new(),
            cells: Vec::new(),
            timed: Vec::new(),
            points: ContextPoints::new(plan.shape.histogram),
            joined: Joined::default(),
            taken: Vec::new(),
            timed_points: Vec::new(),
        }
    }

    /// Merges everything of `range`; `tracked` are the counters of that range, sorted by key.
    pub(crate) fn run(
        &mut self,
        lanes: &[&'a FlushedLane],
        range: KeyRange,
        tracked: &mut [Tracked],
    ) {
        let mut cells = std::mem::take(&mut self.cells);
        if cells.capacity() == 0 {
            // Keys are hashes, so ranges are alike; the slack saves growing, which doubles.
            let expected = self.plan.cells / range.count as usize;
            cells.reserve_exact(expected + expected / 32 + 64);
        }
        gather_cells(lanes, self.plan.starts, range, &mut cells);
        self.merge_cells(&cells, tracked, range.share_of(self.plan.contexts_max));
        self.cells = cells;

        gather_timed(lanes, range, &mut self.timed);
        hand_out_timed(&self.timed, &mut self.timed_points, self.sink, &mut self.stats);
    }

    pub(crate) fn finish(self) -> Walked {
        Walked { stats: self.stats, fresh: self.fresh }
    }

    /// Steps through `cells` and `tracked` side by side: both are sorted by key.
    fn merge_cells(&mut self, cells: &[CellRef<'a>], tracked: &mut [Tracked], quota: usize) {
        let mut room_for_contexts = quota;
        let mut room_for_counters = quota.saturating_sub(tracked.len());
        let mut tracked = tracked.iter_mut().peekable();
        for group in cells.chunk_by(|a, b| a.key == b.key) {
            let Some((first, context)) =
                group.first().and_then(|first| Some((first, first.context()?)))
            else {
                continue;
            };
            while let Some(silent) = tracked.next_if(|counter| counter.key < first.key) {
                self.fill_silent(silent);
            }
            let known = tracked.next_if(|counter| counter.key == first.key);
            if room_for_contexts == 0 {
                let samples: u64 = group.iter().map(|cell| u64::from(cell.cell.samples)).sum();
                self.stats.dropped_context_limit += samples;
                if let Some(counter) = known {
                    self.fill_silent(counter);
                }
                continue;
            }
            room_for_contexts -= 1;
            self.merge_context(context, group, known, &mut room_for_counters);
        }
        for silent in tracked {
            self.fill_silent(silent);
        }
    }

    /// Folds all buckets of one context, adds the zeros, and hands out its series.
    fn merge_context(
        &mut self,
        context: &Arc<Context>,
        cells: &[CellRef<'a>],
        known: Option<&mut Tracked>,
        room_for_counters: &mut usize,
    ) {
        self.stats.contexts += 1;
        self.taken.clear();
        let mut last_now = None;
        for bucket in cells.chunk_by(|a, b| a.bucket == b.bucket) {
            let start = bucket
                .first()
                .and_then(|cell| self.plan.starts.get(cell.bucket as usize).copied())
                .unwrap_or_default();
            self.taken.push(start);
            self.stats.late_points += u64::from(start < self.plan.closed_secs);
            if self.merge_bucket(bucket, start) == Some(CellKind::Counter) {
                last_now = Some(start);
            }
        }
        let last_before = known.as_ref().map(|counter| counter.last_secs);
        if last_before.is_some() || last_now.is_some() {
            let rates = &mut self.points.rates;
            let zeros = self.plan.window.fill(last_before, last_now, &self.taken, rates);
            self.stats.zero_filled += zeros;
            if zeros > 0 {
                rates.sort_unstable_by_key(|point| point.timestamp_secs);
            }
        }
        self.points.hand_out(context, self.plan.shape, self.sink, &mut self.stats);

        let Some(last) = last_now else { return };
        match known {
            Some(counter) => {
                counter.last_secs = counter.last_secs.max(last);
                if !Arc::ptr_eq(&counter.context, context) {
                    counter.context = Arc::clone(context);
                }
            }
            None if *room_for_counters > 0 => {
                *room_for_counters -= 1;
                let (key, context) = (context.key.0, Arc::clone(context));
                self.fresh.push(Tracked { key, context, last_secs: last });
            }
            None => self.stats.counters_untracked += 1,
        }
    }

    /// Folds one bucket of one context into its points; the type it had.
    fn merge_bucket(&mut self, cells: &[CellRef<'a>], start: u64) -> Option<CellKind> {
        let kind = kind_of(cells)?;
        let samples = samples_of(cells, kind);
        let all: u64 = cells.iter().map(|cell| u64::from(cell.cell.samples)).sum();
        self.stats.dropped_type_conflict += all - samples;

        let timestamp_secs = start.cast_signed();
        let bucket_secs = self.plan.shape.bucket_secs;
        let out = &mut self.stats.samples_out;
        let (list, value, counted) = match fold(cells, kind, &mut self.joined) {
            Folded::Gauge(value) => (&mut self.points.gauges, value, &mut out.gauge),
            Folded::Counter(sum) => {
                (&mut self.points.rates, sum / f64::from(bucket_secs), &mut out.counter)
            }
            Folded::Set(members) => (&mut self.points.gauges, as_f64(members), &mut out.set),
            Folded::Histogram { is_timing } => {
                self.points.histogram_samples += samples;
                self.stats.points_not_finite += self.joined.summarize(
                    self.plan.shape.histogram,
                    timestamp_secs,
                    bucket_secs,
                    self.points.histogram_lists(is_timing),
                );
                return Some(kind);
            }
            Folded::Distribution(sketch) => {
                if sketch.count() > 0 && sketch.sum().is_finite() {
                    out.distribution += samples;
                    self.points.sketches.push((timestamp_secs, sketch));
                } else {
                    self.stats.dropped_not_finite += samples;
                }
                return Some(kind);
            }
        };
        if value.is_finite() {
            *counted += samples;
            list.push(Point { timestamp_secs, value });
        } else {
            self.stats.dropped_not_finite += samples;
        }
        Some(kind)
    }

    /// Hands out the zeros of a counter that has no data in this flush.
    fn fill_silent(&mut self, counter: &Tracked) {
        let rates = &mut self.points.rates;
        let zeros = self.plan.window.fill(Some(counter.last_secs), None, &[], rates);
        if zeros > 0 {
            self.stats.zero_filled += zeros;
            self.points.hand_out(&counter.context, self.plan.shape, self.sink, &mut self.stats);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a set has far fewer than 2^53 members")]
const fn as_f64(count: usize) -> f64 {
    count as f64
}
