//! Logs as received. spec: logs §2.2.

use serde_json::{Map, Value};

/// One entry of a payload of logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// What was logged.
    pub message: String,
    /// `info` or another severity, or the text that a client calls it.
    pub status: String,
    /// Unix milliseconds.
    pub timestamp_ms: i64,
    /// Host.
    pub hostname: String,
    /// Service.
    pub service: String,
    /// Source (`ddsource`).
    pub source: String,
    /// Tags, in the order of the payload.
    pub tags: Vec<String>,
    /// All other keys.
    pub extra: Map<String, Value>,
    /// Bytes of the entry in the decompressed body.
    pub encoded_bytes: usize,
}

impl Log {
    /// Whether `tag` is one of the tags.
    #[must_use]
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.iter().any(|given| given == tag)
    }
}
