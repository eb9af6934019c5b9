//! What control and the trace pipeline of a lane say to each other.

use std::sync::Arc;

use sampling::{LaneCounts, Rates};
use server::{Head, Identity, ROUTE_NAMES, SenderRefusals, Server, ServerCounts, Text};
use stats::ClosedBucket;
use traces::{Counts, Dropped, Processor};

use super::{Container, HeldCounts, Outbox};

/// What a lane is told about traces. It answers with a [`TraceHandover`].
#[derive(Debug, Default)]
pub struct TraceOrders {
    /// Answers say this about the process from now on.
    pub identity: Option<Arc<Identity>>,
    /// Rates over all lanes, when there are new ones.
    pub rates: Option<Arc<Rates>>,
    /// Hand over the stats of buckets that ended, as of this time in nanoseconds of Unix time.
    pub stats_until_ns: Option<u64>,
    /// Hand over the stats of all buckets.
    pub is_last: bool,
    /// Counts that were handed over before, emptied.
    pub spare_counts: LaneCounts,
    /// Refuse requests with traces, and why.
    pub shedding: Option<Shedding>,
}

/// Why requests are refused although there is room on the lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shedding {
    /// The process uses more memory than it may.
    Memory,
    /// The process uses more processor time than it may.
    Cpu,
}

/// What a lane hands over.
#[derive(Debug)]
pub struct TraceHandover {
    /// The lane.
    pub lane: u16,
    /// Kept spans, encoded.
    pub traces: Outbox,
    /// Stats of buckets that ended, when asked for.
    pub stats: Option<Vec<ClosedBucket>>,
    /// Stats that tracers computed.
    pub client_stats: Vec<ClientStats>,
    /// What the samplers counted.
    pub sampled: LaneCounts,
    /// Counters since the start.
    pub counts: TraceCounts,
    /// Payloads that wait or are in work: what they leave is not part of this.
    pub pending: usize,
}

/// Stats that a tracer computed, decoded.
#[derive(Debug)]
pub struct ClientStats {
    /// The payload.
    pub payload: stats::ClientPayload,
    /// Container of the sender.
    pub container: Container,
    /// What the headers say.
    pub head: ClientHead,
}

/// What the headers of a request with stats say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHead {
    /// Language of the tracer.
    pub language: String,
    /// Version of the tracer.
    pub tracer_version: String,
    /// Whether the tracer obfuscated resources.
    pub is_obfuscated: bool,
}

/// Counters of a lane's trace pipeline since the start.
#[derive(Clone, Debug, Default)]
pub struct TraceCounts {
    /// HTTP.
    pub server: ServerCounts,
    /// Who was refused what.
    pub refusals: Vec<SenderRefusals>,
    /// Processing.
    pub processed: Counts,
    /// Spans of the concentrator.
    pub stats: stats::Tally,
    /// By tracer, of the first 64 kinds and one for all others.
    pub tracers: Vec<TracerCounts>,
    /// Payloads of traces decoded.
    pub payloads_decoded: u64,
    /// Payloads of traces that could not be decoded.
    pub payloads_malformed: u64,
    /// Requests refused because the process used too much memory.
    pub payloads_shed_memory: u64,
    /// Requests refused because the process used too much processor time.
    pub payloads_shed_cpu: u64,
    /// Payloads of client stats decoded.
    pub client_stats: u64,
    /// Payloads of client stats that could not be decoded.
    pub client_stats_malformed: u64,
    /// Tracer payloads encoded.
    pub payloads_encoded: u64,
    /// Requests copied to a capture.
    pub requests_captured: u64,
    /// Requests that a capture under way had no room for.
    pub requests_not_captured: u64,
    /// Payloads that waited for the tags of their container.
    pub held: HeldCounts,
    /// Traces lost in the middle of their work when the lane was restarted.
    pub traces_lost: u64,
    /// Spans lost with them.
    pub spans_lost: u64,
    before: Before,
}

/// Counters of processors that a restart replaced.
#[derive(Clone, Debug, Default)]
struct Before {
    processed: Counts,
    stats: stats::Tally,
}

/// What came from one kind of tracer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TracerCounts {
    /// Language.
    pub language: String,
    /// Version of the tracer.
    pub tracer_version: String,
    /// Endpoint it sends to.
    pub endpoint: &'static str,
    /// Payloads decoded.
    pub payloads: u64,
    /// Traces in them.
    pub traces: u64,
    /// Spans in them.
    pub spans: u64,
    /// Bytes of them.
    pub bytes: u64,
}

/// Kinds of tracers with a row of their own.
const TRACERS_MAX: usize = 64;

impl TraceCounts {
    /// Counts a decoded payload with its sender.
    pub(super) fn count_tracer(&mut self, head: &Head, traces: u64, spans: u64, bytes: u64) {
        let endpoint = ROUTE_NAMES.get(head.route.index()).copied().unwrap_or_default();
        let (language, version) = (head.text(Text::Language), head.text(Text::TracerVersion));
        let is_of = |row: &TracerCounts, language: &str, version: &str, endpoint: &str| {
            row.language == language && row.tracer_version == version && row.endpoint == endpoint
        };
        let found = self.tracers.iter().position(|row| is_of(row, language, version, endpoint));
        let at = found.unwrap_or_else(|| {
            let is_room = self.tracers.len() < TRACERS_MAX;
            let (language, version) = if is_room { (language, version) } else { ("other", "") };
            let endpoint = if is_room { endpoint } else { "" };
            let held = self.tracers.iter().position(|row| is_of(row, language, version, endpoint));
            held.unwrap_or_else(|| {
                self.tracers.push(TracerCounts {
                    language: language.to_owned(),
                    tracer_version: version.to_owned(),
                    endpoint,
                    ..TracerCounts::default()
                });
                self.tracers.len() - 1
            })
        });
        let Some(row) = self.tracers.get_mut(at) else { return };
        row.payloads += 1;
        row.traces += traces;
        row.spans += spans;
        row.bytes += bytes;
    }

    /// These, with those of the parts that count for themselves.
    pub(super) fn with(
        &self,
        server: &Server,
        processor: &mut Processor,
        held: HeldCounts,
    ) -> Self {
        let mut counts = self.clone();
        counts.held = held;
        counts.server = server.counts().clone();
        counts.refusals = server.refusals().to_vec();
        counts.take_processor(processor);
        counts
    }

    /// Keeps the counters of a processor that is about to be replaced.
    pub(super) fn absorb(&mut self, processor: &mut Processor) {
        processor.give_up();
        self.take_processor(processor);
        let (processed, stats) = (self.processed, self.stats);
        let dropped = |of: fn(&Counts, Dropped) -> u64| {
            Dropped::ALL.iter().map(|reason| of(&processed, *reason)).sum::<u64>()
        };
        let traces = processed.traces_kept + dropped(Counts::traces_dropped);
        let spans = processed.spans_kept + dropped(Counts::spans_dropped);
        self.traces_lost = processed.traces_received - traces;
        self.spans_lost = processed.spans_received - spans;
        self.before = Before { processed, stats };
    }

    fn take_processor(&mut self, processor: &mut Processor) {
        self.processed = self.before.processed;
        self.processed.add(processor.counts());
        let (before, now) = (self.before.stats, processor.concentrator_mut().tally());
        self.stats = stats::Tally {
            span_count: before.span_count + now.span_count,
            collapsed_count: before.collapsed_count + now.collapsed_count,
            dropped_count: before.dropped_count + now.dropped_count,
            coarse_count: before.coarse_count + now.coarse_count,
        };
    }
}
