//! The routes.

use std::sync::Arc;

use bytes::Bytes;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::listen::{Access, Scope};
use crate::top::{TopBy, TopQuery, TopSort, top_report};
use crate::{CaptureKind, CaptureRequest, Source, prometheus, text, trace_vars, vars};

/// A request, read whole.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) body: Bytes,
}

/// What to answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) body: Bytes,
}

const JSON: &str = "application/json";
const ZIP: &str = "application/zip";
const TEXT: &str = "text/plain; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

impl Answer {
    /// `{"error": "..."}`, as the Agent's API answers.
    pub(super) fn error(status: StatusCode, message: &str) -> Self {
        Self { status, ..Self::json(&json!({ "error": message })) }
    }

    fn json(value: &Value) -> Self {
        Self { status: StatusCode::OK, content_type: JSON, body: value.to_string().into() }
    }

    fn text(text: String) -> Self {
        Self { status: StatusCode::OK, content_type: TEXT, body: text.into() }
    }
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    Live,
    Ready,
    Status,
    StatusText,
    Metrics,
    Vars,
    TraceVars,
    Config,
    Top,
    Stats,
    StartCapture(CaptureKind),
    StopCapture(CaptureKind),
    ReplayState,
    Reload,
    Flush,
    Flare,
}

impl Route {
    fn of(method: &Method, path: &str) -> Result<Self, Answer> {
        let is_read = *method == Method::GET || *method == Method::HEAD;
        let (route, allowed) = match path {
            "/health/live" | "/live" | "/startup" => (Self::Live, is_read),
            "/health/ready" | "/health" | "/ready" => (Self::Ready, is_read),
            "/status" => (Self::Status, is_read),
            "/status/text" => (Self::StatusText, is_read),
            "/metrics" | "/telemetry" => (Self::Metrics, is_read),
            "/debug/vars" => (Self::Vars, is_read),
            "/config" => (Self::Config, is_read),
            "/dogstatsd/top" => (Self::Top, is_read),
            "/agent/dogstatsd-stats" => (Self::Stats, is_read),
            "/dogstatsd/capture" => Self::capture(CaptureKind::Packets, method),
            "/apm/capture" => Self::capture(CaptureKind::Requests, method),
            "/dogstatsd/replay-state" => (Self::ReplayState, *method == Method::POST),
            "/reload" => (Self::Reload, *method == Method::POST),
            "/flare" => (Self::Flare, *method == Method::POST),
            "/flush" => (Self::Flush, *method == Method::POST),
            _ => return Err(Answer::error(StatusCode::NOT_FOUND, "there is no such path")),
        };
        if !allowed {
            let message = format!("{path} does not answer {method}");
            return Err(Answer::error(StatusCode::METHOD_NOT_ALLOWED, &message));
        }
        Ok(route)
    }

    /// The route of a capture, and whether the method leads there.
    fn capture(kind: CaptureKind, method: &Method) -> (Self, bool) {
        if *method == Method::DELETE {
            return (Self::StopCapture(kind), true);
        }
        (Self::StartCapture(kind), *method == Method::POST)
    }

    const fn is_change(self) -> bool {
        match self {
            Self::StartCapture(_)
            | Self::StopCapture(_)
            | Self::ReplayState
            | Self::Reload
            | Self::Flush
            | Self::Flare => true,
            Self::Live
            | Self::Ready
            | Self::Status
            | Self::StatusText
            | Self::Metrics
            | Self::Vars
            | Self::TraceVars
            | Self::Config
            | Self::Top
            | Self::Stats => false,
        }
    }
}

/// Answers a request, if the listener it came to serves it.
pub(super) async fn answer(asked: Asked, access: Access, source: Arc<dyn Source>) -> Answer {
    let route = match permitted_route(&asked, access) {
        Ok(route) => route,
        Err(refusal) => return refusal,
    };
    // Probes must not wait behind slow questions.
    if matches!(route, Route::Live | Route::Ready) {
        return work(route, &asked, &*source);
    }
    let working = tokio::task::spawn_blocking(move || work(route, &asked, &*source));
    working.await.unwrap_or_else(|_| {
        let message = "the agent failed at this question; its log says more";
        Answer::error(StatusCode::INTERNAL_SERVER_ERROR, message)
    })
}

fn permitted_route(asked: &Asked, access: Access) -> Result<Route, Answer> {
    // Probes are configured with all kinds of paths. spec: config §12.3
    if access.scope == Scope::Health {
        let is_ready = asked.path.ends_with("/ready");
        return Ok(if is_ready { Route::Ready } else { Route::Live });
    }
    if access.scope == Scope::Debug {
        return debug_route(&asked.method, &asked.path);
    }
    let route = Route::of(&asked.method, &asked.path)?;
    if route == Route::Metrics && !access.has_metrics {
        let message = "telemetry is off here; set telemetry.enabled, or use the Unix socket";
        return Err(Answer::error(StatusCode::NOT_FOUND, message));
    }
    let is_permitted = match access.scope {
        Scope::All => true,
        Scope::Reading => !route.is_change(),
        Scope::Counters => matches!(route, Route::Vars | Route::Metrics),
        Scope::Health => matches!(route, Route::Live | Route::Ready),
        Scope::Debug => false,
    };
    if !is_permitted {
        let message = "this is served on the Unix socket only (corelane.api_socket)";
        return Err(Answer::error(StatusCode::FORBIDDEN, message));
    }
    Ok(route)
}

/// What the debug port serves, and what to do instead of what it does not. spec: apm §2
fn debug_route(method: &Method, path: &str) -> Result<Route, Answer> {
    let message = match path {
        "/debug/vars" => return Route::of(method, path).map(|_| Route::TraceVars),
        "/config" => return Route::of(method, path),
        "/config/set" => {
            "nothing is set here; change the configuration file and send SIGHUP to the agent, or \
             POST /reload to its Unix socket (corelane.api_socket)"
        }
        "/secret/refresh" => {
            "secrets are not refreshed here; see secret_refresh_interval, or POST /reload to the \
             Unix socket of the agent (corelane.api_socket)"
        }
        _ if path.starts_with("/debug/pprof") => {
            "there are no profiles of a Go runtime; counters are at /debug/vars, and `perf record \
             -g -p` with the \"pid\" that stands there makes a profile"
        }
        _ => "there is no such path; there are /debug/vars and /config",
    };
    Err(Answer { status: StatusCode::NOT_FOUND, ..Answer::text(format!("{message}\n")) })
}

fn work(route: Route, asked: &Asked, source: &dyn Source) -> Answer {
    match route {
        Route::Live => health("live", live(source)),
        Route::Ready => health("ready", live(source).and_then(|()| source.is_ready())),
        Route::Status => {
            outcome(serde_json::to_value(source.snapshot()).map_err(|e| e.to_string()))
        }
        Route::StatusText => Answer::text(text::text(&source.snapshot())),
        Route::Metrics => Answer {
            content_type: PROMETHEUS,
            ..Answer::text(prometheus::prometheus(&source.snapshot()))
        },
        Route::Vars => Answer::json(&vars::vars(&source.snapshot())),
        Route::TraceVars => Answer::json(&trace_vars::trace_vars(&source.snapshot())),
        Route::Config => Answer::text(source.config_yaml()),
        Route::Top => match top_query(&asked.query) {
            Ok(query) => outcome(source.top().map(|rows| json!(top_report(&rows, query)))),
            Err(message) => Answer::error(StatusCode::BAD_REQUEST, &message),
        },
        Route::Stats => outcome(source.dogstatsd_stats()),
        Route::StartCapture(kind) => match capture_request(&asked.body) {
            Ok(request) => {
                outcome(source.start_capture(kind, request).map(|path| json!({ "path": path })))
            }
            Err(message) => Answer::error(StatusCode::BAD_REQUEST, &message),
        },
        Route::StopCapture(kind) => {
            outcome(source.stop_capture(kind).map(|path| json!({ "path": path })))
        }
        Route::ReplayState => outcome(
            source
                .load_replay_state(asked.body.to_vec())
                .map(|count| json!({ "loaded": true, "processes": count })),
        ),
        Route::Reload => outcome(source.reload().map(|told| json!({ "result": told }))),
        Route::Flare => match source.flare() {
            Ok(archive) => {
                Answer { status: StatusCode::OK, content_type: ZIP, body: archive.into() }
            }
            Err(message) => Answer::error(StatusCode::INTERNAL_SERVER_ERROR, &message),
        },
        Route::Flush => outcome(source.flush().map(|()| json!({ "result": "flushed" }))),
    }
}

fn live(source: &dyn Source) -> Result<(), String> {
    if source.is_live() { Ok(()) } else { Err("a thread makes no progress".to_owned()) }
}

fn health(name: &str, state: Result<(), String>) -> Answer {
    match state {
        Ok(()) => Answer::json(&json!({ "Healthy": [name], "Unhealthy": [] })),
        Err(reason) => Answer {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            ..Answer::json(&json!({ "Healthy": [], "Unhealthy": [name], "reason": reason }))
        },
    }
}

/// A refusal of the agent is a request that cannot be had now: 400, as the Agent answers.
fn outcome(result: Result<Value, String>) -> Answer {
    match result {
        Ok(value) => Answer::json(&value),
        Err(message) => Answer::error(StatusCode::BAD_REQUEST, &message),
    }
}

fn capture_request(body: &[u8]) -> Result<CaptureRequest, String> {
    if body.is_empty() {
        return Ok(CaptureRequest::default());
    }
    serde_json::from_slice(body).map_err(|error| format!("the body is no capture request: {error}"))
}

/// Groups and tags that one answer may list.
const LISTED_MAX: usize = 10_000;

/// Reads `by=name|tag|origin&sort=contexts|samples&limit=N&tags=N`.
fn top_query(query: &str) -> Result<TopQuery, String> {
    let mut wanted = TopQuery::default();
    let number = |text: &str| {
        let number: Result<usize, _> = text.parse();
        number.map(|n| n.min(LISTED_MAX)).map_err(|_| format!("{text:?} is not a number"))
    };
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=').unwrap_or((pair, "")) {
            ("by", "name") => wanted.by = TopBy::Name,
            ("by", "tag") => wanted.by = TopBy::Tag,
            ("by", "origin") => wanted.by = TopBy::Origin,
            ("sort", "contexts") => wanted.sort = TopSort::Contexts,
            ("sort", "samples") => wanted.sort = TopSort::Samples,
            ("limit", text) => wanted.groups_max = number(text)?,
            ("tags", text) => wanted.tags_max = number(text)?,
            _ => return Err(format!("{pair:?} is not understood")),
        }
    }
    Ok(wanted)
}
