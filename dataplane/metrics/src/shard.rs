//! The shard: what a lane calls. What it does with packets stands in [`packets`].

mod packets;

use std::sync::Arc;

use context::{ContextTable, Keys, Limits};
use entity::OriginSnapshot;
use naming::{Rules, Scratch};
use signal::{Bucket, Context, Counter, FlushedLane, LaneCounters};

use crate::pending::RUN_LENGTH;
use crate::{ShardSettings, Tally};

/// One packet for the shard.
#[derive(Clone, Debug)]
pub struct Packet<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Container of the sender, where known.
    pub peer: Option<&'a Arc<str>>,
    /// Receive time in microseconds of Unix time.
    pub stamp_us: u64,
    /// Whether a last line without a newline is to be discarded.
    pub is_eol_required: bool,
}

/// A context with its samples in the last buckets, for `dogstatsd top`.
#[derive(Clone, Debug)]
pub struct TopContext {
    /// The context.
    pub context: Arc<Context>,
    /// Samples in the buckets that the lane still holds.
    pub samples: u64,
}

/// Aggregation state of one lane.
#[derive(Debug)]
pub struct Shard {
    pub(crate) settings: ShardSettings,
    pub(crate) contexts: ContextTable,
    pub(crate) rules: Rules,
    pub(crate) snapshot: Arc<OriginSnapshot>,
    pub(crate) scratch: Scratch,
    pub(crate) tally: Tally,
    pub(crate) flushed: FlushedLane,
    pub(crate) now_secs: u64,
    pub(crate) with_host_tags: bool,
    open: Bucket,
    /// Packed numbers of the lines of the present run.
    packed: Vec<f64>,
    /// Changes whenever a known line may resolve differently.
    epoch: u64,
    stamps: Stamps,
}

/// What turns a receive time into the stamp of a gauge.
#[derive(Clone, Copy, Debug)]
struct Stamps {
    bucket_start_us: u64,
}

impl Shard {
    /// An empty shard of lane `lane`.
    #[must_use]
    pub fn new(lane: u16, settings: ShardSettings, keys: Keys, rules: Rules) -> Self {
        let limits = Limits {
            contexts_max: settings.contexts_max,
            lines_max: settings.contexts_max.saturating_mul(2),
            expiry_secs: settings.context_expiry_secs.saturating_add(settings.bucket_secs),
        };
        Self {
            settings,
            contexts: ContextTable::new(keys, limits),
            rules,
            snapshot: Arc::default(),
            scratch: Scratch::default(),
            tally: Tally::default(),
            flushed: FlushedLane { lane, ..FlushedLane::default() },
            now_secs: 0,
            with_host_tags: false,
            open: Bucket::new(0),
            packed: Vec::with_capacity(4 * RUN_LENGTH),
            epoch: 0,
            stamps: Stamps { bucket_start_us: 0 },
        }
    }

    /// Tells the time, in Unix seconds. A bucket whose end has passed is closed; time never goes
    /// back.
    pub fn advance(&mut self, now_secs: u64) {
        self.now_secs = self.now_secs.max(now_secs);
        let start = self.now_secs - self.now_secs % self.settings.bucket_secs;
        if start > self.open.start_secs() {
            self.close_bucket(start);
        }
        let with_host_tags = self.now_secs < self.settings.host_tags_until_secs;
        if with_host_tags != self.with_host_tags {
            self.with_host_tags = with_host_tags;
            self.epoch += 1;
        }
    }

    fn close_bucket(&mut self, start_secs: u64) {
        let closed = std::mem::replace(&mut self.open, Bucket::new(start_secs));
        self.stamps.bucket_start_us = start_secs.saturating_mul(1_000_000);
        if !closed.is_empty() {
            self.flushed.buckets.push(closed);
        }
        self.contexts.start_sweep();
    }

    /// Hands over what is complete: all closed buckets, events, checks, timestamped samples. No
    /// later sample goes to a bucket before `cutoff_secs`.
    pub fn flush(&mut self, cutoff_secs: u64) -> FlushedLane {
        self.advance(cutoff_secs);
        self.take_flushed()
    }

    /// Hands over everything, the open bucket included, which ends now; the next one begins here,
    /// so that no two buckets have one start. Flushed more often than once a second, starts run
    /// ahead of the time, at most by a bucket; then the open bucket stays.
    pub fn flush_open(&mut self) -> FlushedLane {
        let start_secs = self.now_secs.max(self.open.start_secs().saturating_add(1));
        let is_ahead = start_secs > self.now_secs.saturating_add(self.settings.bucket_secs);
        if !self.open.is_empty() && !is_ahead {
            self.close_bucket(start_secs);
        }
        self.take_flushed()
    }

    /// Hands over everything, the open bucket included: the lane stops.
    pub fn flush_all(&mut self) -> FlushedLane {
        self.close_bucket(self.open.start_secs());
        self.take_flushed()
    }

    /// Hands over what is complete and drops the open bucket, counted: the lane stops.
    pub fn flush_closed(&mut self) -> FlushedLane {
        let dropped = self.open.cells().map(|cell| u64::from(cell.samples)).sum();
        self.tally.add(Counter::DroppedAtStop, dropped);
        self.open = Bucket::new(self.open.start_secs());
        self.take_flushed()
    }

    /// Hands over timestamped samples, if there are any, between flushes.
    pub fn flush_timed(&mut self) -> Option<FlushedLane> {
        if self.flushed.timed.is_empty() {
            return None;
        }
        let timed = std::mem::take(&mut self.flushed.timed);
        Some(FlushedLane { lane: self.flushed.lane, timed, ..FlushedLane::default() })
    }

    /// Ends the shard after a panic. Returns the samples that are lost with its buckets, and what
    /// is complete without them: events, checks, timestamped samples.
    pub fn abandon(mut self, counters: &LaneCounters) -> (u64, FlushedLane) {
        let unfinished = self.tally.settle();
        self.publish(counters);
        let mut left = self.take_flushed();
        let buckets = std::mem::take(&mut left.buckets);
        let cells = buckets.iter().chain(std::iter::once(&self.open)).flat_map(Bucket::cells);
        let recorded: u64 = cells.map(|cell| u64::from(cell.samples)).sum();
        (recorded + unfinished, left)
    }

    /// Timestamped samples that wait.
    #[must_use]
    pub const fn timed_count(&self) -> usize {
        self.flushed.timed.len()
    }

    fn take_flushed(&mut self) -> FlushedLane {
        let lane = self.flushed.lane;
        std::mem::replace(&mut self.flushed, FlushedLane { lane, ..FlushedLane::default() })
    }

    /// New rules: every line is resolved again when it comes next.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
        self.epoch += 1;
    }

    /// New origin tags: every line is resolved again when it comes next.
    pub fn set_snapshot(&mut self, snapshot: Arc<OriginSnapshot>) {
        self.snapshot = snapshot;
        self.epoch += 1;
    }

    /// The origin tags in force.
    #[must_use]
    pub const fn snapshot(&self) -> &Arc<OriginSnapshot> {
        &self.snapshot
    }

    /// One slice of expiry; false when there is nothing to do.
    pub fn sweep_slice(&mut self) -> bool {
        let stats = self.contexts.sweep_slice(self.now_secs);
        self.tally.add(Counter::ContextsExpired, stats.expired as u64);
        self.contexts.is_sweeping()
    }

    /// Takes no new context while so many are there. Known ones go on, whatever the bound.
    pub const fn set_contexts_max(&mut self, contexts_max: usize) {
        self.contexts.set_contexts_max(contexts_max);
    }

    /// How many contexts there may be.
    #[must_use]
    pub const fn contexts_max(&self) -> usize {
        self.contexts.contexts_max()
    }

    /// Contexts of one chunk of the table, with their samples; `None` behind the last chunk.
    pub fn top_slice(&self, chunk: usize) -> Option<Vec<TopContext>> {
        let contexts = self.contexts.chunk(chunk)?;
        let samples = |id| {
            let buckets = self.flushed.buckets.iter().chain(std::iter::once(&self.open));
            buckets.filter_map(|bucket| bucket.cell(id)).map(|cell| u64::from(cell.samples)).sum()
        };
        let top = contexts
            .map(|(id, context)| TopContext { context: Arc::clone(context), samples: samples(id) });
        Some(top.collect())
    }

    /// Counts of the present turn.
    pub const fn tally_mut(&mut self) -> &mut Tally {
        &mut self.tally
    }

    /// Publishes counts and gauges.
    pub fn publish(&mut self, counters: &LaneCounters) {
        self.tally.publish(counters);
        counters.set(Counter::ContextsAlive, self.contexts.alive() as u64);
    }

    /// Publishes the gauges that take a walk over the tables.
    pub fn publish_sizes(&self, counters: &LaneCounters) {
        counters.set(Counter::TagsAlive, self.contexts.tag_count() as u64);
        counters.set(Counter::TableBytes, self.contexts.heap_bytes() as u64);
    }
}

#[cfg(test)]
mod tests;
