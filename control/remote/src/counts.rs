//! Counters, and what a status page shows.

use std::collections::BTreeMap;

use crate::uptane::Versions;

/// Everything counted since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Polls that led to a verified state.
    pub updates: u64,
    /// Polls without a usable answer, by class.
    pub call_failures: BTreeMap<&'static str, u64>,
    /// Answers that were refused, by cause.
    pub refused: BTreeMap<&'static str, u64>,
    /// Commits that could not be written.
    pub store_failures: u64,
    /// Stores at start that could not be trusted.
    pub store_distrusted: u64,
    /// Requests of clients by what became of them.
    pub requests: BTreeMap<&'static str, u64>,
    /// Milliseconds that requests of clients took.
    pub request_ms: u64,
    /// Refreshes caused by new clients.
    pub bypasses: u64,
    /// Refreshes that the limit kept from happening.
    pub bypasses_limited: u64,
    /// Refreshes that took too long for who caused them.
    pub bypasses_late: u64,
    /// Clients that found no room.
    pub clients_refused: u64,
    /// Products that found no room.
    pub products_refused: u64,
}

/// What remote configuration does, at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Base URL of the backend.
    pub url: String,
    /// Versions of the repositories.
    pub versions: Versions,
    /// Unix seconds of the last verified update; 0 before the first.
    pub updated_unix_secs: u64,
    /// Seconds between polls now, without backoff.
    pub interval_secs: u64,
    /// Failures in a row that are not made up for.
    pub errors: u32,
    /// The last failure; empty after a success.
    pub last_error: String,
    /// What organisation and key may do; `None` while it is not known.
    pub org_status: Option<OrgStatus>,
    /// Why that could not be asked; empty if it could.
    pub org_error: String,
    /// Whether the state survives a restart.
    pub is_on_disk: bool,
    /// Bytes of documents and files.
    pub bytes: u64,
    /// Whether the director's word has run out.
    pub is_expired: bool,
    /// Products that were asked for.
    pub products: Vec<String>,
    /// Clients that are there.
    pub clients: Vec<ClientReport>,
    /// Configurations, by path.
    pub configurations: Vec<ConfigurationReport>,
    /// Counters.
    pub counts: Counts,
}

/// What organisation and key may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrgStatus {
    /// Remote configuration is on for the organisation.
    pub is_enabled: bool,
    /// The key may read it.
    pub is_authorized: bool,
}

/// A client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientReport {
    /// Its id.
    pub id: String,
    /// `tracer`, `agent` or `updater`.
    pub kind: &'static str,
    /// Service of a tracer, name of an agent.
    pub name: String,
    /// Language of a tracer.
    pub language: String,
    /// Version of the tracer or agent.
    pub version: String,
    /// What it asks for.
    pub products: Vec<String>,
    /// Unix milliseconds of its last request.
    pub seen_unix_ms: u64,
    /// Version of the director's targets that it has.
    pub targets_version: u64,
    /// Its last error.
    pub error: String,
    /// What became of its configurations.
    pub configurations: Vec<AppliedReport>,
}

/// A configuration at a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppliedReport {
    /// Its product.
    pub product: String,
    /// Its id.
    pub id: String,
    /// Version of the file.
    pub version: u64,
    /// Number of the state. spec: remote-config §4
    pub apply_state: u64,
    /// Why it is not in effect.
    pub apply_error: String,
}

/// A configuration that is served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigurationReport {
    /// Its path.
    pub path: String,
    /// Version of the file.
    pub version: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// One more of a name.
pub(crate) fn count(counts: &mut BTreeMap<&'static str, u64>, name: &'static str) {
    *counts.entry(name).or_default() += 1;
}
