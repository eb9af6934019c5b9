//! Requests of tracers that are passed on to other hosts. spec: proxies

use super::{keys, refuse};

keys! { PROXIES;
    PROFILING_DD_URL: StrKey = "apm_config.profiling_dd_url", "",
        "Full URL that profiles go to; empty makes it from `site`.",
        [.env(&["DD_APM_PROFILING_DD_URL"]).live()];
    PROFILING_ADDITIONAL_ENDPOINTS: MapKey = "apm_config.profiling_additional_endpoints", "{}",
        "Further destinations of profiles: lists of API keys by full URL.",
        [.env(&["DD_APM_PROFILING_ADDITIONAL_ENDPOINTS"]).secret().live().check(refuse::url_map)];
    PROFILING_SEND_TO_MAIN: BoolKey = "apm_config.profiling_send_to_main_endpoint", "true",
        "Sends profiles to the main destination; false makes the first further one answer.",
        [.env(&["DD_APM_PROFILING_SEND_TO_MAIN_ENDPOINT"]).live()];
    PROFILING_RECEIVER_TIMEOUT: IntKey = "apm_config.profiling_receiver_timeout", "5",
        "Longest time without progress of a profile; 0 means 5 seconds.",
        [.env(&["DD_APM_PROFILING_RECEIVER_TIMEOUT"]).range(0, 3600).unit("seconds").live()];
    PROFILING_MAX_REQUEST_BYTES: IntKey = "apm_config.profiling_max_request_bytes", "52428800",
        "Largest profile that goes to several destinations; one alone has no limit.",
        [.env(&["DD_APM_PROFILING_MAX_REQUEST_BYTES"]).range(1, 1 << 40).unit("bytes").live()];
    DEBUGGER_DD_URL: StrKey = "apm_config.debugger_dd_url", "",
        "Full URL that logs of the debugger go to; empty makes it from `site`.",
        [.env(&["DD_APM_DEBUGGER_DD_URL"]).live()];
    DEBUGGER_API_KEY: StrKey = "apm_config.debugger_api_key", "",
        "API key for these; empty takes `api_key`.",
        [.env(&["DD_APM_DEBUGGER_API_KEY"]).secret().live()];
    DEBUGGER_ADDITIONAL_ENDPOINTS: MapKey = "apm_config.debugger_additional_endpoints", "{}",
        "Further destinations of these: lists of API keys by full URL.",
        [.env(&["DD_APM_DEBUGGER_ADDITIONAL_ENDPOINTS"]).secret().live().check(refuse::url_map)];
    DEBUGGER_DIAGNOSTICS_DD_URL: StrKey = "apm_config.debugger_diagnostics_dd_url", "",
        "Full URL that diagnostics and snapshots of the debugger go to; empty makes it from `site`.",
        [.env(&["DD_APM_DEBUGGER_DIAGNOSTICS_DD_URL"]).live()];
    DEBUGGER_DIAGNOSTICS_API_KEY: StrKey = "apm_config.debugger_diagnostics_api_key", "",
        "API key for these; empty takes `api_key`.",
        [.env(&["DD_APM_DEBUGGER_DIAGNOSTICS_API_KEY"]).secret().live()];
    DEBUGGER_DIAGNOSTICS_ADDITIONAL_ENDPOINTS: MapKey =
        "apm_config.debugger_diagnostics_additional_endpoints", "{}",
        "Further destinations of these: lists of API keys by full URL.",
        [.env(&["DD_APM_DEBUGGER_DIAGNOSTICS_ADDITIONAL_ENDPOINTS"]).secret().live()
         .check(refuse::url_map)];
    DEBUGGER_LOGS_ENABLED_OVERRIDE: BoolKey = "apm_config.debugger_logs_enabled_override", "false",
        "Passes logs of the debugger on although `logs_enabled` is false.",
        [.env(&["DD_APM_DEBUGGER_LOGS_ENABLED_OVERRIDE"]).live()];
    SYMDB_DD_URL: StrKey = "apm_config.symdb_dd_url", "",
        "Full URL that symbols go to; empty makes it from `site`.",
        [.env(&["DD_APM_SYMDB_DD_URL"]).live()];
    SYMDB_API_KEY: StrKey = "apm_config.symdb_api_key", "",
        "API key for these; empty takes `api_key`.",
        [.env(&["DD_APM_SYMDB_API_KEY"]).secret().live()];
    SYMDB_ADDITIONAL_ENDPOINTS: MapKey = "apm_config.symdb_additional_endpoints", "{}",
        "Further destinations of these: lists of API keys by full URL.",
        [.env(&["DD_APM_SYMDB_ADDITIONAL_ENDPOINTS"]).secret().live().check(refuse::url_map)];
    EVP_ENABLED: BoolKey = "evp_proxy_config.enabled", "true",
        "Passes events of tracers on (`/evp_proxy/`).", [.live()];
    EVP_DD_URL: StrKey = "evp_proxy_config.dd_url", "",
        "Site that events go to, a domain; empty takes `site`.", [.live()];
    EVP_API_KEY: StrKey = "evp_proxy_config.api_key", "",
        "API key for events; empty takes `api_key`.", [.secret().live()];
    EVP_APP_KEY: StrKey = "evp_proxy_config.app_key", "",
        "Application key for clients that ask for one; empty takes `app_key`.",
        [.secret().live()];
    EVP_ADDITIONAL_ENDPOINTS: MapKey = "evp_proxy_config.additional_endpoints", "{}",
        "Further sites that events go to: lists of API keys by site.",
        [.secret().live().check(refuse::url_map)];
    EVP_MAX_PAYLOAD_SIZE: IntKey = "evp_proxy_config.max_payload_size", "10485760",
        "Largest body of an event request.", [.range(0, 1 << 40).unit("bytes").live()];
    EVP_RECEIVER_TIMEOUT: IntKey = "evp_proxy_config.receiver_timeout", "0",
        "Longest time without progress of an event request; 0 means 30 seconds.",
        [.range(0, 3600).unit("seconds").live()];
    APM_TELEMETRY_ENABLED: BoolKey = "apm_config.telemetry.enabled", "true",
        "Passes telemetry of tracers on.", [.env(&["DD_APM_TELEMETRY_ENABLED"]).live()];
    APM_TELEMETRY_DD_URL: StrKey = "apm_config.telemetry.dd_url", "",
        "URL whose host gets the telemetry of tracers; empty makes it from `site`.",
        [.env(&["DD_APM_TELEMETRY_DD_URL"]).live()];
    APM_TELEMETRY_ADDITIONAL_ENDPOINTS: MapKey =
        "apm_config.telemetry.additional_endpoints", "{}",
        "Further destinations of telemetry: lists of API keys by URL.",
        [.env(&["DD_APM_TELEMETRY_ADDITIONAL_ENDPOINTS"]).secret().live()
         .check(refuse::url_map)];
    OL_ENABLED: BoolKey = "ol_proxy_config.enabled", "true", "Passes OpenLineage events on.",
        [.live()];
    OL_DD_URL: StrKey = "ol_proxy_config.dd_url", "",
        "URL, or site, that OpenLineage events go to; empty takes `site`.", [.live()];
    OL_API_KEY: StrKey = "ol_proxy_config.api_key", "",
        "API key for these; empty takes `api_key`.", [.secret().live()];
    OL_ADDITIONAL_ENDPOINTS: MapKey = "ol_proxy_config.additional_endpoints", "{}",
        "Further destinations of these: lists of API keys by URL or site.",
        [.secret().live().check(refuse::url_map)];
    OL_API_VERSION: IntKey = "ol_proxy_config.api_version", "2",
        "Version that is asked for; below 2 none is.", [.range(0, 1000).live()];
    TRACER_FLARE_URL: StrKey = "corelane.proxy.tracer_flare_url", "",
        "Full URL that flares of tracers go to; empty makes it from `site` and version.",
        [.live()];
    PROXY_LOGS_URL: StrKey = "corelane.proxy.logs_url", "",
        "Full URL that log lines sent to `/v1/input` go to; empty makes it from `site`.",
        [.live()];
    PROXY_TAILED_FILES: ListKey = "corelane.proxy.tailed_files", "",
        "Log files, as paths and patterns of `*`, `?` and `[a-z]`, that somebody on this host \
         reads already: a tracer that asks to send one of them is answered with 409.",
        [.live()];
    PROXY_BUFFER_BYTES: BytesKey = "corelane.proxy.buffer_bytes_max", "16Mb",
        "Bytes of bodies on their way between lanes and proxies, all connections together, beside \
         32 KiB for each; at the limit clients wait.",
        [.range(1 << 16, 1 << 32)];
    PROXY_COPY_BYTES: BytesKey = "corelane.proxy.copy_bytes_max", "64Mb",
        "Bytes that wait for additional destinations, all together; at the limit the copy that is \
         behind is cut off and counted.",
        [.range(1 << 16, 1 << 36)];
    PROXY_EXCHANGES_MAX: IntKey = "corelane.proxy.exchanges_max", "2048",
        "Requests passed on at a time; a further one is answered with 429 and counted.",
        [.range(1, 1_000_000).unit("requests")];
    PROXY_EXCHANGE_SECS_MAX: IntKey = "corelane.proxy.exchange_secs_max", "600",
        "Longest upload or answer that makes progress all the time.",
        [.range(1, 86_400).unit("seconds").live()];
}
