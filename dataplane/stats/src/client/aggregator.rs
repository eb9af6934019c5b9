//! Sums the statistics of all clients. spec: apm §9.6.

use std::sync::Arc;

use super::{ClientCell, ClientGroup, ClientPayload};
use crate::bucket::{Bucket, Counts, KeyHash};
use crate::key::{Fields, PayloadKey, write_list};

/// Distance of buckets; they start at odd seconds, so that they never share a start with those of
/// the concentrator.
const SLOT_NS: u64 = 2_000_000_000;
const SLOT_OFFSET_NS: u64 = 1_000_000_000;

/// Length that buckets are sent with.
const BUCKET_NS: u64 = 10_000_000_000;

/// How far back buckets are open.
const OPEN_NS: u64 = 18_000_000_000;

/// Settings of a [`ClientAggregator`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AggregatorSettings {
    /// Groups of all buckets before new ones are dropped.
    pub groups_max: usize,
    /// Bytes of all keys and sketches before groups are dropped.
    pub bytes_max: usize,
    /// Seed of the hash function, random.
    pub hash_seed: u64,
}

/// What became of the groups handed in: `hits` = hits of flushed and held groups + `dropped_hits`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AggregatorTally {
    /// Hits handed in.
    pub hits: u64,
    /// Hits of groups that were dropped because a limit was reached.
    pub dropped_hits: u64,
    /// Groups that were dropped because a limit was reached.
    pub dropped_count: u64,
    /// Sketches of flushed groups left out because they could not be read.
    pub unreadable_count: u64,
}

/// Sums the statistics of all clients of the agent; one instance.
#[derive(Debug)]
pub struct ClientAggregator {
    settings: AggregatorSettings,
    hash: Arc<KeyHash>,
    /// Earliest bucket that is still open.
    oldest_ns: u64,
    /// By start.
    buckets: Vec<Bucket<ClientCell>>,
    group_count: usize,
    bytes: usize,
    tally: AggregatorTally,
    payload_key: Vec<u8>,
    group_key: Vec<u8>,
}

impl Default for AggregatorSettings {
    fn default() -> Self {
        Self { groups_max: 200_000, bytes_max: 128 << 20, hash_seed: 0 }
    }
}

impl ClientAggregator {
    /// An empty one that starts now. `now_ns` is Unix time.
    #[must_use]
    pub fn new(settings: AggregatorSettings, now_ns: u64) -> Self {
        let bytes_max = settings.bytes_max.min(1 << 30);
        Self {
            settings: AggregatorSettings { bytes_max, ..settings },
            hash: KeyHash::new(settings.hash_seed),
            oldest_ns: align(now_ns.saturating_sub(OPEN_NS)),
            buckets: Vec::new(),
            group_count: 0,
            bytes: 0,
            tally: AggregatorTally::default(),
            payload_key: Vec::new(),
            group_key: Vec::new(),
        }
    }

    /// Adds a processed payload. Of the container's tags `git.commit.sha` and `image_tag` fill in
    /// what the payload does not tell.
    pub fn add<S: AsRef<str>>(
        &mut self,
        now_ns: u64,
        payload: ClientPayload,
        container_tags: &[S],
    ) {
        let key = PayloadKey {
            env: &payload.env,
            hostname: &payload.hostname,
            version: &payload.version,
            container_id: &payload.container_id,
            git_commit_sha: told_or_tag(&payload.git_commit_sha, container_tags, "git.commit.sha"),
            image_tag: told_or_tag(&payload.image_tag, container_tags, "image_tag"),
            lang: &payload.lang,
            process_tags: &payload.process_tags,
            service: "",
        };
        self.payload_key.clear();
        key.write(&mut self.payload_key);
        for bucket in payload.buckets {
            let start_ns = self.bucket_start(now_ns, bucket.start_ns);
            for mut group in bucket.groups {
                let hits = group.hits;
                self.tally.hits = self.tally.hits.saturating_add(hits);
                if self.add_group(start_ns, &mut group).is_none() {
                    self.tally.dropped_hits = self.tally.dropped_hits.saturating_add(hits);
                    self.tally.dropped_count += 1;
                }
            }
        }
    }

    /// Moves out the buckets that are complete, or all of them, in the order of time. Each is
    /// encoded on its own, with the header's `is_client_computed` set.
    pub fn flush(&mut self, now_ns: u64, is_forced: bool) -> Vec<Bucket<ClientCell>> {
        let flush_ns = align(now_ns.saturating_sub(OPEN_NS));
        let is_closed = |bucket: &mut Bucket<ClientCell>| is_forced || bucket.start_ns() < flush_ns;
        let closed: Vec<Bucket<ClientCell>> = self.buckets.extract_if(.., is_closed).collect();
        for bucket in &closed {
            self.group_count = self.group_count.saturating_sub(bucket.group_count());
            self.bytes = self.bytes.saturating_sub(bucket.key_bytes() + bucket.cell_bytes());
            self.tally.unreadable_count +=
                bucket.groups().map(|group| group.cell.unreadable_count).sum::<u64>();
        }
        self.oldest_ns = self.oldest_ns.max(flush_ns);
        closed
    }

    /// What became of all groups so far.
    #[must_use]
    pub const fn tally(&self) -> AggregatorTally {
        self.tally
    }

    /// Groups of all open buckets.
    #[must_use]
    pub const fn group_count(&self) -> usize {
        self.group_count
    }

    /// Bytes of keys and sketches of all open buckets.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    fn bucket_start(&self, now_ns: u64, start_ns: u64) -> u64 {
        if start_ns < self.oldest_ns { self.oldest_ns } else { align(start_ns.min(now_ns)) }
    }

    /// `None` when a limit is reached.
    fn add_group(&mut self, start_ns: u64, group: &mut ClientGroup) -> Option<()> {
        self.group_key.clear();
        write_key(group, &mut self.group_key);
        let cell = ClientCell::new(group);
        let new_bytes = self.payload_key.len() + 1 + self.group_key.len() + cell.heap_bytes();
        if self.bytes + new_bytes > self.settings.bytes_max {
            return None;
        }
        let is_full = self.group_count >= self.settings.groups_max;
        let found = self.buckets.binary_search_by_key(&start_ns, Bucket::start_ns);
        if is_full && found.is_err() {
            return None;
        }
        let at = found.unwrap_or_else(|at| {
            self.buckets.insert(at, Bucket::new(start_ns, BUCKET_NS, Arc::clone(&self.hash)));
            at
        });
        let bucket = self.buckets.get_mut(at)?;
        let bytes_before = bucket.key_bytes();
        let payload = match bucket.find_payload(&self.payload_key) {
            Some(payload) => payload,
            None if is_full => return None,
            None => bucket.add_payload(&self.payload_key, &[0])?,
        };
        let cell_bytes = cell.heap_bytes();
        if let Some(held) = bucket.find(payload, &self.group_key) {
            let held_before = held.heap_bytes();
            held.merge(cell);
            let held_bytes = held.heap_bytes();
            bucket.resize_cell(held_before, held_bytes);
            self.bytes = (self.bytes + held_bytes).saturating_sub(held_before);
        } else if is_full {
            return None;
        } else {
            bucket.add(payload, &self.group_key, cell)?;
            bucket.resize_cell(0, cell_bytes);
            self.group_count += 1;
            self.bytes += bucket.key_bytes() - bytes_before + cell_bytes;
        }
        Some(())
    }
}

/// Start of the bucket of a time.
const fn align(time_ns: u64) -> u64 {
    (time_ns - time_ns % SLOT_NS).saturating_add(SLOT_OFFSET_NS)
}

/// What a payload tells, or else the value of the first tag of this name.
fn told_or_tag<'a, S: AsRef<str>>(told: &'a str, tags: &'a [S], name: &str) -> &'a str {
    if !told.is_empty() {
        return told;
    }
    let value_of = |tag: &'a S| tag.as_ref().strip_prefix(name)?.strip_prefix(':');
    tags.iter().find_map(value_of).unwrap_or_default()
}

/// Appends the key of a group. Tags are sorted, since their order does not tell groups apart.
fn write_key(group: &mut ClientGroup, key: &mut Vec<u8>) {
    let fields = Fields {
        service: &group.service,
        name: &group.name,
        resource: &group.resource,
        span_type: &group.span_type,
        span_kind: &group.span_kind,
        svc_src: &group.svc_src,
        grpc_status: &group.grpc_status,
        http_method: &group.http_method,
        http_endpoint: &group.http_endpoint,
        http_status: group.http_status,
        is_synthetics: group.is_synthetics,
        trace_root: group.trace_root,
    };
    fields.write(key);
    for tags in [&mut group.peer_tags, &mut group.additional_tags, &mut group.derived_tags] {
        tags.sort_unstable();
        write_list(key, tags.iter().map(String::as_str));
    }
}

#[cfg(test)]
mod tests;
