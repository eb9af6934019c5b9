//! The shard: what a lane calls.

use std::sync::Arc;

use context::{ContextTable, Keys, Limits, LineKey, prefetch};
use entity::OriginSnapshot;
use naming::{Rules, Scratch};
use parse::{Line, Lines, Message, Metric, MetricKind, Options, Refused, Values};
use signal::{Bucket, CellValue, Context, ContextId, Counter, FlushedLane, LaneCounters};

use crate::pending::{Pending, RUN_LENGTH, Run};
use crate::record::{RecordOptions, open_cell, record};
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

    /// Parses, resolves and records the packets of a batch.
    pub fn on_packets<'a>(&mut self, packets: impl Iterator<Item = Packet<'a>>) {
        let mut run = Run::new();
        let mut peer: Option<&Arc<str>> = None;
        let mut salt = self.salt(None);
        for packet in packets {
            if packet.peer != peer {
                // The lines of a run share their sender, which only a miss needs.
                self.record_run(&mut run, peer);
                peer = packet.peer;
                salt = self.salt(peer);
            }
            let stamp_us = self.stamps.of(packet.stamp_us);
            let mut lines = Lines::new(packet.bytes, packet.is_eol_required);
            let mut messages = 0;
            for line in &mut lines {
                messages += 1;
                match Message::parse(&line, self.options(), &mut self.packed) {
                    Ok(Message::Metric(metric)) => {
                        self.push(&mut run, &line, &metric, salt, stamp_us);
                        if run.is_full() {
                            self.record_run(&mut run, peer);
                        }
                    }
                    Ok(Message::Event(event)) => self.take_event(&event, peer),
                    Ok(Message::ServiceCheck(check)) => self.take_check(&check, peer),
                    Err(refused) => self.tally.add(refusal_counter(refused), 1),
                }
            }
            self.tally.add(Counter::Messages, messages);
            if lines.is_unterminated() {
                self.tally.add(Counter::Messages, 1);
                self.tally.add(Counter::Unterminated, 1);
            }
        }
        self.record_run(&mut run, peer);
    }

    /// What the lines of one sender have in common, as part of their keys.
    fn salt(&self, peer: Option<&Arc<str>>) -> u128 {
        let peer = peer.map_or(0, |peer| self.contexts.keys().hash(peer.as_bytes()));
        peer.wrapping_mul(PEER_FACTOR)
            .wrapping_add(u128::from(self.epoch).wrapping_mul(EPOCH_FACTOR))
    }

    #[inline]
    pub(crate) const fn options(&self) -> Options {
        Options {
            has_timestamps: self.settings.has_timestamps,
            has_client_origin: self.settings.origin.is_client_used,
        }
    }

    /// Adds a parsed line to the run and starts loading its place in the index.
    #[inline]
    fn push<'a>(
        &mut self,
        run: &mut Run<'a>,
        line: &Line<'a>,
        metric: &Metric<'a>,
        salt: u128,
        stamp_us: u32,
    ) {
        let fields = &metric.fields;
        let client = [fields.local_data, fields.external_data, fields.cardinality];
        let mut key = self.contexts.keys().line(metric.name, fields.tags, client, salt);
        if metric.kind == MetricKind::Distribution {
            key = LineKey(key.0.wrapping_add(DISTRIBUTION_SALT));
        }
        self.contexts.prefetch(key);
        let packed_end = u32::try_from(self.packed.len()).unwrap_or(u32::MAX);
        let packed_first = match metric.values {
            Values::Numbers { count } => packed_end - count,
            Values::Number(_) | Values::Member(_) => packed_end,
        };
        let pending = Pending {
            key,
            line: line.bytes,
            values: metric.values,
            packed_first,
            rate: metric.rate,
            timestamp_secs: metric.timestamp_secs,
            stamp_us,
            kind: metric.kind,
            is_copy: false,
        };
        let count = pending.count();
        run.push(pending);
        self.tally.add(Counter::MetricLines, 1);
        self.tally.add(Counter::Samples, u64::from(count));
        let is_histogram = matches!(metric.kind, MetricKind::Histogram | MetricKind::Timing);
        if is_histogram && self.settings.distribution_copy_prefix.is_some() {
            let key = LineKey(key.0.wrapping_add(COPY_SALT));
            self.contexts.prefetch(key);
            self.tally.add(Counter::CopiedToDistribution, u64::from(count));
            run.push(Pending { key, kind: MetricKind::Distribution, is_copy: true, ..pending });
        }
    }

    /// Finds the contexts of a run, then records it.
    fn record_run(&mut self, run: &mut Run<'_>, peer: Option<&Arc<str>>) {
        let mut ids = [None; RUN_LENGTH];
        for (line, id) in run.lines().iter().zip(&mut ids) {
            *id = self.contexts.find(line.key);
            if let Some(cell) = id.and_then(|id| self.open.cell(id)) {
                prefetch(cell);
            }
        }
        let mut packed = std::mem::take(&mut self.packed);
        for (line, id) in run.lines().iter().zip(ids) {
            self.record_line(line, id, line.numbers(&packed), peer);
        }
        packed.clear();
        self.packed = packed;
        run.clear();
    }

    #[inline]
    fn record_line(
        &mut self,
        line: &Pending<'_>,
        id: Option<ContextId>,
        numbers: &[f64],
        peer: Option<&Arc<str>>,
    ) {
        if let Some(id) = id.filter(|_| line.timestamp_secs == 0) {
            let cell = self.open.cell_mut(id);
            if !matches!(cell.value, CellValue::Empty) {
                record(cell, line, numbers, self.settings.record_options(), &mut self.tally);
                return;
            }
        }
        self.record_first(line, id, numbers, peer);
    }

    /// The first line of a context in this bucket, a line not seen before, or one with a timestamp.
    #[cold]
    fn record_first(
        &mut self,
        line: &Pending<'_>,
        id: Option<ContextId>,
        numbers: &[f64],
        peer: Option<&Arc<str>>,
    ) {
        let Some((id, context)) = self.context_of(line, id, peer) else { return };
        if line.timestamp_secs != 0 {
            self.take_timed(line, &context, numbers);
            return;
        }
        let cell = self.open.cell_mut(id);
        if matches!(cell.value, CellValue::Empty) {
            let is_number = line.kind != MetricKind::Set;
            if is_number && !numbers.iter().any(|number| number.is_finite()) {
                self.tally.add(Counter::DroppedNotFinite, u64::from(line.count()));
                return;
            }
            cell.context = Some(context);
            cell.value = open_cell(line.kind);
        }
        record(cell, line, numbers, self.settings.record_options(), &mut self.tally);
    }

    /// Hands over what is complete: all closed buckets, events, checks, timestamped samples. No
    /// later sample goes to a bucket before `cutoff_secs`.
    pub fn flush(&mut self, cutoff_secs: u64) -> FlushedLane {
        self.advance(cutoff_secs);
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

impl Stamps {
    #[inline]
    fn of(self, unix_us: u64) -> u32 {
        u32::try_from(unix_us.saturating_sub(self.bucket_start_us)).unwrap_or(u32::MAX)
    }
}

impl ShardSettings {
    #[inline]
    const fn record_options(&self) -> RecordOptions {
        RecordOptions { rate_min: self.rate_min, cell_samples_max: self.cell_samples_max }
    }
}

const fn refusal_counter(refused: Refused) -> Counter {
    match refused {
        Refused::Format => Counter::RefusedFormat,
        Refused::NameOrValue => Counter::RefusedNameOrValue,
        Refused::Type => Counter::RefusedType,
        Refused::Value => Counter::RefusedValue,
        Refused::Rate => Counter::RefusedRate,
        Refused::Timestamp => Counter::RefusedTimestamp,
        Refused::Event => Counter::RefusedEvent,
        Refused::Check => Counter::RefusedCheck,
    }
}

// Odd constants without structure (fractional digits of e): they keep the roles apart.
const PEER_FACTOR: u128 = 0xb7e1_5162_8aed_2a6a_bf71_5880_9cf4_f3c7;
const EPOCH_FACTOR: u128 = 0x62e7_160f_38b4_da56_a784_d904_5190_cfef;
const DISTRIBUTION_SALT: u128 = 0x324e_7738_926c_fbe5_f4bf_8d8d_8c31_d763;
const COPY_SALT: u128 = 0xda06_c80a_bb11_85eb_4f7c_7b57_57f5_9585;

#[cfg(test)]
mod tests;
