//! Keys of attributes to keys of spans. spec: otlp §4.7.

use super::known::Known;
use super::word::Word;

/// What becomes of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mapped<'k> {
    /// It keeps its key.
    Same,
    /// It gets this one.
    To(Word),
    /// It is the header of a request with this name.
    Header(&'k str),
    /// It is a field of the span.
    Field,
    /// A number is the priority of the trace; all else keeps its key.
    Priority,
    /// What reads as a boolean is a rate of 0 or 1; all else keeps its key.
    Analytics,
}

/// Prefix of the keys of a request's headers, as OTLP and as spans have it.
const HEADER: &str = "http.request.header.";
pub(super) const SPAN_HEADER: &str = "http.request.headers.";

/// What becomes of the attribute under a key, which may be a known one.
pub(super) fn mapped(key: &str, known: Option<Known>) -> Mapped<'_> {
    let Some(known) = known else {
        let header = key.strip_prefix(HEADER).filter(|header| !header.is_empty());
        return header.map_or(Mapped::Same, Mapped::Header);
    };
    #[expect(clippy::wildcard_enum_match_arm, reason = "most keys stay")]
    match known {
        Known::ClientAddress => Mapped::To(Word::HttpClientIp),
        Known::HttpResponseBodySize => Mapped::To(Word::HttpResponseContentLength),
        Known::HttpResponseStatusCode => Mapped::To(Word::HttpStatusCode),
        Known::HttpRequestBodySize => Mapped::To(Word::HttpRequestContentLength),
        Known::HttpRequestHeaderReferrer => Mapped::To(Word::HttpReferrer),
        Known::HttpRequestMethod => Mapped::To(Word::HttpMethod),
        Known::NetworkProtocolVersion => Mapped::To(Word::HttpVersion),
        Known::ServerAddress => Mapped::To(Word::HttpServerName),
        Known::UrlFull => Mapped::To(Word::HttpUrl),
        Known::UserAgentOriginal => Mapped::To(Word::HttpUseragent),
        Known::ServiceName | Known::OperationName | Known::ResourceName | Known::SpanType => {
            Mapped::Field
        }
        Known::SamplingPriority => Mapped::Priority,
        Known::AnalyticsEvent => Mapped::Analytics,
        _ => Mapped::Same,
    }
}

/// A boolean as the reference reads it.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}
