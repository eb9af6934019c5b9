//! What is said to a client. spec: apm §3.1, §3.2, §8.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;

use crate::head::{Head, Text};
use crate::{Route, TraceVersion};

/// One answer. Bodies and header values are shared: cloning copies no text.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Media type; none for an empty body.
    pub content_type: Option<ContentType>,
    /// Body.
    pub body: Bytes,
    /// `Datadog-Rates-Payload-Version`.
    pub rates_version: Option<HeaderValue>,
    /// `Datadog-Container-Tags-Hash`.
    pub container_tags_hash: Option<HeaderValue>,
    /// Why nothing was accepted, where that is so: counted with the sender.
    pub refusal: Option<Refusal>,
    /// Service of the sender, where the worker knows it and it counts.
    pub service: Option<Box<str>>,
}

/// Media type of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentType {
    /// `text/plain; charset=utf-8`.
    Text,
    /// `application/json`.
    Json,
}

/// Why a request was not accepted. Each is a counter of its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The body is longer than the limit.
    TooLarge,
    /// The worker is behind, or the bodies being read take all the memory they may.
    Busy,
    /// The body took too long to come, or stats waited too long for their turn.
    Timeout,
    /// The body ended early.
    UnexpectedEof,
    /// The body could not be decoded.
    Malformed,
    /// The media type does not fit the endpoint.
    MediaType,
    /// Sent by a browser for another site.
    CrossSite,
    /// No such endpoint.
    NotFound,
}

impl Refusal {
    /// Every reason, in order of declaration.
    pub const ALL: [Self; 8] = [
        Self::TooLarge,
        Self::Busy,
        Self::Timeout,
        Self::UnexpectedEof,
        Self::Malformed,
        Self::MediaType,
        Self::CrossSite,
        Self::NotFound,
    ];

    /// Name in `status`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Busy => "busy",
            Self::Timeout => "timeout",
            Self::UnexpectedEof => "unexpected_eof",
            Self::Malformed => "malformed",
            Self::MediaType => "media_type",
            Self::CrossSite => "cross_site",
            Self::NotFound => "not_found",
        }
    }
}

/// What every answer says about this process, and the answer of `/info`. Published whole, since the
/// state is the hash of the information.
#[derive(Clone, Debug)]
pub struct Identity {
    /// `Datadog-Agent-Version`.
    pub version: HeaderValue,
    /// `Datadog-Agent-State`: lower-case hex SHA-256 of `info`.
    pub state: HeaderValue,
    /// Body of `/info`.
    pub info: Bytes,
}

/// Sampling rates as they are sent to clients, published whole.
#[derive(Clone, Debug)]
pub struct Rates {
    /// `{"rate_by_service":{...}}` and a line feed.
    pub json: Bytes,
    /// Version of the rates; empty before any was computed.
    pub version: HeaderValue,
}

impl Identity {
    /// What answers say. A text that does not fit into a header becomes the empty one.
    #[must_use]
    pub fn new(version: &str, state: &str, info: Bytes) -> Arc<Self> {
        Arc::new(Self { version: header_value(version), state: header_value(state), info })
    }
}

impl Identity {
    /// What every answer carries, as lines of a head.
    pub(crate) fn head_lines(&self) -> Vec<u8> {
        let (version, state) = (self.version.as_bytes(), self.state.as_bytes());
        [b"Datadog-Agent-Version: ", version, b"\r\nDatadog-Agent-State: ", state, b"\r\n"].concat()
    }
}

impl Rates {
    /// Rates and their version.
    #[must_use]
    pub fn new(json: Bytes, version: &str) -> Arc<Self> {
        Arc::new(Self { json, version: header_value(version) })
    }
}

impl Default for Rates {
    fn default() -> Self {
        let json = Bytes::from_static(b"{\"rate_by_service\":{}}\n");
        Self { json, version: HeaderValue::from_static("") }
    }
}

impl Answer {
    /// `OK`, as endpoints up to v0.3 answer.
    #[must_use]
    pub const fn ok() -> Self {
        Self::new(200, Some(ContentType::Text), Bytes::from_static(b"OK\n"))
    }

    /// 200 without a body.
    #[must_use]
    pub const fn empty() -> Self {
        Self::new(200, None, Bytes::new())
    }

    /// The sampling rates, as the endpoint of `head` sends them; the client's version is not sent
    /// again. spec: apm §3.2.
    #[must_use]
    pub fn rates(head: &Head, rates: &Rates) -> Self {
        if head.route.version() < Some(TraceVersion::V04) {
            return Self::ok();
        }
        let known = head.text(Text::RatesVersion);
        let is_known = !known.is_empty() && rates.version == known;
        let body = if is_known { Bytes::from_static(b"{}") } else { rates.json.clone() };
        Self {
            rates_version: (!known.is_empty()).then(|| rates.version.clone()),
            ..Self::new(200, Some(ContentType::Json), body)
        }
    }

    /// Refuses because there is no room, with the rates, and the status that the client can bear;
    /// `is_429_set` is the feature flag `429`. spec: apm §3 step 5.
    #[must_use]
    pub fn busy(head: &Head, rates: &Rates, is_429_set: bool) -> Self {
        let is_v1 = head.route == Route::Traces(TraceVersion::V10);
        let is_told = is_v1 || head.is_real_status_wanted || is_429_set;
        let status = if is_told { 429 } else { 200 };
        Self { status, refusal: Some(Refusal::Busy), ..Self::rates(head, rates) }
    }

    /// Refuses with a text, to which a line feed is added. spec: apm §3.1.
    #[must_use]
    pub fn refused(status: u16, refusal: Refusal, text: &str) -> Self {
        let body = Bytes::from(format!("{text}\n"));
        Self { refusal: Some(refusal), ..Self::new(status, Some(ContentType::Text), body) }
    }

    /// A status without a body.
    #[must_use]
    pub const fn bare(status: u16) -> Self {
        Self::new(status, None, Bytes::new())
    }

    /// A status with a text, to which a line feed is added.
    #[must_use]
    pub fn error(status: u16, text: &str) -> Self {
        Self::new(status, Some(ContentType::Text), Bytes::from(format!("{text}\n")))
    }

    /// JSON with a status.
    #[must_use]
    pub const fn json(status: u16, body: Bytes) -> Self {
        Self::new(status, Some(ContentType::Json), body)
    }

    /// The same, to a sender whose service is known; an empty one is none.
    #[must_use]
    pub fn of_service(mut self, service: &str) -> Self {
        self.service = (!service.is_empty()).then(|| service.into());
        self
    }

    /// 400 with the reason why the body could not be decoded.
    #[must_use]
    pub fn malformed(text: &str) -> Self {
        Self::refused(400, Refusal::Malformed, text)
    }

    /// 404.
    #[must_use]
    pub fn not_found() -> Self {
        Self::refused(404, Refusal::NotFound, "404 page not found")
    }

    /// 408.
    #[must_use]
    pub fn timeout() -> Self {
        Self::refused(408, Refusal::Timeout, "timeout")
    }

    /// `/info`, with the hash of the tags of the client's container where they are known.
    #[must_use]
    pub fn info(identity: &Identity, container_tags_hash: Option<&str>) -> Self {
        Self {
            container_tags_hash: container_tags_hash.map(header_value),
            ..Self::new(200, Some(ContentType::Text), identity.info.clone())
        }
    }

    const fn new(status: u16, content_type: Option<ContentType>, body: Bytes) -> Self {
        Self {
            status,
            content_type,
            body,
            rates_version: None,
            container_tags_hash: None,
            refusal: None,
            service: None,
        }
    }
}

fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use receive::Peer;

    use super::*;

    fn head(version: TraceVersion, rates_version: &str, is_real_status_wanted: bool) -> Head {
        let mut headers = HeaderMap::new();
        headers.insert("datadog-rates-payload-version", header_value(rates_version));
        let mut head = Head::new(Route::Traces(version), Peer::Unix(None), &headers);
        head.is_real_status_wanted = is_real_status_wanted;
        head
    }

    #[test]
    fn a_client_that_knows_the_rates_does_not_get_them_again() {
        let rates = Rates::new(Bytes::from_static(b"{...}\n"), "65-1");
        let old = Answer::rates(&head(TraceVersion::V03, "65-1", false), &rates);
        assert_eq!((&old.body[..], old.rates_version), (&b"OK\n"[..], None));
        let silent = Answer::rates(&head(TraceVersion::V04, "", false), &rates);
        assert_eq!((&silent.body[..], silent.rates_version), (&b"{...}\n"[..], None));
        let behind = Answer::rates(&head(TraceVersion::V07, "65-0", false), &rates);
        assert_eq!(&behind.body[..], b"{...}\n");
        assert_eq!(behind.rates_version.unwrap(), "65-1");
        let current = Answer::rates(&head(TraceVersion::V10, "65-1", false), &rates);
        assert_eq!(&current.body[..], b"{}");
        assert_eq!(current.rates_version.unwrap(), "65-1");
        let first = Answer::rates(&head(TraceVersion::V04, "65-1", false), &Rates::default());
        assert_eq!(&first.body[..], b"{\"rate_by_service\":{}}\n");
    }

    #[test]
    fn only_clients_that_can_bear_it_see_the_status_of_a_refusal() {
        let rates = Rates::default();
        let status = |version, is_wanted, is_429_set| {
            let answer = Answer::busy(&head(version, "", is_wanted), &rates, is_429_set);
            assert_eq!(answer.refusal, Some(Refusal::Busy));
            answer.status
        };
        assert_eq!(status(TraceVersion::V03, false, false), 200);
        assert_eq!(status(TraceVersion::V07, false, false), 200);
        assert_eq!(status(TraceVersion::V04, true, false), 429);
        assert_eq!(status(TraceVersion::V04, false, true), 429);
        assert_eq!(status(TraceVersion::V10, false, false), 429);
    }
}
