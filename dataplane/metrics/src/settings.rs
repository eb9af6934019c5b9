//! Settings of a shard.

use std::sync::Arc;

use entity::OriginSettings;

/// What a shard is made with. The same for every lane.
#[derive(Clone, Debug)]
pub struct ShardSettings {
    /// Width of a bucket in seconds.
    pub bucket_secs: u64,
    /// `dogstatsd_no_aggregation_pipeline`.
    pub has_timestamps: bool,
    /// Origin detection.
    pub origin: OriginSettings,
    /// Host name for messages that name none.
    pub host: Arc<str>,
    /// Smallest sample rate; smaller positive ones are taken for it.
    pub rate_min: f64,
    /// `histogram_copy_to_distribution` with its prefix, `None` when off.
    pub distribution_copy_prefix: Option<String>,
    /// Unix seconds until which host tags are added to everything.
    pub host_tags_until_secs: u64,
    /// Most contexts alive.
    pub contexts_max: usize,
    /// Seconds without a sample after which a context is forgotten.
    pub context_expiry_secs: u64,
    /// Most samples of a histogram or members of a set in one bucket.
    pub cell_samples_max: usize,
    /// Most timestamped samples between two flushes.
    pub timed_samples_max: usize,
    /// Most events, and most service checks, between two flushes.
    pub events_max: usize,
}

impl Default for ShardSettings {
    fn default() -> Self {
        Self {
            bucket_secs: 10,
            has_timestamps: true,
            origin: OriginSettings::default(),
            host: Arc::from(""),
            rate_min: 3.845e-9,
            distribution_copy_prefix: None,
            host_tags_until_secs: 0,
            contexts_max: 1_000_000,
            context_expiry_secs: 20,
            cell_samples_max: 100_000,
            timed_samples_max: 100_000,
            events_max: 10_000,
        }
    }
}
