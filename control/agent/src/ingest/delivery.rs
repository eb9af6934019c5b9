//! Where logs go. spec: logs §2.1, §3

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use config::{Config, Role, keys};
use forward::{
    Accepts, BackoffSettings, ConnectSettings, Endpoint, ForwardStats, Forwarder, HttpProtocol,
    Identity, Kind, Priority, RefusedKeys, SpoolSettings,
};

use crate::delivery::forward_settings;
use crate::settings::AGENT_VERSION;

/// The forwarder of logs, with endpoints, retry and a spool of its own.
#[derive(Debug)]
pub(super) struct LogDelivery {
    forwarder: Forwarder,
    path: &'static str,
}

/// Requests under way to each endpoint and pipeline. spec: logs §3.3
const SENDS_PER_PIPELINE: usize = 10;

impl LogDelivery {
    /// Starts the forwarder.
    pub(super) fn start(config: &Config) -> Result<Self, forward::StartError> {
        if config.bool(keys::LOGS_FORCE_USE_TCP) {
            log::warn!("`logs_config.force_use_tcp` has no effect: logs are sent over HTTP alone");
        }
        let common = forward_settings(config, endpoints(config), 0);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let sends = match config.count(keys::LOGS_BATCH_MAX_CONCURRENT_SEND) {
            0 => SENDS_PER_PIPELINE,
            sends => sends,
        };
        let in_flight = config.count(keys::LOGS_PIPELINES).min(cores).max(1) * sends;
        let secs = |key| Duration::from_secs_f64(config.float(key));
        let reset = config.secs(keys::LOGS_CONNECTION_RESET_INTERVAL);
        let forwarder = Forwarder::start(forward::Settings {
            identity: Identity {
                payload_version: None,
                host_prefix: None,
                ..common.identity.clone()
            },
            request_timeout: config.secs(keys::LOGS_HTTP_TIMEOUT),
            in_flight_max: u32::try_from(in_flight).unwrap_or(u32::MAX),
            protocol: match config.str(keys::LOGS_HTTP_PROTOCOL) {
                "http1" => HttpProtocol::Http1,
                _ => common.protocol,
            },
            backoff: BackoffSettings {
                base: secs(keys::LOGS_BACKOFF_BASE),
                factor: config.float(keys::LOGS_BACKOFF_FACTOR),
                max: secs(keys::LOGS_BACKOFF_MAX),
                recovery_interval: u32::try_from(config.count(keys::LOGS_RECOVERY_INTERVAL))
                    .unwrap_or(u32::MAX),
                recovery_reset: config.bool(keys::LOGS_RECOVERY_RESET),
            },
            refused_keys: match config.bool(keys::LOGS_KEEP_REFUSED) {
                true => RefusedKeys::Keep,
                false => RefusedKeys::Drop,
            },
            memory_bytes_max: config.bytes(keys::LOGS_QUEUE_BYTES),
            spool: common.spool.map(|spool| SpoolSettings {
                // Each forwarder owns its directory.
                path: spool.path.join("logs"),
                ..spool
            }),
            connect: ConnectSettings {
                reset_interval: (!reset.is_zero()).then_some(reset),
                ..common.connect
            },
            // The forwarder of metrics validates the same keys.
            key_validation_interval: None,
            stop_timeout: common.stop_timeout.min(config.secs(keys::LOGS_STOP_GRACE_PERIOD)),
            ..common
        })?;
        Ok(Self { forwarder, path: config.log_path() })
    }

    /// Sends a payload to every endpoint. `last_ms` is when its last log came, in Unix time.
    pub(super) fn submit(&self, payload: &encode::Payload, last_ms: u64) {
        let kind = payload.kind;
        self.forwarder.submit(&forward::Payload {
            path: self.path.into(),
            endpoint_name: kind.endpoint_name().into(),
            content_type: kind.content_type().into(),
            encoding: payload.encoding.header().map(Into::into),
            headers: vec![
                ("dd-protocol".into(), "agent-json".into()),
                ("dd-evp-origin".into(), "agent".into()),
                ("dd-evp-origin-version".into(), AGENT_VERSION.into()),
                ("dd-message-timestamp".into(), last_ms.to_string().into()),
                ("dd-current-timestamp".into(), unix_ms().to_string().into()),
            ],
            body: payload.body.clone(),
            points: payload.points,
            is_storable: kind.is_storable(),
            priority: Priority::Normal,
            kind: Kind::Other,
        });
    }

    /// Points the forwarder to the endpoints and keys of a new configuration.
    pub(super) fn reload(&self, config: &Config) -> Result<(), String> {
        self.forwarder.set_endpoints(&endpoints(config)).map_err(|error| error.to_string())
    }

    /// Counters of all endpoints.
    pub(super) fn stats(&self) -> ForwardStats {
        self.forwarder.stats()
    }

    /// Delivers or spools what waits, within the stop budget.
    pub(super) fn stop(&self) {
        self.forwarder.stop();
    }
}

fn endpoints(config: &Config) -> Vec<Endpoint> {
    let endpoint = |endpoint: config::Endpoint| Endpoint {
        url: endpoint.url,
        keys: endpoint.keys.into_iter().map(|key| key.key).collect(),
        accepts: match endpoint.role {
            Role::Main | Role::Additional => Accepts::All,
            Role::Failover => Accepts::Nothing,
        },
    };
    config.log_endpoints().into_iter().map(endpoint).collect()
}

fn unix_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}
