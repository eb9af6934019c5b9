//! The trace pipeline at one moment, and its page.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::CaptureStatus;
use crate::format::{Table, bytes, count};
use crate::identities::{Identity, exact, open};
use crate::text::{Page, captured, reasons};

/// The trace pipeline, counters since the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TraceStatus {
    /// Requests by endpoint.
    pub requests: BTreeMap<String, u64>,
    /// Answers by status; 0 stands for unusual ones.
    pub answers: BTreeMap<u16, u64>,
    /// Connections, timeouts, bytes.
    pub server: BTreeMap<String, u64>,
    /// Payloads by what sent them.
    pub tracers: Vec<TracerStatus>,
    /// What was refused, by sender.
    pub refused: Vec<RefusedStatus>,
    /// Payloads of traces decoded.
    pub payloads_decoded: u64,
    /// Traces decoded.
    pub traces_received: u64,
    /// Traces kept, whole or in part.
    pub traces_kept: u64,
    /// Traces kept of which only single spans or events leave.
    pub traces_kept_in_part: u64,
    /// Traces dropped, by reason.
    pub traces_dropped: BTreeMap<String, u64>,
    /// Spans decoded.
    pub spans_received: u64,
    /// Spans kept.
    pub spans_kept: u64,
    /// Spans dropped, by reason.
    pub spans_dropped: BTreeMap<String, u64>,
    /// Traces lost in the middle of their work when a lane was restarted.
    pub traces_lost: u64,
    /// Spans lost with them.
    pub spans_lost: u64,
    /// Spans that were put right, by what was wrong.
    pub malformed: BTreeMap<String, u64>,
    /// Traces that tracers dropped by themselves.
    pub traces_dropped_by_client: u64,
    /// Traces that samplers saw and kept.
    pub samplers: Vec<SamplerStatus>,
    /// Version of the rates that tracers get.
    pub rates_version: String,
    /// These rates.
    pub rates: BTreeMap<String, f64>,
    /// Traces to keep per second.
    pub target_tps: f64,
    /// Traces with errors to keep per second beside these.
    pub errors_tps: f64,
    /// Stats: spans, groups, payloads.
    pub stats: BTreeMap<String, u64>,
    /// Payloads of traces on their way out.
    pub writer: BTreeMap<String, u64>,
    /// Why traces are refused: `memory`, `cpu`, or nothing.
    pub shedding: String,
    /// Processor time of the process lately, in percent of a core.
    pub cpu_percent: f64,
    /// Above which traces are refused; 0 for no bound.
    pub cpu_percent_max: f64,
    /// Resident bytes above which traces are refused; 0 for no bound.
    pub memory_bytes_max: u64,
    /// The capture of requests under way, if one is.
    pub capture: Option<CaptureStatus>,
}

/// What one kind of tracer sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TracerStatus {
    /// Language.
    pub language: String,
    /// Version of the tracer.
    pub tracer_version: String,
    /// Endpoint.
    pub endpoint: String,
    /// Payloads.
    pub payloads: u64,
    /// Traces in them.
    pub traces: u64,
    /// Spans in them.
    pub spans: u64,
    /// Bytes of them.
    pub bytes: u64,
}

/// What one kind of tracer was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RefusedStatus {
    /// Language.
    pub language: String,
    /// Version of the tracer.
    pub tracer_version: String,
    /// Service, as far as the request told it.
    pub service: String,
    /// Requests by reason.
    pub requests: BTreeMap<String, u64>,
    /// Traces that those requests said to carry.
    pub traces: u64,
    /// Largest body that was refused for its size.
    pub largest_body_bytes: u64,
}

/// What one sampler saw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SamplerStatus {
    /// Its name.
    pub name: String,
    /// Traces it saw.
    pub seen: u64,
    /// Traces it kept.
    pub kept: u64,
}

/// Rates listed in the text.
const RATES_MAX: usize = 20;

pub(crate) fn identities(traces: &TraceStatus) -> [Identity; 5] {
    let sum = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>();
    let of = |counts: &BTreeMap<String, u64>, name: &str| counts.get(name).copied().unwrap_or(0);
    let (server, writer, stats) = (&traces.server, &traces.writer, &traces.stats);
    [
        open(
            "requests",
            sum(&traces.requests),
            traces.answers.values().sum::<u64>() + of(server, "requests_lost"),
            "requests = answers + lost with their connection + under way",
        ),
        exact(
            "traces",
            traces.traces_received,
            traces.traces_kept + sum(&traces.traces_dropped) + traces.traces_lost,
            "received = kept + dropped + lost in restarts",
        ),
        exact(
            "spans",
            traces.spans_received,
            traces.spans_kept + sum(&traces.spans_dropped) + traces.spans_lost,
            "received = kept + dropped + lost in restarts",
        ),
        open(
            "kept traces",
            traces.traces_kept,
            of(writer, "chunks_out") + of(writer, "chunks_dropped"),
            "kept = in payloads + dropped + waiting",
        ),
        open(
            "spans of stats",
            of(stats, "spans"),
            of(stats, "hits") + of(stats, "spans_dropped"),
            "counted = in payloads + dropped + in open buckets",
        ),
    ]
}

pub(crate) fn page(page: &mut Page, traces: &TraceStatus) {
    page.title("APM", '-');
    let requests: Vec<String> = traces
        .requests
        .iter()
        .filter(|(_, n)| **n > 0)
        .map(|(name, n)| format!("{name} {}", count(*n)))
        .collect();
    let requests = requests.join(", ");
    page.field("requests", if requests.is_empty() { "none" } else { &requests });
    let answers: Vec<String> = traces
        .answers
        .iter()
        .filter(|(_, n)| **n > 0)
        .map(|(status, n)| format!("{status}: {}", count(*n)))
        .collect();
    if !answers.is_empty() {
        page.field("answers", &answers.join(", "));
    }
    let server = reasons(&traces.server, "");
    if !server.is_empty() {
        page.field("server", &server);
    }
    page.field(
        "traces",
        &format!(
            "{} received, {} kept, {} dropped by tracers themselves",
            count(traces.traces_received),
            count(traces.traces_kept),
            count(traces.traces_dropped_by_client),
        ),
    );
    page.field(
        "spans",
        &format!("{} received, {} kept", count(traces.spans_received), count(traces.spans_kept)),
    );
    for (label, counts) in [("dropped", &traces.traces_dropped), ("put right", &traces.malformed)] {
        let listed = reasons(counts, "");
        page.field(label, if listed.is_empty() { "nothing" } else { &listed });
    }
    match &*traces.shedding {
        "" => {}
        "memory" => page.field("refusing", "resident memory is over apm_config.max_memory"),
        _ => page.field("refusing", "processor time is over corelane.apm.cpu_percent_max"),
    }
    let samplers: Vec<String> = traces
        .samplers
        .iter()
        .filter(|sampler| sampler.seen > 0)
        .map(|s| format!("{} kept {} of {}", s.name, count(s.kept), count(s.seen)))
        .collect();
    if !samplers.is_empty() {
        page.field("samplers", &samplers.join(", "));
    }
    let targets = format!("{} traces/s, {} with errors", traces.target_tps, traces.errors_tps);
    page.field("targets", &targets);
    for (label, counts) in [("stats", &traces.stats), ("writer", &traces.writer)] {
        let listed = reasons(counts, "");
        page.field(label, if listed.is_empty() { "nothing" } else { &listed });
    }
    if let Some(capture) = &traces.capture {
        page.field("capture", &captured(capture, "requests"));
    }
    tables(page, traces);
}

fn tables(page: &mut Page, traces: &TraceStatus) {
    if !traces.tracers.is_empty() {
        page.line("");
        let mut table = Table::new(&[
            "tracer",
            "version",
            "endpoint",
            ">payloads",
            ">traces",
            ">spans",
            ">bytes",
        ]);
        for tracer in &traces.tracers {
            table.row([
                named(&tracer.language),
                named(&tracer.tracer_version),
                tracer.endpoint.clone(),
                count(tracer.payloads),
                count(tracer.traces),
                count(tracer.spans),
                bytes(tracer.bytes),
            ]);
        }
        page.table(&table);
    }
    if !traces.refused.is_empty() {
        page.line("");
        let mut table =
            Table::new(&["refused to", "version", "service", ">traces", ">largest body", "why"]);
        for refused in &traces.refused {
            let largest = match refused.largest_body_bytes {
                0 => "-".to_owned(),
                length => bytes(length),
            };
            table.row([
                named(&refused.language),
                named(&refused.tracer_version),
                named(&refused.service),
                count(refused.traces),
                largest,
                reasons(&refused.requests, ""),
            ]);
        }
        page.table(&table);
    }
    if !traces.rates.is_empty() {
        page.line("");
        let mut table = Table::new(&["service", ">rate"]);
        for (service, rate) in traces.rates.iter().take(RATES_MAX) {
            table.row([service.clone(), format!("{rate:.4}")]);
        }
        page.table(&table);
    }
}

fn named(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.to_owned() }
}
