//! Dispatch by prefix, and the reasons for which a line is refused. spec: dogstatsd §4.1.

use crate::{Event, Line, Metric, ServiceCheck, parse_metric};

/// What the configuration changes in the grammar.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// `dogstatsd_no_aggregation_pipeline`: whether `T<timestamp>` is read.
    pub has_timestamps: bool,
    /// `dogstatsd_origin_detection_client`: whether `c:`, `e:` and `card:` are read.
    pub has_client_origin: bool,
}

/// One message of a packet.
#[derive(Debug)]
pub enum Message<'a> {
    /// A metric line.
    Metric(Metric<'a>),
    /// An event.
    Event(Event<'a>),
    /// A service check.
    ServiceCheck(ServiceCheck<'a>),
}

/// Why a line was refused. Each variant is one counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Refused {
    /// No pipe in the line.
    Format,
    /// No colon, or an empty name or value.
    NameOrValue,
    /// Not one of `g c h d s ms`.
    Type,
    /// A value is not a number, or there is none.
    Value,
    /// The sample rate is not a number.
    Rate,
    /// The timestamp is not an integer of at least 1.
    Timestamp,
    /// Not a well-formed event.
    Event,
    /// Not a well-formed service check.
    Check,
}

impl<'a> Message<'a> {
    /// Parses one line. Packed numbers of a metric are appended to `packed`.
    ///
    /// # Errors
    /// The reason for which the line was refused; `packed` is then as it was.
    pub fn parse(
        line: &Line<'a>,
        options: Options,
        packed: &mut Vec<f64>,
    ) -> Result<Self, Refused> {
        if is_metric(line.bytes) {
            parse_metric(line, options, packed).map(Message::Metric)
        } else if line.bytes.starts_with(EVENT_PREFIX) {
            Event::parse(line.bytes, options).map(Message::Event)
        } else {
            ServiceCheck::parse(line.bytes, options).map(Message::ServiceCheck)
        }
    }
}

/// Whether a line is to be parsed as a metric, by its first bytes.
#[inline]
#[must_use]
pub fn is_metric(line: &[u8]) -> bool {
    !line.starts_with(b"_") || !(line.starts_with(EVENT_PREFIX) || line.starts_with(CHECK_PREFIX))
}

const EVENT_PREFIX: &[u8] = b"_e{";
const CHECK_PREFIX: &[u8] = b"_sc";
