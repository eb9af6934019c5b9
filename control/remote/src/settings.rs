//! Typed settings. Keys and defaults: remote-config §2

use std::path::PathBuf;
use std::time::Duration;

use crate::legacy_key::LegacyKey;
use crate::uptane::Anchors;

/// Everything that remote configuration needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How the agent introduces itself.
    pub identity: Identity,
    /// What everything is verified from.
    pub anchors: Anchors,
    /// Base URL of the backend; also names the store.
    pub url: String,
    /// API key.
    pub api_key: String,
    /// `remote_configuration.key`.
    pub legacy_key: Option<LegacyKey>,
    /// Directory of the store.
    pub directory: PathBuf,
    /// Fixed interval between polls; without one it is a minute, or what the backend wants.
    pub refresh_interval: Option<Duration>,
    /// Longest addition to the interval after failures.
    pub backoff_max: Duration,
    /// How long a client counts as there after its last request.
    pub client_time_to_live: Duration,
    /// Refreshes that new clients may cause per interval.
    pub bypass_max: u32,
    /// Time between two looks at what the organisation and the key may do.
    pub org_status_interval: Duration,
    /// Bounds.
    pub limits: Limits,
}

/// How the agent introduces itself to the backend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Host name.
    pub hostname: String,
    /// Stays the same for a host.
    pub agent_uuid: String,
    /// Version of the Agent whose behaviour is reported.
    pub agent_version: String,
    /// Environment of traces that name none.
    pub trace_agent_env: String,
    /// Tags of the host.
    pub tags: Vec<String>,
}

/// Bounds on what others make us hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// One answer of the backend.
    pub answer_bytes_max: usize,
    /// All documents and files together, in memory and on disk.
    pub store_bytes_max: usize,
    /// Clients that are remembered.
    pub clients_max: usize,
    /// Bytes of what they said of themselves.
    pub clients_bytes_max: usize,
    /// One request of a client.
    pub request_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer_bytes_max: 32 << 20,
            store_bytes_max: 64 << 20,
            clients_max: 2000,
            clients_bytes_max: 16 << 20,
            request_bytes_max: 2 << 20,
        }
    }
}

/// Keys that are read with rules of their own. spec: remote-config §2, table
impl Settings {
    /// The interval that `remote_configuration.refresh_interval` means; `None` leaves it to the
    /// backend.
    #[must_use]
    pub fn refresh_interval_of(configured: Duration) -> Option<Duration> {
        if configured.is_zero() {
            return None;
        }
        if configured < INTERVAL_MIN {
            log::warn!(
                "`remote_configuration.refresh_interval` is below {} s; a minute is used",
                INTERVAL_MIN.as_secs()
            );
            return None;
        }
        Some(configured)
    }

    /// `remote_configuration.max_backoff_interval`, from 2 to 5 minutes.
    #[must_use]
    pub fn backoff_max_of(configured: Duration) -> Duration {
        configured.clamp(Duration::from_secs(120), Duration::from_secs(300))
    }

    /// `remote_configuration.clients.ttl_seconds`: 30 s if it is outside 5 s to a minute.
    #[must_use]
    pub fn time_to_live_of(configured: Duration) -> Duration {
        let is_good = (INTERVAL_MIN..=Duration::from_secs(60)).contains(&configured);
        if is_good { configured } else { Duration::from_secs(30) }
    }

    /// `remote_configuration.clients.cache_bypass_limit`: 5 if it is outside 1 to 10.
    #[must_use]
    pub fn bypass_max_of(configured: usize) -> u32 {
        match configured {
            1..=10 => u32::try_from(configured).unwrap_or(5),
            _ => 5,
        }
    }
}

/// Shortest interval that may be configured.
const INTERVAL_MIN: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_values_fall_back() {
        let secs = Duration::from_secs;
        assert_eq!(Settings::refresh_interval_of(secs(0)), None);
        assert_eq!(Settings::refresh_interval_of(secs(4)), None);
        assert_eq!(Settings::refresh_interval_of(secs(5)), Some(secs(5)));
        assert_eq!(Settings::backoff_max_of(secs(1)), secs(120));
        assert_eq!(Settings::backoff_max_of(secs(900)), secs(300));
        assert_eq!(Settings::time_to_live_of(secs(61)), secs(30));
        assert_eq!(Settings::time_to_live_of(secs(60)), secs(60));
        assert_eq!((Settings::bypass_max_of(0), Settings::bypass_max_of(10)), (5, 10));
    }
}
