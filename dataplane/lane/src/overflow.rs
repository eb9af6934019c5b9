//! Batches of the one Unix datagram queue, handed to other lanes whole when one lane is not enough.

use std::sync::Arc;

use receive::Batch;
use rtrb::{Consumer, Producer, RingBuffer};

use crate::Bell;

/// Batches on the way between two lanes, each way.
const BATCHES: usize = 4;

/// The end of the lane that reads the socket.
#[derive(Debug)]
pub struct OverflowOutlet {
    full: Producer<Batch>,
    empty: Consumer<Batch>,
    bell: Arc<Bell>,
}

/// The end of a lane that helps.
#[derive(Debug)]
pub struct OverflowInbox {
    full: Consumer<Batch>,
    empty: Producer<Batch>,
}

/// A pair of ends with their batches, made by `new_batch`. `bell` wakes the lane that helps.
pub fn overflow(bell: Arc<Bell>, new_batch: impl Fn() -> Batch) -> (OverflowOutlet, OverflowInbox) {
    let (full_producer, full) = RingBuffer::new(BATCHES);
    let (mut empty, empty_consumer) = RingBuffer::new(BATCHES);
    for _ in 0..BATCHES {
        // The ring has room for all of them.
        drop(empty.push(new_batch()));
    }
    let outlet = OverflowOutlet { full: full_producer, empty: empty_consumer, bell };
    (outlet, OverflowInbox { full, empty })
}

impl OverflowOutlet {
    /// Hands `batch` over and replaces it by an empty one; false when the other lane has no room,
    /// and `batch` is as it was.
    pub(crate) fn hand_over(&mut self, batch: &mut Batch) -> bool {
        let Ok(empty) = self.empty.pop() else { return false };
        let was_idle = self.full.slots() == BATCHES;
        let filled = std::mem::replace(batch, empty);
        // As many batches exist as the ring has room for.
        let is_sent = self.full.push(filled).is_ok();
        if was_idle {
            self.bell.ring();
        }
        is_sent
    }
}

impl OverflowInbox {
    /// The next batch to work on.
    pub(crate) fn take(&mut self) -> Option<Batch> {
        self.full.pop().ok()
    }

    /// Gives a batch back.
    pub(crate) fn give_back(&mut self, batch: Batch) {
        drop(self.empty.push(batch));
    }
}
