//! OTLP metrics to payloads of points.

use std::time::{Duration, Instant};

use encode::EncodeStats;
use otlp::metrics::Translator;
use otlp::wire::WireError;

use crate::counts::Counts;
use crate::inlet::Rejected;
use crate::settings::PointSink;

/// The translator, and the payloads under construction.
pub(crate) struct Points {
    translator: Translator,
    open: Box<dyn FnMut() -> Box<dyn PointSink> + Send>,
    /// Payloads that are not full yet, and since when.
    sink: Option<(Box<dyn PointSink>, Instant)>,
    wait: Duration,
    encoded: EncodeStats,
}
