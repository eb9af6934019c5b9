//! The three signals of OTLP.

/// What a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// Spans: `ExportTraceServiceRequest`.
    Traces,
    /// Points: `ExportMetricsServiceRequest`.
    Metrics,
    /// Log records: `ExportLogsServiceRequest`.
    Logs,
}
