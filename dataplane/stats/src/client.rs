//! Statistics that tracers compute themselves. spec: apm §9.6.
//!
//! ```text
//! body --ClientPayload::decode--> --process--> ClientAggregator::add --flush--> buckets
//! ```

mod aggregator;
mod cell;
mod decode;
mod process;

pub use aggregator::{AggregatorSettings, AggregatorTally, ClientAggregator};
pub use cell::{ClientCell, EncodedSketch};
pub use decode::{ClientDecoding, ClientStatsError};
pub use process::{ClientRules, RequestFacts};

use crate::key::TraceRoot;

/// A `ClientStatsPayload`. spec: apm §9.1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientPayload {
    /// Host name of the tracer.
    pub hostname: String,
    /// Environment.
    pub env: String,
    /// Version of the application.
    pub version: String,
    /// Language.
    pub lang: String,
    /// Version of the tracer.
    pub tracer_version: String,
    /// Id of the process.
    pub runtime_id: String,
    /// Number of this payload.
    pub sequence: u64,
    /// What older agents put in.
    pub agent_aggregation: String,
    /// Base service.
    pub service: String,
    /// Container id.
    pub container_id: String,
    /// Container tags.
    pub tags: Vec<String>,
    /// Commit of the application.
    pub git_commit_sha: String,
    /// Tag of the container's image.
    pub image_tag: String,
    /// Process tags joined by commas.
    pub process_tags: String,
    /// Buckets.
    pub buckets: Vec<ClientBucket>,
}

impl ClientPayload {
    /// The base service, or that of the first group; empty when there is none.
    #[must_use]
    pub fn first_service(&self) -> &str {
        let groups = || self.buckets.iter().flat_map(|bucket| &bucket.groups);
        let first = || groups().map(|group| &*group.service).find(|service| !service.is_empty());
        if self.service.is_empty() { first().unwrap_or_default() } else { &self.service }
    }
}

/// A `ClientStatsBucket`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientBucket {
    /// Start in nanoseconds of Unix time.
    pub start_ns: u64,
    /// Length in nanoseconds.
    pub duration_ns: u64,
    /// Groups.
    pub groups: Vec<ClientGroup>,
}

/// A `ClientGroupedStats`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientGroup {
    /// Service.
    pub service: String,
    /// Operation.
    pub name: String,
    /// Resource.
    pub resource: String,
    /// HTTP status, 0 for none.
    pub http_status: u32,
    /// Type.
    pub span_type: String,
    /// Type of the database, for obfuscation.
    pub db_type: String,
    /// Spans.
    pub hits: u64,
    /// Failed spans.
    pub errors: u64,
    /// Sum of durations in nanoseconds.
    pub duration_ns: u64,
    /// Sketch of durations of spans that did not fail, encoded.
    pub ok_summary: Vec<u8>,
    /// Sketch of durations of failed spans, encoded.
    pub error_summary: Vec<u8>,
    /// Whether a synthetic test made the request.
    pub is_synthetics: bool,
    /// Top-level spans.
    pub top_level_hits: u64,
    /// Kind.
    pub span_kind: String,
    /// Peer tags, `key:value` each.
    pub peer_tags: Vec<String>,
    /// Whether the spans are roots.
    pub trace_root: TraceRoot,
    /// gRPC status.
    pub grpc_status: String,
    /// HTTP method.
    pub http_method: String,
    /// HTTP endpoint.
    pub http_endpoint: String,
    /// Service source.
    pub svc_src: String,
    /// Span derived primary tags.
    pub derived_tags: Vec<String>,
    /// Additional metric tags.
    pub additional_tags: Vec<String>,
}
