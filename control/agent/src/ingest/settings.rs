//! Keys to the settings of the worker.

#[cfg(feature = "otlp")]
mod points;

use std::sync::Arc;
use std::time::Duration;

use config::{Config, keys};
use encode::Encoding;
use ingest::{LogSettings, Settings};
use logs::{BatchLimits, Counted, Defaults, EntryLimits, RuleConfig, Rules};

use crate::agent::StartError;
use crate::settings;
use crate::starting::IngestStart;

/// Longest OTLP body over HTTP, and message over gRPC, unless configured. spec: otlp §1.2, §1.3
const OTLP_BYTES_MAX: usize = 20 << 20;
const GRPC_MIB_MAX: usize = 4;

/// Longest encoded entry. spec: logs §6
const ENTRY_BYTES_MAX: usize = 1_000_000;

pub(super) fn settings(
    start: &IngestStart<'_>,
    takes_logs: bool,
    takes_otlp: bool,
) -> Result<Settings, StartError> {
    let (config, host) = (start.config, start.host);
    let bytes = |key| usize::try_from(config.bytes(key)).unwrap_or(usize::MAX);
    let or = |value: usize, default: usize| if value == 0 { default } else { value };
    #[cfg(not(feature = "otlp"))]
    let _unused = takes_otlp;
    Ok(Settings {
        waiting_bytes_max: bytes(keys::INGEST_BYTES),
        logs: takes_logs.then(|| log_settings(config, host)).transpose()?,
        #[cfg(feature = "otlp")]
        metrics: (takes_otlp && config.bool(keys::OTLP_METRICS_ENABLED))
            .then(|| points::translator(start))
            .transpose()?,
        otlp_bytes_max: or(config.count(keys::OTLP_HTTP_BODY_BYTES), OTLP_BYTES_MAX),
        grpc_bytes_max: or(config.count(keys::OTLP_GRPC_MESSAGE_MIB), GRPC_MIB_MAX) << 20,
        takes_otlp_logs: config.bool(keys::OTLP_LOGS_ENABLED),
        points_wait: config.secs(keys::FLUSH_INTERVAL_SECS).max(Duration::from_secs(1)),
    })
}

fn log_settings(config: &Config, host: &Arc<str>) -> Result<LogSettings, StartError> {
    let count = |key| config.count(key);
    let message_bytes_max = count(keys::LOGS_MAX_MESSAGE_SIZE);
    Ok(LogSettings {
        prepare: logs::Settings {
            defaults: Defaults {
                hostname: host.to_string(),
                service: config.str(keys::SERVICE).to_owned(),
                tags: added_tags(config),
                ..Defaults::default()
            },
            rules: rules(config)?,
            limits: EntryLimits {
                message_bytes_max,
                entry_bytes_max: ENTRY_BYTES_MAX,
                tags_truncated: config.bool(keys::LOGS_TAG_TRUNCATED),
            },
        },
        batch: BatchLimits {
            count_max: count(keys::LOGS_BATCH_MAX_SIZE),
            bytes_max: count(keys::LOGS_BATCH_MAX_CONTENT_SIZE),
            counted: Counted::Body,
        },
        batch_wait: Duration::from_secs_f64(config.float(keys::LOGS_BATCH_WAIT)),
        encode: encode_settings(config),
        // A worker refuses keys that it does not know. spec: logs §4.4
        folds_extra: config.bool(keys::OPW_LOGS_ENABLED)
            && config.text(keys::OPW_LOGS_URL).is_some(),
        body_bytes_max: usize::try_from(config.bytes(keys::LOGS_REQUEST_BYTES))
            .unwrap_or(usize::MAX),
    })
}

fn encode_settings(config: &Config) -> encode::Settings {
    let level = |key| config.int(key);
    // One payload goes to all endpoints, of which the further ones may be old.
    let has_more = config.log_endpoints().len() > 1 && !config.is_set(keys::LOGS_COMPRESSION_KIND);
    encode::Settings {
        compression: match config.str(keys::LOGS_COMPRESSION_KIND) {
            _ if !config.bool(keys::LOGS_USE_COMPRESSION) => Encoding::Identity,
            "gzip" => Encoding::Gzip,
            _ if has_more => Encoding::Gzip,
            _ => Encoding::Zstd,
        },
        zstd_level: i32::try_from(level(keys::LOGS_ZSTD_COMPRESSION_LEVEL)).unwrap_or(1),
        deflate_level: u32::try_from(level(keys::LOGS_COMPRESSION_LEVEL)).unwrap_or(6),
        ..settings::encode(config)
    }
}

/// Tags of the host that are written on every log where nobody describes the host.
/// spec: logs §7.3
fn added_tags(config: &Config) -> String {
    if !config.bool(keys::LOGS_ADDS_TAGS) {
        return String::new();
    }
    let mut tags: Vec<String> =
        [keys::TAGS, keys::EXTRA_TAGS].iter().flat_map(|key| config.tags(*key)).cloned().collect();
    for (name, value) in [("env", config.text(keys::ENV)), ("version", config.text(keys::VERSION))]
    {
        let is_there =
            tags.iter().any(|tag| tag.split_once(':').is_some_and(|(key, _)| key == name));
        if let Some(value) = value.filter(|_| !is_there) {
            tags.push(format!("{name}:{value}"));
        }
    }
    tags.join(",")
}

fn rules(config: &Config) -> Result<Rules, StartError> {
    let refuse = |error: &dyn std::fmt::Display| {
        StartError::Ingest(format!("`logs_config.processing_rules`: {error}"))
    };
    let configured = config.json(keys::LOGS_PROCESSING_RULES).clone();
    let configured: Vec<RuleConfig> =
        serde_json::from_value(configured).map_err(|error| refuse(&error))?;
    let rules = Rules::new(&configured).map_err(|error| refuse(&error))?;
    for ignored in rules.ignored() {
        let (name, kind) = (&ignored.name, ignored.kind);
        log::warn!("the processing rule `{name}` has no effect: {kind} is for files and sockets");
    }
    Ok(rules)
}
