//! What the parts of a running agent share, and its state for whoever asks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use config::{Config, keys};
use encode::EncodeStats;
use forward::{EndpointState, EndpointStats, KeyValidity};
use signal::{Counter, LaneCounters};
use status::{
    CaptureKind, Driver, EndpointStatus, FlushStatus, LaneStatus, Listener, Memory, Snapshot,
    TopRow,
};

use crate::agent::ReloadConfig;
use crate::apm::{self, TraceDelivery, TraceReport};
use crate::captures::CaptureProgress;
use crate::coordinator::{Request, totals, unix_secs};
use crate::delivery::Delivery;
use crate::flare::FlareDesk;
use crate::flush::FlushTotals;
use crate::ingest::IngestPart;
use crate::listen::ListenerReport;
use crate::proxies::ProxyRoutes;
use crate::remote::RemoteSlot;

/// What others read of an agent, and the way to its coordinator.
pub(crate) struct Shared {
    pub(crate) version: String,
    pub(crate) started: Instant,
    pub(crate) started_unix_secs: u64,
    pub(crate) host_name: Arc<str>,
    pub(crate) driver: Driver,
    pub(crate) listeners: Vec<ListenerReport>,
    pub(crate) lanes: Vec<(Arc<LaneCounters>, Option<usize>)>,
    pub(crate) totals: Arc<Mutex<FlushTotals>>,
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) trace_delivery: Option<Arc<TraceDelivery>>,
    pub(crate) trace_report: Option<Arc<Mutex<TraceReport>>>,
    pub(crate) proxies: Option<Arc<ProxyRoutes>>,
    pub(crate) ingest: Option<Arc<IngestPart>>,
    pub(crate) config: RwLock<Arc<Config>>,
    /// Held while the configuration changes.
    pub(crate) changing: Mutex<()>,
    pub(crate) notes: Mutex<Vec<String>>,
    pub(crate) planned_bytes: u64,
    pub(crate) requests: Sender<Request>,
    pub(crate) reload: ReloadConfig,
    pub(crate) applied: fn(&Config),
    pub(crate) recent_log: fn() -> String,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) remote: Arc<RemoteSlot>,
    pub(crate) flares: Arc<FlareDesk>,
}

/// Signs of life and of work of the coordinator.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    /// Unix seconds of its last look around.
    pub(crate) seen_unix_secs: AtomicU64,
    /// Whether resident memory exceeds its budget.
    pub(crate) is_over_budget: AtomicBool,
    /// How often it came to.
    pub(crate) over_budget_count: AtomicU64,
    /// The captures under way.
    pub(crate) captures: Arc<CaptureProgress>,
}

/// Without a sign of life for this long the agent counts as stuck.
const PULSE_MAX_SECS: u64 = 30;
/// How long the API waits for the coordinator.
const REPLY_TIMEOUT: Duration = Duration::from_secs(20);

impl Shared {
    pub(crate) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks the coordinator and waits for its answer.
    pub(crate) fn ask<T>(&self, request: impl FnOnce(Sender<T>) -> Request) -> Result<T, String> {
        let (reply, answer) = channel();
        self.requests.send(request(reply)).map_err(|_| "the agent is stopping".to_owned())?;
        answer
            .recv_timeout(REPLY_TIMEOUT)
            .map_err(|_| "the agent did not answer in time; try again".to_owned())
    }

    fn flush_status(&self) -> (FlushStatus, BTreeMap<String, u64>) {
        let totals = totals(&self.totals).clone();
        let merge = &totals.merge;
        let out = &merge.samples_out;
        let dropped = [
            ("type_conflict", merge.dropped_type_conflict),
            ("context_limit", merge.dropped_context_limit),
            ("filtered", merge.dropped_filtered),
            ("not_finite", merge.dropped_not_finite),
        ];
        let status = FlushStatus {
            count: totals.count,
            last_unix_secs: totals.last_unix_secs,
            last_duration_ms: u64::try_from(totals.last_duration.as_millis()).unwrap_or(u64::MAX),
            contexts: totals.last_contexts,
            series: merge.series,
            points: merge.points,
            sketches: merge.sketches,
            samples_in: merge.samples_in,
            samples_out: out.gauge
                + out.counter
                + out.set
                + out.histogram
                + out.distribution
                + out.timed,
            dropped: dropped.map(|(reason, count)| (reason.to_owned(), count)).into(),
            zero_filled: merge.zero_filled,
            late_lanes: totals.late_lanes,
        };
        let mut encode = BTreeMap::new();
        for (kind, stats) in
            [("metrics", totals.metrics), ("events", totals.events), ("checks", totals.checks)]
        {
            encode.extend(
                encode_counts(&stats).map(|(name, count)| (format!("{kind}_{name}"), count)),
            );
        }
        encode.insert("late_points".to_owned(), merge.late_points);
        encode.insert("documents_dropped".to_owned(), totals.documents_dropped);
        (status, encode)
    }

    /// The agent at this moment.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let (flush, encode) = self.flush_status();
        let lanes: Vec<LaneStatus> = (0u32..)
            .zip(&self.lanes)
            .map(|(lane, (counters, cpu))| LaneStatus {
                lane,
                cpu: cpu.and_then(|cpu| u32::try_from(cpu).ok()),
                counters: Counter::ALL
                    .iter()
                    .map(|&counter| (counter.name().to_owned(), counters.value(counter)))
                    .collect(),
            })
            .collect();
        let listeners = self.listeners.iter().map(|report| Listener {
            transport: report.transport.to_owned(),
            address: report.address.clone(),
            receive_buffer_bytes: report.buffer_bytes as u64,
            queue_packets: report.queue_packets as u64,
            is_bound: report.error.is_none(),
            error: report.error.clone().unwrap_or_default(),
        });
        let metrics = self.delivery.stats();
        let metrics = metrics.iter().flat_map(|stats| &stats.endpoints);
        let mut endpoints: Vec<EndpointStatus> =
            metrics.map(|stats| endpoint_status(stats, "metrics")).collect();
        if let Some(delivery) = &self.trace_delivery {
            let traces = delivery.stats();
            endpoints.extend(traces.endpoints.iter().map(|stats| endpoint_status(stats, "traces")));
        }
        if let Some(logs) = self.ingest.as_ref().and_then(|ingest| ingest.log_stats()) {
            endpoints.extend(logs.endpoints.iter().map(|stats| endpoint_status(stats, "logs")));
        }
        let config = self.config();
        let mut snapshot = Snapshot {
            version: self.version.clone(),
            pid: std::process::id(),
            started_unix_secs: self.started_unix_secs,
            uptime_secs: self.started.elapsed().as_secs(),
            host_name: self.host_name.as_ref().to_owned(),
            driver: self.driver.clone(),
            config_file: config.file().map(|f| f.display().to_string()).unwrap_or_default(),
            listeners: listeners.collect(),
            lanes,
            flush,
            encode,
            traces: self
                .trace_report
                .as_ref()
                .map(|report| apm::status(&report.lock().unwrap_or_else(PoisonError::into_inner))),
            proxies: self.proxies.as_ref().map(|routes| routes.status()).unwrap_or_default(),
            ingest: self.ingest.as_ref().map(|ingest| ingest.status()),
            remote: self.remote.status(),
            flares: self.flares.status(),
            endpoints,
            capture: self.pulse.captures.status(CaptureKind::Packets),
            notes: self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            ..Snapshot::default()
        };
        if let Some(traces) = &mut snapshot.traces {
            traces.capture = self.pulse.captures.status(CaptureKind::Requests);
        }
        snapshot.sum_lanes();
        snapshot.memory = Memory {
            rss_bytes: crate::resources::resident_bytes().unwrap_or(0),
            tables_bytes: snapshot.total(Counter::TableBytes),
            planned_bytes: self.planned_bytes,
            budget_bytes: config.bytes(keys::MEMORY_MAX_BYTES),
            is_over_budget: self.pulse.is_over_budget.load(Ordering::Relaxed),
            over_budget_count: self.pulse.over_budget_count.load(Ordering::Relaxed),
        };
        snapshot
    }

    /// Whether every thread makes progress.
    pub(crate) fn is_live(&self) -> bool {
        let seen = self.pulse.seen_unix_secs.load(Ordering::Relaxed);
        seen + PULSE_MAX_SECS >= unix_secs()
    }

    /// Whether the agent can do its work, or why it cannot.
    pub(crate) fn is_ready(&self) -> Result<(), String> {
        let stats = self.delivery.stats();
        if stats.iter().any(forward::ForwardStats::is_ready) || stats.is_empty() {
            return Ok(());
        }
        Err("the intake refused every API key: check `api_key` and `site`".to_owned())
    }
}

fn encode_counts(stats: &EncodeStats) -> [(&'static str, u64); 10] {
    [
        ("payloads", stats.payloads),
        ("items_in", stats.items_in),
        ("items_out", stats.items_out),
        ("items_too_big", stats.items_too_big),
        ("items_disabled", stats.items_disabled),
        ("points_in", stats.points_in),
        ("points_out", stats.points_out),
        ("points_not_finite", stats.points_not_finite),
        ("bytes_uncompressed", stats.bytes_in),
        ("bytes_compressed", stats.bytes_out),
    ]
}

/// A context as it is listed.
pub(crate) fn top_row(top: metrics::TopContext) -> TopRow {
    TopRow {
        name: top.context.name.as_ref().to_owned(),
        tags: top.context.tags.tags.iter().map(|tag| tag.as_ref().to_owned()).collect(),
        host: top.context.host.as_ref().to_owned(),
        origin: top.context.origin.as_ref().to_owned(),
        samples: top.samples,
    }
}

fn endpoint_status(stats: &EndpointStats, data: &str) -> EndpointStatus {
    let counts = &stats.totals;
    EndpointStatus {
        url: stats.url.clone(),
        data: data.to_owned(),
        key_endings: vec![stats.key_hint.clone()],
        key_valid: match stats.key_validity {
            KeyValidity::Valid => "valid",
            KeyValidity::Invalid => "invalid",
            _ => "unknown",
        }
        .to_owned(),
        submitted: counts.submitted,
        recovered: counts.recovered,
        sent: counts.sent,
        bytes_sent: counts.sent_bytes,
        dropped: counts
            .dropped
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(reason, count)| (reason.name().to_owned(), count))
            .collect(),
        retried: counts.retried,
        queued: stats.queued.count,
        queued_bytes: stats.queued.bytes,
        spooled: stats.spooled.count,
        spooled_files: stats.spool_files,
        spooled_bytes: stats.spooled.bytes,
        set_aside: counts.set_aside,
        state: match stats.state {
            EndpointState::Open => "open".to_owned(),
            EndpointState::BackingOff { left, errors } => {
                format!("backing off for {} s after {errors} errors", left.as_secs())
            }
        },
        last_error: stats.last_error.clone(),
        http: counts.statuses.clone(),
    }
}
