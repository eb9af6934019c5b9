//! Logs: what is taken, what is done with it, where it goes. spec: logs §2-§7, §13, §21

use super::{keys, refuse};

keys! { LOGS;
    LOGS_ENABLED: BoolKey = "logs_enabled", "false",
        "Takes logs, from the start on. When it is set to false, logs of the debugger and of \
         `/v1/input` on the port of traces are accepted and dropped, which follows a reload.",
        [.aliases(&["log_enabled"]).live()];
    LOGS_LISTEN: StrKey = "corelane.logs.listen", "",
        "Address on which logs are taken over HTTP, such as 127.0.0.1:10517; with port 0 the \
         system chooses one, empty opens none.", [.check(refuse::listen_address)];
    LOGS_DD_URL: StrKey = "logs_config.logs_dd_url", "",
        "Where logs go: `host:port`, or a URL; empty makes it from `site`.",
        [.check(refuse::logs_url)];
    LOGS_NO_SSL: BoolKey = "logs_config.logs_no_ssl", "false",
        "Sends logs over plain HTTP where the address names no scheme.",
        [.aliases(&["logs_config.dev_mode_no_ssl"])];
    LOGS_API_KEY: StrKey = "logs_config.api_key", "",
        "API key for logs; empty takes `api_key`.", [.secret().live()];
    LOGS_ADDITIONAL_ENDPOINTS: JsonKey = "logs_config.additional_endpoints", "[]",
        "Further destinations of logs: objects with `api_key`, `Host`, `Port`, `use_ssl` and \
         `path_prefix`.", [.secret().live().check(refuse::log_endpoints)];
    LOGS_FORCE_USE_TCP: BoolKey = "logs_config.force_use_tcp", "false",
        "Asks for the TCP protocol, which is not spoken here: logs go over HTTP.",
        [.aliases(&["logs_config.use_tcp"])];
    LOGS_HTTP_PROTOCOL: StrKey = "logs_config.http_protocol", "auto",
        "Versions of HTTP that are offered to the intake.", [.one_of(&["auto", "http1"])];
    LOGS_HTTP_TIMEOUT: IntKey = "logs_config.http_timeout", "10",
        "Time for one request to the intake.",
        [.check(refuse::not_positive).range(1, 3600).unit("seconds")];
    LOGS_USE_V2_API: BoolKey = "logs_config.use_v2_api", "true",
        "Sends to `/api/v2/logs`; false takes `/v1/input`.";
    LOGS_USE_COMPRESSION: BoolKey = "logs_config.use_compression", "true",
        "Compresses payloads of logs.";
    LOGS_COMPRESSION_KIND: StrKey = "logs_config.compression_kind", "zstd",
        "Codec of payloads; with additional endpoints it is gzip unless this is set.",
        [.one_of(&["zstd", "gzip"])];
    LOGS_ZSTD_COMPRESSION_LEVEL: IntKey = "logs_config.zstd_compression_level", "1",
        "Effort of zstd.", [.range(1, 22)];
    LOGS_COMPRESSION_LEVEL: IntKey = "logs_config.compression_level", "6",
        "Effort of gzip; an embedded agent takes it for zstd too.", [.range(0, 22)];
    LOGS_BATCH_WAIT: FloatKey = "logs_config.batch_wait", "5",
        "Longest time that a log waits for others of its payload.",
        [.between(0.1, 10.0).unit("seconds")];
    LOGS_BATCH_MAX_SIZE: IntKey = "logs_config.batch_max_size", "1000",
        "Most logs of a payload.", [.range(1, 1000).unit("logs")];
    LOGS_BATCH_MAX_CONTENT_SIZE: IntKey = "logs_config.batch_max_content_size", "5000000",
        "Most bytes of a payload before compression.", [.range(1024, 5_000_000).unit("bytes")];
    LOGS_BATCH_MAX_CONCURRENT_SEND: IntKey = "logs_config.batch_max_concurrent_send", "0",
        "Requests under way to each destination and pipeline; 0 means 10.",
        [.range(0, 1000).unit("requests")];
    LOGS_PIPELINES: IntKey = "logs_config.pipelines", "4",
        "Factor of these requests, at most the number of cores.", [.range(1, 1024)];
    LOGS_BACKOFF_FACTOR: FloatKey = "logs_config.sender_backoff_factor", "2",
        "A wait is drawn from the full delay divided by this, up to the full delay.",
        [.between(2.0, 1000.0)];
    LOGS_BACKOFF_BASE: FloatKey = "logs_config.sender_backoff_base", "1",
        "Delay that doubles with each error in a row.", [.between(0.001, 3600.0).unit("seconds")];
    LOGS_BACKOFF_MAX: FloatKey = "logs_config.sender_backoff_max", "120",
        "Longest delay.", [.between(0.001, 86_400.0).unit("seconds")];
    LOGS_RECOVERY_INTERVAL: IntKey = "logs_config.sender_recovery_interval", "2",
        "Errors forgiven for a success.",
        [.check(refuse::not_positive).range(1, 1000).unit("errors")];
    LOGS_RECOVERY_RESET: BoolKey = "logs_config.sender_recovery_reset", "false",
        "Forgives all errors at a success.";
    LOGS_CONNECTION_RESET_INTERVAL: IntKey = "logs_config.connection_reset_interval", "0",
        "Age at which connections are given up; 0 never.", [.range(0, 86_400).unit("seconds")];
    LOGS_STOP_GRACE_PERIOD: IntKey = "logs_config.stop_grace_period", "30",
        "Time at a stop for logs that wait; `forwarder_stop_timeout` is the bound when it is \
         shorter.", [.range(0, 3600).unit("seconds")];
    LOGS_PROCESSING_RULES: JsonKey = "logs_config.processing_rules", "[]",
        "Rules that drop logs or mask parts of them: objects with `type`, `name`, `pattern` and \
         `replace_placeholder`.";
    LOGS_MAX_MESSAGE_SIZE: IntKey = "logs_config.max_message_size_bytes", "900000",
        "Longest message; a longer one is cut and marked.", [.range(256, 900_000).unit("bytes")];
    LOGS_TAG_TRUNCATED: BoolKey = "logs_config.tag_truncated_logs", "true",
        "Adds the tag `truncated:single_line` to logs that were cut.";
    OPW_LOGS_ENABLED: BoolKey = "observability_pipelines_worker.logs.enabled", "false",
        "Sends logs to a pipelines worker instead.", [.aliases(&["vector.logs.enabled"])];
    OPW_LOGS_URL: StrKey = "observability_pipelines_worker.logs.url", "",
        "Its URL.", [.aliases(&["vector.logs.url"]).check(refuse::http_url)];
    OPW_LOGS_DUAL_SHIP: BoolKey = "observability_pipelines_worker.logs.dual_ship", "false",
        "Sends logs to the worker and to the intake.";
    LOGS_KEEP_REFUSED: BoolKey = "corelane.logs.keep_refused", "true",
        "Keeps payloads that are refused because of their key, within the bounds of the queue, \
         until the key is good again; false drops them, as the Agent does.";
    LOGS_QUEUE_BYTES: BytesKey = "corelane.logs.queue_bytes_max", "64Mb",
        "Payloads of logs that wait in memory for each destination; then the oldest are dropped \
         and counted.", [.range(1 << 20, 1 << 40)];
    LOGS_ADDS_TAGS: BoolKey = "corelane.logs.adds_tags", "false",
        "Adds `tags`, and the environment, to the tags of logs that are handed over or come over \
         HTTP; on in an embedded agent, whose host nobody describes.";
    INGEST_BYTES: BytesKey = "corelane.ingest_bytes_max", "32Mb",
        "Bodies of logs and OTLP that wait for their turn; at the limit further ones are refused, \
         which their sender is told.", [.range(1 << 20, 1 << 36)];
    LOGS_REQUEST_BYTES: BytesKey = "corelane.logs.request_bytes_max", "4Mb",
        "Largest body of logs.", [.range(1024, 1 << 28)];
}
