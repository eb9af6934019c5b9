//! Payloads and their delivery. spec: config §5.4, metrics-intake §2, §10.

use super::{keys, refuse};

keys! { FORWARD;
    ENABLE_PAYLOADS_SERIES: BoolKey = "enable_payloads.series", "true",
        "Sends series; false drops them.";
    ENABLE_PAYLOADS_SKETCHES: BoolKey = "enable_payloads.sketches", "true",
        "Sends distributions; false drops them.";
    ENABLE_PAYLOADS_EVENTS: BoolKey = "enable_payloads.events", "true",
        "Sends events; false drops them.";
    ENABLE_PAYLOADS_SERVICE_CHECKS: BoolKey = "enable_payloads.service_checks", "true",
        "Sends service checks; false drops them.";
    ALLOW_ARBITRARY_TAGS: BoolKey = "allow_arbitrary_tags", "false",
        "Tells the intake to take tag values without normalising them.";
    USE_V2_API_SERIES: BoolKey = "use_v2_api.series", "true",
        "Sends series as protobuf; false sends v1 JSON, whatever the v3 keys say.";
    USE_V3_API_SERIES: StrKey = "use_v3_api.series.enabled", "true",
        "Sends series in columns (v3): true to every endpoint, datadog_only to hosts of the \
         service, false to none.",
        [.one_of(&["true", "false", "datadog_only"])];
    USE_V3_API_SERIES_ENDPOINTS: MapKey = "use_v3_api.series.endpoints", "{}",
        "Overrides `use_v3_api.series.enabled` per endpoint: a map from the URL as configured to \
         a mode.";
    EXPERIMENTAL_V3_SERIES_ENDPOINTS: ListKey =
        "serializer_experimental_use_v3_api.series.endpoints", "",
        "URLs as configured that get v3 series in any case.";
    EXPERIMENTAL_V3_SKETCHES_ENDPOINTS: ListKey =
        "serializer_experimental_use_v3_api.sketches.endpoints", "",
        "URLs as configured that get v3 sketches.";
    SERIALIZER_COMPRESSOR_KIND: StrKey = "serializer_compressor_kind", "zstd",
        "Compression of payloads.", [.one_of(&["zstd", "zlib", "gzip", "none"])];
    SERIALIZER_ZSTD_COMPRESSOR_LEVEL: IntKey = "serializer_zstd_compressor_level", "1",
        "Effort of zstd; more costs CPU and saves traffic.", [.range(1, 22)];
    SERIALIZER_MAX_PAYLOAD_SIZE: BytesKey = "serializer_max_payload_size", "2621440",
        "Largest compressed payload of sketches, events, service checks and v1 series.",
        [.range(1024, 3_200_000)];
    SERIALIZER_MAX_UNCOMPRESSED_PAYLOAD_SIZE: BytesKey =
        "serializer_max_uncompressed_payload_size", "4194304",
        "The same before compression.", [.range(1024, 62_914_560)];
    SERIALIZER_MAX_SERIES_PAYLOAD_SIZE: BytesKey = "serializer_max_series_payload_size", "512000",
        "Largest compressed payload of v2 and v3 series; the intake takes no more than the \
         default.",
        [.range(1024, 512_000)];
    SERIALIZER_MAX_SERIES_UNCOMPRESSED_PAYLOAD_SIZE: BytesKey =
        "serializer_max_series_uncompressed_payload_size", "5242880",
        "The same before compression.", [.range(1024, 5_242_880)];
    SERIALIZER_MAX_SERIES_POINTS_PER_PAYLOAD: IntKey =
        "serializer_max_series_points_per_payload", "10000",
        "Most points in one series payload.", [.range(1, 1_000_000).unit("points")];
    FORWARDER_TIMEOUT: IntKey = "forwarder_timeout", "20",
        "Time one request may take.", [.range(1, 600).unit("seconds")];
    FORWARDER_NUM_WORKERS: IntKey = "forwarder_num_workers", "1",
        "Multiplies `forwarder_max_concurrent_requests` per endpoint.", [.range(1, 64)];
    FORWARDER_MAX_CONCURRENT_REQUESTS: IntKey = "forwarder_max_concurrent_requests", "10",
        "Requests in flight per endpoint and worker.", [.range(1, 1000).unit("requests")];
    FORWARDER_HTTP_PROTOCOL: StrKey = "forwarder_http_protocol", "auto",
        "HTTP version: auto takes HTTP/2 where the intake offers it, http1 never.",
        [.aliases(&["http_protocol"]).one_of(&["auto", "http1"])];
    FORWARDER_CONNECTION_RESET_INTERVAL: IntKey = "forwarder_connection_reset_interval", "0",
        "Age at which connections are replaced, so that DNS changes are followed; 0 keeps them.",
        [.range(0, 86_400).unit("seconds")];
    FORWARDER_STOP_TIMEOUT: IntKey = "forwarder_stop_timeout", "2",
        "Time at stop to deliver what is queued; the rest goes to disk if there is a spool.",
        [.range(0, 300).unit("seconds")];
    FORWARDER_BACKOFF_BASE: IntKey = "forwarder_backoff_base", "2",
        "First wait after a failed request.",
        [.check(refuse::not_positive).range(1, 3600).unit("seconds")];
    FORWARDER_BACKOFF_FACTOR: IntKey = "forwarder_backoff_factor", "2",
        "Divides each wait to find the least wait; at least 2.",
        [.check(refuse::not_positive).range(2, 1000)];
    FORWARDER_BACKOFF_MAX: IntKey = "forwarder_backoff_max", "64",
        "Longest wait between two tries.",
        [.check(refuse::not_positive).range(1, 3600).unit("seconds")];
    FORWARDER_RECOVERY_INTERVAL: IntKey = "forwarder_recovery_interval", "2",
        "Errors forgiven by one success, which shortens the next wait.",
        [.check(refuse::not_positive).range(1, 1000).unit("errors")];
    FORWARDER_RECOVERY_RESET: BoolKey = "forwarder_recovery_reset", "false",
        "One success forgives all errors.";
    FORWARDER_APIKEY_VALIDATION_INTERVAL: IntKey = "forwarder_apikey_validation_interval", "60",
        "How often the API keys are asked for.",
        [.check(refuse::not_positive).range(1, 525_600).unit("minutes")];
    FORWARDER_RETRY_QUEUE_PAYLOADS_MAX_SIZE: BytesKey =
        "forwarder_retry_queue_payloads_max_size", "15728640",
        "Payload bytes held in memory per endpoint while it does not take them.",
        [.range(65_536, 1 << 40)];
    FORWARDER_STORAGE_MAX_SIZE_IN_BYTES: BytesKey = "forwarder_storage_max_size_in_bytes", "0",
        "Payload bytes kept on disk when memory is full; 0 keeps none.", [.min(0)];
    FORWARDER_STORAGE_PATH: StrKey = "forwarder_storage_path", "",
        "Directory of the disk spool; empty means ${run_path}/transactions_to_retry.";
    FORWARDER_STORAGE_MAX_DISK_RATIO: FloatKey = "forwarder_storage_max_disk_ratio", "0.8",
        "The spool stops growing when its disk is this full.", [.between(0.0, 1.0)];
    FORWARDER_FLUSH_TO_DISK_MEM_RATIO: FloatKey = "forwarder_flush_to_disk_mem_ratio", "0.5",
        "Share of the memory queue moved to disk at once.", [.between(0.0, 1.0)];
    FORWARDER_OUTDATED_FILE_IN_DAYS: IntKey = "forwarder_outdated_file_in_days", "10",
        "Age at which spooled payloads are deleted.", [.range(1, 3650).unit("days")];
    LOGGING_FREQUENCY: IntKey = "logging_frequency", "500",
        "Logs one of so many delivered payloads.", [.range(1, 1_000_000).unit("payloads")];
    OPW_METRICS_ENABLED: BoolKey = "observability_pipelines_worker.metrics.enabled", "false",
        "Sends metrics to a pipelines worker instead of the main intake.";
    OPW_METRICS_URL: StrKey = "observability_pipelines_worker.metrics.url", "",
        "URL of that worker.", [.check(refuse::http_url)];
    OPW_METRICS_USE_V3: BoolKey =
        "observability_pipelines_worker.metrics.use_v3_api.series", "false",
        "Sends that worker series in columns (v3).";
    VECTOR_METRICS_ENABLED: BoolKey = "vector.metrics.enabled", "false",
        "Older name of `observability_pipelines_worker.metrics.enabled`.";
    VECTOR_METRICS_URL: StrKey = "vector.metrics.url", "",
        "Older name of `observability_pipelines_worker.metrics.url`.", [.check(refuse::http_url)];
    VECTOR_METRICS_USE_V3: BoolKey = "vector.metrics.use_v3_api.series", "false",
        "Older name of `observability_pipelines_worker.metrics.use_v3_api.series`.";
    MRF_ENABLED: BoolKey = "multi_region_failover.enabled", "false",
        "Knows a second region that can take over.";
    MRF_SITE: StrKey = "multi_region_failover.site", "",
        "Site of the second region.", [.check(refuse::site)];
    MRF_DD_URL: StrKey = "multi_region_failover.dd_url", "",
        "URL of the second region, used instead of its site when not empty.",
        [.check(refuse::http_url)];
    MRF_API_KEY: StrKey = "multi_region_failover.api_key", "",
        "API key of the second region.", [.secret().live()];
    MRF_FAILOVER_METRICS: BoolKey = "multi_region_failover.failover_metrics", "false",
        "Sends metrics to the second region now.", [.live()];
    MRF_METRIC_ALLOWLIST: ListKey = "multi_region_failover.metric_allowlist", "",
        "Metric names sent there; empty sends all.", [.live()];
}
