//! The way into the lanes without a socket, for any thread.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use lane::{SubmitError, Submitter, TraceSubmitter};
use server::TraceVersion;

use crate::ingest::{self, Inlet, Kind};

/// The submitters of all lanes, shared by any number of threads.
///
/// A thread keeps to one lane, so that its contexts do not live in several, and two threads seldom
/// wait for each other's copy.
#[derive(Debug)]
pub struct Submissions {
    /// Nothing once the lanes are about to end.
    lanes: Vec<Mutex<Option<Submitter>>>,
    /// Empty where no traces are processed.
    traces: Vec<Mutex<Option<TraceSubmitter>>>,
    /// Nothing where neither logs nor OTLP are taken.
    ingest: OnceLock<IngestWay>,
}

/// The way of logs and OTLP.
#[derive(Debug)]
struct IngestWay {
    inlet: Arc<Inlet>,
    takes_otlp_traces: bool,
}

/// What an OTLP request holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtlpSignal {
    /// `ExportTraceServiceRequest`.
    Traces,
    /// `ExportMetricsServiceRequest`.
    Metrics,
    /// `ExportLogsServiceRequest`.
    Logs,
}

/// Form of a payload of traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceFormat {
    /// v0.4, in MessagePack.
    V04,
    /// v0.5, in MessagePack.
    V05,
    /// v1.0, in MessagePack.
    V1,
}

impl Submissions {
    pub(crate) fn new(submitters: Vec<Submitter>, traces: Vec<TraceSubmitter>) -> Self {
        Self {
            lanes: submitters.into_iter().map(|one| Mutex::new(Some(one))).collect(),
            traces: traces.into_iter().map(|one| Mutex::new(Some(one))).collect(),
            ingest: OnceLock::new(),
        }
    }

    /// Takes logs and OTLP from now on.
    pub(crate) fn open_ingest(&self, inlet: Arc<Inlet>, takes_otlp_traces: bool) {
        self.ingest.get_or_init(|| IngestWay { inlet, takes_otlp_traces });
    }

    fn takes(&self, kind: Kind) -> bool {
        self.ingest.get().is_some_and(|way| way.inlet.takes(kind))
    }

    fn ingest(&self, kind: Kind, body: &[u8]) -> Result<(), SubmitError> {
        let way = self.ingest.get().ok_or(SubmitError::Stopped)?;
        ingest::submit(&way.inlet, kind, body)
    }

    /// Whether payloads of traces are taken.
    #[must_use]
    pub const fn takes_traces(&self) -> bool {
        !self.traces.is_empty()
    }

    /// Copies a payload of traces to a lane, as if it had come in a request without headers. It is
    /// part of every flush of everything that is asked for afterwards.
    ///
    /// # Errors
    /// [`SubmitError`]. What the lane finds wrong with a payload that it took is counted as for
    /// requests.
    pub fn submit_traces(&self, format: TraceFormat, payload: &[u8]) -> Result<(), SubmitError> {
        let version = match format {
            TraceFormat::V04 => TraceVersion::V04,
            TraceFormat::V05 => TraceVersion::V05,
            TraceFormat::V1 => TraceVersion::V10,
        };
        self.submit_to_lane(version, payload)
    }

    /// Copies an OTLP request with spans to a lane.
    pub(crate) fn submit_otlp_traces(&self, request: &[u8]) -> Result<(), SubmitError> {
        self.submit_to_lane(TraceVersion::Otlp, request)
    }

    fn submit_to_lane(&self, version: TraceVersion, payload: &[u8]) -> Result<(), SubmitError> {
        let lane = lane_of_thread() % self.traces.len().max(1);
        let lane = self.traces.get(lane).ok_or(SubmitError::Stopped)?;
        let mut submitter = lane.lock().unwrap_or_else(PoisonError::into_inner);
        submitter.as_mut().ok_or(SubmitError::Stopped)?.submit(version, payload)
    }

    /// Whether logs are taken.
    #[must_use]
    pub fn takes_logs(&self) -> bool {
        self.takes(Kind::Logs)
    }

    /// Copies a JSON list of logs, or one log, as it would come over HTTP. It is part of every
    /// flush of everything that is asked for afterwards. spec: logs §7.1
    ///
    /// # Errors
    /// [`SubmitError`]. What is found wrong with a list that was taken is counted.
    pub fn submit_logs(&self, json: &[u8]) -> Result<(), SubmitError> {
        self.ingest(Kind::Logs, json)
    }

    /// Whether OTLP requests of a signal are taken.
    #[must_use]
    pub fn takes_otlp(&self, signal: OtlpSignal) -> bool {
        match signal {
            OtlpSignal::Traces => self.ingest.get().is_some_and(|way| way.takes_otlp_traces),
            OtlpSignal::Metrics => self.takes(Kind::OtlpMetrics),
            OtlpSignal::Logs => self.takes(Kind::OtlpLogs),
        }
    }

    /// Copies an OTLP request in protobuf. It is part of every flush of everything that is asked
    /// for afterwards.
    ///
    /// # Errors
    /// [`SubmitError`]. What is found wrong with a request that was taken is counted.
    pub fn submit_otlp(&self, signal: OtlpSignal, request: &[u8]) -> Result<(), SubmitError> {
        match signal {
            OtlpSignal::Traces => self.submit_otlp_traces(request),
            OtlpSignal::Metrics => self.ingest(Kind::OtlpMetrics, request),
            OtlpSignal::Logs => self.ingest(Kind::OtlpLogs, request),
        }
    }

    /// Copies DogStatsD text of one or more lines to a lane: all of it or nothing. It is part of
    /// every flush that is asked for afterwards.
    ///
    /// # Errors
    /// [`SubmitError`], which the lane counts by reason.
    pub fn submit_dogstatsd(&self, text: &[u8]) -> Result<(), SubmitError> {
        self.submit_dogstatsd_from("", text)
    }

    /// The same for text that a container sent, of this id; empty for nobody knows which.
    ///
    /// # Errors
    /// [`SubmitError`], which the lane counts by reason.
    pub(crate) fn submit_dogstatsd_from(
        &self,
        container: &str,
        text: &[u8],
    ) -> Result<(), SubmitError> {
        let lane = lane_of_thread() % self.lanes.len().max(1);
        let lane = self.lanes.get(lane).ok_or(SubmitError::Stopped)?;
        let mut submitter = lane.lock().unwrap_or_else(PoisonError::into_inner);
        let submitter = submitter.as_mut().ok_or(SubmitError::Stopped)?;
        submitter.submit_from(container.as_bytes(), text)
    }

    /// Takes nothing more: what is taken is in the lanes then, which can read it to its end.
    pub(crate) fn close(&self) {
        for lane in &self.lanes {
            *lane.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        for lane in &self.traces {
            *lane.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

/// A number that the calling thread keeps.
fn lane_of_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    // A thread at its end has no number any more.
    MINE.try_with(|mine| *mine).unwrap_or(0)
}
