//! Configuration keys to the settings of each crate. The only place that knows both.

use std::sync::Arc;
use std::time::Duration;

use config::{Config, keys};
use encode::{Encoding, EventsForm, Limits};
use entity::{Cardinality, OriginSettings};
use merge::{HistogramSettings, MergeSettings};
use metrics::ShardSettings;
use naming::{Mapping, MatchType, NamingSettings, Profile, TagAction, TagRule};
use receive::{SocketOptions, UdpSpread};
use serde_json::Value;

/// Version of the Agent whose behaviour is reported to the intake: it decides host names and is
/// what the backend expects in headers.
pub(crate) const AGENT_VERSION: &str = "7.82.0";
/// [`AGENT_VERSION`] as it goes into host names.
pub(crate) const AGENT_VERSION_NUMBERS: (u32, u32, u32) = (7, 82, 0);

/// Aggregation of one lane. `lanes` share the limit of contexts in the merge, not here.
pub(crate) fn shard(config: &Config, host: &Arc<str>, started_secs: u64) -> ShardSettings {
    let copy_prefix = config.str(keys::HISTOGRAM_COPY_TO_DISTRIBUTION_PREFIX).to_owned();
    let is_copied = config.bool(keys::HISTOGRAM_COPY_TO_DISTRIBUTION);
    let expected_tags_secs = config.duration(keys::EXPECTED_TAGS_DURATION).as_secs();
    ShardSettings {
        bucket_secs: config.secs(keys::BUCKET_SECS).as_secs().max(1),
        has_timestamps: config.bool(keys::DOGSTATSD_NO_AGGREGATION_PIPELINE),
        origin: origin(config),
        host: Arc::clone(host),
        rate_min: config.float(keys::SAMPLE_RATE_MIN),
        distribution_copy_prefix: is_copied.then_some(copy_prefix),
        host_tags_until_secs: match expected_tags_secs {
            0 => 0,
            secs => started_secs.saturating_add(secs),
        },
        contexts_max: lane_contexts_max(config),
        context_expiry_secs: config.secs(keys::DOGSTATSD_CONTEXT_EXPIRY_SECONDS).as_secs(),
        cell_samples_max: config.count(keys::CELL_SAMPLES_MAX),
        timed_samples_max: config.count(keys::TIMED_SAMPLES_MAX),
        events_max: config.count(keys::EVENTS_MAX),
    }
}

/// Most contexts of one lane.
pub(crate) fn lane_contexts_max(config: &Config) -> usize {
    match config.count(keys::LANE_CONTEXTS_MAX) {
        0 => config.count(keys::CONTEXTS_MAX),
        contexts => contexts,
    }
}

fn origin(config: &Config) -> OriginSettings {
    let cardinality = config.str(keys::DOGSTATSD_TAG_CARDINALITY).as_bytes();
    OriginSettings {
        is_peer_used: config.bool(keys::DOGSTATSD_ORIGIN_DETECTION),
        is_client_used: config.bool(keys::DOGSTATSD_ORIGIN_DETECTION_CLIENT),
        is_optout_enabled: config.bool(keys::DOGSTATSD_ORIGIN_OPTOUT_ENABLED),
        is_unified: config.bool(keys::ORIGIN_DETECTION_UNIFIED),
        is_entity_id_preferred: config.bool(keys::DOGSTATSD_ENTITY_ID_PRECEDENCE),
        cardinality: Cardinality::parse(cardinality).unwrap_or_default(),
    }
}

/// Names and tags.
pub(crate) fn naming(config: &Config) -> NamingSettings {
    let (filterlist, filterlist_match_prefix) = config.metric_filterlist();
    let mut extra_tags = config.tags(keys::DOGSTATSD_TAGS).to_vec();
    if let Some(provider) = config.text(keys::PROVIDER_KIND) {
        extra_tags.push(format!("provider_kind:{provider}"));
    }
    NamingSettings {
        mapper_profiles: mapper_profiles(config.json(keys::DOGSTATSD_MAPPER_PROFILES)),
        mapper_cache_entries: config.count(keys::DOGSTATSD_MAPPER_CACHE_SIZE),
        namespace: config.str(keys::STATSD_METRIC_NAMESPACE).to_owned(),
        namespace_blacklist: config.list(keys::STATSD_METRIC_NAMESPACE_BLACKLIST).to_vec(),
        filterlist: filterlist.to_vec(),
        filterlist_match_prefix,
        tag_filter: tag_rules(config.json(keys::METRIC_TAG_FILTERLIST)),
        // The Agent touches distributions alone, Agent Data Plane every type; users expect the rule
        // they wrote to hold, so it does for all.
        tag_filter_distributions_only: false,
        extra_tags,
        host_tags: config.host_tags(),
    }
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn items<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn mapper_profiles(value: &Value) -> Vec<Profile> {
    let mapping = |mapping: &Value| Mapping {
        pattern: text(mapping, "match"),
        match_type: match mapping.get("match_type").and_then(Value::as_str) {
            Some("regex") => MatchType::Regex,
            _ => MatchType::Wildcard,
        },
        name: text(mapping, "name"),
        tags: mapping
            .get("tags")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect(),
    };
    let profile = |profile: &Value| Profile {
        name: text(profile, "name"),
        prefix: text(profile, "prefix"),
        mappings: items(profile, "mappings").map(mapping).collect(),
    };
    value.as_array().into_iter().flatten().map(profile).collect()
}

fn tag_rules(value: &Value) -> Vec<TagRule> {
    let rule = |rule: &Value| TagRule {
        metric_name: text(rule, "metric_name"),
        action: match rule.get("action").and_then(Value::as_str) {
            Some("include") => TagAction::Include,
            _ => TagAction::Exclude,
        },
        tags: items(rule, "tags").filter_map(Value::as_str).map(str::to_owned).collect(),
    };
    value.as_array().into_iter().flatten().map(rule).collect()
}

/// Sockets. Lanes that share the packets of a sender need the kernel's receive time.
pub(crate) fn sockets(config: &Config, lanes: usize) -> SocketOptions {
    let wished = match config.count(keys::DOGSTATSD_SO_RCVBUF) {
        0 => usize::try_from(config.bytes(keys::RECEIVE_BUFFER_BYTES)).unwrap_or(usize::MAX),
        bytes => bytes,
    };
    SocketOptions {
        receive_buffer_bytes: wished,
        queue_packets: config.count(keys::UNIX_QUEUE_PACKETS),
        has_credentials: config.bool(keys::DOGSTATSD_ORIGIN_DETECTION),
        has_timestamps: lanes > 1,
        packet_bytes_max: config.count(keys::DOGSTATSD_BUFFER_SIZE),
    }
}

/// How UDP packets are dealt to the lanes.
pub(crate) fn udp_spread(config: &Config) -> UdpSpread {
    match config.str(keys::UDP_SPREAD) {
        "flow" => UdpSpread::Flow,
        _ => UdpSpread::Random,
    }
}

/// Number of lanes: as configured, or one per core up to four.
pub(crate) fn lane_count(config: &Config) -> usize {
    /// More lanes than this want a measurement first.
    const DEFAULT_LANES_MAX: usize = 4;
    match config.count(keys::LANES) {
        0 => std::thread::available_parallelism()
            .map_or(1, std::num::NonZero::get)
            .min(DEFAULT_LANES_MAX),
        lanes => lanes,
    }
}

/// Merging, with what of the histogram settings was not understood.
pub(crate) fn merge(config: &Config) -> (MergeSettings, Vec<String>) {
    let (histogram, skipped) = HistogramSettings::parse(
        config.list(keys::HISTOGRAM_AGGREGATES).iter().map(String::as_str),
        config.list(keys::HISTOGRAM_PERCENTILES).iter().map(String::as_str),
    );
    let settings = MergeSettings {
        bucket_secs: u32::try_from(config.secs(keys::BUCKET_SECS).as_secs()).unwrap_or(10),
        counter_expiry_secs: config.secs(keys::DOGSTATSD_EXPIRY_SECONDS).as_secs(),
        contexts_max: config.count(keys::CONTEXTS_MAX),
        histogram,
    };
    (settings, skipped.into_iter().map(str::to_owned).collect())
}

/// Payloads; the forms of series and sketches are set per group of endpoints.
pub(crate) fn encode(config: &Config) -> encode::Settings {
    let defaults = encode::Settings::default();
    let size = |key| usize::try_from(config.bytes(key)).unwrap_or(usize::MAX);
    encode::Settings {
        compression: match config.str(keys::SERIALIZER_COMPRESSOR_KIND) {
            "zlib" => Encoding::Deflate,
            "gzip" => Encoding::Gzip,
            "none" => Encoding::Identity,
            _ => Encoding::Zstd,
        },
        deflate_level: defaults.deflate_level,
        zstd_level: i32::try_from(config.int(keys::SERIALIZER_ZSTD_COMPRESSOR_LEVEL))
            .unwrap_or(defaults.zstd_level),
        limits: Limits {
            compressed_bytes_max: size(keys::SERIALIZER_MAX_PAYLOAD_SIZE),
            uncompressed_bytes_max: size(keys::SERIALIZER_MAX_UNCOMPRESSED_PAYLOAD_SIZE),
        },
        series_limits: Limits {
            compressed_bytes_max: size(keys::SERIALIZER_MAX_SERIES_PAYLOAD_SIZE),
            uncompressed_bytes_max: size(keys::SERIALIZER_MAX_SERIES_UNCOMPRESSED_PAYLOAD_SIZE),
        },
        series_points_max: config.count(keys::SERIALIZER_MAX_SERIES_POINTS_PER_PAYLOAD) as u64,
        events_form: EventsForm::Intake,
        series_enabled: config.bool(keys::ENABLE_PAYLOADS_SERIES),
        sketches_enabled: config.bool(keys::ENABLE_PAYLOADS_SKETCHES),
        events_enabled: config.bool(keys::ENABLE_PAYLOADS_EVENTS),
        service_checks_enabled: config.bool(keys::ENABLE_PAYLOADS_SERVICE_CHECKS),
        ..defaults
    }
}

/// Longest pause of receive moderation.
pub(crate) fn pause_max(config: &Config) -> Duration {
    Duration::from_millis(config.count(keys::RECEIVE_LATENCY_MS) as u64)
}

/// Whether a last line needs its newline, for UDP and for Unix sockets.
pub(crate) fn eol_required(config: &Config) -> (bool, bool) {
    let listed = |name: &str| config.list(keys::DOGSTATSD_EOL_REQUIRED).iter().any(|l| l == name);
    (listed("udp"), listed("uds"))
}

/// Environment of traces that name none, normalised.
pub(crate) fn default_env(config: &Config) -> String {
    let env = config.text(keys::APM_ENV).or_else(|| config.text(keys::ENV)).unwrap_or("none");
    let mut normal = String::new();
    match obfuscate::normalize::tag_value(env.as_bytes(), &mut normal).is_written() {
        true => normal,
        false => env.to_owned(),
    }
}
