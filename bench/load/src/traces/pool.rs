//! Builds all requests before anything is sent.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use super::shop::{Dialect, Recorded, Shop, Trace};
use super::write::{self, Sender};
use super::{TraceSpec, TraceTally, TraceTransport};
use crate::SpecError;

/// One request with its head.
#[derive(Debug)]
struct Request {
    bytes: Vec<u8>,
    head_bytes: usize,
    tally: TraceTally,
}

/// The requests of a load, and what each of them carries.
#[derive(Debug)]
pub struct TracePool {
    requests: Vec<Request>,
}

impl TracePool {
    /// Builds the requests: payload by payload, the services in turn.
    ///
    /// # Errors
    /// When the specification is out of range.
    pub fn build(spec: &TraceSpec) -> Result<Self, SpecError> {
        spec.check()?;
        let is_modelled = spec.corpus.as_os_str().is_empty();
        let recorded = (!is_modelled).then(|| Recorded::read(&spec.corpus)).transpose()?;
        let mut shop = Shop::new(spec, start_ns(spec), recorded);
        let requests = (0..spec.payloads)
            .map(|index| {
                let service = index % spec.services;
                let traces: Vec<Trace> =
                    (0..spec.traces_per_payload).map(|_| shop.trace(service)).collect();
                let sender = Sender {
                    dialect: shop.dialect,
                    runtime_id: shop.runtime_id(service),
                    container_id: spec.container_id.clone(),
                };
                request(spec, &sender, &traces)
            })
            .collect();
        Ok(Self { requests })
    }

    /// Number of requests.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether there is no request; never so for a pool that was built.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// A request with its head.
    #[must_use]
    pub fn request(&self, index: usize) -> &[u8] {
        &self.requests[index].bytes
    }

    /// The body of a request.
    #[must_use]
    pub fn body(&self, index: usize) -> &[u8] {
        let request = &self.requests[index];
        &request.bytes[request.head_bytes..]
    }

    /// What a request carries.
    #[must_use]
    pub fn tally(&self, index: usize) -> &TraceTally {
        &self.requests[index].tally
    }

    /// What one pass over the pool carries.
    #[must_use]
    pub fn total(&self) -> TraceTally {
        let mut total = TraceTally::default();
        for request in &self.requests {
            total.add(&request.tally);
        }
        total
    }
}

fn request(spec: &TraceSpec, sender: &Sender, traces: &[Trace]) -> Request {
    let mut body = write::body(spec.version, sender, traces);
    let mut tally =
        TraceTally { payloads: 1, body_bytes: body.len() as u64, ..TraceTally::default() };
    for trace in traces {
        tally.add_trace(trace);
    }
    let mut bytes = head(spec, &sender.dialect, traces.len(), body.len()).into_bytes();
    let head_bytes = bytes.len();
    bytes.append(&mut body);
    Request { bytes, head_bytes, tally }
}

/// Headers as tracers send them. spec: apm §4.1
fn head(spec: &TraceSpec, dialect: &Dialect, trace_count: usize, body_bytes: usize) -> String {
    let host = match spec.transport {
        TraceTransport::Tcp => &*spec.destination,
        TraceTransport::Uds => "localhost",
    };
    let mut head = format!(
        "PUT {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/msgpack\r\n\
         Datadog-Meta-Lang: {lang}\r\nDatadog-Meta-Lang-Version: {lang_version}\r\n\
         Datadog-Meta-Lang-Interpreter: {interpreter}\r\n\
         Datadog-Meta-Tracer-Version: {tracer_version}\r\n\
         Datadog-Client-Computed-Top-Level: yes\r\nX-Datadog-Trace-Count: {trace_count}\r\n\
         Datadog-Send-Real-Http-Status: true\r\nContent-Length: {body_bytes}\r\n",
        path = spec.version.path(),
        lang = dialect.lang,
        lang_version = dialect.lang_version,
        interpreter = dialect.interpreter,
        tracer_version = dialect.tracer_version,
    );
    if spec.is_stats_computed {
        head.push_str("Datadog-Client-Computed-Stats: yes\r\n");
    }
    if !spec.container_id.is_empty() {
        // Writing to a string cannot fail.
        let _is_written = write!(head, "Datadog-Container-ID: {}\r\n", spec.container_id).is_ok();
    }
    head + "\r\n"
}

fn start_ns(spec: &TraceSpec) -> u64 {
    if spec.start_unix_ns > 0 {
        return spec.start_unix_ns;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}
