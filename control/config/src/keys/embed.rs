//! What only an embedded agent has: its modes, and names that functions and libraries use.
//! The daemon ignores them. spec: config §4, §11.5.

use super::{keys, refuse};

keys! { EMBED;
    AGENT_MODE: StrKey = "agent_mode", "http_fixed_port",
        "How clients reach an embedded agent: on fixed ports, on ports that the system chooses, or \
         on Unix sockets.",
        [.env(&["DD_AGENT_MODE", "DD_OPERATIONAL_MODE"]).aliases(&["operational_mode"])
         .one_of(&["http_fixed_port", "fixed", "http", "http_ephemeral_port", "ephemeral",
                   "dynamic", "http_uds", "uds", "socket"])];
    TRACE_AGENT_PORT: IntKey = "trace_agent_port", "8126",
        "TCP port of traces with fixed ports; 0 lets the system choose.", [.check(refuse::port)];
    TRACE_AGENT_UDS_PATH: StrKey = "trace_agent_uds_path", "",
        "Socket of traces with Unix sockets; empty makes a name in /tmp.",
        [.check(refuse::socket_path)];
    TRACE_AGENT_UDS_PERMISSIONS: StrKey = "trace_agent_uds_permissions", "0600",
        "Mode of the Unix sockets of an embedded agent, in octal.", [.check(refuse::mode)];
    METRICS_AGENT_PORT: IntKey = "metrics_agent_port", "8125",
        "Other name of `dogstatsd_port`, which wins.", [.check(refuse::port)];
    LOGS_AGENT_PORT: IntKey = "logs_agent_port", "-1",
        "TCP port of logs over HTTP: other name of `corelane.logs.listen`, which wins; 0 lets the \
         system choose, -1 opens none.", [.check(refuse::listen_port)];
    DOGSTATSD_ENABLED: BoolKey = "dogstatsd_enabled", "false",
        "Opens the DogStatsD listeners of an embedded agent.";
    FLUSH_TIMEOUT: IntKey = "flush_timeout", "0",
        "Other name of `corelane.flush_interval_secs`, which wins; 0 says nothing.",
        [.range(0, 300).unit("seconds")];
    SERVICE: StrKey = "service", "",
        "Service of the host program: the tag service:VALUE of its metrics.";
    VERSION: StrKey = "version", "",
        "Version of the host program: the tag version:VALUE of its metrics.";
    COMPRESSION_LEVEL: IntKey = "compression_level", "0",
        "Other name of `serializer_zstd_compressor_level`, which wins; 0 says nothing.",
        [.range(0, 22)];
    METRICS_COMPRESSION_LEVEL: IntKey = "metrics_config.compression_level", "0",
        "The same, before `compression_level`.", [.range(0, 22)];
    LAMBDA_FIPS_MODE: BoolKey = "lambda_fips_mode", "false",
        "Warns that the library has no FIPS-validated cryptography.";
}
