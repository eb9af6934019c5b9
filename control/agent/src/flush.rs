//! One flush: shards of all lanes to payloads.

use std::sync::Arc;
use std::time::Duration;

use config::{Config, keys};
use encode::{EncodeStats, encode_events, encode_service_checks};
use merge::{MergeStats, Merger, Workers};
use signal::{Event, FlushedLane, ServiceCheck};

use crate::context_totals::ContextTotals;
use crate::coordinator::unix_secs;
use crate::delivery::Delivery;
use crate::self_metrics::{QueueDuration, SelfMetrics, TraceSeries};

/// What all flushes so far came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct FlushTotals {
    /// Flushes.
    pub(crate) count: u64,
    /// When the last one began.
    pub(crate) last_unix_secs: u64,
    /// How long the last one took.
    pub(crate) last_duration: Duration,
    /// Contexts in the last one.
    pub(crate) last_contexts: u64,
    /// Accounts of the merges.
    pub(crate) merge: MergeStats,
    /// Accounts of the encoders of series and sketches, the agent's own series included.
    pub(crate) metrics: EncodeStats,
    /// Accounts of events.
    pub(crate) events: EncodeStats,
    /// Accounts of service checks, the agent's own included.
    pub(crate) checks: EncodeStats,
    /// Lanes that did not answer in time, summed over the flushes.
    pub(crate) late_lanes: u64,
    /// Documents that could not be encoded.
    pub(crate) documents_dropped: u64,
}

/// Everything a flush works with.
pub(crate) struct Flusher {
    pub(crate) merger: Merger,
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) self_metrics: SelfMetrics,
    pub(crate) host: Arc<str>,
    /// Samples by context, where they are counted.
    pub(crate) context_totals: Option<ContextTotals>,
    /// Most threads that merge and encode.
    pub(crate) threads_max: usize,
}

/// The agent's own series of one flush, where they are due.
#[derive(Clone, Debug)]
pub(crate) struct SelfReport {
    pub(crate) now_secs: u64,
    pub(crate) payloads_dropped: u64,
    pub(crate) queues: Vec<QueueDuration>,
    pub(crate) traces: Vec<TraceSeries>,
    /// Time between two reports.
    pub(crate) interval_secs: u32,
}

impl Flusher {
    /// Counts samples by context from now on, or no longer, as the configuration says.
    pub(crate) fn count_contexts(&mut self, config: &Config) {
        let new = || {
            let bucket_secs = config.secs(keys::BUCKET_SECS).as_secs().max(1);
            ContextTotals::new(config.count(keys::CONTEXTS_MAX), bucket_secs)
        };
        self.context_totals = config
            .bool(keys::DOGSTATSD_METRICS_STATS_ENABLE)
            .then(|| self.context_totals.take().unwrap_or_else(new));
    }

    /// Merges, encodes and submits what the lanes handed over.
    pub(crate) fn flush(
        &mut self,
        mut lanes: Vec<FlushedLane>,
        cutoff_secs: u64,
        report: Option<SelfReport>,
        totals: &mut FlushTotals,
    ) {
        if let Some(counted) = &mut self.context_totals {
            counted.add_flushed(&lanes, unix_secs());
        }
        let mut events: Vec<Event> = Vec::new();
        let mut checks: Vec<ServiceCheck> = Vec::new();
        for lane in &mut lanes {
            events.append(&mut lane.events);
            checks.append(&mut lane.checks);
        }
        // Merging competes with the lanes for their cores: it gives way.
        let workers = Workers { on_start: &|_| lower_priority(), ..Workers::new(self.threads_max) };
        let delivery = &self.delivery;
        let (merged, mut sinks) =
            self.merger.merge_parallel(&lanes, cutoff_secs, workers, |_| delivery.metrics_sink());
        drop(lanes);
        if let Some(report) = report {
            if sinks.is_empty() {
                sinks.push(delivery.metrics_sink());
            }
            if let Some(sink) = sinks.first_mut() {
                self.self_metrics.write(&report, sink);
            }
            checks.push(self.self_metrics.up(report.now_secs));
        }
        for sink in &mut sinks {
            totals.metrics.merge(&sink.finish());
        }
        if !events.is_empty() {
            let host = &self.host;
            let stats =
                delivery.send_each(|settings, out| encode_events(&events, host, settings, out));
            totals.events.merge(&stats.unwrap_or_default());
        }
        for checks in checks.chunks(CHECKS_PER_PAYLOAD) {
            let stats =
                delivery.send_each(|settings, out| encode_service_checks(checks, settings, out));
            totals.checks.merge(&stats.unwrap_or_default());
        }
        totals.last_contexts = merged.contexts;
        totals.merge += merged;
    }
}

/// As Agent Data Plane: the intake publishes no limit. spec: metrics-intake §8.3.
const CHECKS_PER_PAYLOAD: usize = 100;

/// Lowers the priority of the calling thread, where that is allowed; it always is.
fn lower_priority() {
    const NICE: i32 = 10;
    if rustix::process::nice(NICE).is_err() {
        log::debug!("a merge thread runs at ordinary priority");
    }
}
