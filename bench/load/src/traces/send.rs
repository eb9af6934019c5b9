//! Sends a pool of requests, paced or flat out, and counts the answers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::client::Client;
use super::{TracePool, TraceSpec, TraceTally};
use crate::share::{self, Share, Whole, nanoseconds};
use crate::{CpuTime, LoadError};

/// Counts while a load runs, for anyone to read.
#[derive(Debug, Default)]
pub struct TraceProgress {
    /// Requests written.
    pub payloads: AtomicU64,
    /// Spans in these requests.
    pub spans: AtomicU64,
    /// Answers, whatever their status.
    pub answers: AtomicU64,
}

/// What a load sent and what came back, exactly.
///
/// `accepted`, `refused` and `unanswered` add up to everything that was sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceSent {
    /// Answered with 2xx. A receiver that hides refusals behind 200 cannot be seen through, so the
    /// load asks for real statuses.
    pub accepted: TraceTally,
    /// Answered with another status.
    pub refused: TraceTally,
    /// Not answered: the connection ended, or time ran out. The receiver may have taken them.
    pub unanswered: TraceTally,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Connections opened again after they ended.
    pub reconnects: u64,
    /// Wall time until the last answer.
    pub elapsed_ns: u64,
    /// Processor time of all threads.
    pub cpu_ns: u64,
    /// How late the latest paced request left.
    pub lag_max_ns: u64,
    /// What ended a thread before its time.
    pub failures: Vec<String>,
}

impl TraceSent {
    /// Everything that was sent.
    #[must_use]
    pub const fn total(&self) -> TraceTally {
        let mut total = self.accepted;
        total.add(&self.refused);
        total.add(&self.unanswered);
        total
    }

    /// Accepted spans a second.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    pub fn spans_per_sec(&self) -> f64 {
        self.accepted.spans as f64 * 1e9 / self.elapsed_ns.max(1) as f64
    }

    fn merge(&mut self, other: Self) {
        self.accepted.add(&other.accepted);
        self.refused.add(&other.refused);
        self.unanswered.add(&other.unanswered);
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.reconnects += other.reconnects;
        self.elapsed_ns = self.elapsed_ns.max(other.elapsed_ns);
        self.cpu_ns += other.cpu_ns;
        self.lag_max_ns = self.lag_max_ns.max(other.lag_max_ns);
        self.failures.extend(other.failures);
    }
}

/// A trace load that is ready to run.
#[derive(Debug)]
pub struct TraceLoad {
    spec: TraceSpec,
    pool: TracePool,
}

impl TraceLoad {
    /// Builds all requests.
    ///
    /// # Errors
    /// When the specification is out of range.
    pub fn prepare(spec: TraceSpec) -> Result<Self, LoadError> {
        let pool = TracePool::build(&spec)?;
        Ok(Self { spec, pool })
    }

    /// The specification.
    #[must_use]
    pub const fn spec(&self) -> &TraceSpec {
        &self.spec
    }

    /// The requests.
    #[must_use]
    pub const fn pool(&self) -> &TracePool {
        &self.pool
    }

    /// Sends until the limit of the specification or until `stop` is set, waits for the answers
    /// that are due, then returns the counts.
    ///
    /// The threads share the requests of the pool, each sends its own part over and over, on its
    /// connections in turn. A connection that ends is opened again; when that fails, its thread
    /// ends and [`TraceSent::failures`] says so.
    ///
    /// # Errors
    /// When a connection or thread cannot be opened at the start; nothing was sent then.
    pub fn run(&self, stop: &AtomicBool, progress: &TraceProgress) -> Result<TraceSent, LoadError> {
        let spec = &self.spec;
        let whole = Whole {
            threads: spec.threads.min(u32::try_from(self.pool.len()).unwrap_or(u32::MAX)),
            pool_len: self.pool.len(),
            rate: spec.rate,
            units_max: spec.payloads_max,
            duration_ms: spec.duration_ms,
            cpus: &spec.cpus,
        };
        let open = || Client::connect(spec);
        let outcomes = share::run("traces", &whole, spec.connections, open, |share, clients| {
            let sent = TraceSent::default();
            Worker { load: self, progress, clients, share, sent }.run(stop)
        })?;
        let mut sent = TraceSent::default();
        for outcome in outcomes {
            sent.merge(outcome?);
        }
        Ok(sent)
    }
}

/// One thread.
struct Worker<'a> {
    load: &'a TraceLoad,
    progress: &'a TraceProgress,
    clients: Vec<Client>,
    /// Its limit in payloads, its pace in spans.
    share: Share,
    sent: TraceSent,
}

impl Worker<'_> {
    fn run(mut self, stop: &AtomicBool) -> TraceSent {
        let cpu_before = CpuTime::of_thread();
        let started = Instant::now();
        let (mut cursor, mut payloads, mut spans) = (self.share.first, 0, 0);
        let mut turn = 0;
        loop {
            let lag_max_ns = &mut self.sent.lag_max_ns;
            let offset_ns = self.share.wait_for_pace(started, spans, lag_max_ns);
            if stop.load(Ordering::Relaxed) || self.share.is_over(offset_ns, payloads) {
                break;
            }
            if let Err(error) = self.exchange(turn, cursor) {
                self.sent.failures.push(error.to_string());
                break;
            }
            let carried = self.load.pool.tally(cursor).spans;
            payloads += 1;
            spans += carried;
            self.progress.payloads.fetch_add(1, Ordering::Relaxed);
            self.progress.spans.fetch_add(carried, Ordering::Relaxed);
            cursor += 1;
            if cursor == self.share.end {
                cursor = self.share.first;
            }
            turn = (turn + 1) % self.clients.len();
        }
        for step in 0..self.clients.len() {
            let client = (turn + step) % self.clients.len();
            let _is_open = self.settle(client);
        }
        self.sent.elapsed_ns = nanoseconds(started.elapsed());
        self.sent.cpu_ns = CpuTime::of_thread().since(cpu_before).total_ns;
        self.sent
    }

    /// Takes the answer that a connection still waits for and sends the next request on it.
    fn exchange(&mut self, client: usize, request: usize) -> Result<(), LoadError> {
        if !self.settle(client) {
            self.clients[client] = Client::connect(&self.load.spec)?;
            self.sent.reconnects += 1;
        }
        let sending = &mut self.clients[client];
        let is_sent = sending.send(self.load.pool.request(request)).is_ok();
        sending.pending = Some(request);
        sending.is_broken = !is_sent;
        Ok(())
    }

    /// Counts the answer of a connection that waits for one. Returns whether it is still open.
    fn settle(&mut self, client: usize) -> bool {
        let client = &mut self.clients[client];
        let Some(request) = client.pending.take() else { return true };
        let tally = self.load.pool.tally(request);
        match client.answer() {
            Ok(answer) => {
                *self.sent.statuses.entry(answer.status).or_default() += 1;
                self.progress.answers.fetch_add(1, Ordering::Relaxed);
                let is_accepted = (200..300).contains(&answer.status);
                let sum =
                    if is_accepted { &mut self.sent.accepted } else { &mut self.sent.refused };
                sum.add(tally);
                !answer.is_last && !client.is_broken
            }
            Err(_) => {
                self.sent.unanswered.add(tally);
                false
            }
        }
    }
}
