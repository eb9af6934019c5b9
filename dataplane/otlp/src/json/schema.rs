//! The messages of OTLP and their fields. spec: otlp §2.1.

use std::fmt;

use crate::output::{BYTES, FIXED32, FIXED64, VARINT};

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is named as in OTLP, requests and parts of a signal shorter")]
pub enum Message {
    TracesRequest,
    MetricsRequest,
    LogsRequest,
    ResourceSpans,
    ResourceMetrics,
    ResourceLogs,
    ScopeSpans,
    ScopeMetrics,
    ScopeLogs,
    Resource,
    EntityRef,
    InstrumentationScope,
    KeyValue,
    AnyValue,
    ArrayValue,
    KeyValueList,
    Span,
    SpanEvent,
    SpanLink,
    Status,
    Metric,
    Gauge,
    Sum,
    Histogram,
    ExponentialHistogram,
    Summary,
    NumberDataPoint,
    HistogramDataPoint,
    ExponentialHistogramDataPoint,
    Buckets,
    SummaryDataPoint,
    ValueAtQuantile,
    Exemplar,
    LogRecord,
}

/// A field of a message.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) number: u32,
    /// Name in JSON.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) is_list: bool,
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Text,
    /// Bytes that JSON writes in hexadecimal.
    Id,
    /// Bytes that JSON writes in base64.
    Bytes,
    Bool,
    Unsigned32,
    Unsigned64,
    Signed64,
    Zigzag32,
    Fixed32,
    Fixed64,
    SignedFixed64,
    Double,
    /// A number with a name; the names are in order from 0.
    Enum(&'static [&'static str]),
    Message(Message),
}

impl Kind {
    /// How protobuf tells that content.
    pub(super) const fn wire(self) -> u8 {
        match self {
            Self::Text | Self::Id | Self::Bytes | Self::Message(_) => BYTES,
            Self::Fixed32 => FIXED32,
            Self::Fixed64 | Self::SignedFixed64 | Self::Double => FIXED64,
            Self::Bool
            | Self::Unsigned32
            | Self::Unsigned64
            | Self::Signed64
            | Self::Zigzag32
            | Self::Enum(_) => VARINT,
        }
    }

    /// Whether a list of it is one range of bytes.
    pub(super) const fn is_packed(self) -> bool {
        self.wire() != BYTES
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "a text",
            Self::Id => "hexadecimal digits",
            Self::Bytes => "base64",
            Self::Bool => "true or false",
            Self::Unsigned32 | Self::Fixed32 => "a whole number from 0 to 2^32-1",
            Self::Unsigned64 | Self::Fixed64 => "a whole number from 0 to 2^64-1",
            Self::Signed64 | Self::SignedFixed64 => "a whole number from -2^63 to 2^63-1",
            Self::Zigzag32 => "a whole number from -2^31 to 2^31-1",
            Self::Double => "a number",
            Self::Enum(_) => "a number or name of its enum",
            Self::Message(_) => "an object",
        })
    }
}

impl Message {
    /// The field with this name, in either spelling of JSON: `lowerCamelCase` or as in protobuf.
    pub(super) fn field(self, name: &str) -> Option<&'static Field> {
        let mut fields = self.fields().iter();
        fields.find(|field| field.name == name || is_snake_case_of(name, field.name))
    }

    const fn fields(self) -> &'static [Field] {
        match self {
            Self::TracesRequest => const { &[many(1, "resourceSpans", of(Self::ResourceSpans))] },
            Self::MetricsRequest => {
                const { &[many(1, "resourceMetrics", of(Self::ResourceMetrics))] }
            }
            Self::LogsRequest => const { &[many(1, "resourceLogs", of(Self::ResourceLogs))] },
            Self::ResourceSpans => {
                const { &resource_fields(many(2, "scopeSpans", of(Self::ScopeSpans))) }
            }
            Self::ResourceMetrics => {
                const { &resource_fields(many(2, "scopeMetrics", of(Self::ScopeMetrics))) }
            }
            Self::ResourceLogs => {
                const { &resource_fields(many(2, "scopeLogs", of(Self::ScopeLogs))) }
            }
            Self::ScopeSpans => const { &scope_fields(many(2, "spans", of(Self::Span))) },
            Self::ScopeMetrics => const { &scope_fields(many(2, "metrics", of(Self::Metric))) },
            Self::ScopeLogs => const { &scope_fields(many(2, "logRecords", of(Self::LogRecord))) },
            Self::Resource => RESOURCE,
            Self::EntityRef => ENTITY_REF,
            Self::InstrumentationScope => SCOPE,
            Self::KeyValue => KEY_VALUE,
            Self::AnyValue => ANY_VALUE,
            Self::ArrayValue => const { &[many(1, "values", of(Self::AnyValue))] },
            Self::KeyValueList => const { &[many(1, "values", of(Self::KeyValue))] },
            Self::Span => SPAN,
            Self::SpanEvent => SPAN_EVENT,
            Self::SpanLink => SPAN_LINK,
            Self::Status => STATUS,
            Self::Metric => METRIC,
            Self::Gauge => const { &[many(1, "dataPoints", of(Self::NumberDataPoint))] },
            Self::Sum => SUM,
            Self::Histogram => HISTOGRAM,
            Self::ExponentialHistogram => EXPONENTIAL_HISTOGRAM,
            Self::Summary => const { &[many(1, "dataPoints", of(Self::SummaryDataPoint))] },
            Self::NumberDataPoint => NUMBER_POINT,
            Self::HistogramDataPoint => HISTOGRAM_POINT,
            Self::ExponentialHistogramDataPoint => EXPONENTIAL_HISTOGRAM_POINT,
            Self::Buckets => BUCKETS,
            Self::SummaryDataPoint => SUMMARY_POINT,
            Self::ValueAtQuantile => VALUE_AT_QUANTILE,
            Self::Exemplar => EXEMPLAR,
            Self::LogRecord => LOG_RECORD,
        }
    }
}

/// Whether `name` is the protobuf spelling of a name in `lowerCamelCase`.
fn is_snake_case_of(name: &str, camel_case: &str) -> bool {
    let mut letters = name.bytes();
    let mut is_same = |letter: u8| match letter {
        b'A'..=b'Z' => {
            letters.next() == Some(b'_') && letters.next() == Some(letter.to_ascii_lowercase())
        }
        _ => letters.next() == Some(letter),
    };
    camel_case.bytes().all(&mut is_same) && letters.next().is_none()
}

const fn one(number: u32, name: &'static str, kind: Kind) -> Field {
    Field { number, name, kind, is_list: false }
}

const fn many(number: u32, name: &'static str, kind: Kind) -> Field {
    Field { number, name, kind, is_list: true }
}

const fn of(message: Message) -> Kind {
    Kind::Message(message)
}

const fn resource_fields(scopes: Field) -> [Field; 3] {
    [one(1, "resource", of(Message::Resource)), scopes, one(3, "schemaUrl", Kind::Text)]
}

const fn scope_fields(records: Field) -> [Field; 3] {
    [one(1, "scope", of(Message::InstrumentationScope)), records, one(3, "schemaUrl", Kind::Text)]
}

const fn attributes(number: u32) -> Field {
    many(number, "attributes", of(Message::KeyValue))
}

const fn dropped_attributes(number: u32) -> Field {
    one(number, "droppedAttributesCount", Kind::Unsigned32)
}

const fn time(number: u32) -> Field {
    one(number, "timeUnixNano", Kind::Fixed64)
}

const fn start_time(number: u32) -> Field {
    one(number, "startTimeUnixNano", Kind::Fixed64)
}

const fn exemplars(number: u32) -> Field {
    many(number, "exemplars", of(Message::Exemplar))
}

const SPAN_KINDS: &[&str] = &[
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];
const STATUS_CODES: &[&str] = &["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];
const TEMPORALITIES: &[&str] = &[
    "AGGREGATION_TEMPORALITY_UNSPECIFIED",
    "AGGREGATION_TEMPORALITY_DELTA",
    "AGGREGATION_TEMPORALITY_CUMULATIVE",
];
const SEVERITIES: &[&str] = &[
    "SEVERITY_NUMBER_UNSPECIFIED",
    "SEVERITY_NUMBER_TRACE",
    "SEVERITY_NUMBER_TRACE2",
    "SEVERITY_NUMBER_TRACE3",
    "SEVERITY_NUMBER_TRACE4",
    "SEVERITY_NUMBER_DEBUG",
    "SEVERITY_NUMBER_DEBUG2",
    "SEVERITY_NUMBER_DEBUG3",
    "SEVERITY_NUMBER_DEBUG4",
    "SEVERITY_NUMBER_INFO",
    "SEVERITY_NUMBER_INFO2",
    "SEVERITY_NUMBER_INFO3",
    "SEVERITY_NUMBER_INFO4",
    "SEVERITY_NUMBER_WARN",
    "SEVERITY_NUMBER_WARN2",
    "SEVERITY_NUMBER_WARN3",
    "SEVERITY_NUMBER_WARN4",
    "SEVERITY_NUMBER_ERROR",
    "SEVERITY_NUMBER_ERROR2",
    "SEVERITY_NUMBER_ERROR3",
    "SEVERITY_NUMBER_ERROR4",
    "SEVERITY_NUMBER_FATAL",
    "SEVERITY_NUMBER_FATAL2",
    "SEVERITY_NUMBER_FATAL3",
    "SEVERITY_NUMBER_FATAL4",
];
const TEMPORALITY: Field = one(2, "aggregationTemporality", Kind::Enum(TEMPORALITIES));

static RESOURCE: &[Field] =
    &[attributes(1), dropped_attributes(2), many(3, "entityRefs", of(Message::EntityRef))];
static ENTITY_REF: &[Field] = &[
    one(1, "schemaUrl", Kind::Text),
    one(2, "type", Kind::Text),
    many(3, "idKeys", Kind::Text),
    many(4, "descriptionKeys", Kind::Text),
];
static SCOPE: &[Field] = &[
    one(1, "name", Kind::Text),
    one(2, "version", Kind::Text),
    attributes(3),
    dropped_attributes(4),
];
static KEY_VALUE: &[Field] = &[one(1, "key", Kind::Text), one(2, "value", of(Message::AnyValue))];
static ANY_VALUE: &[Field] = &[
    one(1, "stringValue", Kind::Text),
    one(2, "boolValue", Kind::Bool),
    one(3, "intValue", Kind::Signed64),
    one(4, "doubleValue", Kind::Double),
    one(5, "arrayValue", of(Message::ArrayValue)),
    one(6, "kvlistValue", of(Message::KeyValueList)),
    one(7, "bytesValue", Kind::Bytes),
];
static SPAN: &[Field] = &[
    one(1, "traceId", Kind::Id),
    one(2, "spanId", Kind::Id),
    one(3, "traceState", Kind::Text),
    one(4, "parentSpanId", Kind::Id),
    one(5, "name", Kind::Text),
    one(6, "kind", Kind::Enum(SPAN_KINDS)),
    start_time(7),
    one(8, "endTimeUnixNano", Kind::Fixed64),
    attributes(9),
    dropped_attributes(10),
    many(11, "events", of(Message::SpanEvent)),
    one(12, "droppedEventsCount", Kind::Unsigned32),
    many(13, "links", of(Message::SpanLink)),
    one(14, "droppedLinksCount", Kind::Unsigned32),
    one(15, "status", of(Message::Status)),
    one(16, "flags", Kind::Fixed32),
];
static SPAN_EVENT: &[Field] =
    &[time(1), one(2, "name", Kind::Text), attributes(3), dropped_attributes(4)];
static SPAN_LINK: &[Field] = &[
    one(1, "traceId", Kind::Id),
    one(2, "spanId", Kind::Id),
    one(3, "traceState", Kind::Text),
    attributes(4),
    dropped_attributes(5),
    one(6, "flags", Kind::Fixed32),
];
static STATUS: &[Field] =
    &[one(2, "message", Kind::Text), one(3, "code", Kind::Enum(STATUS_CODES))];
static METRIC: &[Field] = &[
    one(1, "name", Kind::Text),
    one(2, "description", Kind::Text),
    one(3, "unit", Kind::Text),
    one(5, "gauge", of(Message::Gauge)),
    one(7, "sum", of(Message::Sum)),
    one(9, "histogram", of(Message::Histogram)),
    one(10, "exponentialHistogram", of(Message::ExponentialHistogram)),
    one(11, "summary", of(Message::Summary)),
    many(12, "metadata", of(Message::KeyValue)),
];
static SUM: &[Field] = &[
    many(1, "dataPoints", of(Message::NumberDataPoint)),
    TEMPORALITY,
    one(3, "isMonotonic", Kind::Bool),
];
static HISTOGRAM: &[Field] = &[many(1, "dataPoints", of(Message::HistogramDataPoint)), TEMPORALITY];
static EXPONENTIAL_HISTOGRAM: &[Field] =
    &[many(1, "dataPoints", of(Message::ExponentialHistogramDataPoint)), TEMPORALITY];
static NUMBER_POINT: &[Field] = &[
    start_time(2),
    time(3),
    one(4, "asDouble", Kind::Double),
    exemplars(5),
    one(6, "asInt", Kind::SignedFixed64),
    attributes(7),
    one(8, "flags", Kind::Unsigned32),
];
static HISTOGRAM_POINT: &[Field] = &[
    start_time(2),
    time(3),
    one(4, "count", Kind::Fixed64),
    one(5, "sum", Kind::Double),
    many(6, "bucketCounts", Kind::Fixed64),
    many(7, "explicitBounds", Kind::Double),
    exemplars(8),
    attributes(9),
    one(10, "flags", Kind::Unsigned32),
    one(11, "min", Kind::Double),
    one(12, "max", Kind::Double),
];
static EXPONENTIAL_HISTOGRAM_POINT: &[Field] = &[
    attributes(1),
    start_time(2),
    time(3),
    one(4, "count", Kind::Fixed64),
    one(5, "sum", Kind::Double),
    one(6, "scale", Kind::Zigzag32),
    one(7, "zeroCount", Kind::Fixed64),
    one(8, "positive", of(Message::Buckets)),
    one(9, "negative", of(Message::Buckets)),
    one(10, "flags", Kind::Unsigned32),
    exemplars(11),
    one(12, "min", Kind::Double),
    one(13, "max", Kind::Double),
    one(14, "zeroThreshold", Kind::Double),
];
static BUCKETS: &[Field] =
    &[one(1, "offset", Kind::Zigzag32), many(2, "bucketCounts", Kind::Unsigned64)];
static SUMMARY_POINT: &[Field] = &[
    start_time(2),
    time(3),
    one(4, "count", Kind::Fixed64),
    one(5, "sum", Kind::Double),
    many(6, "quantileValues", of(Message::ValueAtQuantile)),
    attributes(7),
    one(8, "flags", Kind::Unsigned32),
];
static VALUE_AT_QUANTILE: &[Field] =
    &[one(1, "quantile", Kind::Double), one(2, "value", Kind::Double)];
static EXEMPLAR: &[Field] = &[
    time(2),
    one(3, "asDouble", Kind::Double),
    one(4, "spanId", Kind::Id),
    one(5, "traceId", Kind::Id),
    one(6, "asInt", Kind::SignedFixed64),
    many(7, "filteredAttributes", of(Message::KeyValue)),
];
static LOG_RECORD: &[Field] = &[
    time(1),
    one(2, "severityNumber", Kind::Enum(SEVERITIES)),
    one(3, "severityText", Kind::Text),
    one(5, "body", of(Message::AnyValue)),
    attributes(6),
    dropped_attributes(7),
    one(8, "flags", Kind::Fixed32),
    one(9, "traceId", Kind::Id),
    one(10, "spanId", Kind::Id),
    one(11, "observedTimeUnixNano", Kind::Fixed64),
    one(12, "eventName", Kind::Text),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_has_two_spellings() {
        let number = |name| Message::Span.field(name).map(|field| field.number);
        assert_eq!(number("startTimeUnixNano"), Some(7));
        assert_eq!(number("start_time_unix_nano"), Some(7));
        assert_eq!(number("start_timeUnixNano"), None);
        assert_eq!(number("start_time_unix_nano_"), None);
        assert_eq!(number("start_time"), None);
        assert_eq!(number(""), None);
    }
}
