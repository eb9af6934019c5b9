//! Archives for support: what this agent puts into them, and those asked for from afar.
//!
//! ```text
//! AGENT_TASK --subscription--> FlareDesk (a thread while needed) --collect--> Upload --> state
//! POST /flare --Source--> collect --> the command writes and sends it
//! ```

mod contents;
mod desk;

use std::sync::Arc;
use std::time::Duration;

use ::flare::{Asker, Bounds, Case, Collected, Scrubber, Upload};
use bytes::Bytes;
use config::{Config, keys};
use forward::OutboundSettings;

use crate::delivery::forward_settings;
use crate::settings::AGENT_VERSION;
use crate::source::Shared;

pub(crate) use desk::FlareDesk;
#[cfg(feature = "remote-config")]
pub(crate) use desk::Job;

/// Time that a command waits for an archive; the API gives up after 20 s.
pub(crate) const COMMAND_TIME_MAX: Duration = Duration::from_secs(15);

/// Makes an archive about a running agent.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn collect(
    shared: &Shared,
    time_max: Duration,
    is_over: impl Fn() -> bool,
) -> Result<Collected, String> {
    let config = shared.config();
    let members = contents::members(shared, &config);
    let bounds = bounds(&config, time_max);
    ::flare::collect(&shared.host_name, members, &Scrubber::new(&config), &bounds, is_over)
        .map_err(|error| error.to_string())
}

/// What a flare may cost by the configuration.
#[must_use]
pub fn bounds(config: &Config, time_max: Duration) -> Bounds {
    let bytes = config.bytes(keys::FLARE_ARCHIVE_BYTES_MAX);
    Bounds {
        contents_bytes_max: usize::try_from(bytes).unwrap_or(usize::MAX),
        member_time_max: config.duration(keys::FLARE_PROVIDER_TIMEOUT),
        time_max,
    }
}

/// What its limits add up to: the log lines that are kept, and one archive while it is made, its
/// contents beside it.
pub(crate) fn planned_bytes(config: &Config) -> u64 {
    let archive = config.bytes(keys::FLARE_ARCHIVE_BYTES_MAX);
    config.bytes(keys::FLARE_LOG_BYTES_MAX) + 2 * archive
}

/// How the flare intake is reached: as any other, through the same proxies.
#[must_use]
pub fn outbound(config: &Config) -> OutboundSettings {
    let common = forward_settings(config, Vec::new(), 0);
    OutboundSettings {
        tls: common.tls,
        proxy: common.proxy,
        connect: common.connect,
        user_agent: common.identity.user_agent,
        resolves_absolute: common.identity.resolves_absolute,
    }
}

/// An upload of an archive with the key and the intake of a configuration, from a host without a
/// name.
#[must_use]
pub fn upload(
    config: &Config,
    case: Case,
    asker: Asker,
    file_name: String,
    archive: Bytes,
) -> Upload {
    Upload {
        base_url: config.flare_url(AGENT_VERSION),
        api_key: config.api_key().to_owned(),
        case,
        asker,
        hostname: String::new(),
        agent_version: AGENT_VERSION.to_owned(),
        file_name,
        archive,
    }
}

/// Name of an archive made at a time, as the Agent names its own.
#[must_use]
pub fn file_name(unix_secs: u64) -> String {
    format!("datadog-agent-{}.zip", status::format::rfc3339(unix_secs).replace(':', "-"))
}

/// What is known of an agent without asking it.
#[must_use]
pub fn about(config: Arc<Config>, version: serde_json::Value) -> ::flare::About {
    let findings = config.findings().iter().map(ToString::to_string).collect();
    // Names and values that are not UTF-8 cannot be ours.
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    ::flare::About { config, environment, findings, version }
}

/// Version and build of this program, for `version.json`.
#[must_use]
pub fn version(version: &str, made_unix_secs: u64) -> serde_json::Value {
    serde_json::json!({
        "version": version,
        "agent_version": AGENT_VERSION,
        "target": format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        "build": if cfg!(debug_assertions) { "debug" } else { "release" },
        "pid": std::process::id(),
        "made": status::format::rfc3339(made_unix_secs),
    })
}
