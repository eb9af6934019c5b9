//! Packets that a lane is handed without a socket: by the host of an embedded agent, by a proxy.
//!
//! ```text
//! Submitter --[length, bytes][length, bytes]...--> ring of bytes --> SubmissionInbox (a source)
//! ```
//!
//! Bytes begin with the id of the sender's container, and its length, where the length says so by
//! its highest bit.
//!
//! One bounded ring of bytes per lane, with one producer: whoever shares a [`Submitter`] between
//! threads puts a lock around it, which the lane never sees. A packet is copied twice in its life
//! and allocates nothing. The lane is not woken for a packet, which would cost some microseconds of
//! the caller's time: it looks at least ten times a second, before each command, and when the ring
//! is half full, for which the submitter rings once.
//!
//! Every packet is either taken by the lane, which counts it as it counts those of sockets, or
//! refused at once; refusals are handed to the lane, which counts them by reason.

#[cfg(feature = "traces")]
mod traces;

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rtrb::chunks::ReadChunk;
use rtrb::{Consumer, Producer, RingBuffer};
use signal::Counter;

#[cfg(feature = "traces")]
pub use self::traces::{TraceInbox, TraceSubmissionLimits, TraceSubmitter, trace_submission};
use crate::{Bell, Found, Lane, Now};

/// Longest line, and longest piece that a longer text is split into.
pub const SUBMISSION_LINE_BYTES_MAX: usize = 64 << 10;
/// Bytes read before the sockets have their turn; at least the longest packet.
const BYTES_PER_LOOK: usize = 256 << 10;
/// Bytes of the length in front of a packet.
const PREFIX: usize = size_of::<u32>();
/// Bit of a length that says that a container follows.
const HAS_CONTAINER: u32 = 1 << 31;
/// Bytes of the length of a container's id, which are few. spec: dogstatsd §7.5
const CONTAINER_PREFIX: usize = 1;
/// Longest id of a container; a longer one names nothing.
const CONTAINER_BYTES_MAX: usize = u8::MAX as usize;

/// A packet as the lane takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submitted<'p> {
    /// Id of the container that sent it; empty when nobody knows.
    pub container: &'p [u8],
    /// DogStatsD lines.
    pub text: &'p [u8],
}

/// The way into a lane without a socket.
pub struct Submitter {
    ring: Producer<u8>,
    refusals: Arc<Refusals>,
    bell: Arc<Bell>,
}

/// The lane's end.
pub struct SubmissionInbox {
    ring: Consumer<u8>,
    refusals: Arc<Refusals>,
    /// A packet that lies across the end of the ring.
    joined: Vec<u8>,
}

/// Why a text was not taken. Nothing of it was then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The ring has no room now.
    #[error("the lane has no room for this now: try again, or raise corelane.submission_bytes_max")]
    Full,
    /// It never has: a line is too long, or the whole is longer than the ring.
    #[error("a line is longer than 64 KiB, or the text longer than corelane.submission_bytes_max")]
    TooLong,
    /// It cannot be what it is said to be.
    #[error("this is no payload of traces of that version")]
    Malformed,
    /// The lane has ended.
    #[error("the agent has stopped")]
    Stopped,
}

/// Refusals that the lane has not counted yet.
#[derive(Debug, Default)]
struct Refusals {
    full: AtomicU64,
    too_long: AtomicU64,
}

impl Refusals {
    /// Lets the lane count them.
    fn count(&self, lane: &mut Lane) {
        for (refusals, counter) in
            [(&self.full, Counter::SubmissionsFull), (&self.too_long, Counter::SubmissionsTooLong)]
        {
            if refusals.load(Ordering::Relaxed) > 0 {
                lane.count(counter, refusals.swap(0, Ordering::Relaxed));
            }
        }
    }
}

/// Both ends of a ring of `bytes_max`. `bell` wakes the lane.
#[must_use]
pub fn submission(bytes_max: usize, bell: Arc<Bell>) -> (Submitter, SubmissionInbox) {
    let (producer, consumer) = RingBuffer::new(bytes_max);
    let refusals = Arc::<Refusals>::default();
    let submitter = Submitter { ring: producer, refusals: Arc::clone(&refusals), bell };
    (submitter, SubmissionInbox { ring: consumer, refusals, joined: Vec::new() })
}

impl Submitter {
    /// Copies DogStatsD text, of one or more lines, into the ring: all of it or nothing.
    ///
    /// # Errors
    /// See [`SubmitError`]; a refusal is counted by the lane.
    pub fn submit(&mut self, text: &[u8]) -> Result<(), SubmitError> {
        self.submit_from(b"", text)
    }

    /// The same for a text that a container sent, of this id; empty for nobody knows which.
    ///
    /// # Errors
    /// See [`SubmitError`]; a refusal is counted by the lane.
    pub fn submit_from(&mut self, container: &[u8], text: &[u8]) -> Result<(), SubmitError> {
        let container = Some(container).filter(|id| id.len() <= CONTAINER_BYTES_MAX);
        let container = container.unwrap_or_default();
        if self.ring.is_abandoned() {
            return Err(SubmitError::Stopped);
        }
        let capacity = self.ring.buffer().capacity();
        let mut needed = 0;
        for piece in Pieces(text) {
            if piece.len() > SUBMISSION_LINE_BYTES_MAX {
                return self.refuse(SubmitError::TooLong);
            }
            needed += PREFIX + container_bytes(container) + piece.len();
        }
        let free = self.ring.slots();
        if needed > free {
            let is_too_long = needed > capacity;
            return self.refuse(if is_too_long { SubmitError::TooLong } else { SubmitError::Full });
        }
        for piece in Pieces(text) {
            self.push(container, piece);
        }
        let half = capacity / 2;
        if free > half && free - needed <= half {
            self.bell.ring();
        }
        Ok(())
    }

    /// Adds a piece for which there is room.
    fn push(&mut self, container: &[u8], piece: &[u8]) {
        let length = u32::try_from(container_bytes(container) + piece.len()).unwrap_or(0);
        let flag = if container.is_empty() { 0 } else { HAS_CONTAINER };
        let mut is_pushed = self.ring.push_entire_slice(&(length | flag).to_le_bytes()).is_ok();
        if !container.is_empty() {
            let length = u8::try_from(container.len()).unwrap_or(0);
            is_pushed &= self.ring.push_entire_slice(&[length]).is_ok()
                && self.ring.push_entire_slice(container).is_ok();
        }
        is_pushed &= self.ring.push_entire_slice(piece).is_ok();
        debug_assert!(is_pushed, "room only grows while the one producer looks");
    }

    fn refuse(&self, error: SubmitError) -> Result<(), SubmitError> {
        let refusals = match error {
            SubmitError::Full => &self.refusals.full,
            SubmitError::TooLong | SubmitError::Malformed | SubmitError::Stopped => {
                &self.refusals.too_long
            }
        };
        refusals.fetch_add(1, Ordering::Relaxed);
        Err(error)
    }
}

/// Bytes that the name of a sender takes.
const fn container_bytes(container: &[u8]) -> usize {
    if container.is_empty() { 0 } else { CONTAINER_PREFIX + container.len() }
}

/// Splits a text into pieces of whole lines, none longer than it must be.
struct Pieces<'t>(&'t [u8]);

impl<'t> Iterator for Pieces<'t> {
    type Item = &'t [u8];

    fn next(&mut self) -> Option<&'t [u8]> {
        let text = self.0;
        if text.is_empty() {
            return None;
        }
        let window = text.get(..SUBMISSION_LINE_BYTES_MAX).filter(|cut| cut.len() < text.len());
        let end = window.map_or(text.len(), |window| {
            let is_end = |byte: &u8| *byte == b'\n';
            // Without a line end inside, the line itself is too long.
            window.iter().rposition(is_end).map_or(text.len(), |at| at + 1)
        });
        let (piece, rest) = text.split_at(end);
        self.0 = rest;
        Some(piece)
    }
}

impl SubmissionInbox {
    /// Hands the lane what waits, a bounded number of bytes.
    pub(crate) fn drain(&mut self, lane: &mut Lane, now: Now) -> Found {
        self.refusals.count(lane);
        let waiting = self.ring.slots();
        let Ok(chunk) = self.ring.read_chunk(waiting.min(BYTES_PER_LOOK)) else {
            return Found::default();
        };
        if !chunk.is_empty() {
            let reading = Reading { chunk: Some(chunk), done: Cell::new(0) };
            reading.each(&mut self.joined, |packets| lane.on_submitted(packets, now));
        }
        Found { is_backlogged: waiting > BYTES_PER_LOOK, ..Found::default() }
    }
}

/// Bytes that are being read. What was begun leaves the ring at drop: if it makes the lane panic,
/// it does so once.
struct Reading<'r> {
    chunk: Option<ReadChunk<'r, u8>>,
    done: Cell<usize>,
}

impl Reading<'_> {
    /// Gives every whole packet to `take`, in at most three parts.
    fn each(&self, joined: &mut Vec<u8>, mut take: impl FnMut(&mut Packets<'_>)) {
        let Some(chunk) = &self.chunk else { return };
        let (first, second) = chunk.as_slices();
        let mut packets = Packets { bytes: first, at: 0, done: Some(&self.done) };
        take(&mut packets);

        let rest = first.get(packets.at..).unwrap_or_default();
        let mut start = 0;
        if !rest.is_empty() {
            let Some(whole) = whole_length(rest, second) else { return };
            joined.clear();
            joined.extend_from_slice(rest);
            start = whole - rest.len();
            joined.extend_from_slice(second.get(..start).unwrap_or_default());
            self.done.set(self.done.get() + whole);
            take(&mut Packets { bytes: joined, at: 0, done: None });
        }
        let second = second.get(start..).unwrap_or_default();
        take(&mut Packets { bytes: second, at: 0, done: Some(&self.done) });
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        if let Some(chunk) = self.chunk.take() {
            chunk.commit(self.done.get());
        }
    }
}

/// Length with its prefix of the packet that begins with `first` and goes on in `second`; nothing
/// while it is not all there.
fn whole_length(first: &[u8], second: &[u8]) -> Option<usize> {
    let mut prefix = [0; PREFIX];
    for (byte, from) in prefix.iter_mut().zip(first.iter().chain(second)) {
        *byte = *from;
    }
    let there = first.len() + second.len();
    let whole = PREFIX + usize::try_from(u32::from_le_bytes(prefix) & !HAS_CONTAINER).ok()?;
    (there >= PREFIX && there >= whole).then_some(whole)
}

/// The packets that are whole in a slice.
struct Packets<'r> {
    bytes: &'r [u8],
    at: usize,
    done: Option<&'r Cell<usize>>,
}

impl<'r> Iterator for Packets<'r> {
    type Item = Submitted<'r>;

    fn next(&mut self) -> Option<Submitted<'r>> {
        let rest = self.bytes.get(self.at..)?;
        let whole = whole_length(rest, &[])?;
        let packet = rest.get(PREFIX..whole)?;
        self.at += whole;
        if let Some(done) = self.done {
            done.set(done.get() + whole);
        }
        // The highest byte of the length comes last.
        if rest.get(PREFIX - 1).is_none_or(|&highest| highest < 1 << 7) {
            return Some(Submitted { container: &[], text: packet });
        }
        let (&length, named) = packet.split_first()?;
        let (container, text) = named.split_at_checked(usize::from(length))?;
        Some(Submitted { container, text })
    }
}

impl fmt::Debug for Submitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submitter").field("free", &self.ring.slots()).finish_non_exhaustive()
    }
}

impl fmt::Debug for SubmissionInbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubmissionInbox").field("waiting", &self.ring.slots()).finish()
    }
}

#[cfg(test)]
mod tests;
