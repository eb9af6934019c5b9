//! Identity, tags and logging. spec: config §5.1, §5.2, §8.

use super::{keys, refuse};

keys! { CORE;
    API_KEY: StrKey = "api_key", "",
        "Key that pays for what is sent; trimmed, may be ENC[...], and nothing is delivered \
         without one.",
        [.secret().live()];
    APP_KEY: StrKey = "app_key", "",
        "Application key, needed only by features that query the public API; empty is fine.",
        [.secret().live()];
    SITE: StrKey = "site", "datadoghq.com",
        "Region that receives the data, as a domain; empty means datadoghq.com, a scheme in \
         front is removed.",
        [.check(refuse::site)];
    DD_URL: StrKey = "dd_url", "",
        "Full URL of the metrics intake, used instead of `site` when not empty; https:// is \
         added if no scheme is given.",
        [.env(&["DD_DD_URL", "DD_URL"]).check(refuse::http_url)];
    ADDITIONAL_ENDPOINTS: MapKey = "additional_endpoints", "{}",
        "Further intakes that get a copy of everything, as a map from URL to its list of API \
         keys; an URL without keys is left out.",
        [.secret().live().check(refuse::url_map)];
    CONVERT_DD_SITE_FQDN: BoolKey = "convert_dd_site_fqdn.enabled", "true",
        "Ends known intake host names with a dot, which spares the resolver its search domains.";
    HOSTNAME: StrKey = "hostname", "",
        "Host name to report; empty means it is found out from the cloud, the container runtime \
         or the system.";
    HOSTNAME_FILE: StrKey = "hostname_file", "",
        "File whose first line is the host name; empty means no such file.";
    HOSTNAME_FQDN: BoolKey = "hostname_fqdn", "false",
        "Reports the fully qualified name of the system instead of the short one.";
    HOSTNAME_TRUST_UTS_NAMESPACE: BoolKey = "hostname_trust_uts_namespace", "false",
        "In a container, takes the name of its own UTS namespace for the name of the host.";
    EKS_FARGATE: BoolKey = "eks_fargate", "false",
        "Says that this agent runs on EKS Fargate, where a host has no name; ECS Fargate is found \
         out.";
    HOST_ALIASES: ListKey = "host_aliases", "",
        "Further names of this host, sent with the host metadata.";
    TAGS: TagsKey = "tags", "",
        "Tags of this host.";
    EXTRA_TAGS: TagsKey = "extra_tags", "",
        "Tags of this host, added to `tags`; for tags that come from another hand than the file.";
    ENV: StrKey = "env", "",
        "Environment this host belongs to; becomes the host tag env:VALUE unless `tags` has \
         one, empty adds nothing.";
    EXPECTED_TAGS_DURATION: DurationKey = "expected_tags_duration", "0s",
        "For this long after start the host tags are written on every metric; 0 never does so.",
        [.min(0)];
    PROVIDER_KIND: StrKey = "provider_kind", "",
        "How this host was set up; adds the tag provider_kind:VALUE to DogStatsD data, empty \
         adds nothing.";
    LOG_LEVEL: StrKey = "log_level", "info",
        "Least severe message that is logged.",
        [.one_of(&["trace", "debug", "info", "warn", "warning", "error", "critical", "off"])
            .live()];
    LOG_FILE: StrKey = "log_file", "",
        "File the log goes to; empty means the standard place of the command.";
    LOG_FORMAT_JSON: BoolKey = "log_format_json", "false",
        "Writes each log line as a JSON object.";
    LOG_FORMAT_RFC3339: BoolKey = "log_format_rfc3339", "false",
        "Writes log times as RFC 3339.";
    LOG_TO_CONSOLE: BoolKey = "log_to_console", "true",
        "Also writes the log to standard output.";
    DISABLE_FILE_LOGGING: BoolKey = "disable_file_logging", "false",
        "Writes no log file at all.";
    LOG_FILE_MAX_SIZE: BytesKey = "log_file_max_size", "10Mb",
        "Size at which the log file is put aside and a new one begun.", [.min(4096)];
    LOG_FILE_MAX_ROLLS: IntKey = "log_file_max_rolls", "1",
        "Log files kept aside; 0 keeps none.", [.range(0, 1000).unit("files")];
    LOG_PAYLOADS: BoolKey = "log_payloads", "false",
        "Logs the contents of payloads at debug level, for a short investigation.", [.live()];
    RUN_PATH: StrKey = "run_path", "/opt/corelane/run",
        "Directory for state that outlives the process; ${run_path} in other values stands for it.";
    PROCFS_PATH: StrKey = "procfs_path", "",
        "Where /proc of the host is mounted; empty means /proc, or `container_proc_root` in a \
         container.";
    CONTAINER_PROC_ROOT: StrKey = "container_proc_root", "/host/proc",
        "Where /proc of the host is mounted when running in a container.";
    CONTAINER_CGROUP_ROOT: StrKey = "container_cgroup_root", "/host/sys/fs/cgroup/",
        "Where the cgroups of the host are mounted when running in a container.";
    BIND_HOST: StrKey = "bind_host", "",
        "Address that local listeners bind to; empty means localhost.",
        [.check(refuse::bind_address)];
    ENABLE_METADATA_COLLECTION: BoolKey = "enable_metadata_collection", "true",
        "Sends the description of this host at start and now and then.";
    HEALTH_PORT: IntKey = "health_port", "0",
        "Port on which /live, /ready and /startup answer; 0 opens none.", [.check(refuse::port)];
    EXPVAR_PORT: IntKey = "expvar_port", "5000",
        "Port on localhost for /debug/vars and, with `telemetry.enabled`, /telemetry; opened \
         only when set.",
        [.check(refuse::port)];
    TELEMETRY_ENABLED: BoolKey = "telemetry.enabled", "false",
        "Offers corelane's own counters in Prometheus form.";
}
