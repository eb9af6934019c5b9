//! Traces as received, the same records for both formats of a tracer payload. spec: apm §10.1.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::as_f64;

/// Everything of one `AgentPayload`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgentTraces {
    /// What the payload says about the agent.
    pub agent: Arc<AgentHead>,
    /// Tracer payloads in the order of the body.
    pub payloads: Vec<TracerPayload>,
}

impl AgentTraces {
    /// All chunks, empty ones too.
    pub fn chunks(&self) -> impl Iterator<Item = &ReceivedChunk> + '_ {
        self.payloads.iter().flat_map(|payload| &payload.chunks)
    }

    /// All spans.
    pub fn spans(&self) -> impl Iterator<Item = &ReceivedSpan> + '_ {
        self.chunks().flat_map(|chunk| &chunk.spans)
    }
}

/// Fields of `AgentPayload` beside its tracer payloads.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgentHead {
    /// Name of the agent's host.
    pub host: Arc<str>,
    /// Default environment of the agent.
    pub env: Arc<str>,
    /// Version of the agent.
    pub version: Arc<str>,
    /// Tags of the agent.
    pub tags: BTreeMap<Arc<str>, Arc<str>>,
    /// Traces a second that the priority sampler aims for.
    pub target_tps: f64,
    /// Traces a second that the errors sampler aims for.
    pub error_tps: f64,
    /// Whether the rare sampler is on.
    pub is_rare_sampler_enabled: bool,
}

/// Which of the two messages a tracer payload came as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TraceFormat {
    /// Field 5: strings in place.
    #[default]
    Plain,
    /// Field 11: strings in a table, attributes with types.
    Indexed,
}

impl TraceFormat {
    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Indexed => "indexed",
        }
    }
}

/// One tracer payload.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TracerPayload {
    /// All but the chunks; shared with every chunk and span.
    pub head: Arc<TracerHead>,
    /// Chunks in order.
    pub chunks: Vec<ReceivedChunk>,
}

/// Fields of a tracer payload beside its chunks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TracerHead {
    /// The payload around it.
    pub agent: Arc<AgentHead>,
    /// How it was written.
    pub format: TraceFormat,
    /// Container of the traced process.
    pub container_id: Arc<str>,
    /// `python`, `go` and so on.
    pub language: Arc<str>,
    /// Version of the language.
    pub language_version: Arc<str>,
    /// Version of the tracer.
    pub tracer_version: Arc<str>,
    /// Identifies the traced process.
    pub runtime_id: Arc<str>,
    /// Environment.
    pub env: Arc<str>,
    /// Host as the tracer names it.
    pub hostname: Arc<str>,
    /// Version of the traced application.
    pub app_version: Arc<str>,
    /// Tags or attributes.
    pub tags: Attributes,
}

/// Spans of one trace that were received together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReceivedChunk {
    /// All but the spans; shared with every span.
    pub head: Arc<ChunkHead>,
    /// Spans in order.
    pub spans: Vec<ReceivedSpan>,
}

/// Fields of a chunk beside its spans.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChunkHead {
    /// The payload around it.
    pub payload: Arc<TracerHead>,
    /// Trace id of its first span.
    pub trace_id: u128,
    /// Sampling priority; -128 is none.
    pub priority: i32,
    /// Where the trace began, for instance `synthetics`.
    pub origin: Arc<str>,
    /// Tags or attributes.
    pub tags: Attributes,
    /// Whether the samplers dropped the trace and only parts of it are here.
    pub is_dropped: bool,
    /// Mechanism of the sampling decision; in the plain format read from `_dd.p.dm`.
    pub sampling_mechanism: Option<u32>,
    /// Bytes of the chunk in the body.
    pub encoded_bytes: usize,
}

/// One span.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReceivedSpan {
    /// The chunk and the payload around it.
    pub chunk: Arc<ChunkHead>,
    /// All 128 bits; in the plain format the upper ones are from `_dd.p.tid` of any span.
    pub trace_id: u128,
    /// Id of the span.
    pub span_id: u64,
    /// Id of its parent; 0 is none.
    pub parent_id: u64,
    /// Service.
    pub service: Arc<str>,
    /// Name of the operation.
    pub name: Arc<str>,
    /// Resource.
    pub resource: Arc<str>,
    /// Type, for instance `web`.
    pub span_type: Arc<str>,
    /// Kind, for instance `server`; empty when there is none.
    pub kind: Arc<str>,
    /// Environment of the span itself.
    pub env: Arc<str>,
    /// Version of the span itself.
    pub version: Arc<str>,
    /// Integration that made it.
    pub component: Arc<str>,
    /// Start, Unix nanoseconds; the indexed format's bits are read as they are.
    pub start_ns: i64,
    /// Duration in nanoseconds.
    pub duration_ns: i64,
    /// 0 or the error flag.
    pub error: i32,
    /// Texts.
    pub meta: BTreeMap<Arc<str>, Arc<str>>,
    /// Floating-point numbers.
    pub metrics: BTreeMap<Arc<str>, f64>,
    /// Bytes.
    pub meta_struct: BTreeMap<Arc<str>, Arc<[u8]>>,
    /// Attributes of the types that only the indexed format has.
    pub others: Attributes,
    /// Links to other spans.
    pub links: Vec<ReceivedLink>,
    /// Events within the span.
    pub events: Vec<ReceivedEvent>,
}

impl ReceivedSpan {
    /// An attribute as text, whatever its type and format. spec: apm §5.4
    #[must_use]
    pub fn text(&self, key: &str) -> Option<Cow<'_, str>> {
        let promoted = match key {
            "env" => &self.env,
            "version" => &self.version,
            "component" => &self.component,
            "span.kind" => &self.kind,
            _ => "",
        };
        if !promoted.is_empty() {
            return Some(Cow::Borrowed(promoted));
        }
        if let Some(text) = self.meta.get(key) {
            return Some(Cow::Borrowed(text));
        }
        if let Some(number) = self.metrics.get(key) {
            return Some(Cow::Owned(number.to_string()));
        }
        self.others.get(key).map(|attribute| Cow::Owned(attribute.to_string()))
    }

    /// An attribute as a number, whatever its type and format.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<f64> {
        self.metrics.get(key).copied().or_else(|| match self.others.get(key)? {
            Attribute::Int(value) => Some(as_f64(*value)),
            Attribute::Bool(value) => Some(f64::from(u8::from(*value))),
            Attribute::Text(_)
            | Attribute::Float(_)
            | Attribute::Bytes(_)
            | Attribute::List(_)
            | Attribute::Map(_) => None,
        })
    }

    /// Whether nobody is its parent.
    #[must_use]
    pub const fn is_root(&self) -> bool {
        self.parent_id == 0
    }
}

/// A link to a span of this or another trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReceivedLink {
    /// All 128 bits of the trace id.
    pub trace_id: u128,
    /// Id of the span.
    pub span_id: u64,
    /// Attributes; in the plain format all of them are texts.
    pub attributes: Attributes,
    /// W3C trace state.
    pub tracestate: Arc<str>,
    /// W3C trace flags; bit 31 says that there are some.
    pub flags: u32,
}

/// Something that happened within a span.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReceivedEvent {
    /// When, Unix nanoseconds.
    pub time_ns: u64,
    /// Name.
    pub name: Arc<str>,
    /// Attributes.
    pub attributes: Attributes,
}

/// Attributes by key.
pub type Attributes = BTreeMap<Arc<str>, Attribute>;

/// A value with a type.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// A text.
    Text(Arc<str>),
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// Values in order.
    List(Vec<Self>),
    /// Values by key.
    Map(Attributes),
}

impl Attribute {
    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

impl std::fmt::Display for Attribute {
    /// As the Agent reads a value of any type as text. spec: apm §5.4
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::Bytes(bytes) => f.write_str(&String::from_utf8_lossy(bytes)),
            Self::List(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(f, "{comma}{value}")?;
                }
                f.write_str("]")
            }
            Self::Map(values) => {
                f.write_str("{")?;
                for (index, (key, value)) in values.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(f, "{comma}{key}={value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Attribute, ReceivedSpan};

    #[test]
    fn attributes_of_every_type_read_as_text_and_number() {
        let mut span = ReceivedSpan { kind: "server".into(), ..ReceivedSpan::default() };
        span.meta.insert("a".into(), "text".into());
        span.metrics.insert("b".into(), 0.5);
        let list = Attribute::List(vec![Attribute::Int(1), Attribute::Bool(true)]);
        span.others.insert("c".into(), list);
        span.others.insert("d".into(), Attribute::Int(7));
        let texts = ["a", "b", "c", "d", "span.kind"].map(|key| span.text(key).unwrap());
        assert_eq!(texts, ["text", "0.5", "[1,true]", "7", "server"]);
        assert_eq!((span.number("d"), span.number("b")), (Some(7.0), Some(0.5)));
        assert_eq!((span.number("a"), span.text("e")), (None, None));
    }
}
