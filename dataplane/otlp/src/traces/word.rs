//! The keys that translation writes.

use span::{Key, Str, Table};

use super::seen;

/// A key that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Word {
    SpanKind,
    TraceId,
    Version,
    Env,
    Events,
    HasException,
    Links,
    ScopeName,
    LibraryName,
    ScopeVersion,
    LibraryVersion,
    StatusCode,
    StatusDescription,
    ErrorMessage,
    ErrorType,
    ErrorStack,
    Tracestate,
    SampleRate,
    HttpStatusCode,
    RpcGrpcStatusCode,
    TopLevel,
    Measured,
    DbName,
    HttpClientIp,
    HttpResponseContentLength,
    HttpRequestContentLength,
    HttpReferrer,
    HttpMethod,
    HttpVersion,
    HttpServerName,
    HttpUrl,
    HttpUseragent,
    SamplingPriority,
    EventRate,
    DecisionMaker,
    OtlpRate,
}

static TEXTS: [&str; COUNT] = [
    "span.kind",
    "otel.trace_id",
    "version",
    "env",
    "events",
    "_dd.span_events.has_exception",
    "_dd.span_links",
    "otel.scope.name",
    "otel.library.name",
    "otel.scope.version",
    "otel.library.version",
    "otel.status_code",
    "otel.status_description",
    "error.msg",
    "error.type",
    "error.stack",
    "w3c.tracestate",
    "_sample_rate",
    "http.status_code",
    "rpc.grpc.status_code",
    "_top_level",
    "_dd.measured",
    "db.name",
    "http.client_ip",
    "http.response.content_length",
    "http.request.content_length",
    "http.referrer",
    "http.method",
    "http.version",
    "http.server_name",
    "http.url",
    "http.useragent",
    "_sampling_priority_v1",
    "_dd1.sr.eausr",
    "_dd.p.dm",
    "_dd.otlp_sr",
];
const COUNT: usize = 36;

/// What is known of each word: its place among the keys of spans, its hash, and where it lies in
/// the strings of the batch in work.
#[derive(Clone, Debug)]
pub(super) struct Words([Written; COUNT]);

#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    pub(super) text: Str,
    pub(super) key: Key,
    pub(super) hash: u64,
}

impl Words {
    pub(super) fn with_seed(seed: u64) -> Self {
        Self(TEXTS.map(|text| Written {
            text: Str::EMPTY,
            key: Key::of(text.as_bytes()),
            hash: seen::hash(text, seed),
        }))
    }

    /// Begins another batch, which has no strings yet.
    pub(super) fn clear(&mut self) {
        self.0.iter_mut().for_each(|held| held.text = Str::EMPTY);
    }

    /// A word, written once for each batch. Every word has its place in the table, so that none is
    /// never the answer.
    pub(super) fn get(&mut self, word: Word, table: &mut Table<'_>) -> Option<Written> {
        let (held, text) = (self.0.get_mut(word as usize)?, TEXTS.get(word as usize)?);
        if held.text.is_empty() {
            held.text = table.find(text);
        }
        Some(*held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_written_once_for_each_batch() {
        let mut strings = span::Strings::new(Vec::new());
        let mut words = Words::with_seed(1);
        let mut get = |word| words.get(word, &mut strings.split().1).unwrap();
        let (kind, rate) = (get(Word::SpanKind), get(Word::OtlpRate));
        assert_eq!(get(Word::SpanKind).text, kind.text);
        assert_eq!((kind.key, rate.key), (Key::SpanKind, Key::Other));
        assert_eq!(strings.text(rate.text), "_dd.otlp_sr");
        words.clear();
        assert_eq!(words.0[Word::SpanKind as usize].text, Str::EMPTY);
    }
}
