//! What lies between the lanes and the recorder: a bounded queue that never makes a lane wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

/// What became of something offered to a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It is on its way to the file.
    Taken,
    /// The queue was full: dropped and counted.
    Full,
    /// The capture is over: drop the tap.
    Closed,
}

/// What travels to the recorder.
#[derive(Debug)]
pub(crate) enum Message<I> {
    /// Something to record.
    Item(I),
    /// Wakes the recorder up, which then looks at `is_stopping`.
    Wake,
}

/// What the lanes and the recorder both see.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) is_stopping: AtomicBool,
    pub(crate) drops: AtomicU64,
    /// Written to the file.
    pub(crate) items: AtomicU64,
    bytes: AtomicU64,
    bytes_max: u64,
}

/// The lanes' end. One clone for each lane.
#[derive(Debug)]
pub(crate) struct Queue<I> {
    sender: SyncSender<Message<I>>,
    shared: Arc<Shared>,
}

/// Bytes of the queue that something takes; they are free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Room {
    shared: Arc<Shared>,
    bytes: u64,
}

/// A queue of `depth` items and `bytes_max` bytes of [`Room`].
pub(crate) fn queue<I>(depth: usize, bytes_max: u64) -> (Queue<I>, Receiver<Message<I>>) {
    let (sender, receiver) = sync_channel(depth);
    let shared = Arc::new(Shared { bytes_max, ..Shared::default() });
    (Queue { sender, shared }, receiver)
}

impl<I> Queue<I> {
    /// Offers an item.
    pub(crate) fn offer(&self, item: I) -> Offer {
        if self.is_over() {
            return Offer::Closed;
        }
        match self.sender.try_send(Message::Item(item)) {
            Ok(()) => Offer::Taken,
            Err(TrySendError::Full(_)) => self.drop_one(),
            Err(TrySendError::Disconnected(_)) => Offer::Closed,
        }
    }

    /// Takes room for an item that is made next; without, why not.
    pub(crate) fn room(&self, bytes: u64) -> Result<Room, Offer> {
        if self.is_over() {
            return Err(Offer::Closed);
        }
        let shared = &self.shared;
        let room = Room { shared: Arc::clone(shared), bytes };
        // Given back by the drop of `room` if it is too much.
        let before = shared.bytes.fetch_add(bytes, Ordering::Relaxed);
        let is_within = before.saturating_add(bytes) <= shared.bytes_max;
        if is_within { Ok(room) } else { Err(self.drop_one()) }
    }

    /// Ends the capture.
    pub(crate) fn stop(&self) {
        self.shared.is_stopping.store(true, Ordering::Relaxed);
        // A full queue wakes the recorder as well.
        drop(self.sender.try_send(Message::Wake));
    }

    pub(crate) fn is_over(&self) -> bool {
        self.shared.is_stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn drops(&self) -> u64 {
        self.shared.drops.load(Ordering::Relaxed)
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    fn drop_one(&self) -> Offer {
        self.shared.drops.fetch_add(1, Ordering::Relaxed);
        Offer::Full
    }
}

impl<I> Clone for Queue<I> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), shared: Arc::clone(&self.shared) }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.shared.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_drops_and_counts() {
        let (queue, _items) = queue(1, 0);
        assert_eq!(queue.offer(1), Offer::Taken);
        assert_eq!(queue.offer(2), Offer::Full);
        assert_eq!(queue.drops(), 1);
        queue.stop();
        assert_eq!(queue.offer(3), Offer::Closed);
        assert!(matches!(queue.room(1), Err(Offer::Closed)));
    }

    #[test]
    fn room_is_bounded_and_comes_back() {
        let (queue, _items) = queue::<Room>(8, 100);
        let first = queue.room(60).expect("there is room");
        assert!(matches!(queue.room(41), Err(Offer::Full)));
        let second = queue.room(40).expect("what was refused took nothing");
        drop(first);
        assert!(queue.room(60).is_ok());
        assert!(matches!(queue.room(u64::MAX), Err(Offer::Full)));
        drop(second);
        assert!(queue.room(100).is_ok());
        assert_eq!(queue.drops(), 2);
    }
}
