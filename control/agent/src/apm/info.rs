//! What `/info` says, and its hash. spec: apm §8.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use config::{Config, keys};
use ring::digest::{SHA256, digest};
use serde::Serialize;
use serde_json::Value;

use super::settings::{self, Feature};
use crate::proxies::EVP_HEADERS;
use crate::settings::{AGENT_VERSION, default_env};

/// The body and the hash that all replies carry.
#[derive(Clone, Debug)]
pub(crate) struct Info {
    /// JSON.
    pub(crate) body: Vec<u8>,
    /// Lower-case hex SHA-256 of the body.
    pub(crate) state: String,
}

#[derive(Serialize)]
struct Body {
    version: &'static str,
    git_commit: &'static str,
    endpoints: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    feature_flags: Vec<String>,
    client_drop_p0s: bool,
    span_meta_structs: bool,
    long_running_spans: bool,
    span_events: bool,
    evp_proxy_allowed_headers: &'static [&'static str],
    config: Settings,
    peer_tags: Option<Vec<String>>,
    span_kinds_stats_computed: Option<[&'static str; 4]>,
    obfuscation_version: u32,
    filter_tags: Filter,
    filter_tags_regex: Filter,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignore_resources: Vec<String>,
}

#[derive(Serialize)]
struct Settings {
    default_env: String,
    target_tps: f64,
    max_eps: f64,
    receiver_port: u16,
    receiver_socket: String,
    connection_limit: i64,
    receiver_timeout: u64,
    max_request_bytes: i64,
    statsd_port: u16,
    max_memory: f64,
    max_cpu: f64,
    analyzed_spans_by_service: BTreeMap<String, BTreeMap<String, f64>>,
    obfuscation: Obfuscation,
}

#[derive(Serialize)]
struct Obfuscation {
    elastic_search: bool,
    mongo: bool,
    sql_exec_plan: bool,
    sql_exec_plan_normalize: bool,
    sql_obfuscation_mode: String,
    tag_replace_rules: Option<Vec<Value>>,
    http: Value,
    remove_stack_traces: bool,
    redis: Value,
    valkey: Value,
    memcached: Value,
    credit_cards: Value,
    sql: Value,
    elasticsearch: Value,
    opensearch: Value,
    mongodb: Value,
}

#[derive(Serialize)]
struct Filter {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    require: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reject: Vec<String>,
}

impl Info {
    /// What the configuration makes of it. `port` is the one that was bound, `proxies` are the
    /// paths of those that are of use, and of remote configuration.
    pub(crate) fn new(
        config: &Config,
        port: Option<u16>,
        statsd_port: u16,
        proxies: &[&'static str],
    ) -> Self {
        let mut body = Vec::new();
        let format = serde_json::ser::PrettyFormatter::with_indent(b"\t");
        let mut serializer = serde_json::Serializer::with_formatter(&mut body, format);
        // Writing to memory, of values that all have a JSON form.
        if describe(config, port, statsd_port, proxies).serialize(&mut serializer).is_err() {
            body.clear();
        }
        let state = digest(&SHA256, &body).as_ref().iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").ok();
            hex
        });
        Self { body, state }
    }
}

/// The endpoints that tracers may rely on, in the order of the Agent. spec: apm §2.
fn endpoints(config: &Config, proxies: &[&'static str]) -> Vec<&'static str> {
    let mut endpoints = vec![
        "/v0.3/traces",
        "/v0.3/services",
        "/v0.4/traces",
        "/v0.4/services",
        "/v0.5/traces",
        "/v0.7/traces",
    ];
    if config.bool(keys::APM_ENABLE_V1_TRACE_ENDPOINT) {
        endpoints.push("/v1.0/traces");
    }
    // These two stand before the stats.
    const FIRST: [&str; 2] = ["/profiling/v1/input", "/telemetry/proxy/"];
    endpoints.extend(proxies.iter().filter(|path| FIRST.contains(path)));
    endpoints.push("/v0.6/stats");
    endpoints.extend(proxies.iter().filter(|path| !FIRST.contains(path)));
    endpoints
}

fn describe(
    config: &Config,
    port: Option<u16>,
    statsd_port: u16,
    proxies: &[&'static str],
) -> Body {
    let by_kind = config.bool(keys::APM_COMPUTE_STATS_BY_SPAN_KIND);
    let has_peer_tags = config.bool(keys::APM_PEER_TAGS_AGGREGATION);
    let features = config.comma_list(keys::APM_FEATURES).to_vec();
    let changes_sql = settings::has_feature(config, Feature::ReplaceDigits)
        || settings::has_feature(config, Feature::KeepSqlAlias)
        || settings::has_feature(config, Feature::DollarQuotedFunc)
        || !settings::sql_mode(config).is_empty();
    Body {
        version: AGENT_VERSION,
        git_commit: "",
        endpoints: endpoints(config, proxies),
        feature_flags: features,
        client_drop_p0s: !config.bool(keys::APM_PROBABILISTIC_ENABLED),
        span_meta_structs: true,
        long_running_spans: true,
        span_events: true,
        evp_proxy_allowed_headers: EVP_HEADERS,
        config: agent_settings(config, port, statsd_port),
        peer_tags: has_peer_tags.then(|| traces::peer_tag_keys(config.list(keys::APM_PEER_TAGS))),
        span_kinds_stats_computed: by_kind.then_some(["client", "consumer", "producer", "server"]),
        obfuscation_version: if changes_sql { 2 } else { 1 },
        filter_tags: Filter {
            require: config.list(keys::APM_FILTER_TAGS_REQUIRE).to_vec(),
            reject: config.list(keys::APM_FILTER_TAGS_REJECT).to_vec(),
        },
        filter_tags_regex: Filter {
            require: config.list(keys::APM_FILTER_TAGS_REGEX_REQUIRE).to_vec(),
            reject: config.list(keys::APM_FILTER_TAGS_REGEX_REJECT).to_vec(),
        },
        ignore_resources: config.csv(keys::APM_IGNORE_RESOURCES).to_vec(),
    }
}

fn agent_settings(config: &Config, port: Option<u16>, statsd_port: u16) -> Settings {
    let mut analyzed = BTreeMap::<String, BTreeMap<String, f64>>::new();
    for (span, rate) in config.rates(keys::APM_ANALYZED_SPANS) {
        if let Some((service, operation)) = span.split_once('|') {
            analyzed.entry(service.to_owned()).or_default().insert(operation.to_owned(), rate);
        }
    }
    Settings {
        default_env: default_env(config),
        target_tps: settings::target_tps(config),
        max_eps: config.float(keys::APM_MAX_EPS),
        receiver_port: port.unwrap_or(0),
        receiver_socket: config.str(keys::APM_RECEIVER_SOCKET).to_owned(),
        connection_limit: settings::connection_limit(config).map_or(0, i64::from),
        receiver_timeout: config.secs(keys::APM_RECEIVER_TIMEOUT).as_secs(),
        max_request_bytes: config.int(keys::APM_MAX_PAYLOAD_SIZE),
        statsd_port,
        max_memory: config.float(keys::APM_MAX_MEMORY),
        max_cpu: config.float(keys::APM_MAX_CPU_PERCENT) / 100.0,
        analyzed_spans_by_service: analyzed,
        obfuscation: obfuscation(config),
    }
}

fn obfuscation(config: &Config) -> Obfuscation {
    let rules = config.json(keys::APM_REPLACE_TAGS).as_array().cloned().unwrap_or_default();
    let is_on = |feature| settings::has_feature(config, feature);
    let body = |enabled, keys| serde_json::json!({ "enabled": config.bool(enabled), "keep_keys": config.list(keys) });
    let command = |enabled, remove_all| {
        serde_json::json!({
            "Enabled": config.bool(enabled),
            "RemoveAllArgs": config.bool(remove_all),
        })
    };
    Obfuscation {
        elastic_search: config.bool(keys::APM_ELASTICSEARCH_ENABLED),
        mongo: config.bool(keys::APM_MONGODB_ENABLED),
        // Plans of execution are no part of spans.
        sql_exec_plan: false,
        sql_exec_plan_normalize: false,
        sql_obfuscation_mode: settings::sql_mode(config).to_owned(),
        tag_replace_rules: (!rules.is_empty()).then_some(rules),
        http: serde_json::json!({
            "remove_query_string": config.bool(keys::APM_HTTP_REMOVE_QUERY),
            "remove_path_digits": config.bool(keys::APM_HTTP_REMOVE_DIGITS),
        }),
        remove_stack_traces: config.bool(keys::APM_REMOVE_STACK_TRACES),
        redis: command(keys::APM_REDIS_ENABLED, keys::APM_REDIS_REMOVE_ALL_ARGS),
        valkey: command(keys::APM_VALKEY_ENABLED, keys::APM_VALKEY_REMOVE_ALL_ARGS),
        memcached: serde_json::json!({
            "Enabled": config.bool(keys::APM_MEMCACHED_ENABLED),
            "KeepCommand": config.bool(keys::APM_MEMCACHED_KEEP_COMMAND),
        }),
        credit_cards: serde_json::json!({
            "Enabled": config.bool(keys::APM_CARDS_ENABLED),
            "Luhn": config.bool(keys::APM_CARDS_LUHN),
            "KeepValues": config.list(keys::APM_CARDS_KEEP_VALUES),
        }),
        sql: serde_json::json!({
            "replace_digits": is_on(Feature::ReplaceDigits),
            "keep_sql_alias": is_on(Feature::KeepSqlAlias),
            "dollar_quoted_func": is_on(Feature::DollarQuotedFunc),
            "keep_null": false,
            "keep_boolean": false,
            "keep_positional_parameter": false,
            "keep_trailing_semicolon": false,
            "keep_identifier_quotation": false,
            "replace_bind_parameter": false,
            "remove_space_between_parentheses": false,
            "keep_json_path": false,
            "obfuscation_mode": settings::sql_mode(config),
        }),
        elasticsearch: body(keys::APM_ELASTICSEARCH_ENABLED, keys::APM_ELASTICSEARCH_KEEP_VALUES),
        opensearch: body(keys::APM_OPENSEARCH_ENABLED, keys::APM_OPENSEARCH_KEEP_VALUES),
        mongodb: body(keys::APM_MONGODB_ENABLED, keys::APM_MONGODB_KEEP_VALUES),
    }
}
