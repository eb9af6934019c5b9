//! Captures: record DogStatsD traffic in the Agent's format, or requests of tracers in our own;
//! read them, send them again.
//!
//! ```text
//! lanes --Tap, RequestTap--> bounded queue --Recorder's thread--> writer --> file (plain or zstd)
//! file --Capture::open--> records --replay--> Unix socket, with the first sender's process id
//!                    `--> TaggerState --> origin::Publisher::load_replay
//! file --RequestReader::open--> requests --replay_requests--> HTTP
//! ```
//!
//! Deliberately not here: when a capture is asked for, and the upload of its state to a running
//! agent; that is the API's business.
//!
//! Invariants: recording never blocks a lane, it drops and counts; one capture of a kind runs at a
//! time, for a bounded time and into a file of bounded size, and a kill costs its last second; a
//! file of any content yields records or an error, in memory that its (decompressed) size bounds;
//! what is written is read back equal. spec: dogstatsd §12; for requests see `requests`.

#![forbid(unsafe_code)]

mod format;
mod proto;
mod queue;
mod reader;
mod record;
mod recorder;
mod replay;
mod requests;
mod send;
mod sink;
mod state;
mod tap;
mod writer;

pub use format::{VERSION, VERSION_WITH_NANOSECONDS, VERSION_WITH_STATE};
pub use queue::Offer;
pub use reader::{
    Capture, CaptureError, ReadLimits, Records, check_capture_bytes, decode_state, encode_state,
};
pub use record::Record;
pub use recorder::{
    CAPTURE_DURATION_MAX, End, Progress, QUEUE_DEPTH_MIN, Recorder, RecorderOptions, Recording,
    Request, StartError, Started, Summary,
};
pub use replay::{Pace, ReplayError, ReplayOptions, ReplayReport, pace_with, replay};
pub use requests::{
    CopiedRequest, REQUESTS_VERSION, RequestError, RequestPlace, RequestReader, RequestRecord,
    RequestRecording, RequestReplayError, RequestReplayOptions, RequestReplayReport, RequestTap,
    RequestTarget, RequestWriter, check_request_bytes, is_recorded, replay_requests,
};
pub use send::{CredentialUse, Target};
pub use sink::Compression;
pub use tap::{CopiedPacket, Packet, PacketRecording, Tap};
pub use writer::Writer;
