//! Which path leads where. spec: apm §2.

/// Version of a trace endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TraceVersion {
    /// `/spans`, `/v0.1/spans`: a flat JSON list of spans.
    V01,
    /// `/v0.2/traces`: JSON.
    V02,
    /// `/v0.3/traces`.
    V03,
    /// `/v0.4/traces`.
    V04,
    /// `/v0.5/traces`: dictionary form.
    V05,
    /// `/v0.7/traces`: a whole tracer payload.
    V07,
    /// `/v1.0/traces`: string table.
    V10,
    /// An OTLP request, which comes without a path of its own.
    Otlp,
}

/// Requests that are passed through to another host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// `/profiling/v1/input`.
    Profiling,
    /// `/telemetry/proxy/`.
    Telemetry,
    /// `/v0.1/pipeline_stats`.
    PipelineStats,
    /// `/openlineage/api/v1/lineage`.
    OpenLineage,
    /// `/evp_proxy/v1/` to `/evp_proxy/v4/`, and evaluations of language models.
    Evp,
    /// `/debugger/`.
    Debugger,
    /// `/symdb/v1/input`.
    Symdb,
    /// `/dogstatsd/v1/proxy`, `/dogstatsd/v2/proxy`.
    DogStatsD,
    /// `/tracer_flare/v1`.
    TracerFlare,
    /// `/v1/input`: log lines.
    Logs,
    /// `/v0.7/config`.
    RemoteConfig,
}

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Traces.
    Traces(TraceVersion),
    /// Services, whose body is ignored; up to v0.3 the reply is `OK`, then the sampling rates.
    Services(TraceVersion),
    /// `/v0.6/stats`.
    Stats,
    /// `/info`.
    Info,
    /// Handed over to control, or answered 404 where nothing is handed over.
    Proxy(Proxy),
    /// No such path.
    Unknown,
}

impl Route {
    /// Number of different [`Self::index`].
    pub const COUNT: usize = ROUTE_NAMES.len();

    /// The route of a path without its query.
    #[must_use]
    pub fn of(path: &str) -> Self {
        match path {
            "/v0.4/traces" => Self::Traces(TraceVersion::V04),
            "/v0.5/traces" => Self::Traces(TraceVersion::V05),
            "/v1.0/traces" => Self::Traces(TraceVersion::V10),
            "/v0.6/stats" => Self::Stats,
            "/info" => Self::Info,
            "/v0.7/traces" => Self::Traces(TraceVersion::V07),
            "/v0.3/traces" => Self::Traces(TraceVersion::V03),
            "/v0.2/traces" => Self::Traces(TraceVersion::V02),
            "/spans" | "/v0.1/spans" => Self::Traces(TraceVersion::V01),
            "/services" | "/v0.1/services" => Self::Services(TraceVersion::V01),
            "/v0.2/services" => Self::Services(TraceVersion::V02),
            "/v0.3/services" => Self::Services(TraceVersion::V03),
            "/v0.4/services" => Self::Services(TraceVersion::V04),
            _ => Proxy::of(path).map_or(Self::Unknown, Self::Proxy),
        }
    }

    /// Place in an array of counters.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Traces(TraceVersion::Otlp) => 12,
            Self::Traces(version) => version as usize,
            Self::Services(_) => 7,
            Self::Stats => 8,
            Self::Info => 9,
            Self::Proxy(_) => 10,
            Self::Unknown => 11,
        }
    }

    /// Whether spans come here: what waits for the worker too long is refused.
    #[must_use]
    pub const fn is_traces(self) -> bool {
        matches!(self, Self::Traces(_))
    }

    /// Whether another host, or control, answers.
    #[must_use]
    pub const fn is_proxy(self) -> bool {
        matches!(self, Self::Proxy(_))
    }

    /// Version of a trace or services endpoint.
    #[must_use]
    pub const fn version(self) -> Option<TraceVersion> {
        match self {
            Self::Traces(version) | Self::Services(version) => Some(version),
            Self::Stats | Self::Info | Self::Proxy(_) | Self::Unknown => None,
        }
    }

    /// Whether the body is wanted. spec: apm §2.
    pub(crate) const fn has_body(self) -> bool {
        matches!(self, Self::Traces(_) | Self::Stats)
    }

    /// Whether browsers are kept out. spec: apm §3.
    pub(crate) const fn is_guarded(self) -> bool {
        matches!(self, Self::Traces(_) | Self::Services(_) | Self::Stats)
    }
}

/// Names of routes in `status`, by [`Route::index`].
pub const ROUTE_NAMES: [&str; 13] = [
    "/v0.1/spans",
    "/v0.2/traces",
    "/v0.3/traces",
    "/v0.4/traces",
    "/v0.5/traces",
    "/v0.7/traces",
    "/v1.0/traces",
    "services",
    "/v0.6/stats",
    "/info",
    "proxies",
    "unknown",
    "otlp",
];

impl Proxy {
    fn of(path: &str) -> Option<Self> {
        let exact = match path {
            "/profiling/v1/input" => Some(Self::Profiling),
            "/v0.1/pipeline_stats" => Some(Self::PipelineStats),
            "/openlineage/api/v1/lineage" => Some(Self::OpenLineage),
            "/debugger/v1/input" | "/debugger/v1/diagnostics" | "/debugger/v2/input" => {
                Some(Self::Debugger)
            }
            "/symdb/v1/input" => Some(Self::Symdb),
            "/dogstatsd/v1/proxy" | "/dogstatsd/v2/proxy" => Some(Self::DogStatsD),
            "/tracer_flare/v1" => Some(Self::TracerFlare),
            "/v1/input" => Some(Self::Logs),
            "/api/intake/llm-obs/v1/eval-metric" | "/api/intake/llm-obs/v2/eval-metric" => {
                Some(Self::Evp)
            }
            "/v0.7/config" => Some(Self::RemoteConfig),
            _ => None,
        };
        exact.or_else(|| {
            let is_evp = (1..=4).any(|version| {
                let rest = path.strip_prefix("/evp_proxy/v");
                rest.and_then(|rest| rest.strip_prefix(char::from(b'0' + version)))
                    .is_some_and(|rest| rest.starts_with('/'))
            });
            if is_evp {
                Some(Self::Evp)
            } else {
                path.starts_with("/telemetry/proxy/").then_some(Self::Telemetry)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_exact_and_prefixes_end_in_a_slash() {
        assert_eq!(Route::of("/spans"), Route::Traces(TraceVersion::V01));
        assert_eq!(Route::of("/v0.4/traces"), Route::Traces(TraceVersion::V04));
        assert_eq!(Route::of("/v0.4/traces/"), Route::Unknown);
        assert_eq!(Route::of("/V0.4/traces"), Route::Unknown);
        assert_eq!(Route::of("/evp_proxy/v4/api/v2/x"), Route::Proxy(Proxy::Evp));
        assert_eq!(Route::of("/evp_proxy/v5/api"), Route::Unknown);
        assert_eq!(Route::of("/evp_proxy/v4"), Route::Unknown);
        assert_eq!(Route::of("/telemetry/proxy/api"), Route::Proxy(Proxy::Telemetry));
        assert_eq!(Route::of("/api/intake/llm-obs/v1/eval-metric"), Route::Proxy(Proxy::Evp));
        assert_eq!(Route::of("/api/intake/llm-obs/v3/eval-metric"), Route::Unknown);
        assert_eq!(Route::of("/v1/input"), Route::Proxy(Proxy::Logs));
        assert_eq!(Route::of(""), Route::Unknown);
    }

    #[test]
    fn every_named_route_has_its_place() {
        for (index, name) in ROUTE_NAMES.iter().enumerate().filter(|(_, name)| name.contains('/')) {
            assert_eq!(Route::of(name).index(), index, "{name}");
        }
        assert_eq!(Route::of("/v0.3/services").index(), 7);
        assert_eq!(Route::of("/symdb/v1/input").index(), 10);
        assert_eq!(Route::Unknown.index(), 11);
        assert_eq!(Route::Traces(TraceVersion::Otlp).index(), Route::COUNT - 1);
    }
}
