//! What an agent passes on for tracers: counted and shown, not decoded. spec: proxies §1, §3.

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use crate::answer::{Answer, Closed, conclude, refuse, response};
use crate::shared::Shared;
use crate::{Payload, Report, Request};

/// What a request is for that tracers send through an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Passed {
    /// `/api/v2/profile`.
    Profile,
    /// `/api/v2/debugger`: snapshots, states of probes, symbols.
    Debugger,
    /// `/api/v2/logs` and `/v1/input` without the header of agents: log lines, also of probes.
    Logs,
    /// `/api/v2/apmtelemetry`.
    Telemetry,
    /// `/api/v1/lineage`.
    OpenLineage,
    /// `/api/v0.1/pipeline_stats`.
    PipelineStats,
    /// `/api/ui/support/serverless/flare`.
    Flare,
    /// Events of any other kind, by their path or because they came through a tunnel to a host of
    /// their own.
    Events,
}

/// Begins the paths of well-known events. spec: proxies §3.4
const EVENTS: [&str; 14] = [
    "/api/v2/citestcycle",
    "/api/v2/citestcov",
    "/api/v2/cicovreprt",
    "/api/v2/libraries/tests/",
    "/api/v2/ci/",
    "/api/v2/test/",
    "/api/v2/git/",
    "/api/v2/llmobs",
    "/api/intake/llm-obs/",
    "/api/v2/exposures",
    "/api/v2/flagevaluation",
    "/api/v2/errorsintake",
    "/api/v2/webhook/",
    "/evp_proxy/",
];

impl Passed {
    /// The kind of a path, on a host of our own or of a tunnel.
    #[must_use]
    pub fn of(path: &str, is_tunnelled: bool) -> Option<Self> {
        Some(match path {
            "/api/v2/profile" => Self::Profile,
            "/api/v2/debugger" => Self::Debugger,
            "/api/v2/logs" | "/v1/input" => Self::Logs,
            "/api/v2/apmtelemetry" => Self::Telemetry,
            "/api/v1/lineage" => Self::OpenLineage,
            "/api/v0.1/pipeline_stats" => Self::PipelineStats,
            "/api/ui/support/serverless/flare" => Self::Flare,
            _ if is_tunnelled || EVENTS.iter().any(|known| path.starts_with(known)) => Self::Events,
            _ => return None,
        })
    }

    /// Name in totals and output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Debugger => "debugger",
            Self::Logs => "logs_of_tracers",
            Self::Telemetry => "telemetry",
            Self::OpenLineage => "openlineage",
            Self::PipelineStats => "pipeline_stats",
            Self::Flare => "flare",
            Self::Events => "events_of_tracers",
        }
    }
}

/// Reads a request to its end, counts it, and answers as if it were kept.
pub(crate) async fn answer_passed(
    shared: &Shared,
    mut head: Request,
    mut incoming: Incoming,
) -> Result<Answer, Closed> {
    while let Some(frame) = incoming.frame().await {
        let Ok(frame) = frame else {
            head.error = Some("the body was not read to its end".to_owned());
            conclude(shared, head, Payload::default(), Report::default(), None);
            return Err(Closed);
        };
        head.encoded_bytes += frame.into_data().map_or(0, |bytes: Bytes| bytes.len());
    }
    // OpenLineage has its key in another header.
    let bearer = head.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let bearer = bearer.map(str::to_owned);
    head.key = head.key.take().or(bearer);
    if !shared.is_key_valid(head.key.as_deref().unwrap_or_default()) {
        head.error = Some("the API key is missing or not accepted".to_owned());
        return Ok(refuse(shared, head, 403));
    }
    head.status = Some(202);
    head.is_accepted = true;
    conclude(shared, head, Payload::default(), Report::default(), None);
    Ok(response(shared, 202, "{}"))
}

#[cfg(test)]
mod tests {
    use super::Passed;

    #[test]
    fn paths_lead_to_what_tracers_send() {
        assert_eq!(Passed::of("/api/v2/profile", false), Some(Passed::Profile));
        assert_eq!(Passed::of("/api/v2/citestcycle", false), Some(Passed::Events));
        assert_eq!(Passed::of("/anything", true), Some(Passed::Events));
        assert_eq!(Passed::of("/anything", false), None);
    }
}
