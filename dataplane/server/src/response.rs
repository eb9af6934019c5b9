//! An answer as hyper sends it. spec: apm §3.1, §3.2, §8.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http_body_util::Full;

use crate::answer::ContentType;
use crate::link::{Link, Phase};
use crate::{Answer, Head, Route, Server};

const AGENT_VERSION: HeaderName = HeaderName::from_static("datadog-agent-version");
const AGENT_STATE: HeaderName = HeaderName::from_static("datadog-agent-state");
const RATES_VERSION: HeaderName = HeaderName::from_static("datadog-rates-payload-version");
const TAGS_HASH: HeaderName = HeaderName::from_static("datadog-container-tags-hash");

/// Turns an answer into a response; without one the connection ends.
pub(crate) fn respond(
    server: &Server,
    link: &Link,
    head: &Head,
    answer: Option<Answer>,
) -> Result<http::Response<Full<Bytes>>, Lost> {
    let answer = answer.ok_or(Lost)?;
    link.enter(Phase::Writing, server.now());
    server.end_request(link);
    server.count(|counts| counts.answers.add(answer.status));
    if let Some(refusal) = answer.refusal {
        server.count_refusal(head, refusal);
    }
    let mut response = http::Response::new(Full::new(answer.body));
    *response.status_mut() = http::StatusCode::from_u16(answer.status)
        .unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    match answer.content_type {
        Some(ContentType::Text) => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        }
        Some(ContentType::Json) => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        None => {}
    }
    if answer.status >= 400 && answer.content_type == Some(ContentType::Text) {
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    if head.route != Route::Info {
        let identity = server.identity();
        headers.insert(AGENT_VERSION, identity.version.clone());
        headers.insert(AGENT_STATE, identity.state.clone());
    }
    for (name, value) in
        [(RATES_VERSION, answer.rates_version), (TAGS_HASH, answer.container_tags_hash)]
    {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
    if link.has_unread.get() || server.is_stopping() {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

/// A request without an answer: hyper closes the connection.
#[derive(Debug)]
pub(crate) struct Lost;

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the request was given up")
    }
}

impl std::error::Error for Lost {}
