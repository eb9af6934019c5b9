//! Trace receiver, processing, samplers, stats, writers. spec: apm §12

use super::{keys, refuse};

keys! { TRACES;
    APM_ENABLED: BoolKey = "apm_config.enabled", "true",
        "Receives traces; false opens no trace listener.", [.env(&["DD_APM_ENABLED"])];
    APM_ENV: StrKey = "apm_config.env", "",
        "Environment of traces that name none; empty takes `env`, and without that `none`.",
        [.env(&["DD_APM_ENV"])];
    APM_RECEIVER_ENABLED: BoolKey = "apm_config.receiver_enabled", "true",
        "Opens the trace listeners.", [.env(&["DD_APM_RECEIVER_ENABLED"])];
    APM_RECEIVER_PORT: IntKey = "apm_config.receiver_port", "8126",
        "TCP port of the trace receiver; 0 opens none, -1 takes one that is free, which `status` \
         shows.",
        [.env(&["DD_APM_RECEIVER_PORT", "DD_RECEIVER_PORT"]).check(refuse::listen_port)];
    APM_RECEIVER_SOCKET: StrKey = "apm_config.receiver_socket", "/var/run/datadog/apm.socket",
        "Path of the Unix stream socket of the trace receiver; empty opens none.",
        [.env(&["DD_APM_RECEIVER_SOCKET"])];
    APM_COMPRESSION_LEVEL: IntKey = "apm_config.compression_level", "0",
        "Effort of zstd for traces and stats; 0 takes `serializer_zstd_compressor_level`.",
        [.env(&["DD_APM_CONFIG_COMPRESSION_LEVEL"]).range(0, 22)];
    APM_NON_LOCAL_TRAFFIC: BoolKey = "apm_config.apm_non_local_traffic", "false",
        "Listens on every address instead of `bind_host`; anybody who reaches the port can then \
         send.",
        [.env(&["DD_APM_NON_LOCAL_TRAFFIC"])];
    APM_RECEIVER_TIMEOUT: IntKey = "apm_config.receiver_timeout", "0",
        "Time for reading one request; 0 means 5 seconds.",
        [.env(&["DD_APM_RECEIVER_TIMEOUT"]).range(0, 3600).unit("seconds")];
    APM_MAX_CONNECTIONS: IntKey = "apm_config.max_connections", "1000",
        "Open connections per listener and lane; further ones wait in the backlog of the kernel.",
        [.env(&["DD_APM_MAX_CONNECTIONS"]).range(1, 1_000_000).unit("connections")];
    APM_CONNECTION_LIMIT: IntKey = "apm_config.connection_limit", "2000",
        "TCP connections accepted per 30 seconds and lane; there is no limit unless this is set.",
        [.env(&["DD_APM_CONNECTION_LIMIT", "DD_CONNECTION_LIMIT"]).range(0, 1 << 30)
         .unit("connections")];
    APM_MAX_PAYLOAD_SIZE: IntKey = "apm_config.max_payload_size", "26214400",
        "Largest request body; a longer one is answered with 413 and counted with its sender.",
        [.env(&["DD_APM_MAX_PAYLOAD_SIZE"]).range(1024, 1 << 29).unit("bytes")];
    APM_DECODER_TIMEOUT: IntKey = "apm_config.decoder_timeout", "1000",
        "Longest wait of a complete request for its turn; then it is refused and counted.",
        [.env(&["DD_APM_DECODER_TIMEOUT"]).range(1, 60_000).unit("milliseconds")];
    APM_ENABLE_V1_TRACE_ENDPOINT: BoolKey = "apm_config.enable_v1_trace_endpoint", "true",
        "Offers `/v1.0/traces`.", [.env(&["DD_APM_ENABLE_V1_TRACE_ENDPOINT"])];
    APM_MAX_MEMORY: FloatKey = "apm_config.max_memory", "500000000",
        "Memory of this process above which traces are refused and counted; 0 sets no bound. \
         The process is never ended.",
        [.env(&["DD_APM_MAX_MEMORY"]).between(0.0, 1e15).unit("bytes")];
    APM_CPU_PERCENT_MAX: FloatKey = "corelane.apm.cpu_percent_max", "0",
        "Processor time of this process above which traces are refused and counted, in percent of \
         one core; 0 sets no bound.",
        [.between(0.0, 1e6).unit("percent")];
    APM_MAX_CPU_PERCENT: FloatKey = "apm_config.max_cpu_percent", "50",
        "CPU budget that is reported to tracers, in percent of one core.",
        [.env(&["DD_APM_MAX_CPU_PERCENT"]).between(0.0, 1e6).unit("percent")];
    APM_TARGET_TPS: FloatKey = "apm_config.target_traces_per_second", "10",
        "Traces to keep per second, over all services and lanes.",
        [.env(&["DD_APM_TARGET_TPS"]).between(0.0, 1e9)];
    APM_MAX_TPS: FloatKey = "apm_config.max_traces_per_second", "10",
        "Older name of `apm_config.target_traces_per_second`, used when that is not set.",
        [.env(&["DD_APM_MAX_TPS", "DD_MAX_TPS"]).between(0.0, 1e9)];
    APM_ERROR_TPS: FloatKey = "apm_config.errors_per_second", "10",
        "Traces with errors to keep per second beside these; 0 keeps none.",
        [.env(&["DD_APM_ERROR_TPS"]).between(0.0, 1e9)];
    APM_MAX_EPS: FloatKey = "apm_config.max_events_per_second", "200",
        "Analysed spans of dropped traces to keep per second.",
        [.env(&["DD_APM_MAX_EPS", "DD_MAX_EPS"]).between(0.0, 1e9)];
    APM_ENABLE_RARE_SAMPLER: BoolKey = "apm_config.enable_rare_sampler", "false",
        "Keeps some traces of combinations that are seldom seen.",
        [.env(&["DD_APM_ENABLE_RARE_SAMPLER"])];
    APM_RARE_SAMPLER_TPS: FloatKey = "apm_config.rare_sampler.tps", "5",
        "Rare traces to keep per second.",
        [.env(&["DD_APM_RARE_SAMPLER_TPS"]).between(0.0, 1e9)];
    APM_RARE_SAMPLER_COOLDOWN: DurationKey = "apm_config.rare_sampler.cooldown", "5m",
        "Time after which a combination counts as unseen again.",
        [.env(&["DD_APM_RARE_SAMPLER_COOLDOWN"])];
    APM_RARE_SAMPLER_CARDINALITY: IntKey = "apm_config.rare_sampler.cardinality", "200",
        "Combinations remembered per service and environment.",
        [.env(&["DD_APM_RARE_SAMPLER_CARDINALITY"]).range(1, 1_000_000)];
    APM_PROBABILISTIC_ENABLED: BoolKey = "apm_config.probabilistic_sampler.enabled", "false",
        "Decides by a hash of the trace id alone, whatever tracers decided.",
        [.env(&["DD_APM_PROBABILISTIC_SAMPLER_ENABLED"])];
    APM_PROBABILISTIC_PERCENTAGE: FloatKey =
        "apm_config.probabilistic_sampler.sampling_percentage", "0",
        "Part of the traces that the probabilistic sampler keeps.",
        [.env(&["DD_APM_PROBABILISTIC_SAMPLER_SAMPLING_PERCENTAGE"]).between(0.0, 100.0)
         .unit("percent")];
    APM_PROBABILISTIC_HASH_SEED: IntKey = "apm_config.probabilistic_sampler.hash_seed", "0",
        "Seed of that hash; agents that share it keep the same traces.",
        [.env(&["DD_APM_PROBABILISTIC_SAMPLER_HASH_SEED"]).range(0, 4_294_967_295)];
    APM_ERROR_TRACKING_STANDALONE: BoolKey =
        "apm_config.error_tracking_standalone.enabled", "false",
        "Keeps traces with errors alone, by the errors sampler.",
        [.env(&["DD_APM_ERROR_TRACKING_STANDALONE_ENABLED"])];
    APM_EXTRA_SAMPLE_RATE: FloatKey = "apm_config.extra_sample_rate", "0",
        "Factor on the rates of the samplers; 0 means 1.",
        [.env(&["DD_APM_CONFIG_EXTRA_SAMPLE_RATE"]).between(0.0, 1.0)];
    APM_MAX_CATALOG_ENTRIES: IntKey = "apm_config.max_catalog_entries", "0",
        "Services for which rates are published; 0 means 5000.",
        [.env(&["DD_APM_CONFIG_MAX_CATALOG_ENTRIES"]).range(0, 1_000_000).unit("services")
         .aliases(&["apm_config.max_catalog_services"])];
    APM_MAX_REMOTE_TPS: FloatKey = "apm_config.max_remote_traces_per_second", "100",
        "Highest target that remote configuration may set.",
        [.env(&["DD_APM_MAX_REMOTE_TPS"]).between(0.0, 1e9)];
    APM_IGNORE_RESOURCES: CsvKey = "apm_config.ignore_resources", "",
        "Regular expressions; a trace whose root has a matching resource is dropped.",
        [.env(&["DD_APM_IGNORE_RESOURCES", "DD_IGNORE_RESOURCE"]).check(refuse::expressions)];
    APM_FILTER_TAGS_REQUIRE: ListKey = "apm_config.filter_tags.require", "",
        "Tags (`key` or `key:value`) that the root of a trace must have.",
        [.env(&["DD_APM_FILTER_TAGS_REQUIRE"])];
    APM_FILTER_TAGS_REJECT: ListKey = "apm_config.filter_tags.reject", "",
        "Tags (`key` or `key:value`) that the root of a trace may not have.",
        [.env(&["DD_APM_FILTER_TAGS_REJECT"])];
    APM_FILTER_TAGS_REGEX_REQUIRE: ListKey = "apm_config.filter_tags_regex.require", "",
        "Tags that the root of a trace must have, with a regular expression as value.",
        [.env(&["DD_APM_FILTER_TAGS_REGEX_REQUIRE"]).check(refuse::tag_expressions)];
    APM_FILTER_TAGS_REGEX_REJECT: ListKey = "apm_config.filter_tags_regex.reject", "",
        "Tags that the root of a trace may not have, with a regular expression as value.",
        [.env(&["DD_APM_FILTER_TAGS_REGEX_REJECT"]).check(refuse::tag_expressions)];
    APM_REPLACE_TAGS: JsonKey = "apm_config.replace_tags", "[]",
        "Rules with name, pattern and repl that rewrite values of spans.",
        [.env(&["DD_APM_REPLACE_TAGS"]).check(refuse::replace_rules)];
    APM_ANALYZED_SPANS: RatesKey = "apm_config.analyzed_spans", "",
        "Spans (`service|operation`) of dropped traces to keep, each with its rate.",
        [.env(&["DD_APM_ANALYZED_SPANS"])];
    APM_ANALYZED_RATE_BY_SERVICE: RatesKey = "apm_config.analyzed_rate_by_service", "",
        "Older form of `apm_config.analyzed_spans`: a rate by service, used when that is empty.",
        [.env(&["DD_APM_CONFIG_ANALYZED_RATE_BY_SERVICE"])];
    APM_FEATURES: CommaListKey = "apm_config.features", "",
        "Behaviours of the Agent that are off by default, by the names of its feature flags.",
        [.env(&["DD_APM_FEATURES"])];
    APM_PEER_TAGS: ListKey = "apm_config.peer_tags", "",
        "Keys whose values count as peer tags beside the known ones.",
        [.env(&["DD_APM_PEER_TAGS"])];
    APM_PEER_TAGS_AGGREGATION: BoolKey = "apm_config.peer_tags_aggregation", "true",
        "Keeps stats apart by peer tags.", [.env(&["DD_APM_PEER_TAGS_AGGREGATION"])];
    APM_COMPUTE_STATS_BY_SPAN_KIND: BoolKey = "apm_config.compute_stats_by_span_kind", "true",
        "Computes stats for client, server, producer and consumer spans too.",
        [.env(&["DD_APM_COMPUTE_STATS_BY_SPAN_KIND"])];
    APM_ADDITIONAL_METRIC_TAGS: ListKey = "apm_config.span_derived_primary_tags", "",
        "Keys whose values become tags of stats.",
        [.env(&["DD_APM_SPAN_DERIVED_PRIMARY_TAGS"])];
    APM_DEBUG_PORT: IntKey = "apm_config.debug.port", "5012",
        "Port on loopback for `/debug/vars` and `/config` over TLS; one that is taken is a warning, \
         0 opens none. An embedded agent opens it only when it is set.",
        [.env(&["DD_APM_DEBUG_PORT"]).check(refuse::port)];
    IPC_CERT_FILE_PATH: StrKey = "ipc_cert_file_path", "",
        "Certificate and key of that port, in PEM; without, one is made at each start.",
        [.env(&["DD_IPC_CERT_FILE_PATH"])];
    APM_CONTAINER_TAGS_BUFFER: BoolKey = "apm_config.enable_container_tags_buffer", "true",
        "Holds payloads of a container without tags for up to 12 seconds, where other containers \
         have tags.", [.env(&["DD_APM_ENABLE_CONTAINER_TAGS_BUFFER"])];
    APM_CONTAINER_TAGS_BUFFER_BYTES: IntKey = "corelane.apm.container_tags_buffer_bytes_max",
        "16777216",
        "Bytes of payloads that may be held so, over all lanes; further ones go on without tags.",
        [.range(0, 1 << 32).unit("bytes")];
    APM_CAPTURE_PATH: StrKey = "corelane.apm.capture_path", "",
        "Directory for captured requests of tracers; empty means ${run_path}/apm_capture.";
    APM_CAPTURE_QUEUE_BYTES: BytesKey = "corelane.apm.capture_queue_bytes_max", "64Mb",
        "Bytes of bodies that may wait to be written while capturing; further requests are left \
         out.",
        [.range(1 << 20, 1 << 32)];
    APM_STATS_GROUPS_MAX: IntKey = "corelane.apm.stats_groups_max", "20000",
        "Groups of stats per lane and bucket; spans of further ones are counted and left out.",
        [.range(100, 10_000_000).unit("groups")];
    APM_BUCKET_SIZE: IntKey = "apm_config.bucket_size_seconds", "10",
        "Length of a bucket of stats.",
        [.env(&["DD_APM_CONFIG_BUCKET_SIZE_SECONDS"]).range(1, 3600).unit("seconds")];
    APM_CLIENT_STATS_FLUSH_INTERVAL: IntKey = "apm_config.client_stats_flush_interval", "1",
        "Time between two looks at the stats that tracers computed.",
        [.env(&["DD_APM_CLIENT_STATS_FLUSH_INTERVAL"]).range(1, 60).unit("seconds")];
    APM_DD_URL: StrKey = "apm_config.apm_dd_url", "",
        "Intake of traces and stats; empty takes that of `site`.",
        [.env(&["DD_APM_DD_URL"]).check(refuse::http_url)];
    APM_ADDITIONAL_ENDPOINTS: MapKey = "apm_config.additional_endpoints", "{}",
        "Further intakes of traces and stats: lists of API keys by URL.",
        [.env(&["DD_APM_ADDITIONAL_ENDPOINTS"]).secret().check(refuse::url_map)];
    MRF_FAILOVER_APM: BoolKey = "multi_region_failover.failover_apm", "false",
        "Sends traces and stats to the second region too.", [.live()];
    APM_FLUSH_PERIOD: FloatKey = "apm_config.trace_writer.flush_period_seconds", "5",
        "Longest time that spans wait for a payload to fill.",
        [.env(&["DD_APM_TRACE_WRITER_FLUSH_PERIOD_SECONDS"]).between(0.1, 60.0)
         .unit("seconds")];
    APM_MODE: StrKey = "apm_config.mode", "",
        "Reported with every payload as `_dd.apm_mode`; empty reports none.",
        [.env(&["DD_APM_MODE"])];
    APM_INSTALL_ID: StrKey = "apm_config.install_id", "",
        "Put on the first kept trace of each service as `_dd.install.id`; empty puts nothing.",
        [.env(&["DD_INSTRUMENTATION_INSTALL_ID"])];
    APM_INSTALL_TYPE: StrKey = "apm_config.install_type", "",
        "Put on the first kept trace of each service as `_dd.install.type`.",
        [.env(&["DD_INSTRUMENTATION_INSTALL_TYPE"])];
    APM_INSTALL_TIME: IntKey = "apm_config.install_time", "0",
        "Put on the first kept trace of each service as `_dd.install.time`.",
        [.env(&["DD_INSTRUMENTATION_INSTALL_TIME"]).min(0).unit("seconds")];
    APM_SQL_OBFUSCATION_MODE: StrKey = "apm_config.sql_obfuscation_mode", "",
        "How SQL is read: empty, obfuscate_only or obfuscate_and_normalize.",
        [.env(&["DD_APM_SQL_OBFUSCATION_MODE"])];
    APM_CARDS_ENABLED: BoolKey = "apm_config.obfuscation.credit_cards.enabled", "true",
        "Hides values that look like numbers of payment cards.",
        [.env(&["DD_APM_OBFUSCATION_CREDIT_CARDS_ENABLED"])];
    APM_CARDS_LUHN: BoolKey = "apm_config.obfuscation.credit_cards.luhn", "false",
        "Hides only those that pass the Luhn test.",
        [.env(&["DD_APM_OBFUSCATION_CREDIT_CARDS_LUHN"])];
    APM_CARDS_KEEP_VALUES: ListKey = "apm_config.obfuscation.credit_cards.keep_values", "",
        "Keys whose values are not looked at.",
        [.env(&["DD_APM_OBFUSCATION_CREDIT_CARDS_KEEP_VALUES"])];
    APM_ELASTICSEARCH_ENABLED: BoolKey = "apm_config.obfuscation.elasticsearch.enabled", "true",
        "Hides values in bodies of Elasticsearch requests.",
        [.env(&["DD_APM_OBFUSCATION_ELASTICSEARCH_ENABLED"])];
    APM_ELASTICSEARCH_KEEP_VALUES: ListKey =
        "apm_config.obfuscation.elasticsearch.keep_values", "",
        "Keys whose values stay in bodies of Elasticsearch requests.",
        [.env(&["DD_APM_OBFUSCATION_ELASTICSEARCH_KEEP_VALUES"])];
    APM_ELASTICSEARCH_SQL_VALUES: ListKey =
        "apm_config.obfuscation.elasticsearch.obfuscate_sql_values", "",
        "Keys whose values are SQL in bodies of Elasticsearch requests.",
        [.env(&["DD_APM_OBFUSCATION_ELASTICSEARCH_OBFUSCATE_SQL_VALUES"])];
    APM_OPENSEARCH_ENABLED: BoolKey = "apm_config.obfuscation.opensearch.enabled", "true",
        "Hides values in bodies of OpenSearch requests.",
        [.env(&["DD_APM_OBFUSCATION_OPENSEARCH_ENABLED"])];
    APM_OPENSEARCH_KEEP_VALUES: ListKey = "apm_config.obfuscation.opensearch.keep_values", "",
        "Keys whose values stay in bodies of OpenSearch requests.",
        [.env(&["DD_APM_OBFUSCATION_OPENSEARCH_KEEP_VALUES"])];
    APM_OPENSEARCH_SQL_VALUES: ListKey =
        "apm_config.obfuscation.opensearch.obfuscate_sql_values", "",
        "Keys whose values are SQL in bodies of OpenSearch requests.",
        [.env(&["DD_APM_OBFUSCATION_OPENSEARCH_OBFUSCATE_SQL_VALUES"])];
    APM_MONGODB_ENABLED: BoolKey = "apm_config.obfuscation.mongodb.enabled", "true",
        "Hides values in MongoDB queries.",
        [.env(&["DD_APM_OBFUSCATION_MONGODB_ENABLED"])];
    APM_MONGODB_KEEP_VALUES: ListKey = "apm_config.obfuscation.mongodb.keep_values", "",
        "Keys whose values stay in MongoDB queries.",
        [.env(&["DD_APM_OBFUSCATION_MONGODB_KEEP_VALUES"])];
    APM_MONGODB_SQL_VALUES: ListKey = "apm_config.obfuscation.mongodb.obfuscate_sql_values", "",
        "Keys whose values are SQL in MongoDB queries.",
        [.env(&["DD_APM_OBFUSCATION_MONGODB_OBFUSCATE_SQL_VALUES"])];
    APM_HTTP_REMOVE_QUERY: BoolKey = "apm_config.obfuscation.http.remove_query_string", "false",
        "Hides the query of URLs.",
        [.env(&["DD_APM_OBFUSCATION_HTTP_REMOVE_QUERY_STRING",
                "DD_APM_CONFIG_OBFUSCATION_HTTP_REMOVE_QUERY_STRING"])];
    APM_HTTP_REMOVE_DIGITS: BoolKey =
        "apm_config.obfuscation.http.remove_paths_with_digits", "false",
        "Hides the parts of a URL's path that have digits.",
        [.env(&["DD_APM_OBFUSCATION_HTTP_REMOVE_PATHS_WITH_DIGITS",
                "DD_APM_CONFIG_OBFUSCATION_HTTP_REMOVE_PATHS_WITH_DIGITS"])];
    APM_MEMCACHED_ENABLED: BoolKey = "apm_config.obfuscation.memcached.enabled", "true",
        "Hides Memcached commands.",
        [.env(&["DD_APM_OBFUSCATION_MEMCACHED_ENABLED"])];
    APM_MEMCACHED_KEEP_COMMAND: BoolKey = "apm_config.obfuscation.memcached.keep_command", "false",
        "Keeps the first line of Memcached commands.",
        [.env(&["DD_APM_OBFUSCATION_MEMCACHED_KEEP_COMMAND"])];
    APM_REDIS_ENABLED: BoolKey = "apm_config.obfuscation.redis.enabled", "true",
        "Hides arguments of Redis commands.",
        [.env(&["DD_APM_OBFUSCATION_REDIS_ENABLED"])];
    APM_REDIS_REMOVE_ALL_ARGS: BoolKey = "apm_config.obfuscation.redis.remove_all_args", "false",
        "Hides every argument of Redis commands.",
        [.env(&["DD_APM_OBFUSCATION_REDIS_REMOVE_ALL_ARGS"])];
    APM_VALKEY_ENABLED: BoolKey = "apm_config.obfuscation.valkey.enabled", "true",
        "Hides arguments of Valkey commands.",
        [.env(&["DD_APM_OBFUSCATION_VALKEY_ENABLED"])];
    APM_VALKEY_REMOVE_ALL_ARGS: BoolKey = "apm_config.obfuscation.valkey.remove_all_args", "false",
        "Hides every argument of Valkey commands.",
        [.env(&["DD_APM_OBFUSCATION_VALKEY_REMOVE_ALL_ARGS"])];
    APM_REMOVE_STACK_TRACES: BoolKey = "apm_config.obfuscation.remove_stack_traces", "false",
        "Hides stack traces.",
        [.env(&["DD_APM_OBFUSCATION_REMOVE_STACK_TRACES"])];
    APM_OBFUSCATION_CACHE_ENABLED: BoolKey = "apm_config.obfuscation.cache.enabled", "true",
        "Remembers what SQL statements became.",
        [.env(&["DD_APM_OBFUSCATION_CACHE_ENABLED"])];
    APM_OBFUSCATION_CACHE_BYTES: IntKey = "apm_config.obfuscation.cache.max_size", "5000000",
        "Memory for that, over all lanes.", [.env(&["DD_APM_OBFUSCATION_CACHE_MAX_SIZE"]).range(0, 1 << 32).unit("bytes")];
}
