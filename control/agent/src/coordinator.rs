//! The coordinator: one thread that flushes in time and serves what others ask of the lanes.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use capture::Request as CaptureRequest;
use config::{Config, keys};
use encode::{Document, encode_document};
use entity::{OriginSnapshot, TaggerState};
use lane::{Command, Output};
use metrics::TopContext;
use naming::Rules;
use origin::Publisher;
use sampling::RemoteSampling;
use signal::FlushedLane;
use status::CaptureKind;

use crate::apm::{self, Apm};
use crate::captures::Captures;
use crate::context_totals::ContextTotal;
use crate::exchanges::Exchanges;
use crate::flush::{FlushTotals, Flusher, SelfReport};
use crate::host_name::Host;
use crate::lanes::Lanes;
use crate::memory_watch::{MemoryChange, MemoryWatch};
use crate::products::Product;
use crate::self_metrics::QueueDuration;
use crate::source::Pulse;

/// What the coordinator is asked for. Each request carries the way back.
pub(crate) enum Request {
    /// All contexts with their recent samples.
    Top(Sender<Vec<TopContext>>),
    /// Samples by context since the start; none if they are not counted.
    ContextTotals(Sender<Option<Vec<ContextTotal>>>),
    /// A flush now, of what is complete.
    Flush(Sender<()>),
    /// A flush now, of everything; whether all of it had left by the deadline.
    FlushAll {
        /// When nobody waits any more.
        deadline: Instant,
        /// Where the answer goes.
        reply: Sender<bool>,
    },
    /// New rules for names and tags, and the filter of the merge.
    Rules(Box<Rules>),
    /// Start a capture; the path of its file.
    StartCapture(CaptureKind, CaptureRequest, Sender<Result<String, String>>),
    /// Stop the capture; the path of its file.
    StopCapture(CaptureKind, Sender<Result<String, String>>),
    /// Origins of a capture that is about to be replayed.
    LoadReplay(TaggerState, Sender<usize>),
    /// Use this configuration for what is made from time to time.
    Configure(Arc<Config>),
    /// Targets of the samplers from remote configuration.
    Sampling(Box<RemoteSampling>),
    /// Flush everything and end.
    Stop {
        /// Whether the open buckets leave too.
        with_open_bucket: bool,
    },
}

/// What the coordinator works with.
pub(crate) struct Coordinator {
    pub(crate) lanes: Lanes,
    pub(crate) flusher: Flusher,
    pub(crate) totals: Arc<Mutex<FlushTotals>>,
    pub(crate) config: Arc<Config>,
    pub(crate) host: Host,
    pub(crate) publisher: Publisher,
    pub(crate) captures: Captures,
    pub(crate) requests: Receiver<Request>,
    pub(crate) bucket_secs: u64,
    pub(crate) histogram_suffixes: Vec<String>,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) memory: MemoryWatch,
    /// Most contexts of a lane.
    pub(crate) lane_contexts_max: usize,
    /// Traces, where they are received.
    pub(crate) apm: Option<Apm>,
    /// What answers requests that lanes hand over.
    pub(crate) exchanges: Option<Exchanges>,
}

/// How often the lanes' own outputs are looked at, and origins refreshed.
const LOOK: Duration = Duration::from_millis(500);
/// The same while spans are handed over, so that few wait in memory.
const BUSY_LOOK: Duration = Duration::from_millis(100);
/// How often the host describes itself.
const METADATA_INTERVAL: Duration = Duration::from_secs(1800);
/// How long a lane may take to see an order that somebody waits for.
const TAKEN_TIMEOUT: Duration = Duration::from_secs(2);
/// Time between two looks while somebody waits for a flush.
const FLUSH_LOOK: Duration = Duration::from_millis(1);
/// How long a listing of contexts may take.
const TOP_TIMEOUT: Duration = Duration::from_secs(10);

impl Coordinator {
    /// A channel for requests.
    pub(crate) fn requests() -> (Sender<Request>, Receiver<Request>) {
        channel()
    }

    /// Runs until a stop is asked for, or nobody is left to ask.
    pub(crate) fn run(mut self) {
        let interval = self.config.secs(keys::FLUSH_INTERVAL_SECS).max(Duration::from_secs(1));
        let mut next_flush = Instant::now() + interval;
        let mut next_metadata = Instant::now();
        let with_open_bucket = loop {
            let now = Instant::now();
            let is_busy = self.apm.as_ref().is_some_and(Apm::is_busy);
            let look = if is_busy { BUSY_LOOK } else { LOOK };
            let wait = look.min(next_flush.saturating_duration_since(now));
            match self.requests.recv_timeout(wait) {
                Ok(Request::Stop { with_open_bucket }) => break with_open_bucket,
                Ok(request) => self.serve(request),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break true,
            }
            self.look();
            if Instant::now() >= next_metadata {
                self.send_metadata();
                next_metadata += METADATA_INTERVAL;
            }
            if Instant::now() >= next_flush {
                self.flush();
                next_flush += interval;
                // After a long pause of the machine, one flush is enough.
                next_flush = next_flush.max(Instant::now());
            }
        };
        self.finish(with_open_bucket);
    }

    fn serve(&mut self, request: Request) {
        match request {
            Request::Top(reply) => {
                reply.send(self.top()).ok();
            }
            Request::ContextTotals(reply) => {
                let held = self.top();
                let counted = self.flusher.context_totals.as_ref();
                reply.send(counted.map(|counted| counted.with_held(&held, unix_secs()))).ok();
            }
            Request::Flush(reply) => {
                self.flush();
                reply.send(()).ok();
            }
            Request::FlushAll { deadline, reply } => {
                let is_done = self.flush_traces(deadline);
                self.flush_with(|lanes, others| lanes.flush_open(others));
                reply.send(is_done).ok();
            }
            Request::Rules(rules) => {
                self.flusher.merger.set_filter(flush_filter(&rules, &self.histogram_suffixes));
                self.tell(|| Command::SetRules(rules.clone()));
            }
            Request::StartCapture(kind, request, reply) => {
                reply.send(self.start_capture(kind, &request)).ok();
            }
            Request::StopCapture(kind, reply) => {
                reply.send(self.captures.stop(kind)).ok();
            }
            Request::LoadReplay(state, reply) => {
                let entities = state.entities.len();
                let snapshot = self.publisher.load_replay(state);
                self.publish(&snapshot);
                // The packets of the replay come next, and need it.
                if !self.lanes.wait_taken(TAKEN_TIMEOUT) {
                    log::warn!("a lane is slow to take the origins of a replay");
                }
                reply.send(entities).ok();
            }
            Request::Configure(config) => {
                self.config = config;
                self.flusher.count_contexts(&self.config);
                if let (Some(apm), Some(exchanges)) = (&mut self.apm, &self.exchanges) {
                    apm.set_proxy_paths(&exchanges.paths());
                }
            }
            Request::Sampling(remote) => {
                if let Some(apm) = &mut self.apm {
                    apm.set_remote_sampling(&remote);
                }
            }
            Request::Stop { .. } => {}
        }
    }

    /// Takes what came by itself: timestamped samples, origins, ended captures.
    fn look(&mut self) {
        self.pulse.seen_unix_secs.store(unix_secs(), Ordering::Relaxed);
        let outputs = self.lanes.outputs();
        self.take(outputs);
        self.order_traces();
        self.watch_memory();
        if let Some(snapshot) = self.publisher.refresh(Instant::now()) {
            self.publish(&snapshot);
        }
        self.captures.look();
    }

    /// Keeps the lanes from growing while the process holds more than its budget.
    fn watch_memory(&mut self) {
        let resident = self.memory.is_on().then(crate::resources::resident_bytes).flatten();
        let Some(change) = resident.and_then(|bytes| self.memory.look(bytes)) else { return };
        let is_over = change == MemoryChange::Exceeded;
        if is_over {
            self.pulse.over_budget_count.fetch_add(1, Ordering::Relaxed);
            log::warn!(
                "{} bytes are resident, more than `corelane.memory_max_bytes`: new contexts are \
                 refused until it is below 90 % of that",
                resident.unwrap_or_default()
            );
        } else {
            log::info!("memory is within its budget again: new contexts are taken");
        }
        let contexts_max = if is_over { 0 } else { self.lane_contexts_max };
        self.tell(|| Command::SetContextsMax(contexts_max));
        self.pulse.is_over_budget.store(is_over, Ordering::Relaxed);
    }

    /// Takes what lanes handed over beside the flushes.
    fn take(&mut self, outputs: Vec<Output>) {
        let timed = self.without_traces(outputs);
        if !timed.is_empty() {
            let mut totals = self.totals();
            // Nothing is closed by it: the cutoff is that of the flush before.
            self.flusher.flush(timed, 0, None, &mut totals);
            self.set_totals(totals);
        }
    }

    /// Hands what concerns traces to its control half. Returns the rest.
    fn without_traces(&mut self, outputs: Vec<Output>) -> Vec<FlushedLane> {
        let mut flushed = Vec::new();
        for output in outputs {
            match output {
                Output::Timed(lane) | Output::Flushed(lane) | Output::Stopped(lane) => {
                    flushed.push(*lane);
                }
                Output::Traces(handover) => {
                    if let Some(apm) = &mut self.apm {
                        apm.take(*handover, Instant::now(), unix_ns());
                    }
                }
                Output::Top(_) | Output::TopEnd => {}
            }
        }
        flushed
    }

    /// Ends a round of the trace pipeline.
    fn order_traces(&mut self) {
        let Some(apm) = &mut self.apm else { return };
        let orders = apm.round(Instant::now(), unix_ns());
        for (index, (lane, orders)) in self.lanes.handles().iter_mut().zip(orders).enumerate() {
            // A lane that is too busy to take them is asked again in the next round.
            if let Err(Command::Traces(orders)) = lane.send(Command::Traces(Box::new(orders))) {
                apm.take_back(index, *orders);
            }
        }
    }

    /// Waits until no payload of traces is in work, and sends what they left. Returns whether that
    /// was done by the deadline.
    fn flush_traces(&mut self, deadline: Instant) -> bool {
        if self.apm.is_none() {
            return true;
        }
        loop {
            let orders = self.apm.as_mut().map(Apm::last_orders).unwrap_or_default();
            let mut asked = 0;
            for (lane, orders) in self.lanes.handles().iter_mut().zip(orders) {
                asked += usize::from(lane.send(Command::Traces(Box::new(orders))).is_ok());
            }
            let (mut answered, mut pending) = (0, 0);
            while answered < asked && Instant::now() < deadline {
                let outputs = self.lanes.outputs();
                if outputs.is_empty() {
                    std::thread::sleep(FLUSH_LOOK);
                }
                for output in &outputs {
                    if let Output::Traces(handover) = output {
                        answered += 1;
                        pending += apm::pending(handover);
                    }
                }
                self.take(outputs);
            }
            let is_late = Instant::now() >= deadline;
            if pending == 0 || is_late {
                if let Some(apm) = &mut self.apm {
                    apm.finish(unix_ns());
                }
                return answered >= asked && pending == 0;
            }
            std::thread::sleep(FLUSH_LOOK);
        }
    }

    fn flush(&mut self) {
        let now_secs = unix_secs();
        let cutoff_secs = now_secs - now_secs % self.bucket_secs;
        self.flush_with(|lanes, others| lanes.flush(cutoff_secs, others));
    }

    /// A flush of what `ask` gets from the lanes.
    fn flush_with(
        &mut self,
        ask: impl FnOnce(&Lanes, &mut Vec<Output>) -> (Vec<FlushedLane>, usize),
    ) {
        let started = Instant::now();
        let now_secs = unix_secs();
        let cutoff_secs = now_secs - now_secs % self.bucket_secs;
        let mut others = Vec::new();
        let (flushed, late) = ask(&self.lanes, &mut others);
        self.take(others);
        if late > 0 {
            log::warn!("{late} lanes did not answer a flush in time; their data follows");
        }
        // Two points of one second would overwrite each other.
        let mut totals = self.totals();
        let report = (totals.last_unix_secs < now_secs).then(|| self.self_report(now_secs));
        self.flusher.flush(flushed, cutoff_secs, report, &mut totals);
        totals.count += 1;
        totals.last_unix_secs = now_secs;
        totals.late_lanes += late as u64;
        totals.last_duration = started.elapsed();
        self.set_totals(totals);
    }

    /// What all flushes came to, to be added to: a flush of many contexts takes seconds, in which
    /// `status` reads what was before.
    fn totals(&self) -> FlushTotals {
        totals(&self.totals).clone()
    }

    fn set_totals(&self, new: FlushTotals) {
        *totals(&self.totals) = new;
    }

    /// The last flush: the lanes end, and what they still held leaves.
    fn finish(mut self, with_open_bucket: bool) {
        for kind in [CaptureKind::Packets, CaptureKind::Requests] {
            // Most often none is under way.
            drop(self.captures.stop(kind));
        }
        let outputs = self.lanes.stop(with_open_bucket);
        let lanes = self.without_traces(outputs);
        if let Some(exchanges) = self.exchanges.take() {
            exchanges.join();
        }
        if let Some(apm) = &mut self.apm {
            apm.finish(unix_ns());
        }
        let now_secs = unix_secs();
        let closed = now_secs - now_secs % self.bucket_secs;
        let cutoff_secs = if with_open_bucket { closed + self.bucket_secs } else { closed };
        let mut totals = self.totals();
        self.flusher.flush(lanes, cutoff_secs, None, &mut totals);
        totals.count += 1;
        totals.last_unix_secs = now_secs;
        self.set_totals(totals);
        // Both at once: each has the stop budget.
        std::thread::scope(|scope| {
            if let Some(apm) = &self.apm {
                scope.spawn(|| apm.stop());
            }
            self.flusher.delivery.stop();
        });
    }

    fn send_metadata(&mut self) {
        if !self.config.bool(keys::ENABLE_METADATA_COLLECTION) {
            return;
        }
        let document = self.host.metadata(&self.config);
        let sent = self.flusher.delivery.send_each(|settings, out| {
            encode_document(Document::Host, &document, settings).map(out)
        });
        if let Some(Err(error)) = sent {
            totals(&self.totals).documents_dropped += 1;
            log::warn!("host metadata is not sent: {error}");
        }
    }

    fn self_report(&mut self, now_secs: u64) -> SelfReport {
        let interval = self.config.secs(keys::FLUSH_INTERVAL_SECS).as_secs().max(1);
        let interval_secs = u32::try_from(interval).unwrap_or(u32::MAX);
        let mut traces = self.apm.as_mut().map(|apm| apm.series(interval_secs)).unwrap_or_default();
        if let Some(exchanges) = &self.exchanges {
            traces.extend(exchanges.series(interval_secs));
        }
        let stats = self.flusher.delivery.stats();
        let endpoints = || stats.iter().flat_map(|stats| &stats.endpoints);
        SelfReport {
            now_secs,
            payloads_dropped: endpoints().map(|one| one.totals.dropped.total()).sum(),
            queues: QueueDuration::of(endpoints()),
            traces,
            interval_secs,
        }
    }

    fn top(&mut self) -> Vec<TopContext> {
        let asked = {
            let count = self.lanes.handles().len();
            count - self.lanes.tell(|| Command::Top)
        };
        let deadline = Instant::now() + TOP_TIMEOUT;
        let (mut contexts, mut ended, mut others) = (Vec::new(), 0, Vec::new());
        while ended < asked && Instant::now() < deadline {
            let outputs = self.lanes.outputs();
            if outputs.is_empty() {
                std::thread::sleep(Duration::from_millis(1));
            }
            for output in outputs {
                match output {
                    Output::Top(part) => contexts.extend(part),
                    Output::TopEnd => ended += 1,
                    other @ (Output::Flushed(_)
                    | Output::Timed(_)
                    | Output::Traces(_)
                    | Output::Stopped(_)) => others.push(other),
                }
            }
        }
        self.take(others);
        contexts
    }

    fn start_capture(
        &mut self,
        kind: CaptureKind,
        request: &CaptureRequest,
    ) -> Result<String, String> {
        let needs_traces = kind == CaptureKind::Requests && Product::Traces.is_built();
        if needs_traces && self.apm.is_none() {
            return Err("no traces are received: apm_config.enabled is false".to_owned());
        }
        let snapshot = self.publisher.current();
        let started = self.captures.start(kind, request, snapshot)?;
        self.tell(started.command);
        // What is sent once this is answered is to be in the file.
        if !self.lanes.wait_taken(TAKEN_TIMEOUT) {
            log::warn!("a lane is slow to take part in a capture");
        }
        Ok(started.path)
    }

    fn publish(&self, snapshot: &Arc<OriginSnapshot>) {
        self.tell(|| Command::SetSnapshot(Arc::clone(snapshot)));
    }

    fn tell(&self, command: impl FnMut() -> Command) {
        let refused = self.lanes.tell(command);
        if refused > 0 {
            log::warn!("{refused} lanes are too busy to take a command");
        }
    }
}

/// The filter that the merge applies to the names of histogram series.
pub(crate) fn flush_filter(rules: &Rules, suffixes: &[String]) -> Option<merge::NameFilter> {
    let list = rules.flush_filter(suffixes);
    if list.is_empty() {
        return None;
    }
    Some(Arc::new(move |name: &str| list.matches(name)))
}

pub(crate) fn totals(totals: &Mutex<FlushTotals>) -> std::sync::MutexGuard<'_, FlushTotals> {
    totals.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Unix time in nanoseconds.
pub(crate) fn unix_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Unix time in seconds.
pub(crate) fn unix_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
