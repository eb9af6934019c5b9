//! Payloads that wait for the tags of their container. spec: apm §4.2, buffering.
//!
//! A container that has just started is known by its id before its tags are. Its payloads are
//! answered at once, but held before processing for up to [`WAIT`], as bodies: they are decoded
//! once more when they go on. Nothing is held where no container has tags, for whom nothing was
//! found in that time before, or beyond the bytes allowed; the payload then goes on without tags.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use entity::{OriginSnapshot, container_entity};

use super::container::Container;
use super::work::Work;

/// How long a payload waits. spec: apm §4.2.
const WAIT: Duration = Duration::from_secs(12);
/// How long a container that got no tags is not waited for again.
const UNTAGGED: Duration = Duration::from_mins(5);
/// Containers that are remembered to have got none.
const UNTAGGED_MAX: usize = 1024;

/// A payload that waits.
#[derive(Debug)]
pub(crate) struct Held {
    pub(super) work: Work,
    pub(super) body: Vec<u8>,
    pub(super) since: Instant,
}

/// All that wait, in the order of their arrival.
#[derive(Debug, Default)]
pub(super) struct HeldQueue {
    queue: VecDeque<Held>,
    /// Payloads that go on.
    due: VecDeque<Held>,
    bytes: usize,
    bytes_max: usize,
    /// Whether some container has tags: there is somebody who knows them.
    is_source_there: bool,
    untagged: HashMap<String, Instant>,
    counts: HeldCounts,
    worker: Option<Waker>,
}

/// What became of payloads whose container had no tags. Held = tagged + untagged + those that wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldCounts {
    /// Payloads that were held.
    pub held: u64,
    /// Payloads of these that got tags.
    pub tagged: u64,
    /// Payloads of these that went on without.
    pub untagged: u64,
    /// Payloads that were not held, because there was no room.
    pub refused: u64,
    /// Payloads that wait now.
    pub waiting: u64,
    /// Bytes of these.
    pub waiting_bytes: u64,
}

impl HeldQueue {
    /// Room for this many bytes of bodies; 0 holds nothing.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, ..Self::default() }
    }

    pub(super) fn counts(&self) -> HeldCounts {
        let waiting = (self.queue.len() + self.due.len()) as u64;
        HeldCounts { waiting, waiting_bytes: self.bytes as u64, ..self.counts }
    }

    /// Whether a payload of this container is to be held.
    pub(super) fn wants(&mut self, container: &Container, bytes: u64) -> bool {
        let is_untagged = !container.id.is_empty() && container.tags.is_empty();
        if self.bytes_max == 0 || !is_untagged || !self.is_source_there {
            return false;
        }
        if self.untagged.contains_key(&container.id) {
            return false;
        }
        let left = self.bytes_max.saturating_sub(self.bytes);
        let has_room = usize::try_from(bytes).is_ok_and(|bytes| bytes <= left);
        self.counts.refused += u64::from(!has_room);
        has_room
    }

    pub(super) fn push(&mut self, held: Held) {
        self.counts.held += 1;
        self.bytes += held.body.len();
        self.queue.push_back(held);
    }

    /// Looks for tags that are there now, and for payloads that have waited long enough; all of
    /// them when `is_last`.
    pub(super) fn look(&mut self, snapshot: &Arc<OriginSnapshot>, now: Instant, is_last: bool) {
        self.is_source_there = !snapshot.entities.is_empty();
        self.untagged.retain(|_, since| now.saturating_duration_since(*since) < UNTAGGED);
        let mut waiting = VecDeque::new();
        for mut held in std::mem::take(&mut self.queue) {
            let id = &held.work.container.id;
            let is_over = is_last || now.saturating_duration_since(held.since) >= WAIT;
            if snapshot.entities.contains_key(&container_entity(id)) {
                held.work.container = Container::with_id(id, snapshot);
                self.counts.tagged += 1;
            } else if is_over {
                self.counts.untagged += 1;
                if self.untagged.len() < UNTAGGED_MAX {
                    self.untagged.insert(id.clone(), now);
                }
            } else {
                waiting.push_back(held);
                continue;
            }
            self.due.push_back(held);
        }
        self.queue = waiting;
        if !self.due.is_empty()
            && let Some(worker) = self.worker.take()
        {
            worker.wake();
        }
    }

    /// The next payload that goes on.
    pub(super) fn next(&mut self) -> Option<Held> {
        let held = self.due.pop_front()?;
        self.bytes = self.bytes.saturating_sub(held.body.len());
        Some(held)
    }

    /// Wakes the worker when there is one.
    pub(super) fn wait(&mut self, worker: &Waker) {
        self.worker = Some(worker.clone());
    }

    pub(super) fn is_due(&self) -> bool {
        !self.due.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use entity::EntityTags;

    use super::*;

    #[expect(clippy::disallowed_methods, reason = "any instant is as good")]
    fn now() -> Instant {
        Instant::now()
    }

    fn container(id: &str) -> Container {
        Container { id: id.into(), tags: Vec::new() }
    }

    fn snapshot(ids: &[&str]) -> Arc<OriginSnapshot> {
        let mut snapshot = OriginSnapshot::default();
        for id in ids {
            snapshot.entities.insert(container_entity(id), EntityTags::default().into());
        }
        Arc::new(snapshot)
    }

    fn held(id: &str, since: Instant) -> Held {
        Held { work: Work::of_container(container(id)), body: vec![0; 10], since }
    }

    #[test]
    fn what_cannot_be_tagged_is_not_held() {
        let now = now();
        let mut queue = HeldQueue::new(25);
        assert!(!queue.wants(&container("a"), 10), "nobody knows tags");
        queue.look(&snapshot(&["x"]), now, false);
        assert!(queue.wants(&container("a"), 10));
        assert!(!queue.wants(&container(""), 10));
        queue.push(held("a", now));
        queue.push(held("a", now));
        assert!(!queue.wants(&container("a"), 10), "no room");
        let counts = HeldCounts {
            held: 2,
            refused: 1,
            waiting: 2,
            waiting_bytes: 20,
            ..HeldCounts::default()
        };
        assert_eq!(queue.counts(), counts);
        assert!(!HeldQueue::new(0).wants(&container("a"), 0));
    }

    #[test]
    fn a_payload_goes_on_with_its_tags_or_after_the_wait() {
        let now = now();
        let mut queue = HeldQueue::new(1000);
        queue.look(&snapshot(&["x"]), now, false);
        queue.push(held("late", now));
        queue.push(held("tagged", now));
        queue.look(&snapshot(&["x", "tagged"]), now, false);
        assert_eq!(queue.next().map(|held| held.work.container.id), Some("tagged".into()));
        assert!(queue.next().is_none());
        queue.look(&snapshot(&["x"]), now + WAIT, false);
        assert!(queue.is_due() && queue.next().is_some());
        assert!(!queue.wants(&container("late"), 10), "waited for in vain before");
        queue.look(&snapshot(&["x"]), now + WAIT + UNTAGGED, false);
        assert!(queue.wants(&container("late"), 10));
        queue.push(held("late", now + WAIT + UNTAGGED));
        queue.look(&snapshot(&[]), now + WAIT + UNTAGGED, true);
        assert!(queue.next().is_some(), "at the end all go on");
        let counts = HeldCounts { held: 3, tagged: 1, untagged: 2, ..HeldCounts::default() };
        assert_eq!(queue.counts(), counts);
    }
}
