//! Encoded spans of all lanes to payloads of the intake. spec: apm §10.1.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::{Config, keys};
use encode::{TraceHeader, TracerPayload, encode_traces};
use lane::Outbox;

use super::delivery::{Headers, TraceDelivery};
use super::settings;
use crate::settings::{AGENT_VERSION, default_env};

/// Collects what lanes encoded until it fills a payload or has waited long enough.
pub(crate) struct Writer {
    header: TraceHeader,
    is_error_tracking: bool,
    flush_period: Duration,
    delivery: Arc<TraceDelivery>,
    waiting: Vec<Outbox>,
    waiting_bytes: usize,
    since: Option<Instant>,
    counts: WriterCounts,
}

/// Accounts of the writer: `chunks_in` = `chunks_out` + `chunks_dropped` + those waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WriterCounts {
    /// Tracer payloads taken.
    pub(crate) payloads_in: u64,
    /// Chunks taken.
    pub(crate) chunks_in: u64,
    /// Spans taken.
    pub(crate) spans_in: u64,
    /// Payloads handed to delivery.
    pub(crate) payloads_out: u64,
    /// Chunks in them.
    pub(crate) chunks_out: u64,
    /// Spans in them.
    pub(crate) spans_out: u64,
    /// Chunks dropped because their payload could not be compressed.
    pub(crate) chunks_dropped: u64,
    /// Spans dropped with them.
    pub(crate) spans_dropped: u64,
    /// Bytes before compression.
    pub(crate) bytes_uncompressed: u64,
    /// Bytes after it.
    pub(crate) bytes_compressed: u64,
}

/// Estimated size at which a payload is full. spec: apm §10.1
const PAYLOAD_BYTES_MAX: usize = 3_200_000;

impl Writer {
    pub(crate) fn new(config: &Config, host: &str, delivery: Arc<TraceDelivery>) -> Self {
        let mode = config.text(keys::APM_MODE);
        Self {
            header: TraceHeader {
                host: host.to_owned(),
                env: default_env(config),
                agent_version: AGENT_VERSION.to_owned(),
                target_tps: settings::target_tps(config),
                error_tps: config.float(keys::APM_ERROR_TPS),
                is_rare_sampler_enabled: config.bool(keys::APM_ENABLE_RARE_SAMPLER),
                tags: mode
                    .map(|mode| ("_dd.apm_mode".to_owned(), mode.to_owned()))
                    .into_iter()
                    .collect(),
            },
            is_error_tracking: config.bool(keys::APM_ERROR_TRACKING_STANDALONE),
            flush_period: Duration::from_secs_f64(config.float(keys::APM_FLUSH_PERIOD)),
            delivery,
            waiting: Vec::new(),
            waiting_bytes: 0,
            since: None,
            counts: WriterCounts::default(),
        }
    }

    /// Takes what a lane encoded.
    pub(crate) fn take(&mut self, outbox: Outbox, now: Instant) {
        if outbox.is_empty() {
            return;
        }
        for payload in outbox.payloads() {
            self.counts.payloads_in += 1;
            self.counts.chunks_in += payload.chunks;
            self.counts.spans_in += payload.spans;
        }
        let bytes: usize = outbox.payloads().map(|payload| payload.estimated_bytes).sum();
        self.waiting_bytes += bytes;
        self.waiting.push(outbox);
        self.since.get_or_insert(now);
        if self.waiting_bytes >= PAYLOAD_BYTES_MAX {
            self.flush();
        }
    }

    /// Whether something waits for its payload to fill.
    pub(crate) fn is_filling(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Sends what has waited long enough.
    pub(crate) fn flush_due(&mut self, now: Instant) {
        let is_due = |since| now.saturating_duration_since(since) >= self.flush_period;
        if self.since.is_some_and(is_due) {
            self.flush();
        }
    }

    /// Sends everything, in payloads of bounded size.
    pub(crate) fn flush(&mut self) {
        self.since = None;
        self.waiting_bytes = 0;
        let waiting = std::mem::take(&mut self.waiting);
        let mut open = Open::default();
        for payload in waiting.iter().flat_map(Outbox::payloads) {
            if open.bytes > 0 && open.bytes + payload.estimated_bytes > PAYLOAD_BYTES_MAX {
                self.send(std::mem::take(&mut open));
            }
            open.bytes += payload.estimated_bytes;
            open.chunks += payload.chunks;
            open.spans += payload.spans;
            open.payloads.push(TracerPayload { is_v1: payload.is_v1, parts: payload.parts });
            if !payload.language.is_empty() {
                open.languages.insert(payload.language);
            }
        }
        self.send(open);
    }

    fn send(&mut self, open: Open<'_>) {
        if open.payloads.is_empty() {
            return;
        }
        let payloads = open.payloads.into_iter();
        let encoded = encode_traces(&self.header, payloads, open.chunks, self.delivery.encode());
        let Some(payload) = encoded else {
            self.counts.chunks_dropped += open.chunks;
            self.counts.spans_dropped += open.spans;
            log::error!("{} traces are lost: their payload could not be compressed", open.chunks);
            return;
        };
        self.counts.payloads_out += 1;
        self.counts.chunks_out += open.chunks;
        self.counts.spans_out += open.spans;
        self.counts.bytes_uncompressed += payload.uncompressed_bytes;
        self.counts.bytes_compressed += payload.body.len() as u64;
        let languages: Vec<&str> = open.languages.into_iter().collect();
        let mut headers = language_header(&languages.join("|"));
        if self.is_error_tracking {
            headers.push(("X-Datadog-Error-Tracking-Standalone".into(), "true".into()));
        }
        self.delivery.submit(&payload, headers);
    }

    /// Accounts so far.
    pub(crate) const fn counts(&self) -> WriterCounts {
        self.counts
    }
}

/// Names the languages in a payload, none when no tracer told; a language that does not fit into a
/// header is the tracer's own affair.
pub(crate) fn language_header(languages: &str) -> Headers {
    let is_sendable = languages.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let languages = if is_sendable { languages.to_owned() } else { String::new() };
    vec![("X-Datadog-Reported-Languages".into(), languages.into())]
}

/// A payload being filled.
#[derive(Default)]
struct Open<'a> {
    payloads: Vec<TracerPayload<'a>>,
    languages: BTreeSet<&'a str>,
    bytes: usize,
    chunks: u64,
    spans: u64,
}
