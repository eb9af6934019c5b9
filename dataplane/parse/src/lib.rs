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
//! Cost: one pass for the newline and one for each separator, all by vector search; about 25 ns for
//! a metric line of 100 bytes with one value.

#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing)]

mod check;
mod event;
mod lines;
mod message;
mod metric;
mod number;

pub use check::ServiceCheck;
pub use event::{Event, unescape_newlines};
pub use lines::Lines;
pub use message::{Message, Options, Refused};
pub use metric::{Fields, Metric, MetricKind, Values, parse_metric};
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
            assert!(!line.is_empty(), "empty lines are skipped");
            if let Ok(Message::Metric(metric)) = Message::parse(line, options, &mut values) {
                assert!(!metric.name.is_empty(), "a metric has a name");
                match metric.values {
                    Values::Numbers { count } => assert_eq!(count as usize, values.len()),
                    Values::Member(member) => assert!(!member.is_empty()),
                }
            }
        }
    }
}
