//! Bytes of a DogStatsD packet to borrowed records. spec: dogstatsd §2.5, §4.
//!
//! Pure: no allocation, no state between packets, no knowledge of configuration beyond
//! [`Options`]. What a record means (names, tags, origin) is not decided here: tag lists, client
//! data and set members are handed on as the bytes that came in.
//!
//! ```text
//! packet -> lines::Lines -> message -> Metric{name, kind, values, rate, timestamp, fields}
//!                                   -> Event, ServiceCheck
//!                                   -> Refused (a counter)
//! ```
//!
//! Invariants: every input yields a record or exactly one [`Refused`]; a refused line never affects
//! its neighbours; nothing panics, which the fuzz targets and a slow model check.
//!
//! Cost: one pass finds the newline and the pipes of a line of up to 128 bytes, 16 bytes at a time,
//! as bit masks (SSE2 or NEON by way of `wide`, so that the reader of hostile bytes needs no
//! `unsafe`); longer lines are searched for the rest. A number of up to eight characters is read as
//! one word, without a branch for each.

#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing)]

mod check;
mod event;
mod lines;
mod marks;
mod message;
mod metric;
mod number;

pub use check::ServiceCheck;
pub use event::{Event, unescape_newlines};
pub use lines::{Line, Lines};
pub use message::{Message, Options, Refused, is_metric};
pub use metric::{ClientFields, Fields, Metric, MetricKind, Values, parse_metric};
pub use number::{parse_float, parse_int};

/// Parses a packet and its messages in every configuration, for fuzzing: nothing panics and the
/// parts of a record lie inside the packet.
pub fn check_packet(packet: &[u8]) {
    let mut values = Vec::new();
    for options in [
        Options { has_timestamps: true, has_client_origin: true },
        Options { has_timestamps: false, has_client_origin: false },
    ] {
        let mut lines = Lines::new(packet, false);
        for line in &mut lines {
            values.clear();
            assert!(!line.bytes.is_empty(), "empty lines are skipped");
            if let Ok(Message::Metric(metric)) = Message::parse(&line, options, &mut values) {
                assert!(!metric.name.is_empty(), "a metric has a name");
                match metric.values {
                    Values::Number(_) => assert!(values.is_empty()),
                    Values::Numbers { count } => assert_eq!(count as usize, values.len()),
                    Values::Member(member) => assert!(!member.is_empty()),
                }
            }
        }
    }
}
