//! Typed settings of the forwarder. Keys and defaults: metrics-intake §10.1.

use std::path::PathBuf;
use std::time::Duration;

use crate::base_url::HostPrefix;
use crate::payload::Kind;
use crate::proxy::ProxySettings;
use crate::tls::TlsSettings;

/// Everything the forwarder needs to know. [`Settings::default`] has the documented defaults and
/// no endpoint.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where payloads go; every endpoint gets every payload it accepts.
    pub endpoints: Vec<Endpoint>,
    /// How requests introduce themselves.
    pub identity: Identity,
    /// `forwarder_timeout`: one whole request, connection included. 20 s.
    pub request_timeout: Duration,
    /// `forwarder_num_workers` x `forwarder_max_concurrent_requests`: requests under way per
    /// endpoint and key, at least 1. Default 10.
    pub in_flight_max: u32,
    /// `forwarder_http_protocol`.
    pub protocol: HttpProtocol,
    /// Waiting after failures.
    pub backoff: BackoffSettings,
    /// What becomes of transactions whose key the intake refuses. Kept.
    pub refused_keys: RefusedKeys,
    /// `forwarder_retry_queue_payloads_max_size`: bytes waiting in memory per endpoint, shared
    /// evenly by its keys. 15 MiB.
    pub memory_bytes_max: u64,
    /// Disk queue; `None` keeps everything in memory.
    pub spool: Option<SpoolSettings>,
    /// Certificates and versions.
    pub tls: TlsSettings,
    /// Proxies.
    pub proxy: ProxySettings,
    /// Connection timing.
    pub connect: ConnectSettings,
    /// `forwarder_apikey_validation_interval`, 60 min. `None` never asks.
    pub key_validation_interval: Option<Duration>,
    /// `forwarder_stop_timeout`: budget of [`crate::Forwarder::stop`]. 2 s.
    pub stop_timeout: Duration,
    /// `logging_frequency`: the first and then every so many deliveries are logged. 500.
    pub success_log_every: u64,
    /// Seed of the backoff jitter; `None` takes one from the system.
    pub seed: Option<u64>,
}

/// One base URL and the keys that data is sent to it with.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// As configured: `https://app.datadoghq.com`, `http://localhost:8080`; no scheme is https.
    pub url: String,
    /// API keys; each gets every payload. Position is identity: rotating a key keeps its slot.
    pub keys: Vec<String>,
    /// Which payloads it takes.
    pub accepts: Accepts,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("url", &crate::base_url::without_userinfo(&self.url))
            .field("keys", &self.keys.len())
            .field("accepts", &self.accepts)
            .finish()
    }
}

/// Routing of payload kinds. Spec: metrics-intake §10.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accepts {
    /// Everything.
    #[default]
    All,
    /// Metrics only: an observability pipeline, or failover while it is on.
    Metrics,
    /// All but metrics: the main endpoint while a pipeline takes the metrics.
    ExceptMetrics,
    /// Nothing: failover that is configured but off.
    Nothing,
}

impl Accepts {
    /// Whether a payload of this kind goes here.
    pub fn covers(self, kind: Kind) -> bool {
        match self {
            Self::All => true,
            Self::Metrics => kind == Kind::Metrics,
            Self::ExceptMetrics => kind != Kind::Metrics,
            Self::Nothing => false,
        }
    }
}

/// Headers that say who is sending, and how Datadog host names are built.
#[derive(Clone, Debug)]
pub struct Identity {
    /// `User-Agent`, such as `datadog-agent/7.82.0`.
    pub user_agent: String,
    /// `DD-Agent-Version`, such as `7.82.0`.
    pub agent_version: String,
    /// `DD-Agent-Payload` for protobuf bodies; `None` leaves it out.
    pub payload_version: Option<String>,
    /// `allow_arbitrary_tags`: sends `Allow-Arbitrary-Tag-Value: true`.
    pub allows_arbitrary_tags: bool,
    /// Version prefix for Datadog hosts; `None` uses the hosts as configured.
    pub host_prefix: Option<HostPrefix>,
    /// `convert_dd_site_fqdn.enabled`: resolve Datadog hosts as absolute names. Host header and
    /// SNI never carry the dot.
    pub resolves_absolute: bool,
}

/// Which HTTP versions are offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HttpProtocol {
    /// HTTP/2 where TLS negotiates it, else HTTP/1.1.
    #[default]
    Auto,
    /// HTTP/1.1 only.
    Http1,
}

/// What a 401 or 403 of the intake means for a transaction. Spec: logs §3.1 and §25.5.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefusedKeys {
    /// It is tried again within the bounds of the queue, so that a key that is rotated finds it.
    #[default]
    Keep,
    /// It is dropped, as the Agent does with logs.
    Drop,
}

/// `forwarder_backoff_*` and `forwarder_recovery_*`. Spec: metrics-intake §10.4.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BackoffSettings {
    /// Delay unit. 2 s.
    pub base: Duration,
    /// Jitter divisor: a delay is drawn from `[t / factor, t]`. 2.
    pub factor: f64,
    /// Longest delay, also for `Retry-After`. 64 s.
    pub max: Duration,
    /// Errors forgiven per success. 2.
    pub recovery_interval: u32,
    /// Forgive all errors at the first success.
    pub recovery_reset: bool,
}

/// The disk queue. Spec: metrics-intake §10.6.
#[derive(Clone, Debug)]
pub struct SpoolSettings {
    /// `forwarder_storage_path`.
    pub path: PathBuf,
    /// `forwarder_storage_max_size_in_bytes`, per endpoint, shared evenly by its keys.
    pub bytes_max: u64,
    /// `forwarder_storage_max_disk_ratio`: how full the file system may get. 0.8.
    pub disk_ratio_max: f64,
    /// `forwarder_flush_to_disk_mem_ratio`: share of the memory bound moved at once. 0.5.
    pub flush_ratio: f64,
    /// `forwarder_outdated_file_in_days`, as a duration. 10 days.
    pub age_max: Duration,
    /// Replay speed per endpoint and key, so that a fleet coming back does not flood the intake.
    /// 4 MiB/s.
    pub replay_bytes_per_sec: u64,
}

/// Connection timing. Spec: config-and-embedding §7.
#[derive(Clone, Debug)]
pub struct ConnectSettings {
    /// TCP connection, name resolution included. 30 s.
    pub dial_timeout: Duration,
    /// `http_dial_fallback_delay`: how long an address of a host is tried before the next is tried
    /// beside it; zero tries one after the other. 300 ms.
    pub fallback_delay: Duration,
    /// `tls_handshake_timeout`. 10 s.
    pub handshake_timeout: Duration,
    /// TCP keep-alive probe interval. 30 s.
    pub keep_alive: Duration,
    /// Idle connections kept per endpoint and key. 5.
    pub idle_max: usize,
    /// How long an idle connection is kept. 45 s.
    pub idle_timeout: Duration,
    /// `forwarder_connection_reset_interval`; `None` never resets.
    pub reset_interval: Option<Duration>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            endpoints: Vec::new(),
            identity: Identity::default(),
            request_timeout: Duration::from_secs(20),
            in_flight_max: 10,
            protocol: HttpProtocol::Auto,
            backoff: BackoffSettings::default(),
            refused_keys: RefusedKeys::default(),
            memory_bytes_max: 15_728_640,
            spool: None,
            tls: TlsSettings::default(),
            proxy: ProxySettings::default(),
            connect: ConnectSettings::default(),
            key_validation_interval: Some(Duration::from_secs(60 * 60)),
            stop_timeout: Duration::from_secs(2),
            success_log_every: 500,
            seed: None,
        }
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            user_agent: "datadog-agent/7.82.0".to_owned(),
            agent_version: "7.82.0".to_owned(),
            payload_version: None,
            allows_arbitrary_tags: false,
            host_prefix: None,
            resolves_absolute: true,
        }
    }
}

impl Default for BackoffSettings {
    fn default() -> Self {
        Self {
            base: Duration::from_secs(2),
            factor: 2.0,
            max: Duration::from_secs(64),
            recovery_interval: 2,
            recovery_reset: false,
        }
    }
}

impl SpoolSettings {
    /// The documented defaults for a directory and size bound.
    pub fn new(path: PathBuf, bytes_max: u64) -> Self {
        Self {
            path,
            bytes_max,
            disk_ratio_max: 0.8,
            flush_ratio: 0.5,
            age_max: Duration::from_secs(10 * 24 * 60 * 60),
            replay_bytes_per_sec: 4 * 1024 * 1024,
        }
    }
}

impl Default for ConnectSettings {
    fn default() -> Self {
        Self {
            dial_timeout: Duration::from_secs(30),
            fallback_delay: Duration::from_millis(300),
            handshake_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(30),
            idle_max: 5,
            idle_timeout: Duration::from_secs(45),
            reset_interval: None,
        }
    }
}
