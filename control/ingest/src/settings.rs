//! What the worker has to know, and where things go.

use std::sync::Arc;
use std::time::Duration;

use crate::Refused;

/// Settings.
#[derive(Debug, Default)]
pub struct Settings {
    /// Bytes that bodies may take from their first byte until they are worked on.
    pub waiting_bytes_max: usize,
    /// Logs, where they are wanted.
    pub logs: Option<LogSettings>,
    /// OTLP metrics, where they are wanted.
    #[cfg(feature = "otlp")]
    pub metrics: Option<otlp::metrics::Translator>,
    /// Longest OTLP body over HTTP, decompressed, and without a socket.
    pub otlp_bytes_max: usize,
    /// Longest OTLP message over gRPC, decompressed.
    pub grpc_bytes_max: usize,
    /// Whether OTLP logs are wanted.
    pub takes_otlp_logs: bool,
    /// Time between two flushes of points.
    pub points_wait: Duration,
}

/// How logs are worked on.
#[derive(Debug)]
pub struct LogSettings {
    /// What is done with each.
    pub prepare: logs::Settings,
    /// Limits of a payload.
    pub batch: logs::BatchLimits,
    /// Longest time that a log waits for others of its payload.
    pub batch_wait: Duration,
    /// Compression of payloads.
    pub encode: encode::Settings,
    /// Whether further keys of an entry go into its message, as pipeline workers want it.
    pub folds_extra: bool,
    /// Longest body of logs.
    pub body_bytes_max: usize,
}

/// Takes a payload of logs, and when its last log came, in milliseconds of Unix time.
pub type LogOutlet = Box<dyn FnMut(&encode::Payload, u64) + Send>;

/// Begins a set of payloads of points.
#[cfg(feature = "otlp")]
pub type PointOutlet = Box<dyn FnMut() -> Box<dyn PointSink> + Send>;

/// Takes an OTLP request with traces.
pub type TraceOutlet = Arc<dyn Fn(&[u8]) -> Result<(), Refused> + Send + Sync>;

/// Where things go.
pub struct Outlets {
    /// Logs.
    pub logs: LogOutlet,
    /// OTLP metrics.
    #[cfg(feature = "otlp")]
    pub points: PointOutlet,
    /// OTLP traces, where they are wanted.
    pub traces: Option<TraceOutlet>,
}

/// Where points go.
#[cfg(feature = "otlp")]
pub trait PointSink: signal::SeriesSink + Send {
    /// Sends what is left, and accounts for all of it.
    fn finish(&mut self) -> encode::EncodeStats;
}

impl std::fmt::Debug for Outlets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlets").field("has_traces", &self.traces.is_some()).finish()
    }
}
