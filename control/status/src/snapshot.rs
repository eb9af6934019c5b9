//! The agent at one moment, as plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use signal::Counter;

use crate::{FlareStatus, IngestStatus, ProxyStatus, RemoteStatus, TraceStatus};

/// Everything `status` knows. Unknown fields are ignored and missing ones have their defaults when
/// read, so that a command of one version understands an agent of another.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Snapshot {
    /// Version of the agent.
    pub version: String,
    /// Process id.
    pub pid: u32,
    /// Unix seconds of the start.
    pub started_unix_secs: u64,
    /// Seconds since the start.
    pub uptime_secs: u64,
    /// Host name that is reported.
    pub host_name: String,
    /// How lanes wait for data.
    pub driver: Driver,
    /// The configuration file that was read; empty if none was.
    pub config_file: String,
    /// Sockets, those that could not be bound included.
    pub listeners: Vec<Listener>,
    /// Lanes in order.
    pub lanes: Vec<LaneStatus>,
    /// Counters of all lanes together, by the names of [`Counter`].
    pub totals: BTreeMap<String, u64>,
    /// Merging and flushing.
    pub flush: FlushStatus,
    /// What the encoder counted: payloads, splits, items that fit in no payload.
    pub encode: BTreeMap<String, u64>,
    /// The trace pipeline, where it runs.
    pub traces: Option<TraceStatus>,
    /// Proxies of the trace receiver, where they run.
    pub proxies: Vec<ProxyStatus>,
    /// Logs and OTLP, where they are taken.
    pub ingest: Option<IngestStatus>,
    /// Remote configuration.
    pub remote: Option<RemoteStatus>,
    /// Archives for support.
    pub flares: FlareStatus,
    /// Delivery, one entry per endpoint and key.
    pub endpoints: Vec<EndpointStatus>,
    /// Memory in use.
    pub memory: Memory,
    /// The capture of packets under way, if one is.
    pub capture: Option<CaptureStatus>,
    /// Findings about the configuration and limits that were hit, for people.
    pub notes: Vec<String>,
}

impl Snapshot {
    /// The total of a counter over all lanes; 0 if it was not reported.
    #[must_use]
    pub fn total(&self, counter: Counter) -> u64 {
        self.totals.get(counter.name()).copied().unwrap_or(0)
    }

    /// Sets [`totals`](Self::totals) to the sums over [`lanes`](Self::lanes).
    pub fn sum_lanes(&mut self) {
        self.totals.clear();
        for lane in &self.lanes {
            for (name, count) in &lane.counters {
                let total = self.totals.entry(name.clone()).or_default();
                *total = total.saturating_add(*count);
            }
        }
    }
}

/// How lanes wait for data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Driver {
    /// `io_uring` or `epoll`.
    pub name: String,
    /// Why this one.
    pub reason: String,
}

/// A socket that receives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Listener {
    /// `udp`, `unix-datagram` or `unix-stream`.
    pub transport: String,
    /// Address or path.
    pub address: String,
    /// Receive buffer the kernel granted, bytes, of each socket; 0 if unknown.
    pub receive_buffer_bytes: u64,
    /// Packets that the kernel queues, where it counts these and not bytes; else 0.
    pub queue_packets: u64,
    /// Whether it receives.
    pub is_bound: bool,
    /// Why it does not; empty if it does.
    pub error: String,
}

/// One lane.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LaneStatus {
    /// Position, from 0.
    pub lane: u32,
    /// Core it is pinned to.
    pub cpu: Option<u32>,
    /// Counters and gauges by the names of [`Counter`].
    pub counters: BTreeMap<String, u64>,
}

/// What the flushes did, summed since the start unless said otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FlushStatus {
    /// Flushes.
    pub count: u64,
    /// Unix seconds of the last flush; 0 before the first.
    pub last_unix_secs: u64,
    /// How long the last flush took to merge and encode, milliseconds.
    pub last_duration_ms: u64,
    /// Contexts in the last flush.
    pub contexts: u64,
    /// Series written.
    pub series: u64,
    /// Points written.
    pub points: u64,
    /// Sketches written.
    pub sketches: u64,
    /// Samples that the merge was handed.
    pub samples_in: u64,
    /// Samples that went into points and sketches.
    pub samples_out: u64,
    /// Samples the merge dropped, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Points written for silent counters.
    pub zero_filled: u64,
    /// Times a lane did not hand over in time; its data went with the next flush.
    pub late_lanes: u64,
}

/// Delivery to one endpoint with one key. Counts are payloads unless they name another unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EndpointStatus {
    /// Base URL without user information.
    pub url: String,
    /// What it gets: `metrics` (with events, checks and metadata) or `traces` (with their stats).
    pub data: String,
    /// The keys, each reduced to its last five characters.
    pub key_endings: Vec<String>,
    /// What the intake said about the key: `valid`, `invalid`, `unknown`.
    pub key_valid: String,
    /// Handed over for delivery.
    pub submitted: u64,
    /// Found on disk at start.
    pub recovered: u64,
    /// Taken by the intake.
    pub sent: u64,
    /// Body bytes taken by the intake.
    pub bytes_sent: u64,
    /// Given up, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Attempts that failed and were, or will be, repeated.
    pub retried: u64,
    /// Waiting in memory.
    pub queued: u64,
    /// Bytes waiting in memory.
    pub queued_bytes: u64,
    /// Waiting on disk.
    pub spooled: u64,
    /// Files on disk.
    pub spooled_files: u64,
    /// Bytes on disk.
    pub spooled_bytes: u64,
    /// Damaged files put aside.
    pub set_aside: u64,
    /// `open`, or how it is backing off.
    pub state: String,
    /// Last failure, empty if there was none.
    pub last_error: String,
    /// Answers by status code.
    pub http: BTreeMap<u16, u64>,
}

impl EndpointStatus {
    /// Payloads given up, for any reason.
    #[must_use]
    pub fn dropped_total(&self) -> u64 {
        self.dropped.values().sum()
    }
}

/// Memory in use, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Resident set of the process.
    pub rss_bytes: u64,
    /// Tables and shards of the lanes, estimated.
    pub tables_bytes: u64,
    /// What the limits of the configuration add up to.
    pub planned_bytes: u64,
    /// What may be resident; 0 for no bound.
    pub budget_bytes: u64,
    /// Whether more is resident, and new contexts are refused.
    pub is_over_budget: bool,
    /// How often it came to that.
    pub over_budget_count: u64,
}

/// A capture under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CaptureStatus {
    /// The file.
    pub path: String,
    /// Seconds until it ends by itself.
    pub left_secs: u64,
    /// Packets or requests written.
    pub items: u64,
    /// Those lost because the queue to the writer was full.
    pub dropped: u64,
}
