//! DogStatsD server. spec: dogstatsd §3.

use super::{keys, refuse};

keys! { DOGSTATSD;
    USE_DOGSTATSD: BoolKey = "use_dogstatsd", "true",
        "Receives DogStatsD; false opens no listener.";
    DOGSTATSD_PORT: IntKey = "dogstatsd_port", "8125",
        "UDP port; 0 opens none, -1 takes one that is free, which `status` shows.",
        [.check(refuse::listen_port)];
    DOGSTATSD_NON_LOCAL_TRAFFIC: BoolKey = "dogstatsd_non_local_traffic", "false",
        "Listens on every address instead of `bind_host`; anybody who reaches the port can then \
         send.";
    DOGSTATSD_SOCKET: StrKey = "dogstatsd_socket", "/var/run/datadog/dsd.socket",
        "Path of the Unix datagram socket; empty opens none.";
    DOGSTATSD_STREAM_SOCKET: StrKey = "dogstatsd_stream_socket", "",
        "Path of the Unix stream socket; empty opens none.";
    DOGSTATSD_REQUIRE_LISTENER: BoolKey = "dogstatsd_require_listener", "false",
        "Refuses to start when no listener could be opened.";
    DOGSTATSD_BUFFER_SIZE: IntKey = "dogstatsd_buffer_size", "8192",
        "Largest packet or stream frame; longer datagrams are cut by the kernel and counted.",
        [.range(512, 65_536).unit("bytes")];
    DOGSTATSD_SO_RCVBUF: IntKey = "dogstatsd_so_rcvbuf", "0",
        "Socket receive buffer to ask for; 0 leaves the wish to `corelane.receive_buffer_bytes`.",
        [.range(0, 1 << 30).unit("bytes")];
    DOGSTATSD_EOL_REQUIRED: ListKey = "dogstatsd_eol_required", "",
        "Listeners (udp, uds, named_pipe) whose last line counts only if it ends in a newline.",
        [.check(refuse::eol_listeners)];
    DOGSTATSD_STREAM_LOG_TOO_BIG: BoolKey = "dogstatsd_stream_log_too_big", "false",
        "Logs stream frames that exceed `dogstatsd_buffer_size`; they are counted either way.";
    DOGSTATSD_DISABLE_VERBOSE_LOGS: BoolKey = "dogstatsd_disable_verbose_logs", "false",
        "Logs refused lines at debug instead of error level.";
    STATSD_METRIC_NAMESPACE: StrKey = "statsd_metric_namespace", "",
        "Put before every metric name, with a dot between; empty adds nothing.", [.live()];
    STATSD_METRIC_NAMESPACE_BLACKLIST: ListKey = "statsd_metric_namespace_blacklist",
        "datadog.agent datadog.dogstatsd datadog.process datadog.trace_agent datadog.tracer \
         activemq activemq_58 airflow cassandra confluent hazelcast hive ignite jboss jvm kafka \
         presto sidekiq solr tomcat runtime",
        "Names that begin with one of these get no namespace.",
        [.aliases(&["statsd_metric_namespace_blocklist"]).live()];
    METRIC_FILTERLIST: ListKey = "metric_filterlist", "",
        "Metric names that are dropped.", [.live()];
    METRIC_FILTERLIST_MATCH_PREFIX: BoolKey = "metric_filterlist_match_prefix", "false",
        "Takes the entries of `metric_filterlist` as beginnings of names.", [.live()];
    STATSD_METRIC_BLOCKLIST: ListKey = "statsd_metric_blocklist", "",
        "Older form of `metric_filterlist`, used only when that is empty.", [.live()];
    STATSD_METRIC_BLOCKLIST_MATCH_PREFIX: BoolKey = "statsd_metric_blocklist_match_prefix", "false",
        "Takes the entries of `statsd_metric_blocklist` as beginnings of names.", [.live()];
    METRIC_TAG_FILTERLIST: JsonKey = "metric_tag_filterlist", "[]",
        "Tags to remove or keep by metric: items with metric_name, action (exclude or include) \
         and tags.",
        [.live()];
    DOGSTATSD_TAGS: TagsKey = "dogstatsd_tags", "",
        "Tags added to every DogStatsD metric, event and service check.", [.live()];
    DOGSTATSD_MAPPER_PROFILES: JsonKey = "dogstatsd_mapper_profiles", "[]",
        "Rules that turn parts of a metric name into tags: profiles with name, prefix and \
         mappings.",
        [.live()];
    DOGSTATSD_MAPPER_CACHE_SIZE: IntKey = "dogstatsd_mapper_cache_size", "1000",
        "Mapped names remembered per lane; 0 remembers none and maps each time.",
        [.range(0, 1_000_000).unit("names")];
    DOGSTATSD_ORIGIN_DETECTION: BoolKey = "dogstatsd_origin_detection", "false",
        "Finds the sending container from the credentials on Unix sockets.";
    DOGSTATSD_ORIGIN_DETECTION_CLIENT: BoolKey = "dogstatsd_origin_detection_client", "false",
        "Believes the container, external data and cardinality that clients write in their lines.";
    DOGSTATSD_ORIGIN_OPTOUT_ENABLED: BoolKey = "dogstatsd_origin_optout_enabled", "true",
        "Lets a client ask for no container tags (cardinality none).";
    ORIGIN_DETECTION_UNIFIED: BoolKey = "origin_detection_unified", "false",
        "Takes the first origin that resolves, instead of joining the tags of all.";
    DOGSTATSD_ENTITY_ID_PRECEDENCE: BoolKey = "dogstatsd_entity_id_precedence", "false",
        "Prefers the entity id tag of the client over socket credentials.";
    DOGSTATSD_TAG_CARDINALITY: StrKey = "dogstatsd_tag_cardinality", "low",
        "How detailed container tags are when the client does not say.",
        [.one_of(&["low", "orchestrator", "high", "none"])];
    STATSD_FORWARD_HOST: StrKey = "statsd_forward_host", "",
        "Host that gets a raw copy of each packet by UDP; empty copies nothing.";
    STATSD_FORWARD_PORT: IntKey = "statsd_forward_port", "0",
        "UDP port of `statsd_forward_host`; 0 copies nothing.", [.check(refuse::port)];
    DOGSTATSD_CAPTURE_PATH: StrKey = "dogstatsd_capture_path", "",
        "Directory for captured traffic; empty means ${run_path}/dsd_capture.";
    DOGSTATSD_CAPTURE_DEPTH: IntKey = "dogstatsd_capture_depth", "0",
        "Packets that may wait to be written while capturing; 0 means 1024.",
        [.range(0, 1 << 20).unit("packets")];
    DOGSTATSD_METRICS_STATS_ENABLE: BoolKey = "dogstatsd_metrics_stats_enable", "false",
        "Counts samples by context and remembers when each was last seen.", [.live()];
}
