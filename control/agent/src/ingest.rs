//! Logs and OTLP: the worker, where its payloads go, and what it listens on.
//!
//! ```text
//! Submissions, IngestListeners -> Ingest (thread) --logs----> LogDelivery -> intake of logs
//!                                                 --points--> Delivery
//!                                                 --traces--> Submissions -> lanes
//! ```

mod counts;
mod delivery;
mod listen;
mod settings;

use std::sync::Arc;
use std::time::Instant;

use config::{Config, keys};
use forward::ForwardStats;
use ingest::{Ingest, Outlets, Refused};
pub(crate) use ingest::{Inlet, Kind};
use lane::SubmitError;
use status::IngestStatus;

use self::delivery::LogDelivery;
pub(crate) use self::listen::IngestListeners;
use crate::agent::{Role, StartError};
use crate::delivery::Delivery;
use crate::products::Product;
use crate::starting::IngestStart;
use crate::submissions::Submissions;

/// The running part.
#[derive(Debug)]
pub(crate) struct IngestPart {
    ingest: Ingest,
    logs: Option<Arc<LogDelivery>>,
}

impl IngestPart {
    /// Starts what the configuration asks for. An embedded agent takes OTLP without a socket, which
    /// nothing in the configuration announces.
    pub(crate) fn start(start: IngestStart<'_>) -> Result<Option<Arc<Self>>, StartError> {
        let IngestStart { config, role, delivery, submissions, .. } = start;
        let takes_logs = Product::Logs.is_on(config);
        let takes_otlp =
            Product::Otlp.is_built() && (role == Role::Guest || start.listeners.has_otlp());
        if !takes_logs && !takes_otlp {
            return Ok(None);
        }
        let settings = settings::settings(&start, takes_logs, takes_otlp)?;
        let logs = takes_logs.then(|| LogDelivery::start(config).map(Arc::new)).transpose()?;
        let outlets = outlets(config, logs.clone(), delivery, submissions);
        let takes_otlp_traces = outlets.traces.is_some();
        let ingest = Ingest::start(settings, outlets, start.listeners.open)?;
        submissions.open_ingest(Arc::clone(ingest.inlet()), takes_otlp_traces);
        Ok(Some(Arc::new(Self { ingest, logs })))
    }

    /// Hands on what was taken so far; whether that was done by the deadline.
    pub(crate) fn flush(&self, deadline: Instant) -> bool {
        self.ingest.flush(deadline)
    }

    /// Points the forwarder of logs to the endpoints and keys of a new configuration.
    pub(crate) fn reload(&self, config: &Config) -> Result<(), String> {
        self.logs.as_ref().map_or(Ok(()), |logs| logs.reload(config))
    }

    /// Counters of the endpoints of logs.
    pub(crate) fn log_stats(&self) -> Option<ForwardStats> {
        self.logs.as_ref().map(|logs| logs.stats())
    }

    /// For `status`.
    pub(crate) fn status(&self) -> IngestStatus {
        counts::status(&self.ingest.counts(), self.logs.is_some())
    }

    /// Takes nothing more, and hands on what was taken.
    pub(crate) fn stop(&self) {
        self.ingest.stop();
    }

    /// Delivers or spools the logs that wait, within the stop budget.
    pub(crate) fn stop_delivery(&self) {
        if let Some(logs) = &self.logs {
            logs.stop();
        }
    }
}

/// Bytes that it may take: bodies that wait, and payloads for each destination of logs.
pub(crate) fn planned_bytes(config: &Config) -> u64 {
    if !Product::Logs.is_on(config) {
        return 0;
    }
    let endpoints = config.log_endpoints().len() as u64;
    config.bytes(keys::INGEST_BYTES) + config.bytes(keys::LOGS_QUEUE_BYTES) * endpoints
}

/// Hands over a body without a socket.
pub(crate) fn submit(inlet: &Inlet, kind: Kind, body: &[u8]) -> Result<(), SubmitError> {
    inlet.submit(kind, body).map_err(|refused| match refused {
        Refused::Full => SubmitError::Full,
        Refused::TooLong => SubmitError::TooLong,
        Refused::Malformed => SubmitError::Malformed,
        Refused::Off | Refused::Stopped => SubmitError::Stopped,
    })
}

fn outlets(
    config: &Config,
    logs: Option<Arc<LogDelivery>>,
    delivery: &Arc<Delivery>,
    submissions: &Arc<Submissions>,
) -> Outlets {
    #[cfg(not(feature = "otlp"))]
    let _unused = (config, delivery, submissions);
    Outlets {
        logs: Box::new(move |payload, last_ms| {
            if let Some(logs) = &logs {
                logs.submit(payload, last_ms);
            }
        }),
        #[cfg(feature = "otlp")]
        points: {
            let delivery = Arc::clone(delivery);
            Box::new(move || Box::new(delivery.metrics_sink()))
        },
        #[cfg(feature = "otlp")]
        traces: {
            let takes_traces = submissions.takes_traces() && config.bool(keys::OTLP_TRACES_ENABLED);
            let submissions = Arc::clone(submissions);
            takes_traces.then(|| -> ingest::TraceOutlet {
                Arc::new(move |request| {
                    submissions.submit_otlp_traces(request).map_err(|error| match error {
                        SubmitError::Full => Refused::Full,
                        SubmitError::TooLong => Refused::TooLong,
                        SubmitError::Malformed => Refused::Malformed,
                        SubmitError::Stopped => Refused::Stopped,
                    })
                })
            })
        },
        #[cfg(not(feature = "otlp"))]
        traces: None,
    }
}

#[cfg(feature = "otlp")]
impl ingest::PointSink for crate::delivery::MetricsSink {
    fn finish(&mut self) -> encode::EncodeStats {
        Self::finish(self)
    }
}
