//! One request: its head, its fate, and what its body held.

use crate::{Passed, Payload, Route, Violation};

/// What is known of one request without its contents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// 1 for the first request of the intake, and so on.
    pub id: u64,
    /// When the head arrived, Unix milliseconds.
    pub received_ms: u64,
    /// HTTP method.
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// `HTTP/1.1` or `HTTP/2.0`.
    pub http_version: String,
    /// What the request is for; `None` for a path that is no route of agents.
    pub route: Option<Route>,
    /// What tracers sent it for, through an agent; `None` for what an agent sends itself.
    pub passed: Option<Passed>,
    /// The API key, from the header or the query.
    pub key: Option<String>,
    /// All headers with names in lower case, in order. The key is here in clear text.
    pub headers: Vec<(String, String)>,
    /// Bytes of the body as sent.
    pub encoded_bytes: usize,
    /// Bytes of the body after decompression; 0 when it was not decoded.
    pub decoded_bytes: usize,
    /// Status of the answer; `None` when the script withheld it.
    pub status: Option<u16>,
    /// Why the request was refused.
    pub error: Option<String>,
    /// Whether the contents were taken.
    pub is_accepted: bool,
    /// Whether the same body was taken before without the client learning so: nothing is counted
    /// again.
    pub is_resent: bool,
    /// Series in the body.
    pub series_count: usize,
    /// Sketches in the body.
    pub sketch_count: usize,
    /// Points of series and sketches in the body.
    pub point_count: usize,
    /// Events in the body.
    pub event_count: usize,
    /// Service checks in the body.
    pub check_count: usize,
    /// Chunks of traces in the body.
    pub chunk_count: usize,
    /// Spans in the body.
    pub span_count: usize,
    /// Groups of trace stats in the body.
    pub group_count: usize,
    /// Logs in the body.
    pub log_count: usize,
    /// Rules that the request broke.
    pub violation_count: u64,
}

impl Request {
    /// First value of a header; `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(given, _)| given == name)?;
        Some(value)
    }

    /// The key as it may be shown: its last five characters.
    #[must_use]
    pub fn masked_key(&self) -> Option<String> {
        self.key.as_deref().map(mask)
    }
}

/// Hides all but the last five characters of a key; a key of fewer than ten is hidden whole.
pub(crate) fn mask(key: &str) -> String {
    let count = key.chars().count();
    let shown = if count < 10 { 0 } else { 5 };
    format!("***{}", key.chars().skip(count - shown).collect::<String>())
}

/// A request with everything it brought, as handed to [`Options::on_request`](crate::Options).
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Head and fate.
    pub request: Request,
    /// Decoded contents; empty when the body was refused or not read.
    pub payload: Payload,
    /// What the payload did wrong.
    pub violations: Vec<Violation>,
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn keys_show_their_end_only() {
        assert_eq!(mask("0123456789abcdef"), "***bcdef");
        assert_eq!(mask("short"), "***");
    }
}
