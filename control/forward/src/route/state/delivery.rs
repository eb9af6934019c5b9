//! Choosing the next transaction to send, and acting on what came back.

use std::time::Duration;

use tokio::time::Instant;

use super::{InFlight, RouteState};
use crate::backoff::{Admission, Pass};
use crate::keys::{ApiKey, KeyValidity};
use crate::payload::{Payload, Priority};
use crate::queue::Held;
use crate::route::replay::RecordId;
use crate::stats::DropReason;
use crate::verdict::{Reply, Scope, Verdict, judge};

/// One attempt to make.
#[derive(Clone, Debug)]
pub(crate) struct Sending {
    /// To be handed back with the reply.
    pub(crate) id: u64,
    pub(crate) payload: Payload,
    pub(crate) key: ApiKey,
}

/// Where the next transaction comes from.
enum Pick {
    Memory(u64, Pass),
    Spool(RecordId, Pass),
}

impl RouteState {
    /// The next attempt that may start now.
    ///
    /// High priority first; then memory and disk take turns, each oldest first, so that replay
    /// never takes more than half the slots from live data.
    pub(crate) fn next_send(&mut self, now: Instant) -> Option<Sending> {
        if self.in_flight.len() >= self.in_flight_max {
            return None;
        }
        let Admission::Open(endpoint_pass) = self.endpoint.admit(now) else { return None };
        let (held, record, path_pass) = match self.pick(now)? {
            Pick::Memory(sequence, pass) => {
                self.is_replay_turn = true;
                (self.queue.take(sequence)?, None, pass)
            }
            Pick::Spool(record, pass) => {
                self.is_replay_turn = false;
                let spooling = self.spooling.as_mut()?;
                (spooling.replay.take(record, now)?, Some(record), pass)
            }
        };
        self.endpoint.start(endpoint_pass);
        self.paths.start(&held.payload.path, path_pass);
        let id = self.next_send_id;
        self.next_send_id += 1;
        let sending = Sending { id, payload: held.payload.clone(), key: self.key.clone() };
        let key_epoch = self.key_epoch;
        self.in_flight.insert(id, InFlight { held, record, endpoint_pass, path_pass, key_epoch });
        Some(sending)
    }

    /// When [`RouteState::next_send`] could have something again without any other event.
    pub(crate) fn next_send_at(&self, now: Instant) -> Option<Instant> {
        match self.endpoint.admit(now) {
            Admission::BlockedUntil(until) => return self.has_work().then_some(until),
            Admission::Probing => return None,
            Admission::Open(_) => {}
        }
        let memory = self.queue.iter().filter_map(|held| self.held_until(held, now));
        let replay = self.spooling.as_ref().filter(|_| self.closing.is_none());
        let replay = replay.into_iter().flat_map(|spooling| {
            let ready_at = spooling.replay.ready_at();
            let candidates = spooling.replay.all_candidates();
            candidates.filter_map(move |(_, held)| self.held_until(held, now).max(ready_at))
        });
        memory.chain(replay).filter(|at| *at > now).min()
    }

    /// Acts on the reply to one attempt.
    pub(crate) fn on_reply(&mut self, id: u64, reply: &Reply, now: Instant, now_secs: u64) {
        let Some(flight) = self.in_flight.remove(&id) else { return };
        self.note_reply(reply, now, now_secs);
        let verdict = judge(reply, self.refused_keys);
        if verdict.is_key_refused() {
            if flight.key_epoch != self.key_epoch {
                // The old key was refused; the new one has not been tried.
                self.endpoint.on_abandoned(flight.endpoint_pass);
                self.abandon_path(&flight);
                self.put_back(flight.held, flight.record);
                return;
            }
            self.set_key_validity(self.key_epoch, KeyValidity::Invalid);
        }
        match verdict {
            Verdict::Delivered => self.on_delivered(flight),
            Verdict::Lost(reason) => self.on_lost(flight, reason, now),
            Verdict::Retry { scope, wait_min, .. } => self.on_failed(flight, scope, wait_min, now),
        }
    }

    /// The attempt ended without any reply (its task died): it counts as not tried.
    pub(crate) fn on_vanished(&mut self, id: u64) {
        if let Some(flight) = self.in_flight.remove(&id) {
            self.endpoint.on_abandoned(flight.endpoint_pass);
            self.abandon_path(&flight);
            self.put_back(flight.held, flight.record);
        }
    }

    fn pick(&self, now: Instant) -> Option<Pick> {
        let memory = self.queue.iter().find_map(|held| {
            let pass = self.ready_pass(held, now)?;
            Some((held.payload.priority, Pick::Memory(held.sequence, pass)))
        });
        if let Some((Priority::High, pick)) = memory {
            return Some(pick);
        }
        let replay = self.pick_replay(now);
        match (memory, replay) {
            (Some(_), Some(replay)) if self.is_replay_turn => Some(replay),
            (Some((_, memory)), _) => Some(memory),
            (None, replay) => replay,
        }
    }

    fn pick_replay(&self, now: Instant) -> Option<Pick> {
        // What is on disk is safe; while closing, the time belongs to what is not.
        let spooling = self.spooling.as_ref().filter(|_| self.closing.is_none())?;
        let under_way = self.in_flight.values().filter(|flight| flight.record.is_some()).count();
        if under_way >= (self.in_flight_max / 2).max(1) {
            return None;
        }
        spooling.replay.candidates(now).find_map(|(record, held)| {
            let pass = self.ready_pass(held, now)?;
            Some(Pick::Spool(record, pass))
        })
    }

    fn ready_pass(&self, held: &Held, now: Instant) -> Option<Pass> {
        if held.not_before.is_some_and(|until| until > now) {
            return None;
        }
        match self.paths.admit(&held.payload.path, now) {
            Admission::Open(pass) => Some(pass),
            Admission::BlockedUntil(_) | Admission::Probing => None,
        }
    }

    /// Until when a transaction waits; `None` if it does not wait for time.
    fn held_until(&self, held: &Held, now: Instant) -> Option<Instant> {
        match self.paths.admit(&held.payload.path, now) {
            Admission::BlockedUntil(until) => held.not_before.max(Some(until)),
            Admission::Open(_) | Admission::Probing => held.not_before,
        }
    }

    fn has_work(&self) -> bool {
        let has_replay = self.closing.is_none()
            && self.spooling.as_ref().is_some_and(|spooling| spooling.replay.file_count() > 0);
        !self.queue.is_empty() || has_replay
    }

    fn note_reply(&mut self, reply: &Reply, now: Instant, now_secs: u64) {
        match reply {
            Reply::Answered(answer) => {
                self.totals.count_status(answer.status);
                if let Some(date_secs) = answer.date_secs {
                    let offset = i128::from(date_secs) - i128::from(now_secs);
                    self.clock_offset_secs = i64::try_from(offset).ok();
                }
                if (300..400).contains(&answer.status)
                    && let Some(left_out) = self.loss_log.pass(now)
                {
                    log::warn!(
                        "{}: answered {} to a delivery ({left_out} more since the last such line); \
                         redirects are not followed, set the final url",
                        self.url,
                        answer.status
                    );
                }
                if answer.status >= 400 {
                    self.last_error = match answer.excerpt.trim() {
                        "" => format!("status {}", answer.status),
                        excerpt => format!("status {}: {excerpt}", answer.status),
                    };
                }
            }
            Reply::Failed { error, .. } => {
                self.totals.network_errors += 1;
                self.last_error.clone_from(error);
            }
            Reply::Unsendable { error } => self.last_error.clone_from(error),
            Reply::KeyUnusable => {
                self.last_error = "the api key holds characters no header may hold".to_owned();
            }
        }
    }

    fn on_delivered(&mut self, flight: InFlight) {
        self.note_alive(&flight);
        if self.key_validity == KeyValidity::Invalid && flight.key_epoch == self.key_epoch {
            self.key_validity = KeyValidity::Unknown;
        }
        let payload = &flight.held.payload;
        let body_bytes = payload.body.len() as u64;
        self.totals.sent += 1;
        self.totals.sent_bytes += body_bytes;
        self.totals.sent_points += payload.points;
        let name = self.totals.name(&payload.endpoint_name);
        name.sent += 1;
        name.sent_bytes += body_bytes;
        if (self.totals.sent - 1).is_multiple_of(self.success_log_every) {
            log::info!("{}: {} transactions delivered", self.url, self.totals.sent);
        }
        self.settle(flight);
    }

    fn on_lost(&mut self, flight: InFlight, reason: DropReason, now: Instant) {
        if reason == DropReason::Unsendable {
            // The endpoint was not asked.
            self.endpoint.on_abandoned(flight.endpoint_pass);
            self.abandon_path(&flight);
        } else {
            self.note_alive(&flight);
        }
        let payload = &flight.held.payload;
        self.count_drop(reason, 1, payload.points);
        self.totals.name(&payload.endpoint_name).refused += 1;
        if let Some(left_out) = self.loss_log.pass(now) {
            log::error!(
                "{}{}: transaction of {} bytes dropped ({}), {left_out} more since the last such line",
                self.url,
                payload.path,
                payload.body.len(),
                self.last_error
            );
        }
        self.settle(flight);
    }

    /// The endpoint and the path take requests.
    fn note_alive(&mut self, flight: &InFlight) {
        let was_blocked = self.endpoint.blocked_until().is_some();
        if self.endpoint.on_success(flight.endpoint_pass, &self.rule) {
            self.clear_waits(None);
        }
        if was_blocked && self.endpoint.blocked_until().is_none() {
            log::info!("{}: reachable again", self.url);
            self.failure_log = crate::log_gate::LogGate::default();
        }
        let path = &flight.held.payload.path;
        let rule = self.rule;
        if self.paths.find(path).is_some_and(|path| path.on_success(flight.path_pass, &rule)) {
            self.clear_waits(Some(path));
        }
    }

    fn on_failed(
        &mut self,
        flight: InFlight,
        scope: Scope,
        wait_min: Option<Duration>,
        now: Instant,
    ) {
        let (rule, random) = (self.rule, &mut self.random);
        let path = &flight.held.payload.path;
        match (scope, self.paths.find_or_add(path)) {
            (Scope::Path, Some(breaker)) => {
                breaker.on_failure(flight.path_pass, now, wait_min, &rule, random);
                if self.endpoint.on_success(flight.endpoint_pass, &rule) {
                    self.clear_waits(None);
                }
            }
            (Scope::Endpoint | Scope::Path, breaker) => {
                if let Some(breaker) = breaker {
                    breaker.on_abandoned(flight.path_pass);
                }
                self.endpoint.on_failure(flight.endpoint_pass, now, wait_min, &rule, random);
            }
        }
        self.totals.retried += 1;
        let InFlight { mut held, record, .. } = flight;
        self.totals.name(&held.payload.endpoint_name).retried += 1;
        held.attempts = held.attempts.saturating_add(1);
        // Its own wait, so that one transaction that always fails does not hold the others.
        held.not_before = Some(now + self.rule.delay(held.attempts, &mut self.random));
        self.put_back(held, record);
        self.log_failure(now);
    }

    fn log_failure(&mut self, now: Instant) {
        let Some(left_out) = self.failure_log.pass(now) else { return };
        let wait = self.endpoint.blocked_until();
        let wait_secs = wait.map_or(0, |until| until.saturating_duration_since(now).as_secs());
        log::warn!(
            "{}: delivery failed, next attempt in {wait_secs} s: {} ({} transactions wait, \
             {left_out} more failures since the last such line)",
            self.url,
            self.last_error,
            self.queued().count + self.spooled().count
        );
    }

    fn abandon_path(&mut self, flight: &InFlight) {
        if let Some(path) = self.paths.find(&flight.held.payload.path) {
            path.on_abandoned(flight.path_pass);
        }
    }

    /// A transaction is done with: frees its memory or its place on disk.
    fn settle(&mut self, flight: InFlight) {
        match (flight.record, &mut self.spooling) {
            (Some(record), Some(spooling)) => {
                spooling.settle(record, flight.held.payload.points);
            }
            _ => self.queue.release(&flight.held),
        }
    }
}
