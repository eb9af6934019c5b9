//! Counters as `status` shows them. Every submitted transaction is in exactly one place:
//! `submitted + recovered = sent + queued + spooled + dropped`, at every moment.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::keys::KeyValidity;

/// Why a transaction was given up. Each variant is one counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum DropReason {
    /// The memory bound was reached and there was no disk queue to move to, or the disk did not
    /// keep up.
    QueueFull,
    /// The intake answered 400.
    BadRequest,
    /// The intake answered 413.
    TooLarge,
    /// The intake refused the key, by 401 or 403, and [`crate::RefusedKeys::Drop`] was asked for.
    KeyRefused,
    /// No request could be built from it, or the key cannot be a header.
    Unsendable,
    /// The disk queue reached its size bound.
    SpoolFull,
    /// The disk queue could not be written.
    SpoolFailed,
    /// A file of the disk queue was damaged or gone.
    SpoolDamaged,
    /// A file of the disk queue was older than the age bound.
    Outdated,
    /// Still waiting when the forwarder stopped, and not storable.
    Stopped,
    /// Its endpoint or key slot was taken out of the configuration.
    Removed,
}

impl DropReason {
    /// All reasons, in the order of their counters.
    pub const ALL: [Self; 11] = [
        Self::QueueFull,
        Self::BadRequest,
        Self::TooLarge,
        Self::KeyRefused,
        Self::Unsendable,
        Self::SpoolFull,
        Self::SpoolFailed,
        Self::SpoolDamaged,
        Self::Outdated,
        Self::Stopped,
        Self::Removed,
    ];

    /// Stable name for labels.
    pub fn name(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::BadRequest => "bad_request",
            Self::TooLarge => "too_large",
            Self::KeyRefused => "key_refused",
            Self::Unsendable => "unsendable",
            Self::SpoolFull => "spool_full",
            Self::SpoolFailed => "spool_failed",
            Self::SpoolDamaged => "spool_damaged",
            Self::Outdated => "outdated",
            Self::Stopped => "stopped",
            Self::Removed => "removed",
        }
    }
}

/// Dropped transactions by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DropCounts {
    counts: [u64; DropReason::ALL.len()],
}

impl DropCounts {
    /// Transactions dropped for this reason.
    pub fn of(&self, reason: DropReason) -> u64 {
        self.counts.get(reason as usize).copied().unwrap_or_default()
    }

    /// Transactions dropped for any reason.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Reasons with their counts, zeros included.
    pub fn iter(&self) -> impl Iterator<Item = (DropReason, u64)> + '_ {
        DropReason::ALL.into_iter().map(|reason| (reason, self.of(reason)))
    }

    pub(crate) fn add(&mut self, reason: DropReason, count: u64) {
        if let Some(slot) = self.counts.get_mut(reason as usize) {
            *slot += count;
        }
    }
}

/// Counters that only grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Transactions handed over by callers.
    pub submitted: u64,
    /// Body bytes handed over.
    pub submitted_bytes: u64,
    /// Transactions found on disk at start.
    pub recovered: u64,
    /// Transactions the intake took.
    pub sent: u64,
    /// Body bytes the intake took.
    pub sent_bytes: u64,
    /// Points the intake took.
    pub sent_points: u64,
    /// Attempts that failed and were, or will be, repeated.
    pub retried: u64,
    /// Of those, attempts without any answer.
    pub network_errors: u64,
    /// Transactions given up.
    pub dropped: DropCounts,
    /// Points given up; unknown for damaged files.
    pub dropped_points: u64,
    /// Transactions moved from memory to disk.
    pub spooled: u64,
    /// Files set aside because they did not check out.
    pub set_aside: u64,
    /// Answers by status code.
    pub statuses: BTreeMap<u16, u64>,
    /// The same counts by payload kind, spec metrics-intake §10.9.
    pub by_name: BTreeMap<String, NameCounts>,
}

/// Counters of one payload name such as `series_v2`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NameCounts {
    /// Transactions handed over; those recovered from disk are not in it.
    pub submitted: u64,
    /// Body bytes of those.
    pub submitted_bytes: u64,
    /// Transactions the intake took.
    pub sent: u64,
    /// Body bytes of those.
    pub sent_bytes: u64,
    /// Attempts repeated.
    pub retried: u64,
    /// Transactions the intake refused for good.
    pub refused: u64,
}

/// What waits somewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Transactions.
    pub count: u64,
    /// Bytes, as the bound of the place counts them.
    pub bytes: u64,
    /// Metric points.
    pub points: u64,
}

/// Whether an endpoint takes requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndpointState {
    /// Requests go out as they come.
    #[default]
    Open,
    /// Waiting after failures; zero time left means that a probe is due or under way.
    BackingOff {
        /// Time until the next probe.
        left: Duration,
        /// Errors in a row, as the backoff formula counts them.
        errors: u32,
    },
}

/// One endpoint and key at one moment.
#[derive(Clone, Debug, Default)]
pub struct EndpointStats {
    /// The URL as configured, without user information.
    pub url: String,
    /// Position of the key in the endpoint's list.
    pub key_slot: usize,
    /// The key, last five characters only.
    pub key_hint: String,
    /// What the intake said about the key.
    pub key_validity: KeyValidity,
    /// Counters.
    pub totals: Totals,
    /// In memory, requests under way included.
    pub queued: Waiting,
    /// On disk.
    pub spooled: Waiting,
    /// Files on disk.
    pub spool_files: u64,
    /// Requests under way.
    pub in_flight: u64,
    /// Whether requests go out.
    pub state: EndpointState,
    /// The last failure, without keys; empty if there was none.
    pub last_error: String,
    /// Why the disk queue does not work; empty if it does or is off.
    pub spool_error: String,
    /// Intake clock minus ours at the last answer, seconds.
    pub clock_offset_secs: Option<i64>,
    /// Body bytes handed over per second in the last 900 s; `None` without any (§10.9).
    pub input_bytes_per_sec: Option<f64>,
    /// Bytes that the memory bound and the disk bound can still take.
    pub room_bytes: u64,
}

impl EndpointStats {
    /// Whether every transaction is accounted for. Always true; asserted in tests.
    pub fn is_balanced(&self) -> bool {
        let totals = &self.totals;
        totals.submitted + totals.recovered
            == totals.sent + self.queued.count + self.spooled.count + totals.dropped.total()
    }
}

/// All endpoints at one moment.
#[derive(Clone, Debug, Default)]
pub struct ForwardStats {
    /// Configured endpoints, one entry per key.
    pub endpoints: Vec<EndpointStats>,
    /// Numbers of endpoints and keys taken out of the configuration, summed.
    pub retired: Totals,
    /// Transactions those still held at the end, on disk.
    pub retired_waiting: u64,
    /// Payloads that no endpoint accepts.
    pub unrouted: u64,
}

impl ForwardStats {
    /// Not ready only if every key was refused (spec: config-and-embedding §8.4).
    pub fn is_ready(&self) -> bool {
        self.endpoints.is_empty()
            || self.endpoints.iter().any(|endpoint| endpoint.key_validity != KeyValidity::Invalid)
    }

    /// Whether every transaction of every endpoint is accounted for.
    pub fn is_balanced(&self) -> bool {
        let retired = &self.retired;
        self.endpoints.iter().all(EndpointStats::is_balanced)
            && retired.submitted + retired.recovered
                == retired.sent + self.retired_waiting + retired.dropped.total()
    }
}

/// Names and status codes counted apart; later ones share one entry.
const DISTINCT_MAX: usize = 64;

impl Totals {
    pub(crate) fn name(&mut self, name: &str) -> &mut NameCounts {
        let is_known = self.by_name.contains_key(name) || self.by_name.len() < DISTINCT_MAX;
        self.by_name.entry(if is_known { name } else { "other" }.to_owned()).or_default()
    }

    pub(crate) fn count_status(&mut self, status: u16) {
        let is_known = self.statuses.contains_key(&status) || self.statuses.len() < DISTINCT_MAX;
        *self.statuses.entry(if is_known { status } else { 0 }).or_default() += 1;
    }

    /// Adds another set of totals, for endpoints that are gone.
    pub(crate) fn absorb(&mut self, other: &Self) {
        self.submitted += other.submitted;
        self.submitted_bytes += other.submitted_bytes;
        self.recovered += other.recovered;
        self.sent += other.sent;
        self.sent_bytes += other.sent_bytes;
        self.sent_points += other.sent_points;
        self.retried += other.retried;
        self.network_errors += other.network_errors;
        for (reason, count) in other.dropped.iter() {
            self.dropped.add(reason, count);
        }
        self.dropped_points += other.dropped_points;
        self.spooled += other.spooled;
        self.set_aside += other.set_aside;
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
        for (name, counts) in &other.by_name {
            let mine = self.name(name);
            mine.submitted += counts.submitted;
            mine.submitted_bytes += counts.submitted_bytes;
            mine.sent += counts.sent;
            mine.sent_bytes += counts.sent_bytes;
            mine.retried += counts.retried;
            mine.refused += counts.refused;
        }
    }
}
