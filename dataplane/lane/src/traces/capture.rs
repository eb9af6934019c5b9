//! Copies of requests for a capture.

use std::fmt;

use futures_lite::future::yield_now;
use server::{Head, Request};

use super::worker::{SharedDrive, with_traces};
use super::{Container, Traces};
use crate::driver::clock;

/// One request for a capture.
#[derive(Debug)]
pub struct CapturedRequest<'a> {
    /// What its headers say.
    pub head: &'a Head,
    /// Container of the sender; its id is empty when unknown.
    pub container: &'a Container,
    /// When it had arrived, in nanoseconds of Unix time.
    pub unix_ns: u64,
    /// A copy of its body.
    pub body: Vec<u8>,
}

/// Takes copies of requests, without waiting.
pub struct RequestTap {
    /// Asks for room for a request whose body has so many bytes, before it is copied.
    pub room: Box<dyn FnMut(usize) -> RequestRoom + Send>,
}

/// Takes the copy of a request; whether it was kept.
pub type TakeCopy = Box<dyn FnOnce(CapturedRequest<'_>) -> bool>;

/// Whether a request is to be copied.
pub enum RequestRoom {
    /// Yes, for this.
    Free(TakeCopy),
    /// No: what waits to be written is as much as it may be.
    Full,
    /// No: the capture is over.
    Closed,
}

/// Bytes that are copied between two turns of the lane: some tenths of a millisecond.
const COPY_BYTES: usize = 1 << 20;

/// Copies a request to the capture, if there is one and it has room.
pub(super) async fn capture(drive: &SharedDrive, request: &Request, container: &Container) {
    let bytes = request.body.bytes();
    let room =
        with_traces(drive, |lane, traces| traces.room_in(&mut lane.request_tap, bytes.len()));
    let Some(take) = room.flatten() else { return };
    let mut body = Vec::with_capacity(bytes.len());
    let arrived = with_traces(drive, |_, traces| {
        traces.server.now().saturating_duration_since(request.received)
    });
    let age_ns = u64::try_from(arrived.unwrap_or_default().as_nanos()).unwrap_or(u64::MAX);
    let unix_ns = clock().unix_us.saturating_mul(1000).saturating_sub(age_ns);
    for piece in bytes.chunks(COPY_BYTES) {
        body.extend_from_slice(piece);
        if body.len() < bytes.len() {
            yield_now().await;
        }
    }
    let is_kept = take(CapturedRequest { head: &request.head, container, unix_ns, body });
    with_traces(drive, |_, traces| traces.count_captured(is_kept));
}

impl Traces {
    /// Room in the capture, if there is one.
    fn room_in(&mut self, tap: &mut Option<RequestTap>, bytes: usize) -> Option<TakeCopy> {
        match (tap.as_mut()?.room)(bytes) {
            RequestRoom::Free(take) => Some(take),
            RequestRoom::Full => {
                self.count_captured(false);
                None
            }
            RequestRoom::Closed => {
                *tap = None;
                None
            }
        }
    }

    const fn count_captured(&mut self, is_kept: bool) {
        if is_kept {
            self.counts.requests_captured += 1;
        } else {
            self.counts.requests_not_captured += 1;
        }
    }
}

impl fmt::Debug for RequestTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestTap")
    }
}

impl fmt::Debug for RequestRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Free(_) => "Free",
            Self::Full => "Full",
            Self::Closed => "Closed",
        })
    }
}
