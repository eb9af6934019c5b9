//! The proxies, and the rules of each as data. spec: proxies §1, §3.

use server::Proxy;

/// One proxy, by its local path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `/profiling/v1/input`.
    Profiling,
    /// `/debugger/v1/input`.
    DebuggerLogs,
    /// `/debugger/v1/diagnostics`.
    DebuggerDiagnostics,
    /// `/debugger/v2/input`.
    Debugger,
    /// `/symdb/v1/input`.
    Symdb,
    /// `/telemetry/proxy/`.
    Telemetry,
    /// `/evp_proxy/v1/` to `/evp_proxy/v4/`, and evaluations of language models.
    Evp,
    /// `/openlineage/api/v1/lineage`.
    OpenLineage,
    /// `/v0.1/pipeline_stats`.
    PipelineStats,
    /// `/dogstatsd/v1/proxy`, `/dogstatsd/v2/proxy`.
    DogStatsD,
    /// `/tracer_flare/v1`.
    TracerFlare,
    /// `/v1/input`: log lines, for the intake of logs.
    Logs,
}

/// What is done to the requests of a proxy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Where the key goes.
    pub(crate) key: KeyHeader,
    /// Where the tags of host and container go.
    pub(crate) tags: TagsIn,
    /// `DD-EVP-ORIGIN`, where it is ours to say.
    pub(crate) evp_origin: Option<&'static str>,
    /// Whether each request gets a `DD-REQUEST-ID`.
    pub(crate) has_request_id: bool,
    /// Whether `Via` and `X-Datadog-Container-Tags` are set.
    pub(crate) has_via: bool,
    /// Whether the query of the request is kept, beside that of the target.
    pub(crate) keeps_query: bool,
    /// Whether the intake learns the address of the client.
    pub(crate) tells_client: bool,
    /// Whether 202 becomes 200.
    pub(crate) accepted_is_ok: bool,
    /// Whether failures are told by different statuses and a text.
    pub(crate) tells_failures: bool,
    /// Whether the body is limited even with a single target.
    pub(crate) limits_always: bool,
}

/// Where the key goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyHeader {
    /// `DD-API-KEY`.
    ApiKey,
    /// `Authorization: Bearer`.
    Bearer,
}

/// Where tags go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TagsIn {
    /// Into `X-Datadog-Additional-Tags`, in place of the client's: of the host alone.
    Header {
        /// Whether the orchestrator is one of them.
        with_orchestrator: bool,
    },
    /// Into the same header, together with the client's and the container's.
    MergedHeader,
    /// Into the parameter `ddtags`, together with the client's and the container's.
    Query,
    /// Nowhere.
    Nowhere,
}

const REVERSE: Rules = Rules {
    key: KeyHeader::ApiKey,
    tags: TagsIn::Nowhere,
    evp_origin: None,
    has_request_id: false,
    has_via: false,
    keeps_query: false,
    tells_client: true,
    accepted_is_ok: false,
    tells_failures: false,
    limits_always: false,
};

const DEBUGGER: Rules = Rules {
    tags: TagsIn::Query,
    evp_origin: Some("agent-debugger"),
    has_request_id: true,
    keeps_query: true,
    ..REVERSE
};

impl Kind {
    /// Every proxy, in the order of `status`.
    pub const ALL: [Self; 12] = [
        Self::Profiling,
        Self::DebuggerLogs,
        Self::DebuggerDiagnostics,
        Self::Debugger,
        Self::Symdb,
        Self::Telemetry,
        Self::Evp,
        Self::OpenLineage,
        Self::PipelineStats,
        Self::DogStatsD,
        Self::TracerFlare,
        Self::Logs,
    ];

    /// The proxy that a lane's route and path lead to; none for remote configuration.
    #[must_use]
    pub fn of(proxy: Proxy, path: &str) -> Option<Self> {
        Some(match proxy {
            Proxy::Profiling => Self::Profiling,
            Proxy::Telemetry => Self::Telemetry,
            Proxy::PipelineStats => Self::PipelineStats,
            Proxy::OpenLineage => Self::OpenLineage,
            Proxy::Evp => Self::Evp,
            Proxy::Debugger => match path {
                "/debugger/v1/input" => Self::DebuggerLogs,
                "/debugger/v1/diagnostics" => Self::DebuggerDiagnostics,
                _ => Self::Debugger,
            },
            Proxy::Symdb => Self::Symdb,
            Proxy::DogStatsD => Self::DogStatsD,
            Proxy::TracerFlare => Self::TracerFlare,
            Proxy::Logs => Self::Logs,
            Proxy::RemoteConfig => return None,
        })
    }

    /// Name in `status`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Profiling => "profiling",
            Self::DebuggerLogs => "debugger_logs",
            Self::DebuggerDiagnostics => "debugger_diagnostics",
            Self::Debugger => "debugger",
            Self::Symdb => "symdb",
            Self::Telemetry => "telemetry",
            Self::Evp => "evp",
            Self::OpenLineage => "openlineage",
            Self::PipelineStats => "pipeline_stats",
            Self::DogStatsD => "dogstatsd",
            Self::TracerFlare => "tracer_flare",
            Self::Logs => "logs",
        }
    }

    /// Paths as `/info` lists them. Those that no Agent has are not listed: no tracer looks for
    /// them. spec: proxies §8
    #[must_use]
    pub const fn paths(self) -> &'static [&'static str] {
        match self {
            Self::Profiling => &["/profiling/v1/input"],
            Self::DebuggerLogs => &["/debugger/v1/input"],
            Self::DebuggerDiagnostics => &["/debugger/v1/diagnostics"],
            Self::Debugger => &["/debugger/v2/input"],
            Self::Symdb => &["/symdb/v1/input"],
            Self::Telemetry => &["/telemetry/proxy/"],
            Self::Evp => &["/evp_proxy/v1/", "/evp_proxy/v2/", "/evp_proxy/v3/", "/evp_proxy/v4/"],
            Self::OpenLineage => &["/openlineage/api/v1/lineage"],
            Self::PipelineStats => &["/v0.1/pipeline_stats"],
            Self::DogStatsD => &["/dogstatsd/v1/proxy", "/dogstatsd/v2/proxy"],
            Self::TracerFlare => &["/tracer_flare/v1"],
            Self::Logs => &[],
        }
    }

    /// Its place in [`Self::ALL`].
    #[must_use]
    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    pub(crate) const fn rules(self) -> Rules {
        match self {
            Self::Profiling => Rules {
                tags: TagsIn::Header { with_orchestrator: true },
                has_via: true,
                accepted_is_ok: true,
                tells_failures: true,
                ..REVERSE
            },
            Self::DebuggerLogs | Self::DebuggerDiagnostics | Self::Debugger => DEBUGGER,
            Self::Symdb => {
                Rules { tags: TagsIn::MergedHeader, evp_origin: Some("agent-symdb"), ..DEBUGGER }
            }
            Self::Evp => {
                Rules { keeps_query: true, tells_client: false, limits_always: true, ..REVERSE }
            }
            Self::OpenLineage => Rules {
                key: KeyHeader::Bearer,
                tags: TagsIn::Header { with_orchestrator: false },
                has_via: true,
                ..REVERSE
            },
            Self::PipelineStats => {
                Rules { tags: TagsIn::Header { with_orchestrator: true }, has_via: true, ..REVERSE }
            }
            Self::Telemetry => {
                Rules { has_via: true, keeps_query: true, tells_client: false, ..REVERSE }
            }
            Self::Logs => Rules { keeps_query: true, ..REVERSE },
            Self::TracerFlare | Self::DogStatsD => REVERSE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_place() {
        for (index, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind.index(), index);
        }
    }
}
