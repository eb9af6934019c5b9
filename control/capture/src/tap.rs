//! The lane's end of a running capture.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};

use crate::Record;

/// A packet as a lane offers it.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// What goes to the file.
    pub record: Record<'a>,
    /// Entity of the sender, when it was resolved.
    pub origin: Option<&'a Arc<str>>,
}

/// What became of an offered packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It is on its way to the file.
    Taken,
    /// The queue was full: dropped and counted.
    Full,
    /// The capture is over: drop the tap.
    Closed,
}

/// Copies packets into a running capture. One clone for each lane; never blocks.
#[derive(Clone, Debug)]
pub struct Tap {
    pub(crate) queue: SyncSender<Message>,
    pub(crate) shared: Arc<Shared>,
}

/// What the tap and the recorder both see.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) is_stopping: AtomicBool,
    pub(crate) drops: AtomicU64,
}

/// What travels to the recorder.
#[derive(Debug)]
pub(crate) enum Message {
    /// A packet: one allocation holds payload and control messages.
    Packet {
        unix_ns: i64,
        pid: i32,
        origin: Option<Arc<str>>,
        bytes: Box<[u8]>,
        payload_len: usize,
    },
    /// Wakes the recorder up, which then looks at `is_stopping`.
    Wake,
}

impl Tap {
    /// Offers one packet.
    pub fn offer(&self, packet: Packet<'_>) -> Offer {
        if self.shared.is_stopping.load(Ordering::Relaxed) {
            return Offer::Closed;
        }
        let Record { unix_ns, pid, payload, ancillary } = packet.record;
        let message = Message::Packet {
            unix_ns,
            pid,
            origin: packet.origin.cloned(),
            bytes: [payload, ancillary].concat().into_boxed_slice(),
            payload_len: payload.len(),
        };
        match self.queue.try_send(message) {
            Ok(()) => Offer::Taken,
            Err(TrySendError::Full(_)) => {
                self.shared.drops.fetch_add(1, Ordering::Relaxed);
                Offer::Full
            }
            Err(TrySendError::Disconnected(_)) => Offer::Closed,
        }
    }
}
