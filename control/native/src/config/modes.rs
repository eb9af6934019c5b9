//! From what a guest is told to the keys that the agent reads. spec: config §4, §11.5

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use ::config::{Config, keys};

use crate::AgentError;

/// How clients reach an agent. The numbers are those of the C ABI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum OperationalMode {
    /// TCP and UDP ports that are known beforehand.
    #[default]
    HttpFixedPort = 0,
    /// Ports that the system chooses, and the agent reports.
    HttpEphemeralPort = 1,
    /// Unix sockets.
    HttpUds = 2,
}

impl OperationalMode {
    /// The mode of a configuration.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        match config.str(keys::AGENT_MODE) {
            "http_ephemeral_port" | "ephemeral" | "dynamic" => Self::HttpEphemeralPort,
            "http_uds" | "uds" | "socket" => Self::HttpUds,
            _ => Self::HttpFixedPort,
        }
    }

    /// The value of `agent_mode` for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HttpFixedPort => "http_fixed_port",
            Self::HttpEphemeralPort => "http_ephemeral_port",
            Self::HttpUds => "http_uds",
        }
    }
}

type Flags = Vec<(String, String)>;

/// Keys and values that win over all layers.
pub(super) fn resolve(config: &Config) -> Result<Flags, AgentError> {
    let mut flags = Flags::new();
    let mut set = |key: &str, value: String| flags.push((key.to_owned(), value));
    let mode = OperationalMode::of(config);
    check(config, mode)?;
    match mode {
        OperationalMode::HttpFixedPort => {
            set("apm_config.receiver_port", trace_port(config).to_string());
        }
        OperationalMode::HttpEphemeralPort => set("apm_config.receiver_port", "-1".to_owned()),
        OperationalMode::HttpUds => {
            let path = match config.text(keys::TRACE_AGENT_UDS_PATH) {
                Some(path) => path.to_owned(),
                None => made_path(),
            };
            let beginning = path.strip_suffix(".sock").unwrap_or(&path);
            if config.text(keys::DOGSTATSD_SOCKET).is_none() {
                set("dogstatsd_socket", format!("{beginning}-dsd.sock"));
            }
            set("apm_config.receiver_port", "0".to_owned());
            set("apm_config.receiver_socket", path);
            set("corelane.socket_mode", config.str(keys::TRACE_AGENT_UDS_PERMISSIONS).to_owned());
        }
    }
    set("dogstatsd_port", dogstatsd_port(config, mode).to_string());
    if config.is_set(keys::DOGSTATSD_ENABLED) {
        set("use_dogstatsd", config.bool(keys::DOGSTATSD_ENABLED).to_string());
    }
    if config.is_set(keys::LOGS_AGENT_PORT)
        && !config.is_set(keys::LOGS_LISTEN)
        && let Ok(port) = u16::try_from(config.int(keys::LOGS_AGENT_PORT))
    {
        set("corelane.logs.listen", format!("127.0.0.1:{port}"));
    }
    let secs = config.int(keys::FLUSH_TIMEOUT);
    if secs > 0 && !config.is_set(keys::FLUSH_INTERVAL_SECS) {
        set("corelane.flush_interval_secs", secs.to_string());
    }
    let levels = [keys::METRICS_COMPRESSION_LEVEL, keys::COMPRESSION_LEVEL];
    let level = levels.into_iter().map(|key| config.int(key)).find(|level| *level > 0);
    if let Some(level) = level
        && !config.is_set(keys::SERIALIZER_ZSTD_COMPRESSOR_LEVEL)
    {
        set("serializer_zstd_compressor_level", level.to_string());
    }
    if config.int(keys::APM_COMPRESSION_LEVEL) == 0 && config.int(keys::COMPRESSION_LEVEL) > 0 {
        set("apm_config.compression_level", config.int(keys::COMPRESSION_LEVEL).to_string());
    }
    let levels = [keys::LOGS_COMPRESSION_LEVEL, keys::COMPRESSION_LEVEL];
    let level = levels.into_iter().find(|key| config.is_set(*key)).map(|key| config.int(key));
    if let Some(level) = level.filter(|level| *level > 0)
        && !config.is_set(keys::LOGS_ZSTD_COMPRESSION_LEVEL)
    {
        set("logs_config.zstd_compression_level", level.to_string());
    }
    // No tag holds a comma or a blank.
    set("dogstatsd_tags", metric_tags(config).join(","));
    set("otlp_config.metrics.tags", otlp_tags(config));
    Ok(flags)
}

/// That the environment and this build do not agree on validated cryptography. spec: config §4
pub(super) fn fips_mismatch(config: &Config) -> Option<String> {
    let is_expected = config.bool(keys::LAMBDA_FIPS_MODE);
    match (is_expected, agent::IS_FIPS) {
        (true, false) => Some(
            "DD_LAMBDA_FIPS_MODE is on, but this build has no FIPS-validated cryptography: it \
             needs the cargo feature `fips`"
                .to_owned(),
        ),
        (false, true) if config.is_set(keys::LAMBDA_FIPS_MODE) => Some(
            "DD_LAMBDA_FIPS_MODE is off, but this build has FIPS-validated cryptography alone"
                .to_owned(),
        ),
        _ => None,
    }
}

fn check(config: &Config, mode: OperationalMode) -> Result<(), AgentError> {
    let has_path = config.text(keys::TRACE_AGENT_UDS_PATH).is_some();
    if mode != OperationalMode::HttpUds && has_path {
        return Err(AgentError::ConfigError(format!(
            "`trace_agent_uds_path` belongs to `agent_mode: http_uds`, not to {}",
            mode.as_str()
        )));
    }
    if mode == OperationalMode::HttpUds && config.is_set(keys::TRACE_AGENT_PORT) {
        return Err(AgentError::ConfigError(
            "`trace_agent_port` belongs to a mode with TCP, not to `agent_mode: http_uds`"
                .to_owned(),
        ));
    }
    Ok(())
}

/// -1 where the system is to choose.
fn trace_port(config: &Config) -> i64 {
    match config.int(keys::TRACE_AGENT_PORT) {
        _ if !config.is_set(keys::TRACE_AGENT_PORT) => config.int(keys::APM_RECEIVER_PORT),
        0 => -1,
        port => port,
    }
}

/// -1 where the system is to choose.
fn dogstatsd_port(config: &Config, mode: OperationalMode) -> i64 {
    let keys = [keys::DOGSTATSD_PORT, keys::METRICS_AGENT_PORT];
    match keys.into_iter().find(|key| config.is_set(*key)).map(|key| config.int(key)) {
        Some(0) => -1,
        Some(port) => port,
        None if mode == OperationalMode::HttpEphemeralPort => -1,
        None => config.int(keys::DOGSTATSD_PORT),
    }
}

/// Tags of the host program's metrics: those of DogStatsD, the tags that a host would have, and
/// service, environment and version, each of which wins over a tag of its name. They are written on
/// every metric: nothing says that the intake knows a host by this name.
fn metric_tags(config: &Config) -> Vec<String> {
    let unified = [
        ("service", config.text(keys::SERVICE)),
        ("env", config.text(keys::ENV)),
        ("version", config.text(keys::VERSION)),
    ];
    let is_replaced = |tag: &str| {
        let key = tag.split_once(':').map(|(key, _)| key);
        unified.iter().any(|(name, value)| value.is_some() && key == Some(*name))
    };
    let given = [keys::DOGSTATSD_TAGS, keys::TAGS, keys::EXTRA_TAGS];
    let given = given.into_iter().flat_map(|key| config.tags(key)).filter(|tag| !is_replaced(tag));
    let mut tags: Vec<String> = given.cloned().collect();
    tags.extend(unified.iter().filter_map(|(name, value)| Some(format!("{name}:{}", (*value)?))));
    let mut seen = std::collections::HashSet::new();
    tags.retain(|tag| seen.insert(tag.clone()));
    tags
}

/// Tags of OTLP metrics, whose resources name service, environment and version: those that a host
/// would have, behind their own.
fn otlp_tags(config: &Config) -> String {
    let own = config.str(keys::OTLP_METRICS_TAGS).split(',').map(str::trim);
    let given = [keys::TAGS, keys::EXTRA_TAGS].into_iter().flat_map(|key| config.tags(key));
    let tags = own.filter(|tag| !tag.is_empty()).chain(given.map(String::as_str));
    tags.collect::<Vec<_>>().join(",")
}

/// A path that nobody else takes.
fn made_path() -> String {
    let pid = std::process::id();
    let random = RandomState::new().hash_one(pid) & 0xFF_FFFF;
    format!("/tmp/dd-trace-{pid}-{random:06x}.sock")
}
