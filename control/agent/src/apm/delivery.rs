//! Where traces and stats go.

use std::borrow::Cow;

use config::{Config, Role, keys};
use forward::{
    Accepts, Endpoint, ForwardStats, Forwarder, Identity, Kind, Priority, SpoolSettings,
};

use crate::delivery::forward_settings;
use crate::settings::{self, AGENT_VERSION};

/// Headers of one payload.
pub(crate) type Headers = Vec<(Cow<'static, str>, Cow<'static, str>)>;

/// The forwarder of traces and stats, with endpoints and a spool of its own.
#[derive(Debug)]
pub(crate) struct TraceDelivery {
    forwarder: Forwarder,
    encode: encode::Settings,
}

impl TraceDelivery {
    /// Starts the forwarder.
    pub(crate) fn start(config: &Config) -> Result<Self, forward::StartError> {
        let common = forward_settings(config, endpoints(config), 0);
        let spool = common.spool.map(|spool| SpoolSettings {
            // Each forwarder owns its directory.
            path: spool.path.join("traces"),
            ..spool
        });
        let forwarder = Forwarder::start(forward::Settings {
            identity: Identity {
                user_agent: format!("Datadog Trace Agent/{AGENT_VERSION}/"),
                payload_version: None,
                host_prefix: None,
                ..common.identity.clone()
            },
            spool,
            // The forwarder of metrics validates the same keys.
            key_validation_interval: None,
            ..common
        })?;
        let encode = settings::encode(config);
        let level = match config.int(keys::APM_COMPRESSION_LEVEL) {
            0 => None,
            level => i32::try_from(level).ok(),
        };
        let zstd_level = level.unwrap_or(encode.zstd_level);
        Ok(Self { forwarder, encode: encode::Settings { zstd_level, ..encode } })
    }

    /// How bodies are encoded.
    pub(crate) const fn encode(&self) -> &encode::Settings {
        &self.encode
    }

    /// Sends a payload to every endpoint.
    pub(crate) fn submit(&self, payload: &encode::Payload, headers: Headers) {
        let kind = payload.kind;
        self.forwarder.submit(&forward::Payload {
            path: kind.path().into(),
            endpoint_name: kind.endpoint_name().into(),
            content_type: kind.content_type().into(),
            encoding: payload.encoding.header().map(Into::into),
            headers,
            body: payload.body.clone(),
            points: payload.points,
            is_storable: kind.is_storable(),
            priority: Priority::Normal,
            kind: Kind::Other,
        });
    }

    /// Points the forwarder to the endpoints and keys of a new configuration.
    pub(crate) fn reload(&self, config: &Config) -> Result<(), String> {
        self.forwarder.set_endpoints(&endpoints(config)).map_err(|error| error.to_string())
    }

    /// Counters of all endpoints.
    pub(crate) fn stats(&self) -> ForwardStats {
        self.forwarder.stats()
    }

    /// Delivers or spools what waits, within the stop budget.
    pub(crate) fn stop(&self) {
        self.forwarder.stop();
    }
}

fn endpoints(config: &Config) -> Vec<Endpoint> {
    let is_failed_over = config.bool(keys::MRF_FAILOVER_APM);
    let endpoint = |endpoint: config::Endpoint| Endpoint {
        url: endpoint.url,
        keys: endpoint.keys.into_iter().map(|key| key.key).collect(),
        accepts: match endpoint.role {
            Role::Failover if !is_failed_over => Accepts::Nothing,
            Role::Main | Role::Additional | Role::Failover => Accepts::All,
        },
    };
    config.trace_endpoints().into_iter().map(endpoint).collect()
}
