//! What the headers of a request say. spec: apm §4.1.

use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HeaderValue};
use receive::Peer;

use crate::Route;
use crate::media::Media;

/// The head of a request: plain data, with all texts in one allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Where it goes.
    pub route: Route,
    /// Who is at the other end.
    pub peer: Peer,
    /// Media type of the body.
    pub media: Media,
    /// Length of the body that the client announced, in bytes.
    pub content_length: Option<u64>,
    /// Traces that the client says it sends; unknown when absent or no number.
    pub trace_count: Option<u64>,
    /// Whether the client marked its top-level spans.
    pub is_top_level_computed: bool,
    /// Whether the client sends its own stats.
    pub is_stats_computed: bool,
    /// Chunks that the client dropped as its sampling decided; 0 when absent or no number.
    pub dropped_p0_traces: i64,
    /// Spans of those.
    pub dropped_p0_spans: i64,
    /// Whether a refusal may be answered by its real status.
    pub is_real_status_wanted: bool,
    /// Whether the client sends its body when it is told to go on.
    pub is_asking: bool,
    texts: String,
    /// End of each text in `texts`, by [`Text`].
    ends: [u32; Text::ALL.len()],
}

/// Headers whose text is kept. An absent header is the empty text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// `Datadog-Meta-Lang`.
    Language,
    /// `Datadog-Meta-Lang-Version`.
    LanguageVersion,
    /// `Datadog-Meta-Lang-Interpreter`.
    Interpreter,
    /// `Datadog-Meta-Lang-Interpreter-Vendor`.
    InterpreterVendor,
    /// `Datadog-Meta-Tracer-Version`.
    TracerVersion,
    /// `Datadog-Rates-Payload-Version`.
    RatesVersion,
    /// `Datadog-Container-ID`.
    ContainerId,
    /// `Datadog-Entity-ID`.
    EntityId,
    /// `Datadog-External-Env`.
    ExternalEnv,
    /// `X-Datadog-Process-Tags`.
    ProcessTags,
    /// `Datadog-Obfuscation-Version`.
    ObfuscationVersion,
}

impl Text {
    /// Every text, in the order of [`NAMES`].
    const ALL: [Self; 11] = [
        Self::Language,
        Self::LanguageVersion,
        Self::Interpreter,
        Self::InterpreterVendor,
        Self::TracerVersion,
        Self::RatesVersion,
        Self::ContainerId,
        Self::EntityId,
        Self::ExternalEnv,
        Self::ProcessTags,
        Self::ObfuscationVersion,
    ];
}

const NAMES: [&str; Text::ALL.len()] = [
    "datadog-meta-lang",
    "datadog-meta-lang-version",
    "datadog-meta-lang-interpreter",
    "datadog-meta-lang-interpreter-vendor",
    "datadog-meta-tracer-version",
    "datadog-rates-payload-version",
    "datadog-container-id",
    "datadog-entity-id",
    "datadog-external-env",
    "x-datadog-process-tags",
    "datadog-obfuscation-version",
];
const TRACE_COUNT: &str = "x-datadog-trace-count";
const TOP_LEVEL: &str = "datadog-client-computed-top-level";
const STATS: &str = "datadog-client-computed-stats";
const DROPPED_TRACES: &str = "datadog-client-dropped-p0-traces";
const DROPPED_SPANS: &str = "datadog-client-dropped-p0-spans";
const REAL_STATUS: &str = "datadog-send-real-http-status";
const FETCH_SITE: &str = "sec-fetch-site";

impl Head {
    /// Reads the headers. Of a header that occurs more than once, the first counts.
    #[must_use]
    pub fn new(route: Route, peer: Peer, headers: &HeaderMap) -> Self {
        let bytes = |name| headers.get(name).map_or(&b""[..], HeaderValue::as_bytes);
        let number = |name| std::str::from_utf8(bytes(name)).ok()?.parse::<i64>().ok();
        let mut texts = String::new();
        let mut ends = [0; Text::ALL.len()];
        for (end, name) in ends.iter_mut().zip(NAMES) {
            if let Some(value) = headers.get(name) {
                texts.push_str(&String::from_utf8_lossy(value.as_bytes()));
            }
            *end = u32::try_from(texts.len()).unwrap_or(u32::MAX);
        }
        Self {
            route,
            peer,
            media: Media::of(headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes)),
            content_length: headers
                .get(CONTENT_LENGTH)
                .and_then(|length| length.to_str().ok()?.parse().ok()),
            trace_count: number(TRACE_COUNT).and_then(|count| u64::try_from(count).ok()),
            is_top_level_computed: is_truthy(bytes(TOP_LEVEL)),
            is_stats_computed: is_truthy(bytes(STATS)),
            dropped_p0_traces: number(DROPPED_TRACES).unwrap_or(0),
            dropped_p0_spans: number(DROPPED_SPANS).unwrap_or(0),
            is_real_status_wanted: is_truthy(bytes(REAL_STATUS)),
            is_asking: headers.contains_key(EXPECT),
            texts,
            ends,
        }
    }

    /// The service that the process tags name, or else the program; empty when they name none.
    #[must_use]
    pub fn process_service(&self) -> &str {
        let tags = || self.text(Text::ProcessTags).split(',').map(str::trim);
        let value = |key: &str| tags().find_map(|tag| tag.strip_prefix(key)?.strip_prefix(':'));
        let keys = ["svc.user", "svc.auto", "entrypoint.name"];
        keys.into_iter().find_map(value).unwrap_or_default()
    }

    /// The headers that say the same to a receiver, for sending the request again.
    #[must_use]
    pub fn to_headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![("content-type", self.media.as_str().to_owned())];
        for (name, text) in NAMES.into_iter().zip(Text::ALL) {
            let value = self.text(text);
            if !value.is_empty() {
                headers.push((name, value.to_owned()));
            }
        }
        headers.extend(self.trace_count.map(|count| (TRACE_COUNT, count.to_string())));
        for (name, is_set) in [
            (TOP_LEVEL, self.is_top_level_computed),
            (STATS, self.is_stats_computed),
            (REAL_STATUS, self.is_real_status_wanted),
        ] {
            headers.extend(is_set.then(|| (name, "true".to_owned())));
        }
        for (name, count) in
            [(DROPPED_TRACES, self.dropped_p0_traces), (DROPPED_SPANS, self.dropped_p0_spans)]
        {
            headers.extend((count != 0).then(|| (name, count.to_string())));
        }
        headers
    }

    /// A text, empty when the header was absent.
    #[must_use]
    pub fn text(&self, text: Text) -> &str {
        let index = text as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.texts.get(start as usize..self.ends[index] as usize).unwrap_or("")
    }
}

/// Whether a browser sends this for another site. spec: apm §3 step 3.
pub(crate) fn is_cross_site(headers: &HeaderMap) -> bool {
    headers.get(FETCH_SITE).is_some_and(|site| site == "cross-site")
}

/// How a flag is read: empty and the spellings of false are false, everything else is true.
fn is_truthy(value: &[u8]) -> bool {
    !matches!(value, b"" | b"0" | b"f" | b"F" | b"false" | b"FALSE" | b"False")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::TraceVersion;

    const ROUTE: Route = Route::Traces(TraceVersion::V04);

    fn head(headers: &[(&'static str, &str)]) -> Head {
        let headers = headers.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        });
        Head::new(ROUTE, Peer::Unix(None), &headers.collect())
    }

    #[test]
    fn texts_are_told_apart() {
        let head = head(&[
            ("datadog-meta-lang", "go"),
            ("datadog-meta-tracer-version", "2.1"),
            ("datadog-obfuscation-version", "1"),
        ]);
        assert_eq!(head.text(Text::Language), "go");
        assert_eq!(head.text(Text::LanguageVersion), "");
        assert_eq!(head.text(Text::TracerVersion), "2.1");
        assert_eq!(head.text(Text::ProcessTags), "");
        assert_eq!(head.text(Text::ObfuscationVersion), "1");
        for (index, text) in Text::ALL.into_iter().enumerate() {
            assert_eq!(text as usize, index);
        }
    }

    #[test]
    fn flags_are_true_unless_they_say_false() {
        for (value, is_true) in [
            ("", false),
            ("0", false),
            ("f", false),
            ("F", false),
            ("false", false),
            ("FALSE", false),
            ("False", false),
            ("1", true),
            ("t", true),
            ("true", true),
            ("yes", true),
            ("no", true),
            ("off", true),
            ("fAlse", true),
        ] {
            assert_eq!(head(&[(STATS, value)]).is_stats_computed, is_true, "{value:?}");
        }
        assert!(!head(&[]).is_top_level_computed);
        assert!(head(&[(TOP_LEVEL, "yes")]).is_top_level_computed);
        assert!(head(&[(REAL_STATUS, "true")]).is_real_status_wanted);
    }

    #[test]
    fn numbers_that_are_none_do_not_count() {
        let good = head(&[(TRACE_COUNT, "3"), (DROPPED_TRACES, "-2"), (DROPPED_SPANS, "9")]);
        assert_eq!(good.trace_count, Some(3));
        assert_eq!((good.dropped_p0_traces, good.dropped_p0_spans), (-2, 9));
        let bad = head(&[(TRACE_COUNT, "three"), (DROPPED_TRACES, "1.5"), (DROPPED_SPANS, "")]);
        assert_eq!(bad.trace_count, None);
        assert_eq!((bad.dropped_p0_traces, bad.dropped_p0_spans), (0, 0));
    }

    #[test]
    fn headers_say_the_same_again() {
        let all = [
            ("content-type", "application/msgpack"),
            ("datadog-meta-lang", "go"),
            ("datadog-entity-id", "ci-1"),
            ("datadog-client-dropped-p0-spans", "-7"),
            ("datadog-client-dropped-p0-traces", "2"),
            (TRACE_COUNT, "0"),
            (TOP_LEVEL, "yes"),
            (STATS, "1"),
            (REAL_STATUS, "true"),
        ];
        for headers in [&all[..], &[("content-type", "text/json")], &[("content-type", "a/b")], &[]]
        {
            let first = head(headers);
            let again = first.to_headers();
            let again: Vec<_> = again.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(head(&again), first);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_text(a in "[\\x20-\\x7e]*", b in proptest::collection::vec(32u8..=255, 0..40)) {
            let Ok(bytes) = HeaderValue::from_bytes(&b) else { return Ok(()) };
            let mut headers = HeaderMap::new();
            headers.insert("datadog-meta-lang", HeaderValue::from_str(&a).unwrap());
            headers.insert("datadog-entity-id", bytes);
            let head = Head::new(ROUTE, Peer::Unix(None), &headers);
            prop_assert_eq!(head.text(Text::Language), a.as_str());
            prop_assert_eq!(head.text(Text::EntityId), String::from_utf8_lossy(&b));
        }
    }
}
