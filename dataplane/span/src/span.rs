//! One span, its links and its events.

use crate::list::{List, Slice};
use crate::{KeySet, Str};

/// One span. spec: apm §5.1, §5.4.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Span {
    /// Which of the known keys its attributes have; a superset after a removal.
    pub keys: KeySet,
    /// Low 64 bits of the trace id; its chunk has all of them.
    pub trace_id: u64,
    /// Id.
    pub span_id: u64,
    /// Id of the parent, 0 for none.
    pub parent_id: u64,
    /// Start in nanoseconds of Unix time. v1.0 sends it without a sign: above `i64::MAX` it is
    /// negative here.
    pub start_ns: i64,
    /// Duration in nanoseconds; the same holds.
    pub duration_ns: i64,
    /// Service.
    pub service: Str,
    /// Operation.
    pub name: Str,
    /// Resource.
    pub resource: Str,
    /// Type: `web`, `sql`, and so on.
    pub span_type: Str,
    /// Environment (v1.0; an entry of `meta` before).
    pub env: Str,
    /// Version of the application (v1.0; an entry of `meta` before).
    pub version: Str,
    /// Component (v1.0; an entry of `meta` before).
    pub component: Str,
    /// Not 0 for an error.
    pub error: i32,
    /// Attributes, in [`crate::Batch::attributes`].
    pub attributes: List,
    /// Links, in [`crate::Batch::links`].
    pub links: Slice,
    /// Events, in [`crate::Batch::events`].
    pub events: Slice,
    /// Values within its links, its events and its attributes: what a pass over all of them costs.
    pub nested_count: u32,
    /// Kind (v1.0; an entry of `meta` before).
    pub kind: SpanKind,
}

const _: () = assert!(size_of::<Span>() <= 144);

/// Kind of a span. spec: apm §5.4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum SpanKind {
    /// Not told.
    #[default]
    Unspecified = 0,
    /// Internal.
    Internal = 1,
    /// Server.
    Server = 2,
    /// Client.
    Client = 3,
    /// Producer.
    Producer = 4,
    /// Consumer.
    Consumer = 5,
}

impl SpanKind {
    /// The kind with this number; what is unknown is unspecified.
    #[must_use]
    pub const fn from_number(number: u32) -> Self {
        match number {
            1 => Self::Internal,
            2 => Self::Server,
            3 => Self::Client,
            4 => Self::Producer,
            5 => Self::Consumer,
            _ => Self::Unspecified,
        }
    }

    /// The value that `span.kind` has for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unknown",
            Self::Internal => "internal",
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        }
    }
}

/// A link to a span of another trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Low 64 bits of the trace id.
    pub trace_id: u64,
    /// High 64 bits of the trace id.
    pub trace_id_high: u64,
    /// Id of the span.
    pub span_id: u64,
    /// W3C trace state.
    pub tracestate: Str,
    /// Flags; bit 31 says that there are any.
    pub flags: u32,
    /// Attributes, in [`crate::Batch::nested`].
    pub attributes: Slice,
}

/// Something that happened during a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Time in nanoseconds of Unix time.
    pub time_ns: u64,
    /// Name.
    pub name: Str,
    /// Attributes, in [`crate::Batch::nested`].
    pub attributes: Slice,
}
