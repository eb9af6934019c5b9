//! The trace pipeline of a lane: requests to kept spans, stats and counts.
//!
//! ```text
//! server --Request--> worker: decode -> answer -> [held] -> process -> encode -> Outbox
//! control --TraceOrders--> rates, stats flush, shedding      TraceHandover --> control
//! ```
//!
//! A request is worked on in slices, in every stage, between which the lane's datagrams and other
//! connections have their turn; how much a slice does is counted in bytes and other work, so that
//! no choice of chunks, spans or tags makes one long. The answer leaves when the body is decoded,
//! before it is processed. Back-pressure is the queue of requests: while control does not take what
//! this lane hands over, nothing is begun, and requests that wait too long are refused. spec: apm
//! §3.

mod capture;
mod container;
mod handover;
mod held;
mod outbox;
mod reader;
mod work;
mod worker;

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use entity::OriginSnapshot;
use sampling::{LaneCounts, LaneSamplers, Rates, SamplingSettings};
use server::Server;
use span::encode::Encoder;
use span::{Batch, Converter};
use stats::{Concentrator, ConcentratorSettings};
use traces::{Piece, Processor};

pub use capture::{CapturedRequest, RequestRoom, RequestTap, TakeCopy};
pub use container::Container;
pub use handover::{
    ClientHead, ClientStats, Shedding, TraceCounts, TraceHandover, TraceOrders, TracerCounts,
};
pub use held::HeldCounts;
use held::HeldQueue;
pub use outbox::{EncodedPayload, Outbox};
use reader::Reader;
pub(crate) use work::service_of;
pub(crate) use worker::worker;

use crate::Now;

/// What the trace pipeline of a lane is made with.
#[derive(Clone)]
pub struct TraceSettings {
    /// Processing.
    pub processing: Arc<traces::Settings>,
    /// Samplers.
    pub sampling: Arc<SamplingSettings>,
    /// Rates to begin with.
    pub rates: Arc<Rates>,
    /// Stats.
    pub stats: ConcentratorSettings,
    /// Bytes for remembering what SQL statements became.
    pub sql_cache_bytes: usize,
    /// Secret of the tables of this process.
    pub seed: u64,
    /// Feature `429`: refusals are told by their status to every tracer.
    pub is_429_told: bool,
    /// Feature `convert-traces`: every payload leaves in the form of v1.0.
    pub is_converted: bool,
    /// What becomes of spans of OTLP.
    pub otlp: otlp::traces::Settings,
    /// Bytes of payloads that may wait for the tags of their container; 0 for none.
    pub held_bytes_max: usize,
}

/// The trace pipeline of one lane.
pub(crate) struct Traces {
    lane: u16,
    settings: TraceSettings,
    server: Rc<Server>,
    processor: Processor,
    reader: Reader,
    /// The batch being decoded, or the memory for the next.
    batch: Batch,
    pieces: Vec<Piece>,
    converter: Converter,
    encoder: Encoder,
    /// The piece being encoded.
    encoded: Vec<u8>,
    held: HeldQueue,
    reply_rates: server::Rates,
    outbox: Outbox,
    client_stats: Vec<ClientStats>,
    counts: TraceCounts,
    /// Payloads begun and not done: one at most.
    in_work: usize,
    /// Stats that control asked for.
    closed: Option<Vec<stats::ClosedBucket>>,
    spare_counts: LaneCounts,
    /// Why control wants requests refused, if it does.
    shedding: Option<Shedding>,
    /// Whether control is behind with what it was handed.
    is_held: bool,
    /// The worker, while it waits for control.
    waiting: Option<Waker>,
}

/// Encoded bytes that may wait for control; a third of a payload of the intake.
const OUTBOX_BYTES_MAX: usize = 1 << 20;
/// Memory of a batch or decoder that is kept for the next payload.
const KEPT_BYTES_MAX: usize = 16 << 20;
/// Requests of client stats that may wait for control.
const CLIENT_STATS_MAX: usize = 64;

impl Traces {
    pub(crate) fn new(lane: u16, settings: TraceSettings, server: Rc<Server>, now: Now) -> Self {
        Self {
            lane,
            processor: processor(lane, &settings, now),
            reader: Reader::new(&settings),
            batch: Batch::default(),
            pieces: Vec::new(),
            converter: Converter::default(),
            encoder: Encoder::default(),
            encoded: Vec::new(),
            held: HeldQueue::new(settings.held_bytes_max),
            reply_rates: reply_rates(&settings.rates),
            outbox: Outbox::default(),
            client_stats: Vec::new(),
            counts: TraceCounts::default(),
            in_work: 0,
            closed: None,
            spare_counts: LaneCounts::default(),
            shedding: None,
            is_held: false,
            waiting: None,
            server,
            settings,
        }
    }

    /// Starts over after a panic. What was encoded stays; the payload in work, requests and stats
    /// that were not handed over are lost, and counted.
    pub(crate) fn restart(&mut self, now: Now) {
        self.counts.absorb(&mut self.processor);
        self.processor = processor(self.lane, &self.settings, now);
        self.reader = Reader::new(&self.settings);
        self.batch = Batch::default();
        self.in_work = 0;
        self.converter = Converter::default();
        self.encoder = Encoder::default();
        self.encoded = Vec::new();
        self.waiting = None;
    }

    /// Obeys what control says.
    pub(crate) fn obey(&mut self, orders: TraceOrders) {
        if let Some(identity) = orders.identity {
            self.server.set_identity(identity);
        }
        if let Some(rates) = orders.rates {
            self.reply_rates = reply_rates(&rates);
            self.processor.samplers_mut().on_rates(&rates);
            self.settings.rates = rates;
        }
        if let Some(now_ns) = orders.stats_until_ns {
            let closed = self.processor.concentrator_mut().flush(now_ns, orders.is_last);
            self.closed.get_or_insert_default().extend(closed);
        }
        self.spare_counts = orders.spare_counts;
        self.shedding = orders.shedding;
    }

    /// Everything for control since the last handover.
    pub(crate) fn hand_over(&mut self, now: Now) -> TraceHandover {
        self.processor.samplers_mut().on_time(now.unix_us / 1000);
        let spare = std::mem::take(&mut self.spare_counts);
        TraceHandover {
            lane: self.lane,
            traces: self.outbox.take(),
            stats: self.closed.take(),
            client_stats: std::mem::take(&mut self.client_stats),
            sampled: self.processor.samplers_mut().handover(spare),
            counts: self.counts.with(&self.server, &mut self.processor, self.held.counts()),
            pending: self.server.waiting_requests() + self.in_work,
        }
    }

    /// Whether so much is encoded that control should have it now.
    pub(crate) const fn is_full(&self) -> bool {
        self.outbox.bytes() >= OUTBOX_BYTES_MAX
    }

    /// Says whether control is behind; the worker goes on when it is not.
    pub(crate) fn hold(&mut self, is_held: bool) {
        self.is_held = is_held;
        if !self.is_blocked()
            && let Some(worker) = self.waiting.take()
        {
            worker.wake();
        }
    }

    /// Lets payloads go on whose container has tags now, or that have waited long enough; all of
    /// them when `is_last`.
    pub(crate) fn look_for_tags(&mut self, snapshot: &Arc<OriginSnapshot>, is_last: bool) {
        self.held.look(snapshot, self.server.now(), is_last);
    }

    /// Whether nothing may be begun.
    pub(crate) fn is_blocked(&self) -> bool {
        self.is_held || self.is_full() || self.client_stats.len() >= CLIENT_STATS_MAX
    }
}

fn processor(lane: u16, settings: &TraceSettings, now: Now) -> Processor {
    let samplers =
        LaneSamplers::new(Arc::clone(&settings.sampling), usize::from(lane), &settings.rates);
    let now_ns = now.unix_us.saturating_mul(1000);
    let concentrator = Concentrator::new(settings.stats, now_ns);
    Processor::new(Arc::clone(&settings.processing), samplers, concentrator, settings.seed)
        .with_sql_cache(settings.sql_cache_bytes)
}

fn reply_rates(rates: &Rates) -> server::Rates {
    let reply = rates.reply();
    let json = reply.body().to_owned().into();
    (*server::Rates::new(json, reply.version())).clone()
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traces").field("lane", &self.lane).finish_non_exhaustive()
    }
}

impl fmt::Debug for TraceSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceSettings").finish_non_exhaustive()
    }
}
