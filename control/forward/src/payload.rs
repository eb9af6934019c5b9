//! What a caller hands over for delivery, before it is fanned out to endpoints.

use std::borrow::Cow;

use bytes::Bytes;

/// Which queue a payload waits in. Spec: metrics-intake §10.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Priority {
    /// Everything except host metadata.
    #[default]
    Normal,
    /// Sent before anything else, dropped last: host metadata.
    High,
}

/// What a payload holds, as far as routing cares. Spec: metrics-intake §10.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Series and sketches: the paths that an observability pipeline takes over.
    #[default]
    Metrics,
    /// Events, service checks, metadata.
    Other,
}

/// One finished request body and where under each base URL it goes.
///
/// Cloning is cheap: the body is shared, the strings are usually static.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Absolute path on the intake, such as `/api/v2/series`.
    pub path: Cow<'static, str>,
    /// Short name for telemetry, such as `series_v2` (spec: metrics-intake §10.9).
    pub endpoint_name: Cow<'static, str>,
    /// Value of the `Content-Type` header.
    pub content_type: Cow<'static, str>,
    /// Value of the `Content-Encoding` header; `None` sends no such header.
    pub encoding: Option<Cow<'static, str>>,
    /// Further headers of this request: valid names with values without line breaks. They are kept
    /// in the spool, so they may hold no secret.
    pub headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    /// The body as it goes on the wire, already compressed.
    pub body: Bytes,
    /// Metric points inside, for the point counters.
    pub points: u64,
    /// Whether it may be written to disk. False for bodies that contain an API key.
    pub is_storable: bool,
    /// Which queue it waits in.
    pub priority: Priority,
    /// What it holds, for routing.
    pub kind: Kind,
}

impl Payload {
    /// Bytes this payload is charged against the memory bound: the body plus a fixed overhead
    /// for its entry, so that many tiny payloads are bounded too.
    pub(crate) fn charged_bytes(&self) -> u64 {
        self.body.len() as u64 + ENTRY_BYTES
    }
}

/// About what a queue entry costs beside its body: the payload struct, its map node and counts.
pub(crate) const ENTRY_BYTES: u64 = 256;
