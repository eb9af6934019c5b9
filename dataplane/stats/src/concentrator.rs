//! Counts spans into buckets of time. spec: apm §9.4.

use std::sync::Arc;

use crate::bucket::{Bucket, Cell, ClosedBucket, KeyHash};
use crate::key::{PayloadKey, SpanStats, write_list};

/// Buckets that stay open: the current one and the one before.
const OPEN_BUCKETS: u64 = 2;

/// A bucket that lies more lengths than this ahead leaves with the next flush, so that a clock gone
/// wrong cannot hold memory. Its spans are counted all the same.
const AHEAD_BUCKETS: u64 = 12;

/// Resource of the group that takes the spans of a service and operation beyond the limit.
pub const OVERFLOW_RESOURCE: &str = crate::BLOCKED_VALUE;

/// Settings of a [`Concentrator`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConcentratorSettings {
    /// Length of a bucket in nanoseconds, not 0; 10 s by default.
    pub bucket_ns: u64,
    /// Groups of one bucket before new ones collapse.
    pub bucket_groups_max: usize,
    /// Groups of all buckets before new ones collapse.
    pub lane_groups_max: usize,
    /// Bytes of all keys before new ones are dropped; at most 1 GiB counts.
    pub lane_key_bytes_max: usize,
    /// Bytes of all sketches before a duration goes into the nearest bin that is there.
    pub lane_sketch_bytes_max: usize,
    /// Seed of the hash function: random, and the same for all lanes.
    pub hash_seed: u64,
}

/// What became of the spans handed in: `span_count` = hits of groups, unweighted, +
/// `dropped_count`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Spans handed in.
    pub span_count: u64,
    /// Spans counted in a group without resource, because the limit was reached.
    pub collapsed_count: u64,
    /// Spans not counted, because there was no room for that group either.
    pub dropped_count: u64,
    /// Spans counted whose duration stands in the nearest bin, because sketches may not grow.
    pub coarse_count: u64,
}

/// What became of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// Counted in its group.
    Grouped,
    /// Counted in the group of its service and operation with [`OVERFLOW_RESOURCE`].
    Collapsed,
    /// Not counted.
    Dropped,
}

/// Counts the spans of one lane.
#[derive(Debug)]
pub struct Concentrator {
    settings: ConcentratorSettings,
    hash: Arc<KeyHash>,
    /// Earliest bucket that is still open.
    oldest_ns: u64,
    /// By start.
    buckets: Vec<Bucket<Cell>>,
    group_count: usize,
    key_bytes: usize,
    sketch_bytes: usize,
    tally: Tally,
    /// Key of the current chunk's payload.
    payload_key: Vec<u8>,
    payload_tags: Vec<u8>,
    group_key: Vec<u8>,
}

/// Counts spans of one chunk, which share their payload key.
#[derive(Debug)]
pub struct Recorder<'c> {
    concentrator: &'c mut Concentrator,
    /// Where the last span went: index of the bucket, its start, index of the payload.
    place: Option<(usize, u64, u32)>,
}

impl Default for ConcentratorSettings {
    fn default() -> Self {
        Self {
            bucket_ns: 10_000_000_000,
            bucket_groups_max: 50_000,
            lane_groups_max: 100_000,
            lane_key_bytes_max: 32 << 20,
            lane_sketch_bytes_max: 32 << 20,
            hash_seed: 0,
        }
    }
}

impl Concentrator {
    /// An empty one that starts now. `now_ns` is Unix time.
    #[must_use]
    pub fn new(settings: ConcentratorSettings, now_ns: u64) -> Self {
        let bucket_ns = settings.bucket_ns.max(1);
        let lane_key_bytes_max = settings.lane_key_bytes_max.min(1 << 30);
        Self {
            settings: ConcentratorSettings { bucket_ns, lane_key_bytes_max, ..settings },
            hash: KeyHash::new(settings.hash_seed),
            oldest_ns: now_ns - now_ns % bucket_ns,
            buckets: Vec::new(),
            group_count: 0,
            key_bytes: 0,
            sketch_bytes: 0,
            tally: Tally::default(),
            payload_key: Vec::new(),
            payload_tags: Vec::new(),
            group_key: Vec::new(),
        }
    }

    /// Starts a chunk. `container_tags` are joined by commas; they do not tell payloads apart.
    pub fn chunk(&mut self, payload: &PayloadKey<'_>, container_tags: &str) -> Recorder<'_> {
        self.payload_key.clear();
        payload.write(&mut self.payload_key);
        self.payload_tags.clear();
        let tags = container_tags.split(',').filter(|tag| !tag.is_empty());
        write_list(&mut self.payload_tags, tags);
        Recorder { concentrator: self, place: None }
    }

    /// Counts one span. [`Concentrator::chunk`] is cheaper for many of one chunk.
    pub fn add(&mut self, payload: &PayloadKey<'_>, span: &SpanStats<'_>) -> Recorded {
        self.chunk(payload, "").add(span)
    }

    /// Moves out the buckets that are complete, or all of them, in the order of time. Call it
    /// every bucket length.
    pub fn flush(&mut self, now_ns: u64, is_forced: bool) -> Vec<ClosedBucket> {
        let bucket_ns = self.settings.bucket_ns;
        let limit_ns = now_ns.checked_sub(bucket_ns.saturating_mul(OPEN_BUCKETS));
        let ahead_ns = now_ns.saturating_add(bucket_ns.saturating_mul(AHEAD_BUCKETS));
        let is_closed = |bucket: &mut Bucket<Cell>| {
            let start_ns = bucket.start_ns();
            is_forced || limit_ns.is_some_and(|limit| start_ns <= limit) || start_ns > ahead_ns
        };
        let closed: Vec<ClosedBucket> = self.buckets.extract_if(.., is_closed).collect();
        for bucket in &closed {
            self.group_count = self.group_count.saturating_sub(bucket.group_count());
            self.key_bytes = self.key_bytes.saturating_sub(bucket.key_bytes());
            self.sketch_bytes = self.sketch_bytes.saturating_sub(bucket.cell_bytes());
        }
        let current_ns = now_ns - now_ns % bucket_ns;
        let open_ns = bucket_ns.saturating_mul(OPEN_BUCKETS - 1);
        self.oldest_ns = self.oldest_ns.max(current_ns.saturating_sub(open_ns));
        closed
    }

    /// What became of all spans so far.
    #[must_use]
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// Groups of all open buckets.
    #[must_use]
    pub const fn group_count(&self) -> usize {
        self.group_count
    }

    /// Bytes of the keys of all open buckets.
    #[must_use]
    pub const fn key_bytes(&self) -> usize {
        self.key_bytes
    }

    /// Bytes of the sketches of all open buckets.
    #[must_use]
    pub const fn sketch_bytes(&self) -> usize {
        self.sketch_bytes
    }

    /// Number of open buckets.
    #[must_use]
    pub const fn bucket_count(&self) -> usize {
        self.buckets.len()
    }

    /// Bytes on the heap for all open buckets; walks over all groups.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.buckets.iter().map(ClosedBucket::heap_bytes).sum()
    }

    /// Start of the bucket that a span belongs to.
    fn bucket_start(&self, span: &SpanStats<'_>) -> u64 {
        let end = span.start_ns.max(0).saturating_add(span.duration_ns.max(0));
        let end = end.cast_unsigned();
        (end - end % self.settings.bucket_ns).max(self.oldest_ns)
    }

    /// Bucket and payload of a span; they are made if there is room for a group, too.
    fn place(&mut self, start_ns: u64) -> Option<(usize, u64, u32)> {
        let has_room = self.has_room(self.payload_key.len() + self.payload_tags.len());
        // The current bucket is among the last ones.
        let at = self.buckets.partition_point(|bucket| bucket.start_ns() < start_ns);
        if self.buckets.get(at).is_none_or(|bucket| bucket.start_ns() != start_ns) {
            if !has_room {
                return None;
            }
            let bucket = Bucket::new(start_ns, self.settings.bucket_ns, Arc::clone(&self.hash));
            self.buckets.insert(at, bucket);
        }
        let bucket = self.buckets.get_mut(at)?;
        let payload = match bucket.find_payload(&self.payload_key) {
            Some(payload) => {
                if has_room {
                    self.key_bytes += bucket.offer_tags(payload, &self.payload_tags);
                }
                payload
            }
            None if !has_room => return None,
            None => {
                self.key_bytes += self.payload_key.len() + self.payload_tags.len();
                bucket.add_payload(&self.payload_key, &self.payload_tags)?
            }
        };
        Some((at, start_ns, payload))
    }

    /// Whether a collapsed group may still be made.
    fn has_room(&self, key_bytes: usize) -> bool {
        let groups_max = self.settings.lane_groups_max;
        self.group_count < groups_max + groups_max / 8
            && self.key_bytes + key_bytes + self.group_key.len() < self.settings.lane_key_bytes_max
    }

    /// Counts a span in a bucket: in its group, or the one that it collapses into.
    fn record(&mut self, at: usize, payload: u32, span: &SpanStats<'_>) -> Recorded {
        if self.record_in_group(at, payload, span, self.has_group_room(at)) {
            return Recorded::Grouped;
        }
        let collapsed = SpanStats {
            resource: OVERFLOW_RESOURCE,
            svc_src: "",
            http_status: 0,
            grpc_status: None,
            peer_tags: &[],
            additional_tags: &[],
            ..*span
        };
        self.group_key.clear();
        collapsed.write_key(&mut self.group_key);
        let may_add = self.has_room(0);
        if self.record_in_group(at, payload, span, may_add) {
            Recorded::Collapsed
        } else {
            Recorded::Dropped
        }
    }

    /// Whether there is a group of the current key to count a span in.
    fn record_in_group(
        &mut self,
        at: usize,
        payload: u32,
        span: &SpanStats<'_>,
        may_add: bool,
    ) -> bool {
        let Some(bucket) = self.buckets.get_mut(at) else { return false };
        let may_grow = self.sketch_bytes < self.settings.lane_sketch_bytes_max;
        let growth = if let Some(cell) = bucket.find(payload, &self.group_key) {
            cell.record(span, may_grow)
        } else {
            if !may_add {
                return false;
            }
            let mut cell = Cell::default();
            let growth = cell.record(span, may_grow);
            if bucket.add(payload, &self.group_key, cell).is_none() {
                return false;
            }
            self.group_count += 1;
            self.key_bytes += self.group_key.len();
            growth
        };
        bucket.resize_cell(0, growth.bytes);
        self.sketch_bytes += growth.bytes;
        self.tally.coarse_count += u64::from(!growth.is_exact);
        true
    }

    /// Whether a group may be made.
    fn has_group_room(&self, at: usize) -> bool {
        let groups_max = self.settings.bucket_groups_max;
        let has_bucket_room = |bucket: &Bucket<Cell>| bucket.group_count() < groups_max;
        self.group_count < self.settings.lane_groups_max
            && self.buckets.get(at).is_some_and(has_bucket_room)
            && self.has_room(0)
    }
}

impl Recorder<'_> {
    /// Counts one span.
    pub fn add(&mut self, span: &SpanStats<'_>) -> Recorded {
        let concentrator = &mut *self.concentrator;
        concentrator.group_key.clear();
        span.write_key(&mut concentrator.group_key);
        let start_ns = concentrator.bucket_start(span);
        let is_last = self.place.is_some_and(|(_, last_ns, _)| last_ns == start_ns);
        if !is_last {
            self.place = concentrator.place(start_ns);
        }
        let recorded = match self.place {
            Some((at, _, payload)) => concentrator.record(at, payload, span),
            None => Recorded::Dropped,
        };
        concentrator.tally.span_count += 1;
        match recorded {
            Recorded::Grouped => {}
            Recorded::Collapsed => concentrator.tally.collapsed_count += 1,
            Recorded::Dropped => concentrator.tally.dropped_count += 1,
        }
        recorded
    }
}

#[cfg(test)]
mod tests;
