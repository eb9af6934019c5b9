//! What the API asks of the agent.

use serde::{Deserialize, Serialize};

use crate::Snapshot;

/// A running agent, seen from its API. Calls come from a few threads of the API at once; only
/// [`is_live`](Self::is_live) and [`is_ready`](Self::is_ready) must answer without waiting.
///
/// Nothing returned may hold a secret: keys are reduced to their last characters, the configuration
/// is scrubbed. Errors are sentences for the user.
pub trait Source: Send + Sync {
    /// The agent at this moment.
    fn snapshot(&self) -> Snapshot;

    /// Whether every thread makes progress.
    fn is_live(&self) -> bool;

    /// Whether the agent can do its work.
    ///
    /// # Errors
    /// Why it cannot.
    fn is_ready(&self) -> Result<(), String>;

    /// The contexts alive, in any order.
    ///
    /// # Errors
    /// When the lanes did not answer in time.
    fn top(&self) -> Result<Vec<TopRow>, String>;

    /// The configuration in effect as YAML, scrubbed.
    fn config_yaml(&self) -> String;

    /// Starts a capture and names its file.
    ///
    /// # Errors
    /// When one of the kind is under way already, or the file cannot be made.
    fn start_capture(&self, kind: CaptureKind, request: CaptureRequest) -> Result<String, String>;

    /// Ends the capture under way and names its file.
    ///
    /// # Errors
    /// When none of the kind is under way.
    fn stop_capture(&self, kind: CaptureKind) -> Result<String, String>;

    /// Loads the tagger state of a capture file (`TaggerState` as protobuf, spec: dogstatsd §12)
    /// and tells how many processes it names.
    ///
    /// # Errors
    /// When it is malformed or too large.
    fn load_replay_state(&self, state: Vec<u8>) -> Result<usize, String>;

    /// Reads the configuration again and tells what changed.
    ///
    /// # Errors
    /// When it cannot be read; the old one stays in effect.
    fn reload(&self) -> Result<String, String>;

    /// Flushes the buckets that are closed, without waiting for the interval.
    ///
    /// # Errors
    /// When the agent is stopping.
    fn flush(&self) -> Result<(), String>;

    /// Makes an archive for support (a zip file) about this agent. Takes up to 15 s.
    ///
    /// # Errors
    /// When it cannot be made.
    fn flare(&self) -> Result<Vec<u8>, String>;

    /// The debug statistics of spec dogstatsd §13, as the Agent serves them.
    ///
    /// # Errors
    /// When they are not enabled.
    fn dogstatsd_stats(&self) -> Result<serde_json::Value, String>;
}

/// One context that is alive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TopRow {
    /// Metric name.
    pub name: String,
    /// Tags.
    pub tags: Vec<String>,
    /// Host, empty if it is the agent's.
    pub host: String,
    /// Container or other entity that sent it, empty if unknown.
    pub origin: String,
    /// Samples since the context was made.
    pub samples: u64,
}

/// What a capture is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureKind {
    /// Packets of DogStatsD.
    Packets,
    /// Requests of tracers.
    Requests,
}

/// What to capture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CaptureRequest {
    /// Directory of the file; the configured one if none is given.
    pub dir: Option<String>,
    /// Ends by itself after this many seconds.
    pub duration_secs: u64,
    /// Whether the file is compressed (zstd).
    pub is_compressed: bool,
    /// Ends by itself when the file has so many bytes, before compression.
    pub bytes_max: Option<u64>,
}

impl Default for CaptureRequest {
    /// One minute, compressed, as the Agent's command.
    fn default() -> Self {
        Self { dir: None, duration_secs: 60, is_compressed: true, bytes_max: None }
    }
}
