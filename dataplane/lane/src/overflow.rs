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

impl Drop for OverflowOutlet {
    /// The helping lane may wait for it.
    fn drop(&mut self) {
        self.bell.ring();
    }
}

impl OverflowInbox {
    /// Whether a batch waits, or one may still come.
    pub(crate) fn is_open(&self) -> bool {
        // In this order: nothing comes after the other end is gone.
        !self.full.is_abandoned() || !self.full.is_empty()
    }

    /// The next batch to work on.
    pub(crate) fn take(&mut self) -> Option<Batch> {
        self.full.pop().ok()
    }

    /// Gives a batch back.
    pub(crate) fn give_back(&mut self, batch: Batch) {
        drop(self.empty.push(batch));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;
    use crate::bell::bell;

    const SLOT_BYTES: usize = 8;

    fn new_batch() -> Batch {
        Batch::new(1, SLOT_BYTES, SLOT_BYTES)
    }

    fn number_of(batch: &Batch) -> u64 {
        batch.packets().fold(0, |_, packet| packet.bytes.iter().fold(0, digits))
    }

    fn digits(number: u64, byte: &u8) -> u64 {
        number << 8 | u64::from(*byte)
    }

    proptest! {
        /// Batches arrive whole, once and in order, and none is sent for which there is no room.
        #[test]
        fn agrees_with_a_queue(script in prop::collection::vec(any::<bool>(), 0..300)) {
            let (bell, _receiver) = bell().unwrap();
            let (mut outlet, mut inbox) = overflow(Arc::new(bell), new_batch);
            let (mut batch, mut model) = (new_batch(), VecDeque::new());
            for (number, is_sent) in (1u64..).zip(script) {
                if is_sent {
                    batch.fill([(number.to_be_bytes().as_slice(), number)]);
                    let has_room = model.len() < BATCHES;
                    prop_assert_eq!(outlet.hand_over(&mut batch), has_room);
                    if has_room {
                        model.push_back(number);
                    } else {
                        prop_assert_eq!(number_of(&batch), number, "it stays as it was");
                    }
                } else {
                    let taken = inbox.take();
                    prop_assert_eq!(taken.as_ref().map(number_of), model.pop_front());
                    taken.into_iter().for_each(|batch| inbox.give_back(batch));
                }
            }
            drop(outlet);
            while let Some(number) = model.pop_front() {
                prop_assert!(inbox.is_open());
                prop_assert_eq!(inbox.take().as_ref().map(number_of), Some(number));
            }
            prop_assert!(!inbox.is_open());
        }
    }

    #[test]
    fn two_threads_lose_nothing() {
        const BATCHES_SENT: u64 = 2000;
        let (bell, _receiver) = bell().unwrap();
        let (mut outlet, mut inbox) = overflow(Arc::new(bell), new_batch);
        let helping = std::thread::spawn(move || {
            let (mut sum, mut last) = (0, 0);
            while inbox.is_open() {
                let Some(batch) = inbox.take() else { continue };
                let number = number_of(&batch);
                assert!(number > last, "in order");
                (sum, last) = (sum + number, number);
                inbox.give_back(batch);
            }
            sum
        });
        let (mut batch, mut kept) = (new_batch(), 0);
        for number in 1..=BATCHES_SENT {
            batch.fill([(number.to_be_bytes().as_slice(), number)]);
            if !outlet.hand_over(&mut batch) {
                kept += number;
            }
        }
        drop(outlet);
        assert_eq!(helping.join().unwrap() + kept, BATCHES_SENT * (BATCHES_SENT + 1) / 2);
    }
}
