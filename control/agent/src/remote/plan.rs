//! Keys to the settings of remote configuration, or why it is off. spec: remote-config §2

use std::fs;
use std::time::Duration;

use config::{Config, keys};
use forward::{Caller, CallerSettings, ConnectSettings, TlsSettings};
use remote::{Identity, LegacyKey, Limits, Settings};
use ring::digest::{SHA256, digest};

use crate::delivery::forward_settings;
use crate::settings::AGENT_VERSION;

/// What remote configuration starts with.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) settings: Settings,
    pub(super) caller: Caller,
}

/// Idle connections to the backend close after this. spec: remote-config §3.1
const IDLE: Duration = Duration::from_secs(30);

/// Why nobody wants it, if that is so.
pub(super) fn unwanted(config: &Config) -> Option<&'static str> {
    if !config.bool(keys::REMOTE_CONFIG_ENABLED) {
        return Some("`remote_configuration.enabled` is false");
    }
    if config.bool(keys::FIPS_ENABLED) {
        return Some("`fips.enabled` is true");
    }
    if config.remote_config_key().is_empty() {
        return Some("there is no API key");
    }
    None
}

/// Settings, or why it stays off.
pub(super) fn plan(config: &Config, host: &str) -> Result<Plan, String> {
    if let Some(reason) = unwanted(config) {
        return Err(reason.to_owned());
    }
    let url = config.remote_config_url();
    if !url.starts_with("https://") && !config.bool(keys::REMOTE_CONFIG_NO_TLS) {
        return Err("`remote_configuration.rc_dd_url` is no https:// URL; set \
                    `remote_configuration.no_tls` if that is meant"
            .to_owned());
    }
    let common = forward_settings(config, Vec::new(), 0);
    if common.tls.skips_validation && !config.bool(keys::REMOTE_CONFIG_NO_TLS_VALIDATION) {
        return Err("`skip_ssl_validation` is true; set `remote_configuration.no_tls_validation` \
                    if that is meant for remote configuration too"
            .to_owned());
    }
    let legacy_key = config.text(keys::REMOTE_CONFIG_LEGACY_KEY).map(LegacyKey::parse).transpose();
    let legacy_key = legacy_key.map_err(|error| error.to_string())?;
    let anchors = remote::anchors_with_own(
        config.str(keys::SITE).trim(),
        config.text(keys::REMOTE_CONFIG_DIRECTOR_ROOT),
        config.text(keys::REMOTE_CONFIG_CONFIG_ROOT),
    );
    let anchors = anchors.map_err(|refused| format!("a configured root is no good: {refused}"))?;
    let limits = limits(config);
    let caller = Caller::new(CallerSettings {
        url: url.clone(),
        user_agent: common.identity.user_agent,
        timeout: common.request_timeout,
        answer_bytes_max: limits.answer_bytes_max,
        resolves_absolute: common.identity.resolves_absolute,
        tls: TlsSettings { ..common.tls },
        proxy: common.proxy,
        connect: ConnectSettings { idle_timeout: IDLE, ..common.connect },
    });
    let caller = caller.map_err(|error| error.to_string())?;
    let settings = Settings {
        identity: Identity {
            hostname: host.to_owned(),
            agent_uuid: agent_uuid(),
            agent_version: AGENT_VERSION.to_owned(),
            trace_agent_env: crate::settings::default_env(config),
            tags: config.host_tags(),
        },
        anchors,
        url,
        api_key: config.remote_config_key().to_owned(),
        legacy_key,
        directory: config.str(keys::REMOTE_CONFIG_STORE_PATH).into(),
        refresh_interval: Settings::refresh_interval_of(
            config.duration(keys::REMOTE_CONFIG_REFRESH_INTERVAL),
        ),
        backoff_max: Settings::backoff_max_of(config.duration(keys::REMOTE_CONFIG_MAX_BACKOFF)),
        client_time_to_live: Settings::time_to_live_of(
            config.duration(keys::REMOTE_CONFIG_CLIENTS_TTL),
        ),
        bypass_max: Settings::bypass_max_of(config.count(keys::REMOTE_CONFIG_BYPASS_LIMIT)),
        org_status_interval: config.duration(keys::REMOTE_CONFIG_ORG_STATUS_INTERVAL),
        limits,
    };
    Ok(Plan { settings, caller })
}

fn limits(config: &Config) -> Limits {
    let bytes = |key| usize::try_from(config.bytes(key)).unwrap_or(usize::MAX);
    Limits {
        answer_bytes_max: bytes(keys::REMOTE_CONFIG_ANSWER_BYTES_MAX),
        store_bytes_max: bytes(keys::REMOTE_CONFIG_STORE_BYTES_MAX),
        clients_max: config.count(keys::REMOTE_CONFIG_CLIENTS_MAX),
        clients_bytes_max: bytes(keys::REMOTE_CONFIG_CLIENTS_BYTES_MAX),
        request_bytes_max: bytes(keys::REMOTE_CONFIG_REQUEST_BYTES_MAX),
    }
}

/// The same for a host as long as its system is; empty where the system has no id. Hashed, since
/// the id itself is not to leave the host.
fn agent_uuid() -> String {
    let Ok(id) = fs::read_to_string("/etc/machine-id") else { return String::new() };
    let id = id.trim();
    if id.is_empty() {
        return String::new();
    }
    let hash = digest(&SHA256, format!("corelane {id}").as_bytes());
    let mut hex: String = hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    // Version 8, of one's own making.
    hex.replace_range(12..13, "8");
    hex.replace_range(16..17, "8");
    for at in [20, 16, 12, 8] {
        hex.insert(at, '-');
    }
    hex
}

#[cfg(test)]
mod tests {
    use config::{FileSource, Sources};

    use super::*;

    fn reason(more: &str) -> String {
        let text = format!("api_key: 0123456789abcdef0123456789abcdef\n{more}");
        let file = FileSource::Text { name: "f".into(), bytes: text.into() };
        let config = config::load(&Sources { file, ..Sources::default() }).unwrap();
        plan(&config, "host").err().unwrap_or_default()
    }

    #[test]
    fn it_says_why_it_is_off() {
        assert_eq!(reason(""), "");
        for (text, part) in [
            ("api_key: \"\"", "no API key"),
            ("remote_configuration.enabled: false", "enabled` is false"),
            ("fips.enabled: true", "fips"),
            ("remote_configuration.rc_dd_url: http://127.0.0.1:1", "no_tls"),
            ("skip_ssl_validation: true", "no_tls_validation"),
            ("remote_configuration.key: x", "malformed"),
            ("remote_configuration.director_root: '{}'", "root is no good"),
        ] {
            // A repeated key of the file is the last one.
            let reason = reason(text);
            assert!(reason.contains(part), "{text}: {reason}");
        }
        let allowed = "remote_configuration: {rc_dd_url: 'http://127.0.0.1:1', no_tls: true}";
        assert_eq!(reason(allowed), "");
    }
}
