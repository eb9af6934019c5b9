//! The merger: what it remembers between flushes, and how work is split.

use std::fmt;
use std::panic::resume_unwind;
use std::thread;

use signal::{FlushedLane, SeriesSink};

use crate::gather::{KeyRange, count};
use crate::histogram::HistogramSeries;
use crate::points::Shape;
use crate::walk::{Plan, Walk, Walked};
use crate::zero_fill::{Tracked, ZeroWindow};
use crate::{MergeSettings, MergeStats, NameFilter};

/// Cells merged at a time by one thread: 8 MiB of references.
const RANGE_CELLS: usize = 1 << 18;

/// Most ranges per thread. Every range looks at every cell once, so more would cost more time than
/// the memory is worth.
const RANGES_PER_THREAD_MAX: usize = 8;

/// Merges the shards of all lanes, flush after flush. Owned by one control thread.
pub struct Merger {
    settings: MergeSettings,
    histogram: Vec<HistogramSeries>,
    filter: Option<NameFilter>,
    /// Counters seen lately, sorted by key.
    tracked: Vec<Tracked>,
    /// Cutoff of the flush before: every bucket below it was sent.
    closed_secs: Option<u64>,
}

/// How a merge may be spread over threads.
#[derive(Clone, Copy)]
pub struct Workers<'w> {
    /// Most threads, at least 1. With one, the calling thread does the work.
    pub threads_max: usize,
    /// A thread is worth starting for this many cells.
    pub cells_per_thread: usize,
    /// Called first on each started thread with its number, to lower its priority below that of the
    /// lanes. Not called when the calling thread does the work.
    pub on_start: &'w (dyn Fn(usize) + Sync),
}

impl Workers<'static> {
    /// Up to `threads_max` threads, of ordinary priority.
    #[must_use]
    pub const fn new(threads_max: usize) -> Self {
        Self { threads_max, cells_per_thread: 1 << 15, on_start: &|_| {} }
    }
}

impl Merger {
    /// A merger that has seen nothing. `filter` applies to the names of histogram series.
    #[must_use]
    pub fn new(settings: MergeSettings, filter: Option<NameFilter>) -> Self {
        let settings = MergeSettings { bucket_secs: settings.bucket_secs.max(1), ..settings };
        let histogram = settings.histogram.series();
        Self { settings, histogram, filter, tracked: Vec::new(), closed_secs: None }
    }

    /// Replaces the filter, when the list changes at run time.
    pub fn set_filter(&mut self, filter: Option<NameFilter>) {
        self.filter = filter;
    }

    /// Merges one flush of all lanes into `sink`, on the calling thread.
    ///
    /// `lanes` must hold what *every* lane handed over: each bucket goes out once. Their events and
    /// service checks are left alone. `cutoff_secs` is the start of the oldest bucket that is still
    /// open; shards may hold later buckets only at the last flush.
    ///
    /// Counters get a zero in every bucket from the cutoff of the flush before to this one in which
    /// they have no sample, for `counter_expiry_secs` after the last bucket with samples in any
    /// lane, and never in a bucket in which the context has data. A counter that is new gets zeros
    /// from the oldest bucket of the flush on.
    pub fn merge<S: SeriesSink + ?Sized>(
        &mut self,
        lanes: &[FlushedLane],
        cutoff_secs: u64,
        sink: &mut S,
    ) -> MergeStats {
        self.flush(lanes, cutoff_secs, Workers::new(1), |plan, lanes, shares| {
            shares.into_iter().map(|shares| walk(plan, lanes, shares, sink)).collect()
        })
    }

    /// Merges like [`Self::merge`], split by key over as many threads as the work is worth. Each
    /// has a sink of its own from `make_sink`, made on the calling thread; all are returned.
    pub fn merge_parallel<S: SeriesSink + Send>(
        &mut self,
        lanes: &[FlushedLane],
        cutoff_secs: u64,
        workers: Workers<'_>,
        make_sink: impl FnMut(usize) -> S,
    ) -> (MergeStats, Vec<S>) {
        let mut sinks: Vec<S> = Vec::new();
        let stats = self.flush(lanes, cutoff_secs, workers, |plan, lanes, shares| {
            sinks = (0..shares.len()).map(make_sink).collect();
            walk_on_threads(plan, lanes, shares, &mut sinks, workers.on_start)
        });
        (stats, sinks)
    }

    /// The frame of a merge: plan and split the work, let `walk_all` do it, remember the counters.
    fn flush(
        &mut self,
        lanes: &[FlushedLane],
        cutoff_secs: u64,
        workers: Workers<'_>,
        walk_all: impl FnOnce(Plan<'_>, &[&FlushedLane], Vec<Vec<Share<'_>>>) -> Vec<Walked>,
    ) -> MergeStats {
        let mut lanes: Vec<&FlushedLane> = lanes.iter().collect();
        lanes.sort_by_key(|lane| lane.lane);
        let starts = bucket_starts(&lanes);
        let contents = count(&lanes);
        self.follow_clock(cutoff_secs);

        let window = ZeroWindow::new(
            self.closed_secs,
            starts.first().copied().zip(starts.last().copied()),
            cutoff_secs,
            u64::from(self.settings.bucket_secs),
            self.settings.counter_expiry_secs,
        );
        let plan = Plan {
            shape: Shape {
                bucket_secs: self.settings.bucket_secs,
                histogram: &self.histogram,
                filter: self.filter.as_ref(),
            },
            window: &window,
            starts: &starts,
            closed_secs: self.closed_secs.unwrap_or(0),
            contexts_max: self.settings.contexts_max,
            cells: contents.cells,
        };
        let shares = share_out(&mut self.tracked, contents.cells, workers);
        let walked = walk_all(plan, &lanes, shares);

        let mut stats = MergeStats { samples_in: contents.samples, ..MergeStats::default() };
        let count_before = self.tracked.len();
        for part in walked {
            stats += part.stats;
            self.tracked.extend(part.fresh);
        }
        let has_grown = self.tracked.len() > count_before;
        self.tracked.retain(|counter| window.is_alive(counter.last_secs, cutoff_secs));
        if has_grown {
            // Two sorted runs, which the stable sort merges in linear time.
            self.tracked.sort_by_key(|counter| counter.key);
        }
        if self.tracked.len() < self.tracked.capacity() / 4 {
            self.tracked.shrink_to_fit();
        }
        stats.counters_tracked = self.tracked.len() as u64;
        self.closed_secs = Some(cutoff_secs);
        debug_assert!(stats.is_balanced(), "every sample is accounted for: {stats:?}");
        stats
    }

    /// When the clock was set back, counters seen in what is now the future count as seen just
    /// before the cutoff: the time that is lived again is filled as usual, and they can expire.
    fn follow_clock(&mut self, cutoff_secs: u64) {
        if self.closed_secs.is_some_and(|closed| cutoff_secs < closed) {
            let latest = cutoff_secs.saturating_sub(u64::from(self.settings.bucket_secs));
            for counter in &mut self.tracked {
                counter.last_secs = counter.last_secs.min(latest);
            }
            self.closed_secs = Some(cutoff_secs);
        }
    }
}

impl fmt::Debug for Merger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Merger")
            .field("settings", &self.settings)
            .field("is_filtered", &self.filter.is_some())
            .field("counters_tracked", &self.tracked.len())
            .field("closed_secs", &self.closed_secs)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Workers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers")
            .field("threads_max", &self.threads_max)
            .field("cells_per_thread", &self.cells_per_thread)
            .finish_non_exhaustive()
    }
}

/// One range of keys with the counters remembered for it.
struct Share<'t> {
    range: KeyRange,
    tracked: &'t mut [Tracked],
}

/// The shares of each thread, in order of key.
fn share_out<'t>(
    mut tracked: &'t mut [Tracked],
    cells: usize,
    workers: Workers<'_>,
) -> Vec<Vec<Share<'t>>> {
    // A silent counter is as much work as a cell.
    let work = cells + tracked.len();
    let threads = (work / workers.cells_per_thread.max(1)).clamp(1, workers.threads_max.max(1));
    let ranges_per_thread = (cells / threads).div_ceil(RANGE_CELLS).clamp(1, RANGES_PER_THREAD_MAX);
    let count = u32::try_from(threads * ranges_per_thread).unwrap_or(u32::MAX);
    let mut shares = (0..count).map(|index| {
        let end = tracked
            .partition_point(|counter| KeyRange::index_of(counter.key, count) <= u64::from(index));
        let (ours, rest) = std::mem::take(&mut tracked).split_at_mut(end);
        tracked = rest;
        Share { range: KeyRange { index, count }, tracked: ours }
    });
    (0..threads).map(|_| shares.by_ref().take(ranges_per_thread).collect()).collect()
}

/// Walks over all ranges of one thread.
fn walk<S: SeriesSink + ?Sized>(
    plan: Plan<'_>,
    lanes: &[&FlushedLane],
    shares: Vec<Share<'_>>,
    sink: &mut S,
) -> Walked {
    let mut walk = Walk::new(plan, sink);
    for share in shares {
        walk.run(lanes, share.range, share.tracked);
    }
    walk.finish()
}

/// Walks over the ranges of each thread with the sink beside them; alone, on the calling thread.
fn walk_on_threads<S: SeriesSink + Send>(
    plan: Plan<'_>,
    lanes: &[&FlushedLane],
    mut shares: Vec<Vec<Share<'_>>>,
    sinks: &mut [S],
    on_start: &(dyn Fn(usize) + Sync),
) -> Vec<Walked> {
    if let [sink] = sinks {
        return shares.pop().map(|shares| walk(plan, lanes, shares, sink)).into_iter().collect();
    }
    thread::scope(|scope| {
        let threads: Vec<_> = (0..)
            .zip(shares.into_iter().zip(sinks))
            .map(|(number, (shares, sink))| {
                scope.spawn(move || {
                    on_start(number);
                    walk(plan, lanes, shares, sink)
                })
            })
            .collect();
        let results = threads.into_iter().map(thread::ScopedJoinHandle::join);
        results.map(|result| result.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

/// Starts of all buckets, sorted and unique.
fn bucket_starts(lanes: &[&FlushedLane]) -> Vec<u64> {
    let mut starts: Vec<u64> = lanes
        .iter()
        .flat_map(|lane| &lane.buckets)
        .filter(|bucket| !bucket.is_empty())
        .map(signal::Bucket::start_secs)
        .collect();
    starts.sort_unstable();
    starts.dedup();
    starts
}
