//! Configuration keys to the settings of the trace pipeline.

use std::time::Duration;

use config::{Config, keys};
use obfuscate::CardScreen;
use obfuscate::http_url::UrlOptions;
use sampling::{
    AnalyzedSpans, EventSettings, ProbabilisticSettings, RareSettings, SamplingSettings,
};
use server::ServerSettings;
use traces::{
    Commands, Features, InstallSignature, JsonKeys, Obfuscation, Pattern, ReplaceRule, Settings,
    SettingsError, TagFilter, TagLists,
};

/// Features of `apm_config.features` that more than processing asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feature {
    /// SQL is read by the other tokenizer.
    SqlLexer,
    /// Names of tables are collected.
    TableNames,
    /// Digits in names of tables are hidden.
    ReplaceDigits,
    /// `AS alias` stays.
    KeepSqlAlias,
    /// Bodies of `$func$` are read.
    DollarQuotedFunc,
    /// Refusals are told by their status to every tracer.
    RealStatus,
    /// Traces that a tracer dropped are offered to the errors and rare samplers.
    TracerDrop,
    /// Payloads leave in the form of v1.0.
    ConvertTraces,
    /// The probabilistic sampler looks at all of the trace id.
    FullTraceId,
    /// Spans of OTLP are top-level by their kind.
    OtlpTopLevelByKind,
    /// Spans of OTLP are named in the older way.
    OtlpOldNames,
    /// Spans of OTLP have no `otel.scope.*`.
    NoOtelScope,
}

/// Whether `apm_config.features` has it.
pub(crate) fn has_feature(config: &Config, feature: Feature) -> bool {
    let names: &[&str] = match feature {
        Feature::SqlLexer => &["sqllexer"],
        Feature::TableNames => &["table_names"],
        Feature::ReplaceDigits => &["quantize_sql_tables", "replace_sql_digits"],
        Feature::KeepSqlAlias => &["keep_sql_alias"],
        Feature::DollarQuotedFunc => &["dollar_quoted_func"],
        Feature::RealStatus => &["429"],
        Feature::TracerDrop => &["error_rare_sample_tracer_drop"],
        Feature::ConvertTraces => &["convert-traces"],
        Feature::FullTraceId => &["probabilistic_sampler_full_trace_id"],
        Feature::OtlpTopLevelByKind => &["enable_otlp_compute_top_level_by_span_kind"],
        Feature::OtlpOldNames => &["disable_operation_and_resource_name_logic_v2"],
        Feature::NoOtelScope => &["disable_otel_scope_convention"],
    };
    config.comma_list(keys::APM_FEATURES).iter().any(|name| names.contains(&name.as_str()))
}

/// What becomes of spans of OTLP. spec: otlp §8
pub(crate) fn otlp(config: &Config) -> otlp::traces::Settings {
    let remappings = config.map(keys::OTLP_TRACES_REMAPPINGS).iter();
    otlp::traces::Settings {
        sampling_percentage: config.float(keys::OTLP_TRACES_SAMPLING),
        is_sampled_by_agent: config.bool(keys::APM_PROBABILISTIC_ENABLED),
        is_top_level_by_kind: has_feature(config, Feature::OtlpTopLevelByKind),
        is_naming_v1: has_feature(config, Feature::OtlpOldNames),
        is_operation_span_name: config.bool(keys::OTLP_TRACES_SPAN_NAME_AS_RESOURCE),
        remappings: remappings
            .filter_map(|(from, to)| Some((from.clone(), to.as_str()?.to_owned())))
            .collect(),
        is_scope_convention: !has_feature(config, Feature::NoOtelScope),
    }
}

/// The mode of reading SQL; what is unknown counts as none. spec: apm-obfuscation §2
pub(crate) fn sql_mode(config: &Config) -> &str {
    match config.str(keys::APM_SQL_OBFUSCATION_MODE) {
        mode @ ("obfuscate_only" | "obfuscate_and_normalize") => mode,
        _ if has_feature(config, Feature::SqlLexer) => "obfuscate_and_normalize",
        _ => "",
    }
}

/// Traces to keep per second.
pub(crate) fn target_tps(config: &Config) -> f64 {
    let is_old = config.is_set(keys::APM_MAX_TPS) && !config.is_set(keys::APM_TARGET_TPS);
    config.float(if is_old { keys::APM_MAX_TPS } else { keys::APM_TARGET_TPS })
}

/// TCP connections per 30 seconds; no limit unless one is configured.
pub(crate) fn connection_limit(config: &Config) -> Option<u32> {
    let limit = u32::try_from(config.count(keys::APM_CONNECTION_LIMIT)).ok()?;
    (config.is_set(keys::APM_CONNECTION_LIMIT) && limit > 0).then_some(limit)
}

/// The lanes' HTTP servers.
pub(crate) fn server(config: &Config) -> ServerSettings {
    /// Seconds, where the key says 0.
    const TIMEOUT: Duration = Duration::from_secs(5);
    let defaults = ServerSettings::default();
    let timeout = config.secs(keys::APM_RECEIVER_TIMEOUT);
    let request_bytes_max = config.count(keys::APM_MAX_PAYLOAD_SIZE);
    ServerSettings {
        request_bytes_max,
        // Two of the longest fit, whatever is allowed.
        in_flight_bytes_max: defaults.in_flight_bytes_max.max(2 * request_bytes_max),
        receiver_timeout: if timeout.is_zero() { TIMEOUT } else { timeout },
        decoder_timeout: Duration::from_millis(config.count(keys::APM_DECODER_TIMEOUT) as u64),
        connections_max: config.count(keys::APM_MAX_CONNECTIONS),
        connections_per_window_max: connection_limit(config),
        is_v1_enabled: config.bool(keys::APM_ENABLE_V1_TRACE_ENDPOINT),
        ..defaults
    }
}

/// The samplers.
pub(crate) fn sampling(config: &Config) -> SamplingSettings {
    let defaults = SamplingSettings::default();
    let analyzed = config.rates(keys::APM_ANALYZED_SPANS).filter_map(|(name, rate)| {
        let (service, operation) = name.split_once('|')?;
        Some(AnalyzedSpans { service: service.to_owned(), operation: operation.to_owned(), rate })
    });
    let services = config.rates(keys::APM_ANALYZED_RATE_BY_SERVICE);
    let or_default = |value: usize, default: usize| if value == 0 { default } else { value };
    let extra_rate = config.float(keys::APM_EXTRA_SAMPLE_RATE);
    #[expect(clippy::cast_possible_truncation, reason = "the sampler works in single precision")]
    let percentage = config.float(keys::APM_PROBABILISTIC_PERCENTAGE) as f32;
    SamplingSettings {
        agent_env: crate::settings::default_env(config),
        target_tps: target_tps(config),
        errors_tps: config.float(keys::APM_ERROR_TPS),
        remote_tps_max: config.float(keys::APM_MAX_REMOTE_TPS),
        extra_rate: if extra_rate > 0.0 { extra_rate } else { defaults.extra_rate },
        catalog_entries_max: or_default(
            config.count(keys::APM_MAX_CATALOG_ENTRIES),
            defaults.catalog_entries_max,
        ),
        is_error_tracking_standalone: config.bool(keys::APM_ERROR_TRACKING_STANDALONE),
        is_tracer_drop_sampled: has_feature(config, Feature::TracerDrop),
        rare: RareSettings {
            is_enabled: config.bool(keys::APM_ENABLE_RARE_SAMPLER),
            tokens_per_sec: config.float(keys::APM_RARE_SAMPLER_TPS),
            cooldown_secs: config.duration(keys::APM_RARE_SAMPLER_COOLDOWN).as_secs(),
            cardinality: u32::try_from(config.count(keys::APM_RARE_SAMPLER_CARDINALITY))
                .unwrap_or(defaults.rare.cardinality),
            ..defaults.rare
        },
        probabilistic: ProbabilisticSettings {
            is_enabled: config.bool(keys::APM_PROBABILISTIC_ENABLED),
            percentage,
            hash_seed: u32::try_from(config.int(keys::APM_PROBABILISTIC_HASH_SEED)).unwrap_or(0),
            is_full_trace_id: has_feature(config, Feature::FullTraceId),
        },
        events: EventSettings {
            per_sec_max: config.float(keys::APM_MAX_EPS),
            analyzed_spans: analyzed.collect(),
            analyzed_services: services.map(|(name, rate)| (name.to_owned(), rate)).collect(),
        },
    }
}

/// Processing.
///
/// # Errors
/// A regular expression that does not compile, although the configuration was checked for them.
pub(crate) fn processing(config: &Config, host: &str) -> Result<Settings, SettingsError> {
    let ignored = config.csv(keys::APM_IGNORE_RESOURCES).iter();
    let install = config.text(keys::APM_INSTALL_ID).map(|id| InstallSignature {
        id: id.to_owned(),
        kind: config.str(keys::APM_INSTALL_TYPE).to_owned(),
        time_secs: config.count(keys::APM_INSTALL_TIME) as u64,
        ..InstallSignature::default()
    });
    let peer_tags = match config.bool(keys::APM_PEER_TAGS_AGGREGATION) {
        true => traces::peer_tag_keys(config.list(keys::APM_PEER_TAGS)),
        false => Vec::new(),
    };
    Ok(Settings {
        env: crate::settings::default_env(config),
        hostname: host.to_owned(),
        features: Features::of(config.comma_list(keys::APM_FEATURES).iter().map(String::as_str)),
        ignore_resources: ignored
            .map(|pattern| Pattern::new("apm_config.ignore_resources", pattern))
            .collect::<Result<_, _>>()?,
        filter: TagFilter::new(&TagLists {
            require: config.list(keys::APM_FILTER_TAGS_REQUIRE),
            reject: config.list(keys::APM_FILTER_TAGS_REJECT),
            require_regex: config.list(keys::APM_FILTER_TAGS_REGEX_REQUIRE),
            reject_regex: config.list(keys::APM_FILTER_TAGS_REGEX_REJECT),
        })?,
        replace_rules: replace_rules(config)?,
        obfuscation: obfuscation(config),
        global_tags: super::azure::global_tags(|name| std::env::var(name).ok()),
        install,
        is_error_tracking_standalone: config.bool(keys::APM_ERROR_TRACKING_STANDALONE),
        is_stats_by_span_kind: config.bool(keys::APM_COMPUTE_STATS_BY_SPAN_KIND),
        peer_tags,
        additional_metric_tags: config.list(keys::APM_ADDITIONAL_METRIC_TAGS).to_vec(),
        ..Settings::default()
    })
}

fn replace_rules(config: &Config) -> Result<Vec<ReplaceRule>, SettingsError> {
    let mut rules = Vec::new();
    for (index, rule) in
        config.json(keys::APM_REPLACE_TAGS).as_array().into_iter().flatten().enumerate()
    {
        let text =
            |key: &str| rule.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
        rules.push(ReplaceRule::new(index, text("name"), text("pattern"), text("repl"))?);
    }
    if config.bool(keys::APM_REMOVE_STACK_TRACES) {
        rules.extend(ReplaceRule::remove_stack_traces()?);
    }
    Ok(rules)
}

/// Obfuscators.
pub(crate) fn obfuscation(config: &Config) -> Obfuscation {
    let commands = |enabled, remove_all| match (config.bool(enabled), config.bool(remove_all)) {
        (false, _) => Commands::Kept,
        (true, false) => Commands::Obfuscated,
        (true, true) => Commands::WithoutArguments,
    };
    let body = |enabled, kept, sql| {
        config
            .bool(enabled)
            .then(|| JsonKeys { kept: config.list(kept).to_vec(), sql: config.list(sql).to_vec() })
    };
    let kept = config.list(keys::APM_CARDS_KEEP_VALUES).iter().map(String::as_str);
    Obfuscation {
        sql: sql(config),
        cards: config
            .bool(keys::APM_CARDS_ENABLED)
            .then(|| CardScreen::new(config.bool(keys::APM_CARDS_LUHN), kept)),
        http: UrlOptions {
            remove_query_string: config.bool(keys::APM_HTTP_REMOVE_QUERY),
            remove_path_digits: config.bool(keys::APM_HTTP_REMOVE_DIGITS),
        },
        redis: commands(keys::APM_REDIS_ENABLED, keys::APM_REDIS_REMOVE_ALL_ARGS),
        valkey: commands(keys::APM_VALKEY_ENABLED, keys::APM_VALKEY_REMOVE_ALL_ARGS),
        is_memcached_enabled: config.bool(keys::APM_MEMCACHED_ENABLED),
        is_memcached_command_kept: config.bool(keys::APM_MEMCACHED_KEEP_COMMAND),
        mongodb: body(
            keys::APM_MONGODB_ENABLED,
            keys::APM_MONGODB_KEEP_VALUES,
            keys::APM_MONGODB_SQL_VALUES,
        ),
        elasticsearch: body(
            keys::APM_ELASTICSEARCH_ENABLED,
            keys::APM_ELASTICSEARCH_KEEP_VALUES,
            keys::APM_ELASTICSEARCH_SQL_VALUES,
        ),
        opensearch: body(
            keys::APM_OPENSEARCH_ENABLED,
            keys::APM_OPENSEARCH_KEEP_VALUES,
            keys::APM_OPENSEARCH_SQL_VALUES,
        ),
    }
}

/// How SQL is read.
pub(crate) fn sql(config: &Config) -> sql::Options {
    sql::Options {
        mode: match sql_mode(config) {
            "obfuscate_only" => sql::Mode::ObfuscateOnly,
            "obfuscate_and_normalize" => sql::Mode::ObfuscateAndNormalize,
            _ => sql::Mode::Default,
        },
        replace_digits: has_feature(config, Feature::ReplaceDigits),
        keep_sql_alias: has_feature(config, Feature::KeepSqlAlias),
        dollar_quoted_func: has_feature(config, Feature::DollarQuotedFunc),
        collect: sql::Collect {
            tables: has_feature(config, Feature::TableNames),
            ..sql::Collect::default()
        },
        ..sql::Options::default()
    }
}

/// Bytes for remembering what SQL statements became, for one of `lanes`.
pub(crate) fn sql_cache_bytes(config: &Config, lanes: usize) -> usize {
    if !config.bool(keys::APM_OBFUSCATION_CACHE_ENABLED) {
        return 0;
    }
    config.count(keys::APM_OBFUSCATION_CACHE_BYTES) / lanes.max(1)
}

/// Bytes of payloads that may wait for the tags of their container, for one of `lanes`.
pub(crate) fn held_bytes(config: &Config, lanes: usize) -> usize {
    if !config.bool(keys::APM_CONTAINER_TAGS_BUFFER) {
        return 0;
    }
    config.count(keys::APM_CONTAINER_TAGS_BUFFER_BYTES) / lanes.max(1)
}

/// Length of a bucket of stats.
pub(crate) fn bucket_ns(config: &Config) -> u64 {
    u64::try_from(config.secs(keys::APM_BUCKET_SIZE).as_nanos()).unwrap_or(u64::MAX).max(1)
}

/// Resident bytes above which traces are refused; 0 for no bound. spec: apm §11
pub(crate) fn memory_bytes_max(config: &Config) -> u64 {
    let bytes = config.float(keys::APM_MAX_MEMORY);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1e15")]
    let bytes = bytes as u64;
    bytes
}
