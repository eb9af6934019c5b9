//! What the worker counts.

use std::collections::BTreeMap;

/// Counters since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bodies that were taken.
    pub bodies: u64,
    /// Bytes of these.
    pub body_bytes: u64,
    /// Bodies that cannot be read.
    pub bodies_malformed: u64,
    /// Bodies that were refused at the door, by reason.
    pub bodies_refused: BTreeMap<&'static str, u64>,
    /// Bytes of bodies that wait now.
    pub waiting_bytes: u64,
    /// Answers over HTTP and gRPC, by status; gRPC has those of HTTP that mean the same.
    pub answers: BTreeMap<u16, u64>,
    /// Connections that were opened.
    pub connections: u64,
    /// Logs received.
    pub logs_received: u64,
    /// Logs that were dropped, by reason.
    pub logs_dropped: BTreeMap<&'static str, u64>,
    /// Logs in payloads.
    pub logs_sent: u64,
    /// Logs in the batch.
    pub logs_waiting: u64,
    /// Payloads of logs.
    pub log_payloads: u64,
    /// Bytes of these before compression.
    pub log_bytes: u64,
    /// OTLP requests with traces that lanes took.
    pub trace_requests: u64,
    /// OTLP metrics.
    pub points: PointCounts,
}

/// Counters of OTLP metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PointCounts {
    /// Data points received.
    pub received: u64,
    /// Data points that led to series or sketches, or are remembered for the next one.
    pub translated: u64,
    /// Data points that were dropped, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
    /// Cumulative series that are remembered now.
    pub remembered: u64,
    /// Points handed to the encoder.
    pub points_in: u64,
    /// Points in payloads.
    pub points_out: u64,
    /// Points that fit in no payload, or are no finite numbers.
    pub points_lost: u64,
}
