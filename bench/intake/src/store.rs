//! Everything that was received, shared between the server and those who ask.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::acceptance::{Overwrites, Report, context_hash};
use crate::totals::Totals;
use crate::{
    AgentTraces, Check, Event, Exchange, Log, Metadata, Metric, Payload, ReceivedChunk,
    ReceivedSpan, Request, Route, StatsPayload, Violation,
};

/// Distinct contexts that are counted; at most 40 MiB.
pub const CONTEXTS_MAX: usize = 3_000_000;
/// Points whose repetition is noticed, at least; at most 40 MiB.
const OVERWRITE_POINTS_MAX: usize = 1_000_000;
/// Requests, violations and metadata documents kept under [`Keep::Totals`].
const LATEST_MAX: usize = 1000;
/// Violations that are described under [`Keep::All`]; all are counted.
const VIOLATIONS_MAX: usize = 100_000;
/// Bodies whose answer did not reach the client.
const UNANSWERED_MAX: usize = 10_000;

/// How much of what arrives stays in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// All of it: for tests.
    #[default]
    All,
    /// Sums and the latest requests: for long runs.
    Totals,
}

/// What is kept, for reading.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// Series and sketches in order of arrival; empty under [`Keep::Totals`].
    pub metrics: Vec<Metric>,
    /// Events in order of arrival; empty under [`Keep::Totals`].
    pub events: Vec<Event>,
    /// Service checks in order of arrival; empty under [`Keep::Totals`].
    pub checks: Vec<Check>,
    /// Metadata documents; only the latest under [`Keep::Totals`].
    pub metadata: VecDeque<Metadata>,
    /// Chunks of traces in order of arrival; empty under [`Keep::Totals`].
    pub traces: Vec<ReceivedChunk>,
    /// Trace stats in order of arrival; empty under [`Keep::Totals`].
    pub stats: Vec<StatsPayload>,
    /// Logs in order of arrival; empty under [`Keep::Totals`].
    pub logs: Vec<Log>,
    /// Requests, accepted or not; only the latest under [`Keep::Totals`].
    pub requests: VecDeque<Request>,
    /// Broken rules; only the latest under [`Keep::Totals`].
    pub violations: VecDeque<Violation>,
    /// Sums over everything, whatever is kept.
    pub totals: Totals,
}

impl Contents {
    /// All series and sketches of a name.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Metric> + 'a {
        self.metrics.iter().filter(move |metric| &*metric.name == name)
    }

    /// What the metrics of a name counted, see [`Metric::total`].
    #[must_use]
    pub fn total_of(&self, name: &str) -> f64 {
        self.named(name).map(Metric::total).sum()
    }

    /// What the metrics of a name and a tag counted, see [`Metric::total`].
    #[must_use]
    pub fn total_tagged(&self, name: &str, tag: &str) -> f64 {
        self.named(name).filter(|metric| metric.has_tag(tag)).map(Metric::total).sum()
    }

    /// All spans.
    pub fn spans(&self) -> impl Iterator<Item = &ReceivedSpan> + '_ {
        self.traces.iter().flat_map(|chunk| &chunk.spans)
    }

    /// All spans of a service.
    pub fn spans_of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a ReceivedSpan> + 'a {
        self.spans().filter(move |span| &*span.service == service)
    }

    /// All logs of a service.
    pub fn logs_of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a Log> + 'a {
        self.logs.iter().filter(move |log| log.service == service)
    }

    /// Latest host metadata.
    #[must_use]
    pub fn host_metadata(&self) -> Option<&serde_json::Value> {
        self.metadata.iter().rev().find_map(|document| match document {
            Metadata::Host(value) => Some(value),
            Metadata::Other(_) => None,
        })
    }

    /// Requests of a route, accepted or not.
    pub fn requests_to(&self, route: Route) -> impl Iterator<Item = &Request> + '_ {
        self.requests.iter().filter(move |request| request.route == Some(route))
    }
}

/// The shared store of an intake.
#[derive(Debug)]
pub struct Store {
    keep: Keep,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    contents: Contents,
    overwrites: Overwrites,
    contexts: HashSet<u64>,
    unanswered: HashSet<u64>,
}

impl State {
    fn new() -> Self {
        Self {
            contents: Contents::default(),
            overwrites: Overwrites::new(OVERWRITE_POINTS_MAX),
            contexts: HashSet::new(),
            unanswered: HashSet::new(),
        }
    }
}

impl Store {
    /// An empty store.
    #[must_use]
    pub fn new(keep: Keep) -> Self {
        Self { keep, state: Mutex::new(State::new()), changed: Condvar::new() }
    }

    /// Reads the contents in place. The server waits meanwhile: keep it short.
    pub fn read<T>(&self, look: impl FnOnce(&Contents) -> T) -> T {
        look(&self.lock().contents)
    }

    /// Waits until `is_reached` holds, looking again after each request. False after `time_max`.
    pub fn wait_until(
        &self,
        time_max: Duration,
        mut is_reached: impl FnMut(&Contents) -> bool,
    ) -> bool {
        self.wait_for(time_max, |contents| is_reached(contents).then_some(())).is_some()
    }

    /// Waits until `find` gives something, looking again after each request. `None` after
    /// `time_max`.
    pub fn wait_for<T>(
        &self,
        time_max: Duration,
        mut find: impl FnMut(&Contents) -> Option<T>,
    ) -> Option<T> {
        let end = Instant::now() + time_max;
        let mut state = self.lock();
        loop {
            if let Some(found) = find(&state.contents) {
                return Some(found);
            }
            let left = end.checked_duration_since(Instant::now())?;
            state =
                self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// All series and sketches so far.
    #[must_use]
    pub fn metrics(&self) -> Vec<Metric> {
        self.read(|contents| contents.metrics.clone())
    }

    /// All series and sketches of a name so far.
    #[must_use]
    pub fn metrics_named(&self, name: &str) -> Vec<Metric> {
        self.read(|contents| contents.named(name).cloned().collect())
    }

    /// What the metrics of a name counted so far, see [`Metric::total`].
    #[must_use]
    pub fn total_of(&self, name: &str) -> f64 {
        self.read(|contents| contents.total_of(name))
    }

    /// All events so far.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.read(|contents| contents.events.clone())
    }

    /// All service checks so far.
    #[must_use]
    pub fn checks(&self) -> Vec<Check> {
        self.read(|contents| contents.checks.clone())
    }

    /// All chunks of traces so far.
    #[must_use]
    pub fn traces(&self) -> Vec<ReceivedChunk> {
        self.read(|contents| contents.traces.clone())
    }

    /// All spans of a service so far.
    #[must_use]
    pub fn spans_of(&self, service: &str) -> Vec<ReceivedSpan> {
        self.read(|contents| contents.spans_of(service).cloned().collect())
    }

    /// All trace stats so far.
    #[must_use]
    pub fn stats(&self) -> Vec<StatsPayload> {
        self.read(|contents| contents.stats.clone())
    }

    /// All logs so far.
    #[must_use]
    pub fn logs(&self) -> Vec<Log> {
        self.read(|contents| contents.logs.clone())
    }

    /// All logs of a service so far.
    #[must_use]
    pub fn logs_of(&self, service: &str) -> Vec<Log> {
        self.read(|contents| contents.logs_of(service).cloned().collect())
    }

    /// The requests that are kept.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.read(|contents| contents.requests.iter().cloned().collect())
    }

    /// The violations that are kept.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.read(|contents| contents.violations.iter().cloned().collect())
    }

    /// The sums so far.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.read(|contents| contents.totals.clone())
    }

    /// Forgets everything.
    pub fn reset(&self) {
        *self.lock() = State::new();
        self.changed.notify_all();
    }

    /// Takes one request. `report` holds what was found so far; points are checked against earlier
    /// ones here.
    pub(crate) fn record(
        &self,
        mut request: Request,
        payload: Payload,
        mut report: Report,
        body_hash: Option<u64>,
    ) -> Exchange {
        let mut guard = self.lock();
        let state = &mut *guard;
        if let (true, Some(hash)) = (request.is_accepted, body_hash) {
            let is_counted = !payload.metrics.is_empty()
                || payload.traces.is_some()
                || payload.stats.is_some()
                || !payload.logs.is_empty();
            request.is_resent = state.unanswered.contains(&hash) && is_counted;
            if state.unanswered.len() < UNANSWERED_MAX {
                state.unanswered.insert(hash);
            }
        }
        if request.is_accepted && !request.is_resent {
            self.take(state, &request, &payload, &mut report);
        }
        request.violation_count = report.counts().values().sum();
        let contents = &mut state.contents;
        for (rule, count) in report.counts() {
            *contents.totals.violations.entry(*rule).or_default() += count;
        }
        contents.totals.add_request(&request);
        let violations = report.violations().to_vec();
        let violations_max = if self.keep == Keep::All { VIOLATIONS_MAX } else { LATEST_MAX };
        contents.violations.extend(violations.iter().cloned());
        keep_latest(&mut contents.violations, violations_max);
        contents.requests.push_back(request.clone());
        if self.keep == Keep::Totals {
            keep_latest(&mut contents.requests, LATEST_MAX);
        }
        drop(guard);
        self.changed.notify_all();
        Exchange { request, payload, violations }
    }

    /// The answer to a body reached the client, as far as we can know.
    pub(crate) fn mark_answered(&self, body_hash: u64) {
        self.lock().unanswered.remove(&body_hash);
    }

    fn take(&self, state: &mut State, request: &Request, payload: &Payload, report: &mut Report) {
        let contents = &mut state.contents;
        let scope = request.key.as_deref().unwrap_or_default();
        for metric in &payload.metrics {
            contents.totals.overwrites += state.overwrites.record(scope, metric, report);
            contents.totals.add_metric(metric);
            if state.contexts.len() < CONTEXTS_MAX {
                state.contexts.insert(context_hash(metric));
            }
        }
        contents.totals.contexts = state.contexts.len() as u64;
        contents.totals.events += payload.events.len() as u64;
        contents.totals.checks += payload.checks.len() as u64;
        contents.totals.metadata += payload.metadata.len() as u64;
        contents.metadata.extend(payload.metadata.iter().cloned());
        if let Some(traces) = &payload.traces {
            contents.totals.add_traces(traces);
        }
        if let Some(stats) = &payload.stats {
            contents.totals.add_stats(stats);
        }
        contents.totals.add_logs(&payload.logs);
        match self.keep {
            Keep::All => {
                contents.metrics.extend(payload.metrics.iter().cloned());
                contents.events.extend(payload.events.iter().cloned());
                contents.checks.extend(payload.checks.iter().cloned());
                let chunks = payload.traces.iter().flat_map(AgentTraces::chunks);
                contents.traces.extend(chunks.cloned());
                contents.stats.extend(payload.stats.iter().cloned());
                contents.logs.extend(payload.logs.iter().cloned());
            }
            Keep::Totals => keep_latest(&mut contents.metadata, LATEST_MAX),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Identity of a body from one sender on one route.
pub(crate) fn body_hash(key: Option<&str>, route: Route, body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    route.hash(&mut hasher);
    body.hash(&mut hasher);
    hasher.finish()
}

fn keep_latest<T>(queue: &mut VecDeque<T>, count_max: usize) {
    let surplus = queue.len().saturating_sub(count_max);
    queue.drain(..surplus);
}

#[cfg(test)]
mod tests;
