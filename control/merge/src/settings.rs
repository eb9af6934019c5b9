//! Settings in plain data.

use std::sync::Arc;

use crate::HistogramSettings;

/// Says whether the histogram series of this name (`app.latency.max`) is to be left out. Built from
/// the flush side of the filter list. spec: dogstatsd §6.3.
pub type NameFilter = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// How shards are merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeSettings {
    /// Width of a bucket in seconds: 10, as the lanes use it. At least 1.
    pub bucket_secs: u32,
    /// `dogstatsd_expiry_seconds`: how long a silent counter sends zeros; 0 means never. Values
    /// over a day count as a day.
    pub counter_expiry_secs: u64,
    /// `aggregate_context_limit`: most contexts in one flush, and most counters remembered. Beyond
    /// it, contexts are dropped and counted. The limit holds for each range of keys in proportion,
    /// so a merge in several ranges may drop a few contexts shortly before the limit.
    pub contexts_max: usize,
    /// Series made of histograms and timings.
    pub histogram: HistogramSettings,
}

impl Default for MergeSettings {
    fn default() -> Self {
        Self {
            bucket_secs: 10,
            counter_expiry_secs: 300,
            contexts_max: 1_000_000,
            histogram: HistogramSettings::default(),
        }
    }
}
