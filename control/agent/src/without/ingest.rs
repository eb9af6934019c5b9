//! No logs and no OTLP: what stands in for them in a build without the feature `logs`. It cannot
//! be made, so that the compiler knows that what would use it is never reached.

use std::sync::Arc;
use std::time::Instant;

use config::Config;
use forward::ForwardStats;
use lane::SubmitError;
use status::IngestStatus;

use crate::agent::StartError;
use crate::listen::ListenerReport;
use crate::starting::IngestStart;

/// The running part.
#[derive(Debug)]
pub(crate) enum IngestPart {}

/// The way in.
#[derive(Debug)]
pub(crate) enum Inlet {}

/// What a body holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Logs,
    OtlpLogs,
    OtlpMetrics,
}

/// No listeners.
#[derive(Debug, Default)]
pub(crate) struct IngestListeners {
    pub(crate) reports: Vec<ListenerReport>,
}

impl IngestListeners {
    pub(crate) fn open(_: &Config) -> Self {
        Self::default()
    }
}

impl IngestPart {
    /// Starts nothing.
    pub(crate) fn start(_: IngestStart<'_>) -> Result<Option<Arc<Self>>, StartError> {
        Ok(None)
    }

    pub(crate) fn flush(&self, _: Instant) -> bool {
        match *self {}
    }

    pub(crate) fn reload(&self, _: &Config) -> Result<(), String> {
        match *self {}
    }

    pub(crate) fn log_stats(&self) -> Option<ForwardStats> {
        match *self {}
    }

    pub(crate) fn status(&self) -> IngestStatus {
        match *self {}
    }

    pub(crate) fn stop(&self) {
        match *self {}
    }

    pub(crate) fn stop_delivery(&self) {
        match *self {}
    }
}

impl Inlet {
    pub(crate) fn takes(&self, _: Kind) -> bool {
        match *self {}
    }
}

/// Hands over a body without a socket.
pub(crate) fn submit(inlet: &Inlet, _: Kind, _: &[u8]) -> Result<(), SubmitError> {
    match *inlet {}
}

/// Bytes that it may take.
pub(crate) const fn planned_bytes(_: &Config) -> u64 {
    0
}
