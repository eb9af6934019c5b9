//! The control half: sums the counts of all lanes, computes the rates, publishes snapshots.

mod catalog;
mod ledger;
mod tokens;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::counts::{Count, Kind};
use crate::events::SCORE_DECAY;
use crate::rare::{NEWS_MAX, Seen};
use crate::rates::{KindRates, RareShare};
use crate::reply::RatesReply;
use crate::settings::target_or_zero;
use crate::window::WINDOW;
use crate::{
    LaneCounts, Rates, RemoteSampling, RemoteTargets, SamplingSettings, Tallies, bucket_at,
};

use catalog::Catalog;
use ledger::Ledger;
use tokens::Tokens;

/// After a pause of this many buckets everything is forgotten at once; every rate would be back at
/// 1 long before.
const PAUSE_MAX: u64 = 256;
/// Ticks for which spans of the rare sampler are told to lanes, so that a lane may miss some.
const NEWS_TICKS: usize = 4;

/// Rates over all lanes.
#[derive(Debug)]
pub struct Rater {
    settings: Arc<SamplingSettings>,
    ledgers: [Ledger; 3],
    catalog: Catalog,
    tokens: Tokens,
    is_rare_enabled: bool,
    news: VecDeque<(u64, Arc<[Seen]>)>,
    event_score: f64,
    event_secs: Option<u64>,
    tallies: Tallies,
    /// Rows of the handovers since the last tick.
    rows: Vec<Count>,
    fresh: Vec<Seen>,
    open: Option<u64>,
    tick: u64,
    versions: u64,
    is_reply_due: bool,
    has_news: bool,
    rates: Arc<Rates>,
}

impl Rater {
    /// A rater for a fixed number of lanes.
    pub fn new(settings: Arc<SamplingSettings>, lanes: usize) -> Self {
        let targets = [settings.target_tps, settings.target_tps, settings.errors_tps];
        let targets = targets.map(target_or_zero);
        let tokens = Tokens::new(settings.rare, lanes);
        let rates = Rates {
            kinds: targets.map(|target| Arc::new(KindRates::new(target))),
            open_bucket: 0,
            open_totals: [0.0; 3],
            lanes: u32::try_from(lanes).unwrap_or(u32::MAX),
            rare: RareShare {
                is_enabled: settings.rare.is_enabled,
                grants: tokens.grants(),
                news: VecDeque::new(),
            },
            event_score: 0.0,
            reply: Arc::new(RatesReply::empty()),
        };
        Self {
            ledgers: Kind::ALL
                .map(|kind| Ledger::new(kind, targets[kind as usize], settings.extra_rate)),
            catalog: Catalog::new(settings.catalog_entries_max, &settings.agent_env),
            tokens,
            is_rare_enabled: settings.rare.is_enabled,
            news: VecDeque::new(),
            event_score: 0.0,
            event_secs: None,
            tallies: Tallies::default(),
            rows: Vec::new(),
            fresh: Vec::new(),
            open: None,
            tick: 0,
            versions: 0,
            is_reply_due: false,
            has_news: false,
            rates: Arc::new(rates),
            settings,
        }
    }

    /// Takes the counts of one lane and empties them, so that they can go back to it.
    pub fn absorb(&mut self, counts: &mut LaneCounts) {
        self.has_news |= !counts.is_empty() || counts.rare.demand > 0;
        self.rows.append(&mut counts.rows);
        self.tokens.give_back(counts.lane, &counts.rare);
        let room = NEWS_MAX.saturating_sub(self.fresh.len());
        self.fresh.extend(counts.rare.seen.drain(..).take(room));
        self.event_score += counts.events_seen;
        self.tallies.add(&counts.tallies);
        counts.clear();
    }

    /// Says the time in Unix milliseconds, after the handovers of all lanes: closes the buckets
    /// that ended and returns a snapshot for all lanes if there is anything new.
    pub fn tick(&mut self, now_ms: u64) -> Option<Arc<Rates>> {
        self.tick += 1;
        let open = self.count_rows(bucket_at(now_ms));
        self.catalog.evict();
        self.decay_events(now_ms / 1000);
        self.tokens.refill(now_ms);
        self.tokens.deal();
        self.share_news();
        if self.is_reply_due {
            self.is_reply_due = false;
            self.renew_reply(open, now_ms / 1000);
        }
        let is_due = std::mem::take(&mut self.has_news)
            || self.ledgers.iter().any(|ledger| ledger.is_changed);
        is_due.then(|| self.publish(open))
    }

    /// Sets targets from remote configuration; the default of [`RemoteSampling`] goes back to the
    /// local ones. Takes effect with the next tick. spec: apm §7.8.
    pub fn set_remote(&mut self, remote: &RemoteSampling) {
        let own = remote.by_env.iter().find(|(env, _)| *env == self.settings.agent_env);
        let own = own.map(|&(_, targets)| targets).unwrap_or_default();
        let RemoteTargets { target_tps, errors_tps, is_rare_enabled } = remote.all_envs;
        let is_number = |tps: &f64| tps.is_finite();
        let target_tps = own.target_tps.or(target_tps).filter(is_number);
        let target_tps = target_tps.map(|tps| tps.min(self.settings.remote_tps_max));
        let target_tps = target_tps.unwrap_or(self.settings.target_tps);
        let errors_tps = own.errors_tps.or(errors_tps).filter(is_number);
        let errors_tps = errors_tps.unwrap_or(self.settings.errors_tps);
        self.ledgers[Kind::Priority as usize].retarget(target_or_zero(target_tps));
        self.ledgers[Kind::Errors as usize].retarget(target_or_zero(errors_tps));
        let is_rare_enabled = own.is_rare_enabled.or(is_rare_enabled);
        self.is_rare_enabled = is_rare_enabled.unwrap_or(self.settings.rare.is_enabled);
        self.is_reply_due |= self.open.is_some() && !self.rates.reply.version().is_empty();
        self.has_news = true;
    }

    /// The last snapshot.
    pub const fn rates(&self) -> &Arc<Rates> {
        &self.rates
    }

    /// What all lanes saw and kept so far, as of their last handovers.
    pub const fn tallies(&self) -> &Tallies {
        &self.tallies
    }

    /// Services in the catalog.
    pub fn catalog_entries(&self) -> usize {
        self.catalog.len()
    }

    /// Counts the rows of all lanes in their buckets, closing one bucket after the other up to
    /// `now`. Returns the bucket that is open then.
    fn count_rows(&mut self, now: u64) -> u64 {
        let mut rows = std::mem::take(&mut self.rows);
        rows.sort_by_key(|row| row.bucket);
        let oldest = now.saturating_sub(WINDOW - 1);
        let first = rows.first().map_or(now, |row| row.bucket.clamp(oldest, now));
        let mut open = self.open.unwrap_or(first);
        // Time may not run backwards: the open bucket stays open.
        let now = now.max(open);
        if now - open > PAUSE_MAX {
            self.ledgers.iter_mut().for_each(Ledger::forget);
            self.is_reply_due |= !self.rates.reply.version().is_empty();
            open = now;
        }
        let mut left = rows.drain(..).peekable();
        loop {
            while let Some(row) = left.next_if(|row| row.bucket <= open || open == now) {
                self.count_row(row, open);
            }
            self.ledgers.iter_mut().for_each(Ledger::settle);
            if open == now {
                break;
            }
            for ledger in &mut self.ledgers {
                ledger.close(open);
                ledger.settle();
            }
            self.is_reply_due |= !self.rates.reply.version().is_empty();
            open += 1;
        }
        drop(left);
        self.rows = rows;
        self.open = Some(open);
        open
    }

    fn count_row(&mut self, row: Count, open: u64) {
        // A lane ahead of control counts in the bucket that control thinks is open.
        let bucket = row.bucket.min(open);
        if bucket + WINDOW <= open {
            self.tallies.late += 1;
            return;
        }
        let ledger = &mut self.ledgers[row.kind as usize];
        let has_room = ledger.count(bucket, row.signature, row.is_folded, row.weight);
        if let Some(signature) = row.signature {
            self.tallies.overflowed += u64::from(!has_room);
            if let (true, Some(service)) = (has_room, row.service) {
                self.catalog.register(service, signature, self.tick);
                // The first trace makes the first reply.
                self.is_reply_due |= self.rates.reply.version().is_empty();
            }
        }
    }

    fn decay_events(&mut self, now_secs: u64) {
        let before = self.event_secs.unwrap_or(now_secs);
        let elapsed = i32::try_from(now_secs.saturating_sub(before)).unwrap_or(i32::MAX);
        self.event_score /= SCORE_DECAY.powi(elapsed);
        self.event_secs = Some(now_secs.max(before));
    }

    fn share_news(&mut self) {
        if self.fresh.is_empty() {
            return;
        }
        if self.news.len() >= NEWS_TICKS {
            self.news.pop_front();
        }
        self.news.push_back((self.tick, Arc::from(&self.fresh[..])));
        self.fresh.clear();
    }

    fn renew_reply(&mut self, open: u64, now_secs: u64) {
        let ledger = &self.ledgers[Kind::Priority as usize];
        let default = ledger.publish(open).default_rate(ledger.total(open));
        let rates = self.catalog.rates(ledger, default);
        let Some(reply) = self.rates.reply.changed(rates, now_secs, self.versions + 1) else {
            return;
        };
        self.versions += 1;
        self.has_news = true;
        Arc::make_mut(&mut self.rates).reply = Arc::new(reply);
    }

    fn publish(&mut self, open: u64) -> Arc<Rates> {
        let mut kinds = self.rates.kinds.clone();
        for (rates, ledger) in kinds.iter_mut().zip(&mut self.ledgers) {
            if std::mem::take(&mut ledger.is_changed) {
                *rates = Arc::new(ledger.publish(open));
            }
        }
        self.rates = Arc::new(Rates {
            kinds,
            open_bucket: open,
            open_totals: Kind::ALL.map(|kind| self.ledgers[kind as usize].total(open)),
            lanes: self.rates.lanes,
            rare: RareShare {
                is_enabled: self.is_rare_enabled,
                grants: self.tokens.grants(),
                news: self.news.clone(),
            },
            event_score: self.event_score,
            reply: Arc::clone(&self.rates.reply),
        });
        Arc::clone(&self.rates)
    }
}

#[cfg(test)]
mod tests;
