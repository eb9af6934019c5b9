//! The memory queue of one endpoint and key: bounded in bytes, two priorities, oldest first.
//!
//! Over the bound, with a disk queue, the oldest storable transactions move to the outbox, from
//! where they are written; without one, the lowest priority and oldest are dropped. The outbox
//! has the same bound of its own: [`Queue::make_room`] says whether it has room, so that a
//! submitter can wait for the disk, and what comes without waiting pushes the oldest out.
//! Spec: metrics-intake §10.3.

use std::collections::{BTreeMap, VecDeque};

use tokio::time::Instant;

use crate::payload::{Payload, Priority};

/// A transaction in memory.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// Order of submission.
    pub(crate) sequence: u64,
    /// Unix milliseconds.
    pub(crate) created_ms: u64,
    /// Failed attempts.
    pub(crate) attempts: u32,
    /// Not tried again before.
    pub(crate) not_before: Option<Instant>,
    pub(crate) payload: Payload,
}

/// How the queue behaves at its bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueLimits {
    pub(crate) bytes_max: u64,
    /// With a disk queue: share of `bytes_max` moved out at once.
    pub(crate) flush_ratio: Option<f64>,
}

/// The queue. `taken` transactions (requests under way) still count against the bound.
#[derive(Debug)]
pub(crate) struct Queue {
    limits: QueueLimits,
    high: BTreeMap<u64, Held>,
    normal: BTreeMap<u64, Held>,
    bytes: u64,
    outbox: VecDeque<Held>,
    outbox_bytes: u64,
}

impl Queue {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        Self {
            limits,
            high: BTreeMap::new(),
            normal: BTreeMap::new(),
            bytes: 0,
            outbox: VecDeque::new(),
            outbox_bytes: 0,
        }
    }

    pub(crate) fn set_limits(&mut self, limits: QueueLimits) {
        self.limits = limits;
    }

    /// Moves as much to the outbox as it has room for. Returns whether the payload can be added
    /// now without a loss that the disk could still prevent.
    pub(crate) fn make_room(&mut self, payload: &Payload) -> bool {
        let Some(ratio) = self.limits.flush_ratio else { return true };
        let added_bytes = payload.charged_bytes();
        let is_oversized = added_bytes > self.limits.bytes_max;
        let needed_bytes = self.needed_bytes(added_bytes);
        if needed_bytes == 0 {
            return true;
        }
        if !is_oversized {
            let has_room = self.move_out(needed_bytes.max(self.share_bytes(ratio)));
            if self.needed_bytes(added_bytes) == 0 {
                return true;
            }
            if !has_room {
                return false;
            }
        }
        !payload.is_storable || self.fits_outbox(added_bytes)
    }

    /// Adds a transaction, making room first. Returns what had to be dropped, perhaps itself.
    pub(crate) fn push(&mut self, held: Held) -> Vec<Held> {
        let added_bytes = held.payload.charged_bytes();
        let mut dropped = Vec::new();
        if !self.make_room(&held.payload) && added_bytes <= self.limits.bytes_max {
            self.force_out(added_bytes, &mut dropped);
        }
        let needed_bytes = self.needed_bytes(added_bytes);
        if needed_bytes > 0 && self.limits.flush_ratio.is_some() && held.payload.is_storable {
            // Larger than the bound, or the room is taken by what may not be stored.
            self.push_out(held, &mut dropped);
            return dropped;
        }
        if needed_bytes > 0 {
            self.drop_until(needed_bytes, held.payload.priority, &mut dropped);
        }
        if self.needed_bytes(added_bytes) == 0 {
            self.bytes += added_bytes;
            self.insert(held);
        } else {
            dropped.push(held);
        }
        dropped
    }

    /// Transactions in the order they should be tried: high priority first, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Held> {
        self.high.values().chain(self.normal.values())
    }

    /// Takes one out to send it; its bytes stay charged until [`Queue::release`].
    pub(crate) fn take(&mut self, sequence: u64) -> Option<Held> {
        self.high.remove(&sequence).or_else(|| self.normal.remove(&sequence))
    }

    /// Puts a taken one back at its place.
    pub(crate) fn put_back(&mut self, held: Held) {
        self.insert(held);
    }

    /// Ends the charge of a taken one.
    pub(crate) fn release(&mut self, held: &Held) {
        self.bytes = self.bytes.saturating_sub(held.payload.charged_bytes());
    }

    /// Forgets the waiting times of all, or of those with the given path.
    pub(crate) fn clear_waits(&mut self, path: Option<&str>) {
        for held in self.high.values_mut().chain(self.normal.values_mut()) {
            if path.is_none_or(|path| held.payload.path == path) {
                held.not_before = None;
            }
        }
    }

    /// Moves everything storable to the outbox, ignoring its bound; returns the rest.
    pub(crate) fn move_all_out(&mut self) -> Vec<Held> {
        let mut unstorable = Vec::new();
        let high = std::mem::take(&mut self.high);
        let normal = std::mem::take(&mut self.normal);
        for held in high.into_values().chain(normal.into_values()) {
            self.bytes = self.bytes.saturating_sub(held.payload.charged_bytes());
            if held.payload.is_storable {
                self.outbox_bytes += held.payload.charged_bytes();
                self.outbox.push_back(held);
            } else {
                unstorable.push(held);
            }
        }
        self.outbox.make_contiguous().sort_by_key(|held| held.sequence);
        unstorable
    }

    /// Takes everything: queued and in the outbox.
    pub(crate) fn drain(&mut self) -> Vec<Held> {
        let mut all = self.move_all_out();
        for held in self.outbox.drain(..) {
            all.push(held);
        }
        self.outbox_bytes = 0;
        all
    }

    /// The next transactions to write to disk, up to about `bytes_max`; empty if none wait.
    pub(crate) fn take_batch(&mut self, bytes_max: u64, count_max: usize) -> Vec<Held> {
        let mut batch = Vec::new();
        let mut batch_bytes = 0;
        while batch_bytes < bytes_max && batch.len() < count_max {
            let Some(held) = self.outbox.pop_front() else { break };
            let bytes = held.payload.charged_bytes();
            self.outbox_bytes = self.outbox_bytes.saturating_sub(bytes);
            batch_bytes += bytes;
            batch.push(held);
        }
        batch
    }

    pub(crate) fn has_outbox(&self) -> bool {
        !self.outbox.is_empty()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.high.is_empty() && self.normal.is_empty()
    }

    /// Queued and outbox transactions; those taken are counted by their holder.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Held> {
        self.iter().chain(&self.outbox)
    }

    /// Bytes charged, taken ones included, outbox included.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes + self.outbox_bytes
    }

    pub(crate) fn bytes_max(&self) -> u64 {
        self.limits.bytes_max
    }

    fn insert(&mut self, held: Held) {
        let lane = match held.payload.priority {
            Priority::High => &mut self.high,
            Priority::Normal => &mut self.normal,
        };
        lane.insert(held.sequence, held);
    }

    /// Bytes to free before so many can be added.
    fn needed_bytes(&self, added_bytes: u64) -> u64 {
        (self.bytes + added_bytes).saturating_sub(self.limits.bytes_max)
    }

    fn share_bytes(&self, ratio: f64) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "float to integer casts saturate, and the result is only compared"
        )]
        let share_bytes = (self.limits.bytes_max as f64 * ratio) as u64;
        share_bytes
    }

    fn oldest_storable(&self) -> Option<&Held> {
        self.normal.values().chain(self.high.values()).find(|held| held.payload.is_storable)
    }

    /// Whether the outbox takes so many bytes; an empty one takes anything.
    fn fits_outbox(&self, bytes: u64) -> bool {
        self.outbox_bytes + bytes <= self.limits.bytes_max.max(bytes)
    }

    /// Spec: metrics-intake §10.3: the oldest go until `max(needed, bytes_max * ratio)` are free.
    /// Returns false if the outbox ended it.
    fn move_out(&mut self, goal_bytes: u64) -> bool {
        let mut freed_bytes = 0;
        while freed_bytes < goal_bytes {
            let Some(oldest) = self.oldest_storable() else { return true };
            let (sequence, bytes) = (oldest.sequence, oldest.payload.charged_bytes());
            if !self.fits_outbox(bytes) {
                return false;
            }
            let Some(held) = self.take(sequence) else { return true };
            self.release(&held);
            freed_bytes += bytes;
            self.outbox_bytes += bytes;
            self.outbox.push_back(held);
        }
        true
    }

    /// Moves the oldest out until so many bytes fit, pushing older ones out of the outbox.
    fn force_out(&mut self, added_bytes: u64, dropped: &mut Vec<Held>) {
        while self.needed_bytes(added_bytes) > 0 {
            let oldest = self.oldest_storable().map(|held| held.sequence);
            let Some(held) = oldest.and_then(|sequence| self.take(sequence)) else { break };
            self.release(&held);
            self.push_out(held, dropped);
        }
    }

    fn push_out(&mut self, held: Held, dropped: &mut Vec<Held>) {
        let added_bytes = held.payload.charged_bytes();
        let bytes_max = self.limits.bytes_max.max(added_bytes);
        while self.outbox_bytes + added_bytes > bytes_max {
            let Some(oldest) = self.outbox.pop_front() else { break };
            self.outbox_bytes = self.outbox_bytes.saturating_sub(oldest.payload.charged_bytes());
            dropped.push(oldest);
        }
        self.outbox_bytes += added_bytes;
        self.outbox.push_back(held);
    }

    /// Drops lowest priority first, oldest first, never a higher priority than the newcomer's.
    fn drop_until(&mut self, needed_bytes: u64, newcomer: Priority, dropped: &mut Vec<Held>) {
        let mut freed_bytes = 0;
        while freed_bytes < needed_bytes {
            let victim = match self.normal.pop_first() {
                Some((_, held)) => held,
                None if newcomer == Priority::High => match self.high.pop_first() {
                    Some((_, held)) => held,
                    None => break,
                },
                None => break,
            };
            freed_bytes += victim.payload.charged_bytes();
            self.release(&victim);
            dropped.push(victim);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::ENTRY_BYTES;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn held(sequence: u64, body_bytes: u64, priority: Priority, is_storable: bool) -> Held {
        let payload = Payload {
            path: "/api/v2/series".into(),
            endpoint_name: "series_v2".into(),
            content_type: "application/x-protobuf".into(),
            encoding: None,
            headers: Vec::new(),
            body: Bytes::from(vec![0; usize::try_from(body_bytes).unwrap()]),
            points: 1,
            is_storable,
            priority,
            kind: crate::payload::Kind::Metrics,
        };
        Held { sequence, created_ms: sequence, attempts: 0, not_before: None, payload }
    }

    fn sequences<'a>(held: impl IntoIterator<Item = &'a Held>) -> Vec<u64> {
        held.into_iter().map(|held| held.sequence).collect()
    }

    /// A body so large that the entry overhead can be scaled away: `units` thousand bytes charged.
    fn sized(sequence: u64, units: u64) -> Held {
        held(sequence, units * 1000 - ENTRY_BYTES, Priority::Normal, true)
    }

    #[test]
    fn the_example_of_the_spec() {
        // Payloads 10, 20, 30, 40 with max 100, ratio 0.6, adding 15: the first three go to disk.
        let limits = QueueLimits { bytes_max: 100_000, flush_ratio: Some(0.6) };
        let mut queue = Queue::new(limits);
        for (sequence, units) in [(1, 10), (2, 20), (3, 30), (4, 40)] {
            assert!(queue.push(sized(sequence, units)).is_empty());
        }
        assert!(queue.push(sized(5, 15)).is_empty());
        assert_eq!(sequences(queue.iter()), [4, 5]);
        assert_eq!(sequences(&queue.take_batch(u64::MAX, 10)), [1, 2, 3]);
    }

    #[test]
    fn without_disk_the_oldest_of_the_lowest_priority_goes() {
        let limits = QueueLimits { bytes_max: 3000, flush_ratio: None };
        let mut queue = Queue::new(limits);
        let size = 1000 - ENTRY_BYTES;
        assert!(queue.push(held(1, size, Priority::High, false)).is_empty());
        assert!(queue.push(held(2, size, Priority::Normal, true)).is_empty());
        assert!(queue.push(held(3, size, Priority::Normal, true)).is_empty());
        assert_eq!(sequences(&queue.push(held(4, size, Priority::Normal, true))), [2]);
        assert_eq!(sequences(&queue.push(held(5, size, Priority::High, false))), [3]);
        assert_eq!(sequences(&queue.push(held(6, size, Priority::High, false))), [4]);
        let refused = queue.push(held(7, size, Priority::Normal, true));
        assert_eq!(sequences(&refused), [7], "a normal one never displaces a high one");
        assert_eq!(sequences(&queue.push(held(8, size, Priority::High, false))), [1]);
    }

    #[test]
    fn an_oversized_one_goes_straight_to_disk_or_is_dropped() {
        let disk = QueueLimits { bytes_max: 1000, flush_ratio: Some(0.5) };
        let mut queue = Queue::new(disk);
        assert!(queue.push(held(1, 5000, Priority::Normal, true)).is_empty());
        assert!(queue.has_outbox());
        assert_eq!(sequences(&queue.push(held(2, 5000, Priority::High, false))), [2]);
        let mut memory = Queue::new(QueueLimits { bytes_max: 1000, flush_ratio: None });
        assert_eq!(sequences(&memory.push(held(1, 5000, Priority::Normal, true))), [1]);
    }

    proptest! {
        #[test]
        fn bounds_hold_and_nothing_is_lost(
            pushes in prop::collection::vec((0u64..2000, any::<bool>(), any::<bool>()), 1..80),
            has_disk: bool,
        ) {
            let limits =
                QueueLimits { bytes_max: 4000, flush_ratio: has_disk.then_some(0.5) };
            let mut queue = Queue::new(limits);
            let mut dropped = 0;
            let total = pushes.len();
            for (index, (bytes, is_high, is_storable)) in pushes.into_iter().enumerate() {
                let priority = if is_high { Priority::High } else { Priority::Normal };
                dropped += queue.push(held(index as u64, bytes, priority, is_storable)).len();
                prop_assert!(queue.bytes <= limits.bytes_max);
                prop_assert!(queue.outbox_bytes <= limits.bytes_max);
                prop_assert_eq!(queue.waiting().count() + dropped, index + 1);
            }
            let bytes: u64 = queue.waiting().map(|held| held.payload.charged_bytes()).sum();
            prop_assert_eq!(bytes, queue.bytes());
            prop_assert_eq!(queue.drain().len() + dropped, total);
            prop_assert_eq!(queue.bytes(), 0);
        }
    }
}
