//! Why a body was refused.

/// Why a body was refused. Each variant is one counter. spec: apm §3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum DecodeError {
    /// JSON that ends early.
    UnexpectedEof,
    /// Msgpack that ends early.
    ShortMsgpack,
    /// Not JSON.
    BadJson,
    /// A byte that starts no msgpack value.
    BadMarker,
    /// A value of another type than its field.
    WrongType,
    /// A number that does not fit its field.
    OutOfRange,
    /// A list that announces more than 25,000,000 elements, a binary value above 10 MiB, a link,
    /// event or nested value above 4 MiB, or a string of JSON above 4 MiB.
    TooLong,
    /// More spans, chunks or attributes than an honest body has room for, or more than 16,384
    /// attributes, links or events in one span.
    TooMany,
    /// Values within values beyond the limit.
    TooDeep,
    /// A `meta_struct` entry that is no base64.
    BadBase64,
    /// A span of v0.5 without exactly 12 elements.
    SpanLength,
    /// A v0.5 string that is not in the dictionary.
    DictionaryIndex,
    /// A v1.0 string that was not seen before.
    UnseenString,
    /// A v1.0 string table after the first string.
    LateStrings,
    /// A v1.0 attribute list or array with a part of an element.
    AttributeCount,
    /// A v1.0 attribute of an unknown type.
    AttributeType,
    /// A v1.0 trace id that has not 16 bytes.
    TraceIdLength,
}

impl DecodeError {
    /// What is wrong, for the reply to the tracer.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnexpectedEof => "unexpected-eof",
            Self::ShortMsgpack => "msgpack ends before its last value",
            Self::BadJson => "body is not valid json",
            Self::BadMarker => "body is not valid msgpack",
            Self::WrongType => "a value has another type than its field",
            Self::OutOfRange => "a number does not fit its field",
            Self::TooLong => {
                "too long payload: a list above 25000000 elements, a binary value above 10 MiB or an \
                 event, link or nested value above 4 MiB"
            }
            Self::TooMany => {
                "too many spans or chunks in one payload, or attributes, links or events in one span"
            }
            Self::TooDeep => "values are nested too deeply",
            Self::BadBase64 => "a meta_struct entry is not valid base64",
            Self::SpanLength => "encoded span needs exactly 12 elements in array",
            Self::DictionaryIndex => "dictionary index out of range",
            Self::UnseenString => "streaming string referenced an unseen string index",
            Self::LateStrings => "string table comes after the first string",
            Self::AttributeCount => "attribute list has an incomplete element",
            Self::AttributeType => "an attribute has an unknown type",
            Self::TraceIdLength => "trace id needs exactly 16 bytes",
        }
    }
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for DecodeError {}
