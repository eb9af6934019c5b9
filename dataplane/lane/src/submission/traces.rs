//! Payloads of traces that a lane is handed without a socket.
//!
//! A payload is one allocation, and few come: they go through a ring of their own, bounded by
//! number and bytes. The lane takes one at a time, when nothing waits for its worker, so that what
//! was taken does not grow too old; from there on it is a request like others.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rtrb::{Consumer, Producer, RingBuffer};
use server::{Server, TraceVersion};
use signal::Counter;

use super::{Refusals, SubmitError};
use crate::{Bell, Lane};

/// Payloads that may wait.
const PAYLOADS_MAX: usize = 256;

/// The way of traces into a lane without a socket.
pub struct TraceSubmitter {
    ring: Producer<Submitted>,
    waiting_bytes: Arc<AtomicUsize>,
    limits: TraceSubmissionLimits,
    refusals: Arc<Refusals>,
    bell: Arc<Bell>,
}

/// Bytes of payloads.
#[derive(Clone, Copy, Debug)]
pub struct TraceSubmissionLimits {
    /// Of one.
    pub payload_bytes_max: usize,
    /// Of all that wait.
    pub waiting_bytes_max: usize,
}

/// The lane's end.
pub struct TraceInbox {
    ring: Consumer<Submitted>,
    waiting_bytes: Arc<AtomicUsize>,
    refusals: Arc<Refusals>,
}

struct Submitted {
    version: TraceVersion,
    payload: Vec<u8>,
}

/// Both ends. `bell` wakes the lane.
#[must_use]
pub fn trace_submission(
    limits: TraceSubmissionLimits,
    bell: Arc<Bell>,
) -> (TraceSubmitter, TraceInbox) {
    let (producer, consumer) = RingBuffer::new(PAYLOADS_MAX);
    let waiting_bytes = Arc::<AtomicUsize>::default();
    let refusals = Arc::<Refusals>::default();
    let submitter = TraceSubmitter {
        ring: producer,
        waiting_bytes: Arc::clone(&waiting_bytes),
        limits,
        refusals: Arc::clone(&refusals),
        bell,
    };
    (submitter, TraceInbox { ring: consumer, waiting_bytes, refusals })
}

impl TraceSubmitter {
    /// Copies a payload, in MessagePack or protobuf as its version has it, and wakes the lane.
    ///
    /// # Errors
    /// See [`SubmitError`]; a refusal is counted by the lane.
    pub fn submit(&mut self, version: TraceVersion, payload: &[u8]) -> Result<(), SubmitError> {
        if self.ring.is_abandoned() {
            return Err(SubmitError::Stopped);
        }
        if !can_be(version, payload) {
            return Err(SubmitError::Malformed);
        }
        if payload.len() > self.limits.payload_bytes_max {
            self.refusals.too_long.fetch_add(1, Ordering::Relaxed);
            return Err(SubmitError::TooLong);
        }
        // One producer adds, so that nothing can be added between the look and the sum.
        let waiting = self.waiting_bytes.load(Ordering::Relaxed) + payload.len();
        if self.ring.is_full() || waiting > self.limits.waiting_bytes_max {
            self.refusals.full.fetch_add(1, Ordering::Relaxed);
            return Err(SubmitError::Full);
        }
        self.waiting_bytes.fetch_add(payload.len(), Ordering::Relaxed);
        let is_pushed = self.ring.push(Submitted { version, payload: payload.to_vec() }).is_ok();
        debug_assert!(is_pushed, "room only grows while the one producer looks");
        self.bell.ring();
        Ok(())
    }
}

/// Whether the first byte is that of a payload of this version: a list of traces, a pair of a list
/// of strings and traces, a map, a field of OTLP.
fn can_be(version: TraceVersion, payload: &[u8]) -> bool {
    match (version, payload.first()) {
        // The first resource; a request may be empty.
        (TraceVersion::Otlp, first) => matches!(first, None | Some(0x0a)),
        (_, None) => false,
        (TraceVersion::V10 | TraceVersion::V07, Some(byte)) => {
            matches!(byte, 0x80..=0x8f | 0xde | 0xdf)
        }
        (TraceVersion::V05, Some(byte)) => matches!(byte, 0x92 | 0xdc | 0xdd),
        (_, Some(byte)) => matches!(byte, 0x90..=0x9f | 0xc0 | 0xdc | 0xdd),
    }
}

impl TraceInbox {
    /// Payloads that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.ring.slots()
    }

    /// Hands the server of a lane the next payload, unless something waits there already.
    pub(crate) fn feed(&mut self, server: &std::rc::Rc<Server>, lane: &mut Lane) {
        self.refusals.count(lane);
        if server.waiting_requests() > 0 {
            return;
        }
        if let Ok(Submitted { version, payload }) = self.ring.pop() {
            self.waiting_bytes.fetch_sub(payload.len(), Ordering::Relaxed);
            lane.count(Counter::SubmittedPayloads, 1);
            server.submit_traces(version, payload);
        }
    }
}

impl fmt::Debug for TraceSubmitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceSubmitter").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl fmt::Debug for TraceInbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceInbox").field("waiting", &self.waiting()).finish()
    }
}
