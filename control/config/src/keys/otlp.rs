//! OTLP: receivers, and what becomes of each signal. spec: otlp §1, §8

use super::{keys, refuse};

keys! { OTLP;
    OTLP_GRPC_ENDPOINT: StrKey = "otlp_config.receiver.protocols.grpc.endpoint", "localhost:4317",
        "Address on which OTLP is taken over gRPC. It is opened only where this is set.",
        [.check(refuse::host_port)];
    OTLP_HTTP_ENDPOINT: StrKey = "otlp_config.receiver.protocols.http.endpoint", "localhost:4318",
        "Address on which OTLP is taken over HTTP. It is opened only where this is set.",
        [.check(refuse::host_port)];
    OTLP_GRPC_MESSAGE_MIB: IntKey = "otlp_config.receiver.protocols.grpc.max_recv_msg_size_mib",
        "0", "Largest message over gRPC; 0 means 4.", [.range(0, 1024).unit("MiB")];
    OTLP_HTTP_BODY_BYTES: IntKey = "otlp_config.receiver.protocols.http.max_request_body_size",
        "0", "Largest body over HTTP, decompressed; 0 means 20 MiB.",
        [.range(0, 1 << 30).unit("bytes")];
    OTLP_METRICS_ENABLED: BoolKey = "otlp_config.metrics.enabled", "true", "Takes OTLP metrics.";
    OTLP_METRICS_DELTA_TTL: IntKey = "otlp_config.metrics.delta_ttl", "3600",
        "Time after which a cumulative series that is silent is forgotten.",
        [.check(refuse::not_positive).range(1, 604_800).unit("seconds")];
    OTLP_METRICS_RESOURCE_TAGS: BoolKey = "otlp_config.metrics.resource_attributes_as_tags",
        "false", "Makes every attribute of a resource a tag.";
    OTLP_METRICS_SCOPE_TAGS: BoolKey =
        "otlp_config.metrics.instrumentation_scope_metadata_as_tags", "true",
        "Makes name, version and attributes of the instrumentation scope tags.";
    OTLP_METRICS_TAGS: StrKey = "otlp_config.metrics.tags", "",
        "Tags of every OTLP metric, with commas between.";
    OTLP_HISTOGRAMS_MODE: StrKey = "otlp_config.metrics.histograms.mode", "distributions",
        "What becomes of buckets.", [.one_of(&["distributions", "counters", "nobuckets"])];
    OTLP_HISTOGRAMS_AGGREGATIONS: BoolKey =
        "otlp_config.metrics.histograms.send_aggregation_metrics", "false",
        "Sends count, sum, minimum and maximum of histograms too.";
    OTLP_HISTOGRAMS_COUNT_SUM: BoolKey =
        "otlp_config.metrics.histograms.send_count_sum_metrics", "false",
        "Older name of `otlp_config.metrics.histograms.send_aggregation_metrics`, which it beats \
         where it is set.";
    OTLP_SUMS_MODE: StrKey = "otlp_config.metrics.sums.cumulative_monotonic_mode", "to_delta",
        "What becomes of cumulative counters.", [.one_of(&["to_delta", "raw_value"])];
    OTLP_SUMS_INITIAL: StrKey = "otlp_config.metrics.sums.initial_cumulative_monotonic_value",
        "auto", "What becomes of the first value of a cumulative counter.",
        [.one_of(&["auto", "drop", "keep"])];
    OTLP_SUMMARIES_MODE: StrKey = "otlp_config.metrics.summaries.mode", "gauges",
        "Whether quantiles of summaries are sent.", [.one_of(&["gauges", "noquantiles"])];
    OTLP_METRICS_REMAP: BoolKey = "corelane.otlp.remaps_metrics", "false",
        "Copies metrics of hosts, containers, Kafka and the JVM to the names that the Agent's \
         checks have.";
    OTLP_CUMULATIVE_MAX: IntKey = "corelane.otlp.cumulative_series_max", "500000",
        "Cumulative series whose last value is remembered; points of further ones are dropped and \
         counted.", [.range(1, 100_000_000).unit("series")];
    OTLP_TRACES_ENABLED: BoolKey = "otlp_config.traces.enabled", "true", "Takes OTLP traces.";
    OTLP_TRACES_SPAN_NAME_AS_RESOURCE: BoolKey = "otlp_config.traces.span_name_as_resource_name",
        "false", "Takes the name of a span for its operation; the older naming.";
    OTLP_TRACES_REMAPPINGS: MapKey = "otlp_config.traces.span_name_remappings", "{}",
        "Operations by the names that they are to get; the older naming.";
    OTLP_TRACES_SAMPLING: FloatKey =
        "otlp_config.traces.probabilistic_sampler.sampling_percentage", "100",
        "Part of the traces that is kept, by their id.", [.between(-1e9, 1e9).unit("percent")];
    OTLP_LOGS_ENABLED: BoolKey = "otlp_config.logs.enabled", "false",
        "Takes OTLP logs; `logs_enabled` has to be true.";
}
