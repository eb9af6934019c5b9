//! One endpoint and key as a state machine: no clock, no socket, no file.
//!
//! The driver tells it what was submitted, what came back and what the disk did, and asks what to
//! send and what to do on disk next. Everything is behind one lock, so that a snapshot of the
//! counters always balances.

mod delivery;
mod spooling;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::paths::PathBreakers;
use super::patience::Patience;
use super::replay::RecordId;
use crate::backoff::{BackoffRule, Breaker, Pass, Random};
use crate::capacity::InputRate;
use crate::keys::{ApiKey, KeyValidity};
use crate::log_gate::LogGate;
use crate::payload::Payload;
use crate::queue::{Held, Queue, QueueLimits};
use crate::settings::RefusedKeys;
use crate::stats::{DropReason, EndpointState, EndpointStats, Totals, Waiting};
use spooling::Spooling;

pub(crate) use spooling::{DiskDone, SpoolRule};

/// What a route is made from.
#[derive(Debug)]
pub(crate) struct RouteRules {
    /// For logs and status.
    pub(crate) url: String,
    pub(crate) slot: usize,
    pub(crate) key: ApiKey,
    pub(crate) in_flight_max: usize,
    pub(crate) memory_bytes_max: u64,
    pub(crate) backoff: BackoffRule,
    pub(crate) refused_keys: RefusedKeys,
    pub(crate) spool: Option<SpoolRule>,
    pub(crate) success_log_every: u64,
    pub(crate) seed: u64,
}

/// The state machine.
#[derive(Debug)]
pub(crate) struct RouteState {
    url: String,
    slot: usize,
    key: ApiKey,
    key_validity: KeyValidity,
    /// Grows with each rotation; late answers to an old key are recognised by it.
    key_epoch: u64,
    in_flight_max: usize,
    success_log_every: u64,
    rule: BackoffRule,
    refused_keys: RefusedKeys,
    random: Random,
    queue: Queue,
    patience: Patience,
    spooling: Option<Spooling>,
    next_sequence: u64,
    next_send_id: u64,
    in_flight: HashMap<u64, InFlight>,
    endpoint: Breaker,
    paths: PathBreakers,
    /// Whether the next normal slot belongs to the disk queue.
    is_replay_turn: bool,
    /// Set when no more transactions are taken.
    closing: Option<DropReason>,
    totals: Totals,
    input: InputRate,
    last_error: String,
    clock_offset_secs: Option<i64>,
    failure_log: LogGate,
    loss_log: LogGate,
}

/// A request under way.
#[derive(Debug)]
struct InFlight {
    held: Held,
    /// Where on disk it came from; `None` is memory.
    record: Option<RecordId>,
    endpoint_pass: Pass,
    path_pass: Pass,
    key_epoch: u64,
}

impl RouteState {
    pub(crate) fn new(rules: RouteRules) -> Self {
        let limits = QueueLimits {
            bytes_max: rules.memory_bytes_max,
            flush_ratio: rules.spool.as_ref().map(|spool| spool.flush_ratio),
        };
        Self {
            url: rules.url,
            slot: rules.slot,
            key_validity: if rules.key.is_zero() {
                KeyValidity::Valid
            } else {
                KeyValidity::Unknown
            },
            key: rules.key,
            key_epoch: 0,
            in_flight_max: rules.in_flight_max.max(1),
            success_log_every: rules.success_log_every.max(1),
            rule: rules.backoff,
            refused_keys: rules.refused_keys,
            random: Random::new(rules.seed),
            queue: Queue::new(limits),
            patience: Patience::new(std::time::Instant::now()),
            spooling: rules.spool.map(Spooling::new),
            next_sequence: 0,
            next_send_id: 0,
            in_flight: HashMap::new(),
            endpoint: Breaker::default(),
            paths: PathBreakers::default(),
            is_replay_turn: false,
            closing: None,
            totals: Totals::default(),
            input: InputRate::default(),
            last_error: String::new(),
            clock_offset_secs: None,
            failure_log: LogGate::default(),
            loss_log: LogGate::default(),
        }
    }

    /// Whether a transaction can be taken without dropping what the disk could still save.
    pub(crate) fn make_room(&mut self, payload: &Payload) -> bool {
        self.closing.is_some() || self.queue.make_room(payload)
    }

    /// How long submitters may be held.
    pub(crate) fn patience(&mut self) -> &mut Patience {
        &mut self.patience
    }

    /// Takes a transaction, or drops it or others at the bound.
    pub(crate) fn submit(&mut self, payload: Payload, now_ms: u64) {
        let body_bytes = payload.body.len() as u64;
        self.totals.submitted += 1;
        self.totals.submitted_bytes += body_bytes;
        let name = self.totals.name(&payload.endpoint_name);
        name.submitted += 1;
        name.submitted_bytes += body_bytes;
        self.input.add(now_ms / 1000, body_bytes);
        if let Some(reason) = self.closing {
            self.count_drop(reason, 1, payload.points);
            return;
        }
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let held = Held { sequence, created_ms: now_ms, attempts: 0, not_before: None, payload };
        for dropped in self.queue.push(held) {
            self.count_drop(DropReason::QueueFull, 1, dropped.payload.points);
        }
    }

    /// The key to use now, with its epoch.
    pub(crate) fn key(&self) -> (ApiKey, u64) {
        (self.key.clone(), self.key_epoch)
    }

    /// Replaces the key; what waited because of the old one goes out at once. Returns whether
    /// the key is a different one.
    pub(crate) fn set_key(&mut self, key: ApiKey) -> bool {
        if key == self.key {
            return false;
        }
        self.key_validity = if key.is_zero() { KeyValidity::Valid } else { KeyValidity::Unknown };
        self.key = key;
        self.key_epoch += 1;
        self.endpoint.clear();
        self.paths.clear();
        self.clear_waits(None);
        true
    }

    /// Notes what the intake said about the key of this epoch.
    pub(crate) fn set_key_validity(&mut self, epoch: u64, validity: KeyValidity) {
        if epoch != self.key_epoch || validity == self.key_validity {
            return;
        }
        if validity == KeyValidity::Invalid {
            log::error!(
                "{}: api key {} was refused; data is kept within the queue bounds, set a valid key",
                self.url,
                self.key
            );
        }
        self.key_validity = validity;
    }

    /// Changes the bounds after the number of keys of the endpoint changed.
    pub(crate) fn set_memory_bytes_max(&mut self, bytes_max: u64) {
        let flush_ratio = self.spooling.as_ref().map(|spooling| spooling.rule.flush_ratio);
        self.queue.set_limits(QueueLimits { bytes_max, flush_ratio });
    }

    /// Takes no more transactions; later ones are dropped for this reason.
    pub(crate) fn close(&mut self, reason: DropReason) {
        self.closing.get_or_insert(reason);
    }

    /// Whether nothing waits in memory and nothing is under way.
    pub(crate) fn is_drained(&self) -> bool {
        self.queue.is_empty() && self.in_flight.is_empty()
    }

    /// Whether the endpoint failed last and has not been reached since.
    pub(crate) fn is_backing_off(&self) -> bool {
        self.endpoint.blocked_until().is_some()
    }

    /// Ends all requests under way as if they had not been tried.
    pub(crate) fn abort_in_flight(&mut self) {
        for (_, flight) in std::mem::take(&mut self.in_flight) {
            self.endpoint.on_abandoned(flight.endpoint_pass);
            if let Some(path) = self.paths.find(&flight.held.payload.path) {
                path.on_abandoned(flight.path_pass);
            }
            self.put_back(flight.held, flight.record);
        }
    }

    /// A snapshot for status.
    pub(crate) fn stats(&self, now: Instant, now_secs: u64) -> EndpointStats {
        let queued = self.queued();
        let spooled = self.spooled();
        let room_bytes = self.room_bytes(&queued, &spooled);
        let left = |until: Instant| until.saturating_duration_since(now);
        EndpointStats {
            url: self.url.clone(),
            key_slot: self.slot,
            key_hint: self.key.to_string(),
            key_validity: self.key_validity,
            totals: self.totals.clone(),
            queued,
            spooled,
            spool_files: self.spooling.as_ref().map_or(0, |spooling| spooling.replay.file_count()),
            in_flight: self.in_flight.len() as u64,
            state: match self.endpoint.blocked_until() {
                None => EndpointState::Open,
                Some(until) => {
                    EndpointState::BackingOff { left: left(until), errors: self.endpoint.errors() }
                }
            },
            last_error: self.last_error.clone(),
            spool_error: self.spooling.as_ref().map_or_else(String::new, |s| s.error.clone()),
            clock_offset_secs: self.clock_offset_secs,
            input_bytes_per_sec: self.input.bytes_per_sec(now_secs),
            room_bytes,
        }
    }

    fn queued(&self) -> Waiting {
        let under_way = self.in_flight.values().filter(|flight| flight.record.is_none());
        let mut queued = self.spooling.as_ref().map(|s| s.writing).unwrap_or_default();
        queued.bytes += self.queue.bytes();
        for held in self.queue.waiting().chain(under_way.map(|flight| &flight.held)) {
            queued.count += 1;
            queued.points += held.payload.points;
        }
        queued
    }

    fn spooled(&self) -> Waiting {
        self.spooling.as_ref().map(|spooling| spooling.replay.waiting()).unwrap_or_default()
    }

    fn room_bytes(&self, queued: &Waiting, spooled: &Waiting) -> u64 {
        let memory = self.queue.bytes_max().saturating_sub(queued.bytes);
        let disk = self.spooling.as_ref().map_or(0, |spooling| spooling.rule.bytes_max);
        memory + disk.saturating_sub(spooled.bytes)
    }

    fn count_drop(&mut self, reason: DropReason, count: u64, points: u64) {
        self.totals.dropped.add(reason, count);
        self.totals.dropped_points += points;
    }

    /// Puts a transaction back to where it came from.
    fn put_back(&mut self, held: Held, record: Option<RecordId>) {
        match (record, &mut self.spooling) {
            (Some(record), Some(spooling)) => spooling.replay.put_back(record, held),
            _ => self.queue.put_back(held),
        }
    }

    fn clear_waits(&mut self, path: Option<&str>) {
        self.queue.clear_waits(path);
        if let Some(spooling) = &mut self.spooling {
            spooling.replay.clear_waits(path);
        }
    }
}

/// How much longer than never the driver may sleep without looking at file ages.
pub(crate) const HOUSEKEEPING_INTERVAL: Duration = Duration::from_secs(600);
