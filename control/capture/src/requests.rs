//! Captures of requests: what tracers send to the trace port.
//!
//! A file is a header and frames, each with its length and checksum; the whole may be one zstd
//! frame, that is flushed once a second. So a recorder that was killed leaves a file whose requests
//! are whole up to a second before. The last frame counts what was recorded and what was dropped;
//! a file without it is cut.
//!
//! ```text
//! file   = "cltrace" version:u8 frame*            version is 1
//! frame  = length:u32le crc32:u32le message       crc32 (IEEE) of the message
//! message= protobuf {1: int64 arrival in Unix nanoseconds, 2: string path,
//!                    3: repeated {1: string name, 2: string value} headers,
//!                    4: string container, 5: bytes body}
//!        | protobuf {15: {1: int64 requests, 2: int64 drops}}         the last one
//! ```
//!
//! A field that is not known is skipped, a version refused. Only headers that tell something about
//! the body are recorded ([`is_recorded`]), never keys or cookies. A body holds what the
//! application put into its spans, before any obfuscation; files are for their owner alone.

mod format;
mod reader;
mod record;
mod recording;
mod replay;
mod send;
mod writer;

pub use format::REQUESTS_VERSION;
pub use reader::{RequestError, RequestReader, check_request_bytes};
pub use record::{RequestRecord, is_recorded};
pub use recording::{CopiedRequest, RequestPlace, RequestRecording, RequestTap};
pub use replay::{RequestReplayError, RequestReplayOptions, RequestReplayReport, replay_requests};
pub use send::RequestTarget;
pub use writer::RequestWriter;
