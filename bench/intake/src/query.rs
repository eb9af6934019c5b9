//! The store and the script over HTTP, for tests in other languages. All paths start with
//! `/_corelane/`, need no key and are never part of the log of requests.
//!
//! | Request | Answer or effect |
//! |---|---|
//! | `GET metrics?name=N` | series and sketches, all or of one name |
//! | `GET events`, `checks`, `metadata`, `requests`, `violations`, `totals` | what the store holds |
//! | `GET traces` | chunks with their spans |
//! | `GET spans?service=S&name=N` | spans, all or of one service or name |
//! | `GET stats` | trace stats |
//! | `GET logs?service=S` | logs, all or of one service |
//! | `GET wait?ms=M&points=N` | totals, once there are that many points (or `requests`, `events`, `checks`, `chunks`, `spans`, `hits`, `logs`), at the latest after M ms (60,000 at most) with status 408 |
//! | `POST behaviour` | a script: one line, a list of lines, or `{"script": [...], "keys": [...], "date_offset_secs": N, "refuse_ms": N}` |
//! | `GET remote` | roots and polls of remote configuration |
//! | `POST remote` | configurations by path, which the backend serves from then on |
//! | `POST reset` | forgets everything received and the script |

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::http::request::Parts;
use serde_json::{Value, json};

use crate::answer::{Answer, Closed, errors_text, response};
use crate::shared::{Gate, Shared};
use crate::{Behaviour, json as to_json};

/// Start of every path of this interface.
pub(crate) const PREFIX: &str = "/_corelane/";
/// Bytes of a script.
const BODY_BYTES_MAX: usize = 1 << 20;
/// Longest wait in milliseconds.
const WAIT_MS_MAX: u64 = 60_000;

/// Answers a request of this interface.
pub(crate) async fn answer(
    shared: &Arc<Shared>,
    parts: &Parts,
    incoming: Incoming,
) -> Result<Answer, Closed> {
    let name = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let query = parts.uri.query().unwrap_or_default();
    let result = match (parts.method.as_str(), name) {
        ("GET", "wait") => return Ok(wait(shared, query).await),
        ("GET", "remote") => Ok(shared.remote.describe()),
        ("GET", name) => read(shared, name, query),
        ("POST", "behaviour") => {
            let body = Limited::new(incoming, BODY_BYTES_MAX).collect().await;
            let body = body.map_err(|_| Closed)?.to_bytes();
            set_behaviour(shared, &body)
        }
        ("POST", "remote") => {
            let body = Limited::new(incoming, BODY_BYTES_MAX).collect().await;
            let body = body.map_err(|_| Closed)?.to_bytes();
            let value = serde_json::from_slice(&body).map_err(|error| error.to_string());
            let set = value.and_then(|value| shared.remote.set_json(&value));
            set.map(|()| json!({})).map_err(|error| (400, error))
        }
        ("POST", "reset") => {
            shared.store.reset();
            shared.set_script(Vec::new());
            Ok(json!({}))
        }
        _ => Err((404, format!("{PREFIX}{name} is not known"))),
    };
    Ok(match result {
        Ok(value) => response(shared, 200, &value.to_string()),
        Err((status, text)) => response(shared, status, &errors_text(&text)),
    })
}

/// Value of a query parameter; keys and names need no percent-decoding, `+` and `%` stay.
pub(crate) fn parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key == name).then(|| value.to_owned())
    })
}

fn read(shared: &Shared, name: &str, query: &str) -> Result<Value, (u16, String)> {
    let wanted_name = parameter(query, "name");
    let service = parameter(query, "service");
    let fits = |wanted: &Option<String>, given: &str| {
        wanted.as_deref().is_none_or(|wanted| wanted == given)
    };
    shared.store.read(|contents| {
        Ok(match name {
            "metrics" => contents
                .metrics
                .iter()
                .filter(|metric| fits(&wanted_name, &metric.name))
                .map(to_json::metric)
                .collect(),
            "events" => contents.events.iter().map(to_json::event).collect(),
            "checks" => contents.checks.iter().map(to_json::check).collect(),
            "metadata" => contents.metadata.iter().map(to_json::metadata).collect(),
            "traces" => contents.traces.iter().map(to_json::apm::chunk).collect(),
            "spans" => contents
                .spans()
                .filter(|span| fits(&service, &span.service) && fits(&wanted_name, &span.name))
                .map(to_json::apm::span)
                .collect(),
            "stats" => contents.stats.iter().map(to_json::apm::stats).collect(),
            "logs" => contents
                .logs
                .iter()
                .filter(|log| fits(&service, &log.service))
                .map(to_json::log)
                .collect(),
            "requests" => contents.requests.iter().map(to_json::request).collect(),
            "violations" => contents.violations.iter().map(to_json::violation).collect(),
            "totals" => to_json::totals(&contents.totals),
            _ => return Err((404, format!("{PREFIX}{name} is not known"))),
        })
    })
}

async fn wait(shared: &Arc<Shared>, query: &str) -> Answer {
    let number = |name| parameter(query, name).and_then(|value| value.parse::<u64>().ok());
    let time_max = Duration::from_millis(number("ms").unwrap_or(WAIT_MS_MAX).min(WAIT_MS_MAX));
    let wanted = ["points", "requests", "events", "checks", "chunks", "spans", "hits", "logs"]
        .map(|name| number(name).unwrap_or(0));
    let store = Arc::clone(&shared.store);
    let waited = tokio::task::spawn_blocking(move || {
        store.wait_until(time_max, |contents| {
            let totals = &contents.totals;
            let present = [
                totals.points,
                totals.request_count(),
                totals.events,
                totals.checks,
                totals.traces.chunks,
                totals.traces.spans,
                totals.stats.sum.hits,
                totals.logs.entries,
            ];
            present.iter().zip(&wanted).all(|(present, wanted)| present >= wanted)
        })
    });
    let status = if waited.await.unwrap_or(false) { 200 } else { 408 };
    response(shared, status, &to_json::totals(&shared.store.totals()).to_string())
}

fn set_behaviour(shared: &Arc<Shared>, body: &[u8]) -> Result<Value, (u16, String)> {
    let refuse = |text: String| (400, text);
    let value: Value = serde_json::from_slice(body).map_err(|error| refuse(error.to_string()))?;
    let lines = if value.get("action").is_some() {
        Some(vec![value.clone()])
    } else {
        value.as_array().or_else(|| value.get("script")?.as_array()).cloned()
    };
    let lines = lines.map(|lines| lines.iter().map(Behaviour::from_json).collect());
    let lines: Option<Result<Vec<_>, _>> = lines;
    let keys = value.get("keys").map(|keys| serde_json::from_value::<Vec<String>>(keys.clone()));
    let keys = keys.transpose().map_err(|error| refuse(format!("keys: {error}")))?;
    if let Some(lines) = lines.transpose().map_err(refuse)? {
        shared.set_script(lines);
    }
    if let Some(keys) = keys {
        shared.set_keys(keys);
    }
    if let Some(offset_secs) = value.get("date_offset_secs").and_then(Value::as_i64) {
        shared.set_date_offset_secs(offset_secs);
    }
    if let Some(millis) = value.get("refuse_ms").and_then(Value::as_u64) {
        refuse_for(Arc::clone(shared), Duration::from_millis(millis));
    }
    Ok(json!({}))
}

/// Closes the port after this answer and opens it again later.
fn refuse_for(shared: Arc<Shared>, time: Duration) {
    /// Lets the answer leave before its connection is closed.
    const GRACE: Duration = Duration::from_millis(50);
    tokio::spawn(async move {
        tokio::time::sleep(GRACE).await;
        shared.request_gate(Gate::Refusing);
        tokio::time::sleep(time).await;
        shared.request_gate(Gate::Open);
    });
}
