//! An answer as hyper sends it. spec: apm §3.1, §3.2, §8.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};

use crate::answer::ContentType;
use crate::link::{Link, Phase};
use crate::relay::{Cut, Relayed, RelayedBody};
use crate::{Answer, Head, Route, Server};

const AGENT_VERSION: HeaderName = HeaderName::from_static("datadog-agent-version");
const AGENT_STATE: HeaderName = HeaderName::from_static("datadog-agent-state");
const RATES_VERSION: HeaderName = HeaderName::from_static("datadog-rates-payload-version");
const TAGS_HASH: HeaderName = HeaderName::from_static("datadog-container-tags-hash");

/// What is written to a client.
pub(crate) enum ReplyBody {
    Whole(Full<Bytes>),
    Relayed(RelayedBody),
}

/// Turns an answer into a response.
pub(crate) fn respond(
    server: &Server,
    link: &Link,
    head: &Head,
    answer: Answer,
) -> http::Response<ReplyBody> {
    if let Some(refusal) = answer.refusal {
        server.count_refusal(head, refusal, answer.service.as_deref(), &link.prefix.borrow());
    }
    let mut response = http::Response::new(ReplyBody::Whole(Full::new(answer.body)));
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
    for (name, value) in
        [(RATES_VERSION, answer.rates_version), (TAGS_HASH, answer.container_tags_hash)]
    {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
    introduce(server, link, head.route != Route::Info, answer.status, response)
}

/// Turns the answer of another host into a response.
pub(crate) fn relay(server: &Server, link: &Link, relayed: Relayed) -> http::Response<ReplyBody> {
    let mut response = http::Response::new(ReplyBody::Relayed(relayed.body));
    *response.headers_mut() = relayed.headers;
    introduce(server, link, true, relayed.status, response)
}

/// Counts an answer, and adds what every one says of this process.
fn introduce(
    server: &Server,
    link: &Link,
    is_named: bool,
    status: u16,
    mut response: http::Response<ReplyBody>,
) -> http::Response<ReplyBody> {
    link.enter(Phase::Writing, server.now());
    server.end_request(link);
    server.count(|counts| counts.answers.add(status));
    *response.status_mut() =
        http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if is_named {
        let identity = server.identity();
        headers.insert(AGENT_VERSION, identity.version.clone());
        headers.insert(AGENT_STATE, identity.state.clone());
    }
    if link.has_unread.get() || server.is_stopping() {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Self::Relayed(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Relayed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Relayed(body) => body.size_hint(),
        }
    }
}
