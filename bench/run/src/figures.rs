//! The figures that scenarios measure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

macro_rules! figures {
    ($($(#[doc = $doc:literal])+ $variant:ident => $unit:literal, $decimals:literal;)+) => {
        /// A figure, with its unit.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum Figure { $($(#[doc = $doc])+ $variant,)+ }

        impl Figure {
            /// What it means, for the report.
            pub(crate) const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc,)+),)+ }
            }

            /// Its unit.
            pub(crate) const fn unit(self) -> &'static str {
                match self { $(Self::$variant => $unit,)+ }
            }

            /// Digits after the point in the report.
            pub(crate) const fn decimals(self) -> usize {
                match self { $(Self::$variant => $decimals,)+ }
            }
        }
    };
}

figures! {
    /// Highest rate without loss
    LinesPerSec => "lines/s", 0;
    /// Processor time of the agent, all threads
    CpuSecsPerMillion => "CPU s/M lines", 3;
    /// Processor time of the lane alone
    LaneSecsPerMillion => "CPU s/M lines", 3;
    /// Processor time of the null receiver on the same packets, flat out
    NullSecsPerMillion => "CPU s/M lines", 3;
    /// Processor time of the null receiver at the same pace, woken for each packet
    NullEagerSecsPerMillion => "CPU s/M lines", 3;
    /// Processor time of the null receiver at the same pace, drained every 5 ms
    NullModeratedSecsPerMillion => "CPU s/M lines", 3;
    /// Lane over null receiver
    RatioToNull => "x", 2;
    /// Lane less null receiver: parse, resolve, record
    RecordNsPerLine => "ns/line", 0;
    /// Processor time of the agent at saturation
    SaturatedSecsPerMillion => "CPU s/M lines", 3;
    /// Processor time at the pace over that at saturation
    PacedToSaturated => "x", 2;
    /// Packets sent and not received
    LostPackets => "packets", 0;
    /// Packets that a sender who does not wait could not place
    TurnedAwayPackets => "packets", 0;
    /// Spans accepted
    SpansPerSec => "spans/s", 0;
    /// Processor time of the lane alone
    LaneNsPerSpan => "ns/span", 0;
    /// Processor time of the agent, all threads
    CpuNsPerSpan => "ns/span", 0;
    /// Processor time of an HTTP server that throws bodies away
    NullNsPerSpan => "ns/span", 0;
    /// Lane less null receiver: decode, process, sample, stats, encode
    WorkNsPerSpan => "ns/span", 0;
    /// Decoding alone, in one process
    DecodeNsPerSpan => "ns/span", 0;
    /// Processing alone: normalise, obfuscate, sample
    ProcessNsPerSpan => "ns/span", 0;
    /// Counting stats alone
    StatsNsPerSpan => "ns/span", 0;
    /// Encoding of what is kept, alone
    EncodeNsPerSpan => "ns/span", 0;
    /// Payloads that were not accepted
    RefusedPayloads => "payloads", 0;
    /// Resident memory after start
    RssIdleMib => "MiB", 1;
    /// Highest resident memory under load
    RssLoadedMib => "MiB", 1;
    /// Resident memory after all contexts expired
    RssExpiredMib => "MiB", 1;
    /// Contexts alive under load
    Contexts => "contexts", 0;
    /// From start to all sockets bound
    StartToBoundMs => "ms", 1;
    /// Size of the stripped binary
    BinaryMib => "MiB", 1;
    /// Size of the stripped library
    LibraryMib => "MiB", 2;
    /// From the call that starts an embedded agent until its sockets are bound
    EmbeddedStartMs => "ms", 2;
    /// Resident memory that an idle embedded agent adds to its host
    AddedRssMib => "MiB", 1;
    /// Processor time that an idle embedded agent takes
    IdleCpuMsPerSec => "ms/s", 2;
    /// Processor time of a host that hands over one metric without a socket
    SubmitNs => "ns/metric", 0;
    /// Processor time of a host that sends one metric to the Unix socket
    SendNs => "ns/metric", 0;
}

/// Figures of one round.
pub(crate) type Figures = BTreeMap<Figure, f64>;

/// Bytes as mebibytes.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
pub(crate) fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// The middle of some values; the mean of the two middle ones when their number is even.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[odd / 2],
        even => f64::midpoint(values[even / 2 - 1], values[even / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_ignores_outliers() {
        assert!((median(vec![9.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
    }
}
