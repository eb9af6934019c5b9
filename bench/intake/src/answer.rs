//! From a request to its answer: script, body, decoding, checks, store.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, DATE, HeaderValue, LOCATION};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};

use crate::acceptance::{Report, Rule, check_exchange, check_headers, check_payload};
use crate::passed::answer_passed;
use crate::shared::Shared;
use crate::store::body_hash;
use crate::{
    Action, BodyError, Passed, Payload, Request, Route, body, decode, flares, query, remote,
};

/// Bytes of an oversized body that are still read, so that the client gets to see the answer.
const DRAINED_BYTES_MAX: usize = 64 << 20;

/// The script or the client ends the connection without an answer.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("connection closed without an answer")]
pub(crate) struct Closed;

pub(crate) type Answer = Response<Full<Bytes>>;

/// Answers one request.
pub(crate) async fn answer(
    shared: Arc<Shared>,
    is_tunnelled: bool,
    request: hyper::Request<Incoming>,
) -> Result<Answer, Closed> {
    let (parts, incoming) = request.into_parts();
    if parts.uri.path().starts_with(query::PREFIX) {
        return query::answer(&shared, &parts, incoming).await;
    }
    if remote::is_path(parts.uri.path()) {
        return answer_remote(&shared, parts.uri.path(), incoming).await;
    }
    if flares::is_path(parts.uri.path()) {
        return answer_flare(&shared, &parts, incoming).await;
    }
    let mut head = head_of(&parts, is_tunnelled, shared.next_request_id());
    let Some(route) = head.route else {
        if head.passed.is_some() {
            return answer_passed(&shared, head, incoming).await;
        }
        head.error = Some(format!("{} is no route of this intake", head.path));
        return Ok(refuse(&shared, head, 404));
    };
    if head.method != route.method() {
        head.error = Some(format!("{} takes {}", head.path, route.method()));
        return Ok(refuse(&shared, head, 405));
    }
    let action = shared.next_action(route);
    let encoded = match read_body(incoming, route.limits().encoded_bytes_max, action).await {
        Ok(encoded) => encoded,
        Err(Closed) => {
            head.error = Some("the body was not read to its end".to_owned());
            conclude(&shared, head, Payload::default(), Report::default(), None);
            return Err(Closed);
        }
    };
    head.encoded_bytes = encoded.bytes_read;
    let hash = body_hash(head.key.as_deref(), route, &encoded.bytes);
    let mut report = Report::new(head.id);
    let (status, payload) = judge(&shared, &mut head, route, &encoded, &mut report);
    head.status = match action {
        Action::Status(scripted) => Some(scripted),
        Action::Hang | Action::StoreThenClose => None,
        Action::Accept | Action::CloseMidBody | Action::Delay(_) | Action::Drip(_) => Some(status),
    };
    let is_stored = action != Action::Hang && head.status.is_none_or(|status| status < 400);
    head.is_accepted = status < 400 && is_stored;
    let status = head.status.unwrap_or(status);
    let error = head.error.clone();
    conclude(&shared, head, payload, report, Some(hash));
    match action {
        Action::Hang => std::future::pending().await,
        Action::StoreThenClose => return Err(Closed),
        Action::Delay(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
        Action::Accept | Action::Status(_) | Action::CloseMidBody | Action::Drip(_) => {}
    }
    shared.store.mark_answered(hash);
    Ok(response(&shared, status, &answer_text(route, status, error.as_deref())))
}

/// Answers a call of remote configuration, which is no part of the log of requests.
async fn answer_remote(shared: &Shared, path: &str, incoming: Incoming) -> Result<Answer, Closed> {
    let body = Limited::new(incoming, DRAINED_BYTES_MAX).collect().await;
    let body = body.map_err(|_| Closed)?.to_bytes();
    let Some((status, body)) = shared.remote.answer(path, &body) else {
        return std::future::pending().await;
    };
    let mut answer = response(shared, status, "");
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
    *answer.body_mut() = Full::new(Bytes::from(body));
    Ok(answer)
}

/// Answers an agent that sends a flare, or asks where to.
async fn answer_flare(
    shared: &Shared,
    parts: &Parts,
    incoming: Incoming,
) -> Result<Answer, Closed> {
    let body = Limited::new(incoming, flares::BODY_BYTES_MAX).collect().await;
    let body = body.map_err(|_| Closed)?.to_bytes();
    let head = head_of(parts, false, 0);
    let is_key_valid = shared.is_key_valid(head.key.as_deref().unwrap_or_default());
    let told = shared.flares.answer(&head.method, &head.path, head.headers, &body, is_key_valid);
    let Some(told) = told else { return std::future::pending().await };
    let mut answer = response(shared, told.status, &told.text);
    if let Some(place) = told.location {
        answer.headers_mut().insert(LOCATION, HeaderValue::from_static(place));
    }
    Ok(answer)
}

/// An answer with a JSON text and the scripted date.
pub(crate) fn response(shared: &Shared, status: u16, text: &str) -> Answer {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(text.as_bytes())));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let offset_secs = shared.date_offset_secs();
    let offset = Duration::from_secs(offset_secs.unsigned_abs());
    let now = SystemTime::now();
    let date = if offset_secs < 0 { now.checked_sub(offset) } else { now.checked_add(offset) };
    // A date before 1970 cannot be written: the header is left to the HTTP library.
    if let Some(date) = date.filter(|date| offset_secs != 0 && *date > UNIX_EPOCH)
        && let Ok(value) = HeaderValue::from_str(&httpdate::fmt_http_date(date))
    {
        headers.insert(DATE, value);
    }
    response
}

/// A body as it was sent.
struct Encoded {
    /// Empty when the body is too large.
    bytes: Vec<u8>,
    bytes_read: usize,
}

async fn read_body(
    mut incoming: Incoming,
    bytes_max: usize,
    action: Action,
) -> Result<Encoded, Closed> {
    let mut encoded = Encoded { bytes: Vec::new(), bytes_read: 0 };
    loop {
        if let Action::Drip(millis) = action {
            tokio::time::sleep(Duration::from_millis(millis)).await;
        }
        let Some(frame) = incoming.frame().await else { break };
        let frame = frame.map_err(|_| Closed)?;
        if action == Action::CloseMidBody {
            return Err(Closed);
        }
        let Ok(data) = frame.into_data() else { continue };
        encoded.bytes_read += data.len();
        if encoded.bytes_read > DRAINED_BYTES_MAX {
            return Err(Closed);
        }
        if encoded.bytes_read <= bytes_max {
            encoded.bytes.extend_from_slice(&data);
        } else {
            encoded.bytes = Vec::new();
        }
    }
    if action == Action::CloseMidBody { Err(Closed) } else { Ok(encoded) }
}

/// Decodes and checks a body. Returns the status that it deserves.
fn judge(
    shared: &Shared,
    head: &mut Request,
    route: Route,
    encoded: &Encoded,
    report: &mut Report,
) -> (u16, Payload) {
    let key = head.key.as_deref().unwrap_or_default();
    if !shared.is_key_valid(key) {
        if key.is_empty() {
            report.add(Rule::Key, || format!("{} came without an API key", route.path()));
        }
        head.error = Some("the API key is missing or not accepted".to_owned());
        return (403, Payload::default());
    }
    check_headers(head, report);
    match read(head, route, encoded) {
        Ok(payload) => {
            let (encoded_bytes, decoded_bytes) = (head.encoded_bytes, head.decoded_bytes);
            let (rules, now_secs) = (&shared.rules, now_ms().cast_signed() / 1000);
            check_payload(route, encoded_bytes, decoded_bytes, &payload, rules, now_secs, report);
            check_exchange(head, &payload, report);
            (if route == Route::Validate { 200 } else { 202 }, payload)
        }
        Err((status, error)) => {
            let rule = if status == 413 { Rule::TooLarge } else { Rule::Undecodable };
            report.add(rule, || format!("{}: {error}", route.path()));
            head.error = Some(error);
            (status, Payload::default())
        }
    }
}

fn read(head: &mut Request, route: Route, encoded: &Encoded) -> Result<Payload, (u16, String)> {
    let limits = route.limits();
    let describe = |error: BodyError| (error.status(), error.to_string());
    if encoded.bytes_read > limits.encoded_bytes_max {
        let limit_bytes = limits.encoded_bytes_max;
        return Err(describe(BodyError::TooLarge { what: "compressed", limit_bytes }));
    }
    let encoding = head.header("content-encoding");
    let decoded =
        body::decompress(encoding, &encoded.bytes, limits.decoded_bytes_max).map_err(describe)?;
    head.decoded_bytes = decoded.len();
    let payload = decode(route, &decoded).map_err(|error| (400, error.to_string()))?;
    head.series_count = payload.metrics.iter().filter(|metric| !metric.is_sketch()).count();
    head.sketch_count = payload.metrics.len() - head.series_count;
    head.point_count = payload.point_count();
    head.event_count = payload.events.len();
    head.check_count = payload.checks.len();
    if let Some(traces) = &payload.traces {
        head.chunk_count = traces.chunks().count();
        head.span_count = traces.spans().count();
    }
    head.group_count = payload.stats.as_ref().map_or(0, |stats| stats.groups().count());
    head.log_count = payload.logs.len();
    Ok(payload)
}

fn head_of(parts: &Parts, is_tunnelled: bool, id: u64) -> Request {
    let headers: Vec<(String, String)> = parts
        .headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let mut head = Request {
        id,
        received_ms: now_ms(),
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        http_version: format!("{:?}", parts.version),
        headers,
        ..Request::default()
    };
    let in_query = parts.uri.query().and_then(|query| query::parameter(query, "api_key"));
    head.route = Route::of_request(&head.path, head.header("dd-protocol"));
    if head.route.is_none() {
        head.passed = Passed::of(&head.path, is_tunnelled);
    }
    head.key = head.header("dd-api-key").map(str::to_owned).or(in_query);
    head
}

pub(crate) fn refuse(shared: &Shared, mut head: Request, status: u16) -> Answer {
    let text = errors_text(head.error.as_deref().unwrap_or_default());
    head.status = Some(status);
    conclude(shared, head, Payload::default(), Report::default(), None);
    response(shared, status, &text)
}

/// Stores the request and tells whoever listens.
pub(crate) fn conclude(
    shared: &Shared,
    head: Request,
    payload: Payload,
    report: Report,
    hash: Option<u64>,
) {
    let exchange = shared.store.record(head, payload, report, hash);
    if let Some(on_request) = &shared.on_request {
        on_request(&exchange);
    }
}

fn answer_text(route: Route, status: u16, error: Option<&str>) -> String {
    match (route, status) {
        (Route::Validate, 200) => r#"{"valid":true}"#.to_owned(),
        (_, 403) => errors_text("Forbidden"),
        (_, 400..) => errors_text(error.unwrap_or("scripted fault")),
        (Route::Traces | Route::TraceStats | Route::Logs, _) => "{}".to_owned(),
        (Route::SeriesV2 | Route::SeriesV3 | Route::SeriesV3Beta, _) => {
            r#"{"errors":[]}"#.to_owned()
        }
        _ => r#"{"status":"ok"}"#.to_owned(),
    }
}

pub(crate) fn errors_text(error: &str) -> String {
    serde_json::json!({ "errors": [error] }).to_string()
}

fn now_ms() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}
