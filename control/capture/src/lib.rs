//! DogStatsD capture files in the Agent's format: record traffic, read it, send it again.
//!
//! ```text
//! lanes --Tap::offer--> bounded queue --Recorder's thread--> Writer --> file (plain or zstd)
//! file --Capture::open--> records --replay--> Unix socket, with the first sender's process id
//!                    `--> TaggerState --> origin::Publisher::load_replay
//! ```
//!
//! Deliberately not here: when a capture is asked for, and the upload of its state to a running
//! agent; that is the API's business.
//!
//! Invariants: recording never blocks a lane, it drops and counts; one capture runs at a time, for
//! a bounded time and into a file of bounded size; a file of any content yields records or an
//! error, in memory that its (decompressed) size bounds; what [`Writer`] writes, [`Capture`] reads
//! back equal. spec: dogstatsd §12.

#![forbid(unsafe_code)]

mod format;
mod proto;
mod reader;
mod record;
mod recorder;
mod replay;
mod send;
mod state;
mod tap;
mod writer;

pub use format::{VERSION, VERSION_WITH_NANOSECONDS, VERSION_WITH_STATE};
pub use reader::{
    Capture, CaptureError, ReadLimits, Records, check_capture_bytes, decode_state, encode_state,
};
pub use record::Record;
pub use recorder::{
    CAPTURE_DURATION_MAX, End, QUEUE_DEPTH_MIN, Recorder, RecorderOptions, Request, StartError,
    Started, Summary,
};
pub use replay::{Pace, ReplayError, ReplayOptions, ReplayReport, pace_with, replay};
pub use send::{CredentialUse, Target};
pub use tap::{Offer, Packet, Tap};
pub use writer::{Compression, Writer};
