//! The routes of the intake and their limits. spec: metrics-intake §1, §2.2; apm §10; logs §2.

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Route {
    /// `POST /api/v1/series`, JSON.
    SeriesV1,
    /// `POST /api/v2/series`, protobuf.
    SeriesV2,
    /// `POST /api/intake/metrics/v3/series`, columns.
    SeriesV3,
    /// `POST /api/intake/metrics/v3beta/series`, columns, experiments only.
    SeriesV3Beta,
    /// `POST /api/beta/sketches`, protobuf.
    SketchesV2,
    /// `POST /api/intake/metrics/v3/sketches`, columns.
    SketchesV3,
    /// `POST /api/v1/check_run`, JSON.
    CheckRun,
    /// `POST /intake/`, JSON: events or host metadata.
    Intake,
    /// `POST /api/v1/events_batch`, protobuf.
    EventsBatch,
    /// `POST /api/v1/metadata`, JSON inventories.
    Metadata,
    /// `GET /api/v1/validate`, key validation.
    Validate,
    /// `POST /api/v0.2/traces`, protobuf.
    Traces,
    /// `POST /api/v0.2/stats`, msgpack.
    TraceStats,
    /// `POST /api/v2/logs` or `/v1/input`, behind any prefix, JSON.
    Logs,
}

/// Largest body that a route takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes as sent, compressed or not.
    pub encoded_bytes_max: usize,
    /// Bytes after decompression.
    pub decoded_bytes_max: usize,
}

/// Hard limits of both series forms in protobuf. spec: metrics-intake §2.2.
const SERIES: Limits = Limits { encoded_bytes_max: 512_000, decoded_bytes_max: 5_242_880 };
/// Hard limits of the older routes.
const LARGE: Limits = Limits { encoded_bytes_max: 3_200_000, decoded_bytes_max: 62_914_560 };
/// Routes without a published limit get the caps that the Agent keeps. spec: metrics-intake §2.1.
const GENERIC: Limits = Limits { encoded_bytes_max: 2_621_440, decoded_bytes_max: 4_194_304 };
/// A single trace payload of any size is sent alone, and one request of a tracer may have 25 MiB.
/// spec: apm §3, §10.1
const TRACES: Limits = Limits { encoded_bytes_max: 26_214_400, decoded_bytes_max: 67_108_864 };

/// Without compression a payload is as large as it may be. spec: logs §2.3
const LOGS: Limits = Limits { encoded_bytes_max: 5_000_000, decoded_bytes_max: 5_000_000 };

/// What paths of logs end with. spec: logs §2.1
const LOGS_PATHS: [&str; 2] = ["/api/v2/logs", "/v1/input"];

impl Route {
    /// Every route.
    pub const ALL: [Self; 14] = [
        Self::SeriesV1,
        Self::SeriesV2,
        Self::SeriesV3,
        Self::SeriesV3Beta,
        Self::SketchesV2,
        Self::SketchesV3,
        Self::CheckRun,
        Self::Intake,
        Self::EventsBatch,
        Self::Metadata,
        Self::Traces,
        Self::TraceStats,
        Self::Logs,
        Self::Validate,
    ];

    /// Path of the route, as agents write it.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::SeriesV1 => "/api/v1/series",
            Self::SeriesV2 => "/api/v2/series",
            Self::SeriesV3 => "/api/intake/metrics/v3/series",
            Self::SeriesV3Beta => "/api/intake/metrics/v3beta/series",
            Self::SketchesV2 => "/api/beta/sketches",
            Self::SketchesV3 => "/api/intake/metrics/v3/sketches",
            Self::CheckRun => "/api/v1/check_run",
            Self::Intake => "/intake/",
            Self::EventsBatch => "/api/v1/events_batch",
            Self::Metadata => "/api/v1/metadata",
            Self::Validate => "/api/v1/validate",
            Self::Traces => "/api/v0.2/traces",
            Self::TraceStats => "/api/v0.2/stats",
            Self::Logs => LOGS_PATHS[0],
        }
    }

    /// Short name in totals, output and behaviour scripts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SeriesV1 => "series_v1",
            Self::SeriesV2 => "series_v2",
            Self::SeriesV3 => "series_v3",
            Self::SeriesV3Beta => "series_v3beta",
            Self::SketchesV2 => "sketches_v2",
            Self::SketchesV3 => "sketches_v3",
            Self::CheckRun => "check_run_v1",
            Self::Intake => "intake",
            Self::EventsBatch => "events_batch",
            Self::Metadata => "metadata_v1",
            Self::Validate => "validate_v1",
            Self::Traces => "traces",
            Self::TraceStats => "trace_stats",
            Self::Logs => "logs",
        }
    }

    /// The route of a path; the final slash of `/intake/` may be missing, and paths of logs may
    /// begin with anything. What else decides about logs, see [`Self::of_request`].
    #[must_use]
    pub fn from_path(path: &str) -> Option<Self> {
        if path == "/intake" {
            return Some(Self::Intake);
        }
        if LOGS_PATHS.iter().any(|end| path.ends_with(end)) {
            return Some(Self::Logs);
        }
        Self::ALL.into_iter().find(|route| route.path() == path)
    }

    /// The route of a path and the header `DD-PROTOCOL`, which tracers do not send: their logs take
    /// the same paths.
    #[must_use]
    pub fn of_request(path: &str, protocol: Option<&str>) -> Option<Self> {
        let is_fit = |route: &Self| *route != Self::Logs || protocol == Some("agent-json");
        Self::from_path(path).filter(is_fit)
    }

    /// The route of a short name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|route| route.name() == name)
    }

    /// HTTP method of the route.
    #[must_use]
    pub const fn method(self) -> &'static str {
        if matches!(self, Self::Validate) { "GET" } else { "POST" }
    }

    /// Media type that the body must be declared as; `None` when there is no body.
    #[must_use]
    pub const fn content_type(self) -> Option<&'static str> {
        match self {
            Self::SeriesV2
            | Self::SeriesV3
            | Self::SeriesV3Beta
            | Self::SketchesV2
            | Self::SketchesV3
            | Self::EventsBatch
            | Self::Traces => Some("application/x-protobuf"),
            Self::TraceStats => Some("application/msgpack"),
            Self::SeriesV1 | Self::CheckRun | Self::Intake | Self::Metadata | Self::Logs => {
                Some("application/json")
            }
            Self::Validate => None,
        }
    }

    /// Whether the route carries series (not sketches).
    #[must_use]
    pub const fn is_series(self) -> bool {
        matches!(self, Self::SeriesV1 | Self::SeriesV2 | Self::SeriesV3 | Self::SeriesV3Beta)
    }

    /// Whether the trace intake serves it, whose requests have other headers and answers.
    #[must_use]
    pub const fn is_apm(self) -> bool {
        matches!(self, Self::Traces | Self::TraceStats)
    }

    /// Largest body that the route takes; more is answered with 413.
    #[must_use]
    pub const fn limits(self) -> Limits {
        match self {
            Self::SeriesV2 | Self::SeriesV3 | Self::SeriesV3Beta => SERIES,
            Self::SeriesV1 | Self::SketchesV2 | Self::SketchesV3 | Self::EventsBatch => LARGE,
            Self::CheckRun | Self::Intake | Self::Metadata | Self::Validate => GENERIC,
            Self::Traces | Self::TraceStats => TRACES,
            Self::Logs => LOGS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Route;

    #[test]
    fn paths_and_names_lead_back_to_their_route() {
        for route in Route::ALL {
            assert_eq!(Route::from_path(route.path()), Some(route));
            assert_eq!(Route::from_name(route.name()), Some(route));
        }
        assert_eq!(Route::from_path("/intake"), Some(Route::Intake));
        assert_eq!(Route::from_path("/api/v9/series"), None);
    }

    #[test]
    fn a_header_tells_logs_of_agents_from_those_of_tracers() {
        for path in ["/api/v2/logs", "/v1/input", "/some/prefix/api/v2/logs", "/prefix/v1/input"] {
            assert_eq!(Route::of_request(path, Some("agent-json")), Some(Route::Logs), "{path}");
            assert_eq!(Route::of_request(path, Some("other")), None, "{path}");
            assert_eq!(Route::of_request(path, None), None, "{path}");
        }
        assert_eq!(Route::of_request("/api/v2/logs/x", Some("agent-json")), None);
        assert_eq!(Route::of_request("/api/v2/series", None), Some(Route::SeriesV2));
    }
}
