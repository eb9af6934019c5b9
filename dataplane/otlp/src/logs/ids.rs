//! Ids of traces and spans, of which the backend wants the low 64 bits as a decimal number.

/// Keys under which loggers write the id of a trace, in lower case.
const TRACE_KEYS: [&str; 4] = ["traceid", "trace_id", "contextmap.traceid", "oteltraceid"];
/// Keys under which loggers write the id of a span, in lower case.
const SPAN_KEYS: [&str; 4] = ["spanid", "span_id", "contextmap.spanid", "otelspanid"];

/// Which id a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Id {
    Trace,
    Span,
}

impl Id {
    /// The id that a key, in lower case, is for.
    pub(super) fn of(key: &str) -> Option<Self> {
        if TRACE_KEYS.contains(&key) {
            Some(Self::Trace)
        } else {
            SPAN_KEYS.contains(&key).then_some(Self::Span)
        }
    }

    /// Key of the decimal form.
    pub(super) const fn decimal_key(self) -> &'static str {
        match self {
            Self::Trace => "dd.trace_id",
            Self::Span => "dd.span_id",
        }
    }

    /// Key of the text as it came.
    pub(super) const fn text_key(self) -> &'static str {
        match self {
            Self::Trace => "otel.trace_id",
            Self::Span => "otel.span_id",
        }
    }

    const fn digits(self) -> usize {
        match self {
            Self::Trace => 32,
            Self::Span => 16,
        }
    }

    /// The decimal form of an id in hex of exactly its length.
    pub(super) fn decimal(self, text: &str) -> Option<String> {
        let is_hex = text.len() == self.digits() && text.bytes().all(|b| b.is_ascii_hexdigit());
        let low = text.get(self.digits() - 16..).filter(|_| is_hex)?;
        u64::from_str_radix(low, 16).ok().map(|id| id.to_string())
    }

    /// The decimal form and the hex digits of an id in bytes, unless it is not one or zero.
    pub(super) fn of_bytes(self, bytes: &[u8]) -> Option<(String, String)> {
        let is_id = bytes.len() * 2 == self.digits() && bytes.iter().any(|byte| *byte != 0);
        let low = bytes.last_chunk::<8>().filter(|_| is_id)?;
        let mut hex = String::with_capacity(self.digits());
        for byte in bytes {
            for digit in [byte >> 4, byte & 0x0f] {
                hex.extend(char::from_digit(u32::from(digit), 16));
            }
        }
        Some((u64::from_be_bytes(*low).to_string(), hex))
    }
}
