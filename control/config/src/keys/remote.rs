//! Remote configuration. spec: remote-config §2

use super::{keys, refuse};

keys! { REMOTE;
    REMOTE_CONFIG_ENABLED: BoolKey = "remote_configuration.enabled", "true",
        "Asks Datadog for configurations of this agent and of tracers; false serves none to \
         tracers either.";
    FIPS_ENABLED: BoolKey = "fips.enabled", "false",
        "Set where the FIPS proxy of the Agent is used; remote configuration is off then.";
    REMOTE_CONFIG_API_KEY: StrKey = "remote_configuration.api_key", "",
        "API key for remote configuration alone; empty takes `api_key`.", [.secret()];
    REMOTE_CONFIG_URL: StrKey = "remote_configuration.rc_dd_url", "",
        "Backend of remote configuration; empty takes that of `site`.", [.check(refuse::http_url)];
    REMOTE_CONFIG_LEGACY_KEY: StrKey = "remote_configuration.key", "",
        "Key of the time before API keys had scopes, beginning with DDRCM_; empty is fine.",
        [.secret()];
    REMOTE_CONFIG_CONFIG_ROOT: StrKey = "remote_configuration.config_root", "",
        "Root document, as JSON, from which the config repository is verified; empty takes the one \
         of the site.";
    REMOTE_CONFIG_DIRECTOR_ROOT: StrKey = "remote_configuration.director_root", "",
        "Root document, as JSON, from which the director repository is verified; empty takes the \
         one of the site.";
    REMOTE_CONFIG_REFRESH_INTERVAL: DurationKey = "remote_configuration.refresh_interval", "0s",
        "Time between two polls, 5 s at least; 0 polls each minute, or as often as the backend \
         wants.",
        [.min(0)];
    REMOTE_CONFIG_MAX_BACKOFF: DurationKey = "remote_configuration.max_backoff_interval", "5m",
        "Longest time that failures add between two polls, 2 to 5 minutes.", [.min(0)];
    REMOTE_CONFIG_CLIENTS_TTL: DurationKey = "remote_configuration.clients.ttl_seconds", "30s",
        "Time after its last request for which a tracer counts as there, 5 s to a minute.",
        [.min(0)];
    REMOTE_CONFIG_BYPASS_LIMIT: IntKey = "remote_configuration.clients.cache_bypass_limit", "5",
        "Polls ahead of time that new tracers may cause in an interval, 1 to 10.",
        [.range(0, 1000).unit("polls")];
    REMOTE_CONFIG_ORG_STATUS_INTERVAL: DurationKey =
        "remote_configuration.org_status_refresh_interval", "1m",
        "Time between two looks at whether organisation and key may use remote configuration, 5 s \
         at least.",
        [.min(5_000_000_000)];
    REMOTE_CONFIG_STORE_PATH: StrKey = "remote_config_store_path", "${run_path}",
        "Directory of what was verified, for the next start; where it cannot be written, nothing \
         is kept.";
    REMOTE_CONFIG_NO_TLS: BoolKey = "remote_configuration.no_tls", "false",
        "Lets `remote_configuration.rc_dd_url` be an http:// URL.";
    REMOTE_CONFIG_NO_TLS_VALIDATION: BoolKey = "remote_configuration.no_tls_validation", "false",
        "Lets `skip_ssl_validation` apply to remote configuration, which is off otherwise while \
         that is set.";
    REMOTE_CONFIG_AGENT_CONFIG: BoolKey = "remote_configuration.agent_config.enabled", "true",
        "Lets the product AGENT_CONFIG set the log level of this agent.";
    REMOTE_CONFIG_APM_SAMPLING: BoolKey = "remote_configuration.apm_sampling.enabled", "true",
        "Lets the product APM_SAMPLING set the targets of the samplers.";
    REMOTE_CONFIG_ANSWER_BYTES_MAX: BytesKey = "corelane.remote.answer_bytes_max", "32Mb",
        "Longest answer of the backend that is read; a longer one is refused and counted.",
        [.range(65_536, 1 << 30)];
    REMOTE_CONFIG_STORE_BYTES_MAX: BytesKey = "corelane.remote.store_bytes_max", "64Mb",
        "Documents and files held in memory and on disk; an update beyond that is refused and \
         counted.",
        [.range(65_536, 1 << 32)];
    REMOTE_CONFIG_CLIENTS_MAX: IntKey = "corelane.remote.clients_max", "2000",
        "Tracers that are remembered; further ones are answered, counted, and unknown to the \
         backend.",
        [.range(1, 1_000_000).unit("clients")];
    REMOTE_CONFIG_CLIENTS_BYTES_MAX: BytesKey = "corelane.remote.clients_bytes_max", "16Mb",
        "Memory for what tracers say of themselves; who finds no room is answered and counted.",
        [.range(65_536, 1 << 30)];
    REMOTE_CONFIG_REQUEST_BYTES_MAX: BytesKey = "corelane.remote.request_bytes_max", "2Mb",
        "Longest request of a tracer for configurations; a longer one is answered with 413.",
        [.range(1024, 1 << 28)];
}
