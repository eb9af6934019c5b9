//! The lane: receive a batch, run the stages, answer the flush tick.
//!
//! ```text
//!                 .--------------------- thread, pinned if asked ----------------------.
//! control --Command ring--> Lane (state machine) <--batches-- driver (io_uring | epoll) |
//!         <--Output ring---'   Shard, counters                 Sources: UDP, UDS, stream |
//! anyone --Submitter: ring of bytes-------------------------------------'                |
//!                 '---------------------------------------------------------------------'
//! ```
//!
//! A [`Lane`] knows no clock, no socket and no thread: it is told a batch, the time, a command. The
//! drivers do the waiting, and all of them drain the same way, with `recvmmsg`, which was measured
//! against io_uring multishot receives on both socket kinds and is as fast when saturated and a
//! quarter cheaper when moderated (`bench/results/receive-experiment.md`).
//!
//! Waiting is what costs at ordinary rates: waking up takes some 10 to 25 microseconds, the work of
//! 200 metrics, and cold caches as much again. A lane that found several packets therefore lets the
//! queues fill for a few milliseconds, bounded by their room and the rate, see [`Moderation`].
//!
//! A third driver, [`SimulatedLane`], takes the same turns on a clock and sockets that are data.
//!
//! Two features, both on by default: `traces` is everything that needs HTTP, `io-uring` the driver
//! of that name, which builds for musl are always without. What is switched off has a stand-in of
//! the same face in `without`, that cannot be made, so that the compiler knows that what would use
//! it is never reached.
//!
//! Invariants: no lock; everything shared is an immutable snapshot, a bounded ring or a counter
//! with one writer; a turn handles a bounded number of batches; a panic restarts the lane empty and
//! is counted; what was received before a stop is flushed, by the lanes that help too.

#![cfg_attr(
    any(not(all(feature = "traces", feature = "io-uring")), target_env = "musl"),
    allow(dead_code, reason = "what only a product that was left out would call")
)]

mod acceptor;
mod bell;
mod driver;
#[cfg_attr(not(feature = "traces"), path = "without/http.rs")]
mod http;
mod lane;
mod moderation;
mod overflow;
mod port;
mod sources;
mod start;
mod submission;
#[cfg(test)]
mod test_lane;
#[cfg(feature = "traces")]
mod traces;

pub use acceptor::{Acceptor, NewConnection};
pub use bell::Bell;
pub use driver::DriverKind;
pub use driver::simulated::{Outcome, SimulatedLane};
pub use http::{HttpSources, RequestTap, TraceHandover, TraceInbox, TraceOrders, TraceSubmitter};
pub use lane::{CaptureTap, CapturedPacket, Lane, LaneSettings, Now, Transport};
pub use moderation::{Found, Moderation, Wait};
pub use overflow::{OverflowInbox, OverflowOutlet, overflow};
pub use port::{Command, LaneHandle, LanePort, Output, port};
pub use sources::Sources;
pub use start::{LaneThread, StartLane, start};
pub use submission::{
    SUBMISSION_LINE_BYTES_MAX, SubmissionInbox, SubmitError, Submitted, Submitter, submission,
};
#[cfg(feature = "traces")]
pub use submission::{TraceSubmissionLimits, trace_submission};
#[cfg(feature = "traces")]
pub use traces::{
    CapturedRequest, ClientHead, ClientStats, Container, EncodedPayload, HeldCounts, Outbox,
    RequestRoom, Shedding, TakeCopy, TraceCounts, TraceSettings, TracerCounts,
};

/// Why [`DriverKind::IoUring`] cannot be had in a build without the feature `io-uring` or for musl;
/// none in others.
pub const NO_IO_URING: Option<&str> = if cfg!(target_env = "musl") {
    Some("this build has no io_uring: glommio, its runtime, does not exist for musl")
} else if cfg!(feature = "io-uring") {
    None
} else {
    Some("this build has no io_uring: it was made without the feature `io-uring`")
};
