//! The lane's half of the rare sampler: keeps chunks with spans not seen lately. spec: apm §7.5.
//!
//! Tokens are granted by control, so lanes together never exceed the bucket. What one lane stored
//! reaches the others with the next snapshot; until then each may keep one chunk for the same span.

use std::collections::hash_map::Entry;

use crate::hash::{BySignature, Fnv, service_signature};
use crate::rates::RareShare;
use crate::signature::span_hash;
use crate::{RareSettings, Spans};

/// A stored expiry moves only if the new one is later by more than this.
const RENEWAL_SECS: u64 = 60;
/// Most spans that a lane remembers, of 16 to 32 bytes; when full, nothing more is rare.
const SPANS_MAX: usize = 50_000;
/// Most spans told to the other lanes in a handover.
pub(crate) const NEWS_MAX: usize = 4096;
/// A full lane looks for expired spans once in this time.
const SWEEP_INTERVAL_SECS: u64 = 5;

/// A span that a lane stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) service: u32,
    pub(crate) span: u32,
    pub(crate) expiry_secs: u64,
}

/// Tokens for one lane. A lane takes a serial once and keeps what is left until its handover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) serial: u64,
    pub(crate) tokens: u32,
}

#[derive(Debug)]
pub(crate) struct Rare {
    settings: RareSettings,
    is_enabled: bool,
    services: BySignature<Service>,
    spans: usize,
    swept_secs: u64,
    /// Serial of the last news that were stored.
    news: u64,
    pub(crate) grant: Grant,
    pub(crate) demand: u64,
    /// Stored since the last handover.
    pub(crate) fresh: Vec<Seen>,
}

/// Spans of one service and environment.
#[derive(Debug, Default)]
struct Service {
    expiry_secs: BySignature<u64>,
    /// Set once there are too many: hashes are folded to the cardinality from then on.
    is_folded: bool,
}

impl Rare {
    pub(crate) fn new(settings: RareSettings) -> Self {
        Self {
            settings: RareSettings { cardinality: settings.cardinality.max(1), ..settings },
            is_enabled: settings.is_enabled,
            services: BySignature::default(),
            spans: 0,
            swept_secs: 0,
            news: 0,
            grant: Grant::default(),
            demand: 0,
            fresh: Vec::new(),
        }
    }

    pub(crate) const fn is_enabled(&self) -> bool {
        self.is_enabled
    }

    /// Takes what control published: the switch, this lane's tokens, and spans of other lanes.
    pub(crate) fn on_share(&mut self, share: &RareShare, lane: usize) {
        self.is_enabled = share.is_enabled;
        if let Some(grant) = share.grants.get(lane).filter(|grant| grant.serial > self.grant.serial)
        {
            self.grant.serial = grant.serial;
            self.grant.tokens += grant.tokens;
        }
        for (serial, news) in &share.news {
            if *serial > self.news {
                self.news = *serial;
                for &seen in news.iter() {
                    self.store(seen);
                }
            }
        }
    }

    /// The span that makes its chunk rare.
    pub(crate) fn sample<S: Spans>(
        &mut self,
        now_secs: u64,
        env: &str,
        spans: &S,
    ) -> Option<usize> {
        if self.spans >= SPANS_MAX && !self.has_room_after_sweep(now_secs) {
            return None;
        }
        let found = (0..spans.count()).find(|&span| {
            is_counted(spans, span) && self.is_rare(&seen(spans, span, env, now_secs))
        })?;
        let expiry_secs = now_secs.saturating_add(self.settings.cooldown_secs);
        for span in (0..spans.count()).filter(|&span| is_counted(spans, span)) {
            let seen = seen(spans, span, env, expiry_secs);
            if self.store(seen) && self.fresh.len() < NEWS_MAX {
                self.fresh.push(seen);
            }
        }
        Some(found)
    }

    /// Whether the span was not seen lately and a token is left, which is taken. The time is that
    /// of `seen`.
    fn is_rare(&mut self, seen: &Seen) -> bool {
        let stored = self.services.get(&seen.service).and_then(|service| {
            service.expiry_secs.get(&service.key(seen.span, self.settings.cardinality))
        });
        if stored.is_some_and(|&expiry_secs| seen.expiry_secs <= expiry_secs) {
            return false;
        }
        self.demand += 1;
        let has_token = self.grant.tokens > 0;
        self.grant.tokens -= u32::from(has_token);
        has_token
    }

    /// Stores a span; returns whether that changed anything.
    fn store(&mut self, seen: Seen) -> bool {
        if self.spans >= SPANS_MAX {
            return false;
        }
        let cardinality = self.settings.cardinality;
        let service = self.services.entry(seen.service).or_default();
        let before = service.expiry_secs.len();
        match service.expiry_secs.entry(service.key(seen.span, cardinality)) {
            Entry::Occupied(stored)
                if seen.expiry_secs <= stored.get().saturating_add(RENEWAL_SECS) =>
            {
                return false;
            }
            Entry::Occupied(mut stored) => {
                stored.insert(seen.expiry_secs);
            }
            Entry::Vacant(free) => {
                free.insert(seen.expiry_secs);
            }
        }
        if !service.is_folded && service.expiry_secs.len() > cardinality as usize {
            service.fold(cardinality);
        }
        self.spans = self.spans - before + service.expiry_secs.len();
        true
    }

    fn has_room_after_sweep(&mut self, now_secs: u64) -> bool {
        if now_secs.saturating_sub(self.swept_secs) >= SWEEP_INTERVAL_SECS {
            self.swept_secs = now_secs;
            for service in self.services.values_mut() {
                service.expiry_secs.retain(|_, expiry_secs| *expiry_secs >= now_secs);
            }
            self.services.retain(|_, service| !service.expiry_secs.is_empty());
            self.spans = self.services.values().map(|service| service.expiry_secs.len()).sum();
        }
        self.spans < SPANS_MAX
    }
}

impl Service {
    const fn key(&self, span: u32, cardinality: u32) -> u32 {
        if self.is_folded { span % cardinality } else { span }
    }

    fn fold(&mut self, cardinality: u32) {
        let mut folded = BySignature::default();
        for (span, expiry_secs) in self.expiry_secs.drain() {
            let latest: &mut u64 = folded.entry(span % cardinality).or_default();
            *latest = expiry_secs.max(*latest);
        }
        self.expiry_secs = folded;
        self.is_folded = true;
    }
}

fn is_counted<S: Spans>(spans: &S, span: usize) -> bool {
    spans.is_top_level(span) || spans.is_measured(span)
}

fn seen<S: Spans>(spans: &S, span: usize, env: &str, expiry_secs: u64) -> Seen {
    let service = service_signature(spans.service(span), env);
    Seen { service, span: span_hash(spans, span, Fnv::new(), true), expiry_secs }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Span, Trace, request};

    fn rare(tokens: u32) -> Rare {
        let mut rare = Rare::new(RareSettings { is_enabled: true, ..RareSettings::default() });
        rare.grant.tokens = tokens;
        rare
    }

    #[test]
    fn a_span_is_rare_once_in_its_cooldown() {
        let mut rare = rare(50);
        assert_eq!(rare.sample(1000, "prod", &request()), Some(0));
        assert_eq!(rare.sample(1001, "prod", &request()), None);
        assert_eq!(rare.sample(1001, "dev", &request()), Some(0));
        assert_eq!(rare.sample(1300, "prod", &request()), None);
        assert_eq!(rare.sample(1301, "prod", &request()), Some(0));
        assert_eq!(rare.grant.tokens, 47);
    }

    #[test]
    fn all_counted_spans_of_a_rare_chunk_are_stored() {
        let mut rare = rare(50);
        assert_eq!(rare.sample(1000, "prod", &request()), Some(0));
        let query = Trace(vec![request().0[1]]);
        assert_eq!(rare.sample(1000, "prod", &query), None);
        let internal = Trace(vec![Span { name: "render", service: "web", ..Span::default() }]);
        assert_eq!(rare.sample(1000, "prod", &internal), None);
        let measured = Trace(vec![Span { is_measured: true, ..internal.0[0] }]);
        assert_eq!(rare.sample(1000, "prod", &measured), Some(0));
    }

    #[test]
    fn without_a_token_nothing_is_stored() {
        let mut rare = rare(0);
        assert_eq!(rare.sample(1000, "prod", &request()), None);
        assert_eq!((rare.demand, rare.spans), (2, 0));
        rare.grant.tokens = 1;
        assert_eq!(rare.sample(1000, "prod", &request()), Some(0));
    }

    #[test]
    fn an_expiry_moves_by_more_than_a_minute() {
        let mut rare = rare(0);
        let seen = |expiry_secs| Seen { service: 1, span: 2, expiry_secs };
        assert!(rare.store(seen(1000)));
        assert!(!rare.store(seen(1060)));
        assert!(rare.store(seen(1061)));
    }

    #[test]
    fn many_spans_of_a_service_are_folded_once() {
        let mut rare = rare(0);
        for span in 0..200 {
            assert!(rare.store(Seen { service: 1, span: span * 1000, expiry_secs: 1000 }));
        }
        assert_eq!(rare.spans, 200);
        rare.store(Seen { service: 1, span: 7, expiry_secs: 1000 });
        // 1000 is a multiple of 200, so all but the last one fold to 0.
        assert_eq!(rare.spans, 2);
        assert!(!rare.is_rare(&Seen { service: 1, span: 207, expiry_secs: 900 }));
        rare.grant.tokens = 1;
        assert!(rare.is_rare(&Seen { service: 1, span: 208, expiry_secs: 900 }));
    }

    #[test]
    fn memory_is_bounded_and_comes_back() {
        let mut rare = rare(10);
        let count = u32::try_from(SPANS_MAX).expect("fits");
        for service in 0..count + 10 {
            rare.store(Seen { service, span: 1, expiry_secs: 1000 });
        }
        assert_eq!(rare.spans, SPANS_MAX);
        assert_eq!(rare.sample(900, "prod", &request()), None);
        assert_eq!(rare.sample(1001, "prod", &request()), Some(0));
        assert_eq!(rare.spans, 2);
    }
}
