//! One sampler on one lane: counts signatures and follows the published rates. spec: apm §7.2.

use std::sync::Arc;

use super::table::{Slot, Table};
use crate::counts::{Count, Kind, Service};
use crate::hash::service_signature;
use crate::rates::{KindRates, Rates};
use crate::window::{BUCKET_SECS, WINDOW};

/// Live signatures from which on new ones are shrunk. spec: apm §7.4.
pub(crate) const SHRINK_FROM: usize = 100;
/// How many signatures the shrunk ones share.
pub(crate) const SHRUNK: u32 = 100;

/// Counts of one kind between handovers.
#[derive(Debug)]
pub(crate) struct Follower {
    kind: Kind,
    table: Table,
    rates: Arc<KindRates>,
    /// Weight of all lanes in the open bucket at the last snapshot; 0 if that was another bucket.
    open_total: f64,
    /// Weight of this lane in the open bucket: until the last handover, and since then.
    handed: f64,
    since: f64,
    /// Weight of a bucket that ended here and is not in a snapshot yet.
    ended: f64,
    /// Weight since the last handover of signatures that found no room.
    overflow: f64,
    /// Slots that no snapshot knows yet.
    unpublished: usize,
    /// Slot of the last service: chunks of one service come in rows.
    last: usize,
}

impl Follower {
    pub(crate) fn new(kind: Kind, rates: &Rates) -> Self {
        Self {
            kind,
            table: Table::default(),
            rates: Arc::clone(&rates.kinds[kind as usize]),
            open_total: 0.0,
            handed: 0.0,
            since: 0.0,
            ended: 0.0,
            overflow: 0.0,
            unpublished: 0,
            last: 0,
        }
    }

    pub(crate) fn target(&self) -> f64 {
        self.rates.target
    }

    /// Counts a chunk of a service; returns its slot, or `None` if there is no room.
    #[inline]
    pub(crate) fn count_service(
        &mut self,
        bucket: u64,
        name: &str,
        env: &str,
        weight: f64,
    ) -> Option<usize> {
        if !self.table.is_service(self.last, name, env) {
            let signature = service_signature(name, env);
            let found = self.table.find_service(signature, name, env);
            let found = found.or_else(|| {
                let service = Service { name: name.into(), env: env.into() };
                self.insert(Slot::new(signature, Some(Arc::new(service))))
            });
            let Some(found) = found else {
                self.count_overflow(weight);
                return None;
            };
            self.last = found;
        }
        self.count(self.last, bucket, weight);
        Some(self.last)
    }

    /// Counts a chunk by its signature, which is shrunk when there are many. spec: apm §7.4.
    pub(crate) fn count_signature(
        &mut self,
        bucket: u64,
        signature: u32,
        weight: f64,
    ) -> Option<usize> {
        let (signature, is_folded) = self.shrink(signature);
        let found = self.table.find(signature);
        let found = found.or_else(|| {
            let mut slot = Slot::new(signature, None);
            slot.is_folded = is_folded;
            self.insert(slot)
        });
        match found {
            Some(slot) => self.count(slot, bucket, weight),
            None => self.count_overflow(weight),
        }
        found
    }

    /// Rate of a slot, or of what has none. `lanes` is their number.
    pub(crate) fn rate(&mut self, slot: Option<usize>, lanes: u32) -> f64 {
        slot.and_then(|slot| self.table.slot(slot).rate)
            .unwrap_or_else(|| self.rates.default_rate(self.open_estimate(lanes).max(self.ended)))
    }

    /// Ends bucket `previous`: all counts so far are of it.
    pub(crate) fn turn(&mut self, previous: u64, lanes: u32, rows: &mut Vec<Count>) {
        self.ended = self.open_estimate(lanes).max(self.ended);
        self.drain(previous, rows);
        self.open_total = 0.0;
        self.handed = 0.0;
        // What is idle goes after a window, or at once when room is needed.
        let is_full = self.table.slots().len() >= crate::SIGNATURES_MAX;
        let idle_max = if is_full { 0 } else { WINDOW };
        self.retain(|slot| slot.last_bucket + idle_max >= previous);
    }

    /// Moves all counts to `rows`.
    pub(crate) fn drain(&mut self, bucket: u64, rows: &mut Vec<Count>) {
        self.table.drain(self.kind, bucket, rows);
        self.handed += std::mem::replace(&mut self.since, 0.0);
        if self.overflow > 0.0 {
            rows.push(Count {
                bucket,
                weight: std::mem::replace(&mut self.overflow, 0.0),
                service: None,
                signature: None,
                kind: self.kind,
                is_folded: false,
            });
        }
    }

    /// Takes the rates of a snapshot.
    pub(crate) fn on_rates(&mut self, rates: &Rates, bucket: u64) {
        self.rates = Arc::clone(&rates.kinds[self.kind as usize]);
        let open_total = rates.open_totals[self.kind as usize];
        if rates.open_bucket >= bucket {
            self.open_total = open_total;
            self.ended = 0.0;
        } else {
            self.ended = open_total.max(self.ended);
        }
        for slot in self.table.slots_mut() {
            let published = self.rates.rates.get(&slot.signature);
            slot.is_published = published.is_some();
            slot.rate = published.copied().flatten();
        }
        if self.kind != Kind::Priority {
            // Control folded these, or has forgotten them.
            self.retain(|slot| slot.is_published || slot.weight > 0.0);
        }
        self.unpublished = self.table.slots().iter().filter(|slot| !slot.is_published).count();
    }

    #[inline]
    fn count(&mut self, slot: usize, bucket: u64, weight: f64) {
        let slot = self.table.slot(slot);
        slot.weight += weight;
        slot.last_bucket = bucket;
        self.since += weight;
    }

    fn count_overflow(&mut self, weight: f64) {
        self.overflow += weight;
        self.since += weight;
    }

    fn insert(&mut self, mut slot: Slot) -> Option<usize> {
        let published = self.rates.rates.get(&slot.signature);
        slot.is_published = published.is_some();
        slot.rate = published.copied().flatten();
        let is_unpublished = !slot.is_published;
        let position = self.table.insert(slot)?;
        self.unpublished += usize::from(is_unpublished);
        Some(position)
    }

    fn retain(&mut self, is_kept: impl FnMut(&Slot) -> bool) {
        self.table.retain(is_kept);
        self.unpublished = self.table.slots().iter().filter(|slot| !slot.is_published).count();
    }

    fn shrink(&self, signature: u32) -> (u32, bool) {
        let is_alone = match &self.rates.allowed {
            Some(allowed) => allowed.contains_key(&signature),
            // Until control has frozen a list, what is known stays and what is new must fit.
            None => {
                self.rates.rates.len() + self.unpublished < SHRINK_FROM
                    || self.rates.rates.contains_key(&signature)
                    || self.table.find(signature).is_some()
            }
        };
        if is_alone { (signature, false) } else { (signature % SHRUNK, true) }
    }

    /// Weight of all lanes in the open bucket, as far as this lane can tell.
    ///
    /// What the other lanes counted since the last snapshot is not known. A lane that counts no
    /// more than the whole agent was known to see adds its own alone, and so does a lane that
    /// stays within what may be kept anyway. Beyond that it takes it that every lane sees the
    /// same, so that a sudden flood over all lanes is not kept as many times as there are lanes.
    fn open_estimate(&self, lanes: u32) -> f64 {
        let known = self.open_total.max(self.rates.closed_max).max(self.ended);
        let alone = known.max(self.rates.target * BUCKET_SECS);
        let beyond = (self.since - alone).max(0.0);
        let total = self.open_total + self.since + beyond * f64::from(lanes.saturating_sub(1));
        total.max(self.handed + self.since)
    }
}
