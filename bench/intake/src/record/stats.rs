//! Trace stats as received. spec: apm §9.1, §9.5.

use std::sync::Arc;

/// One `StatsPayload`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatsPayload {
    /// Name of the agent's host.
    pub agent_host: Arc<str>,
    /// Default environment of the agent.
    pub agent_env: Arc<str>,
    /// Version of the agent.
    pub agent_version: Arc<str>,
    /// Whether tracers made the stats and the agent only joined them.
    pub is_client_computed: bool,
    /// Whether one flush was split over several payloads.
    pub is_split: bool,
    /// Stats by sender.
    pub clients: Vec<ClientStats>,
}

impl StatsPayload {
    /// All groups.
    pub fn groups(&self) -> impl Iterator<Item = &StatsGroup> + '_ {
        let buckets = self.clients.iter().flat_map(|client| &client.buckets);
        buckets.flat_map(|bucket| &bucket.groups)
    }
}

/// One `ClientStatsPayload`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientStats {
    /// Host.
    pub hostname: Arc<str>,
    /// Environment.
    pub env: Arc<str>,
    /// Version of the application.
    pub version: Arc<str>,
    /// Language of the tracer.
    pub lang: Arc<str>,
    /// Version of the tracer.
    pub tracer_version: Arc<str>,
    /// Identifies the traced process.
    pub runtime_id: Arc<str>,
    /// Counts the payloads of one tracer.
    pub sequence: u64,
    /// Unused since long.
    pub agent_aggregation: Arc<str>,
    /// Service of the whole payload.
    pub service: Arc<str>,
    /// Container.
    pub container_id: Arc<str>,
    /// Tags of the container, in the order of the payload.
    pub tags: Vec<Arc<str>>,
    /// Commit of the application.
    pub git_commit_sha: Arc<str>,
    /// Tag of the container's image.
    pub image_tag: Arc<str>,
    /// Hash of the process tags.
    pub process_tags_hash: u64,
    /// Process tags, separated by commas.
    pub process_tags: Arc<str>,
    /// Stats by time.
    pub buckets: Vec<StatsBucket>,
}

/// One `ClientStatsBucket`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatsBucket {
    /// Start, Unix nanoseconds.
    pub start_ns: u64,
    /// Length in nanoseconds.
    pub duration_ns: u64,
    /// Shift of the agent's clock in nanoseconds.
    pub agent_time_shift_ns: i64,
    /// Stats by key.
    pub groups: Vec<StatsGroup>,
}

/// One `ClientGroupedStats`: the key and what was counted under it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatsGroup {
    /// The key.
    pub key: StatsKey,
    /// Spans.
    pub hits: u64,
    /// Spans with an error.
    pub errors: u64,
    /// Sum of the durations in nanoseconds.
    pub duration_ns: u64,
    /// Top-level spans.
    pub top_level_hits: u64,
    /// Durations of spans without an error; `None` when no bytes were sent.
    pub ok: Option<LatencySketch>,
    /// Durations of spans with an error; `None` when no bytes were sent.
    pub error: Option<LatencySketch>,
}

/// What a group counts, within one sender and bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatsKey {
    /// Service.
    pub service: Arc<str>,
    /// Name of the operation.
    pub name: Arc<str>,
    /// Resource.
    pub resource: Arc<str>,
    /// HTTP status, 0 is none.
    pub http_status: u32,
    /// Type of the span.
    pub span_type: Arc<str>,
    /// Type of the database.
    pub db_type: Arc<str>,
    /// Whether a synthetic test made the trace.
    pub is_synthetics: bool,
    /// Kind of the span.
    pub span_kind: Arc<str>,
    /// Peer tags, `key:value`, in the order of the payload.
    pub peer_tags: Vec<Arc<str>>,
    /// 0 not set, 1 root, 2 not a root.
    pub trace_root: u32,
    /// gRPC status.
    pub grpc_status: Arc<str>,
    /// HTTP method.
    pub http_method: Arc<str>,
    /// HTTP endpoint.
    pub http_endpoint: Arc<str>,
    /// Where the name of the service is from.
    pub service_source: Arc<str>,
    /// Deprecated list of tags.
    pub primary_tags: Vec<Arc<str>>,
    /// Additional tags, `key:value`, in the order of the payload.
    pub metric_tags: Vec<Arc<str>>,
}

/// A decoded `DDSketch`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LatencySketch {
    /// Base of the logarithmic mapping; 0 when no mapping was sent.
    pub gamma: f64,
    /// Offset of the mapping.
    pub index_offset: f64,
    /// Interpolation of the mapping, 0 is none.
    pub interpolation: u32,
    /// Number of zeros.
    pub zero_count: f64,
    /// `(index, count)` of positive values, ascending.
    pub bins: Vec<(i32, f64)>,
    /// `(index, count)` of negative values, ascending.
    pub negative_bins: Vec<(i32, f64)>,
    /// Whether both stores were sent.
    pub has_stores: bool,
}

impl LatencySketch {
    /// Number of values.
    #[must_use]
    pub fn count(&self) -> f64 {
        let bins = self.bins.iter().chain(&self.negative_bins);
        self.zero_count + bins.map(|(_, count)| count).sum::<f64>()
    }

    /// The value that `rank` of the values (0 to 1) do not exceed, within the accuracy of the
    /// mapping; `None` for an empty sketch or one with negative values.
    #[must_use]
    pub fn quantile(&self, rank: f64) -> Option<f64> {
        let count = self.count();
        if count <= 0.0 || !self.negative_bins.is_empty() {
            return None;
        }
        let wanted = rank.clamp(0.0, 1.0) * (count - 1.0);
        let mut below = self.zero_count;
        if wanted < below {
            return Some(0.0);
        }
        let (last, _) = self.bins.last()?;
        let mut found = *last;
        for (index, count) in &self.bins {
            below += count;
            if wanted < below {
                found = *index;
                break;
            }
        }
        let lowest = self.gamma.powf(f64::from(found) - self.index_offset);
        Some(lowest * (1.0 + (self.gamma - 1.0) / (self.gamma + 1.0)))
    }
}
