//! The lane half: decides chunks now, counts for control. spec: apm §7.1.

mod follower;
mod table;

use std::sync::Arc;

use crate::counts::Kind;
use crate::decision::{
    ERRORS_RATE, MECHANISM_PROBABILISTIC, NO_PRIORITY_RATE, PRIORITY_RATE, PROBABILISTIC_RATE,
};
use crate::events::Events;
use crate::hash::is_kept_at;
use crate::probabilistic::Probabilistic;
use crate::rare::Rare;
use crate::signature::chunk_signature;
use crate::{
    Chunk, Decision, Event, LaneCounts, Leaving, PRIORITY_NONE, PRIORITY_USER_KEEP, Rates, Sampler,
    SamplingSettings, Spans, bucket_at,
};

use follower::Follower;
pub(crate) use follower::{SHRINK_FROM, SHRUNK};

/// Priority of a chunk whose user wants it dropped.
const PRIORITY_USER_DROP: i32 = -1;
/// Decision maker of a priority that the user set by hand.
const MANUAL: &str = "-4";

/// All samplers of one lane. Knows no clock: the caller says the time once per batch.
#[derive(Debug)]
pub struct LaneSamplers {
    settings: Arc<SamplingSettings>,
    lane: usize,
    lanes: u32,
    bucket: u64,
    now_secs: u64,
    followers: [Follower; 3],
    rare: Rare,
    probabilistic: Option<Probabilistic>,
    events: Events,
    counts: LaneCounts,
    span_hashes: Vec<u32>,
}

/// What the samplers of whole chunks say, before single spans and events.
#[derive(Clone, Copy, Debug, Default)]
struct Verdict {
    kept_by: Option<Sampler>,
    root_metric: Option<(&'static str, f64)>,
}

impl LaneSamplers {
    /// Samplers of lane number `lane`, from 0, that begin with the rates of control.
    pub fn new(settings: Arc<SamplingSettings>, lane: usize, rates: &Rates) -> Self {
        let probabilistic = settings.probabilistic;
        let mut samplers = Self {
            lane,
            lanes: rates.lanes,
            bucket: 0,
            now_secs: 0,
            followers: Kind::ALL.map(|kind| Follower::new(kind, rates)),
            rare: Rare::new(settings.rare),
            probabilistic: probabilistic.is_enabled.then(|| Probabilistic::new(probabilistic)),
            events: Events::new(&settings.events),
            counts: LaneCounts { lane, ..LaneCounts::default() },
            span_hashes: Vec::new(),
            settings,
        };
        samplers.on_rates(rates);
        samplers
    }

    /// Says the time in Unix milliseconds; once per batch is enough. Returns whether a bucket
    /// ended, so that a handover is due. A time before the last one is ignored.
    pub fn on_time(&mut self, now_ms: u64) -> bool {
        let bucket = bucket_at(now_ms);
        self.now_secs = self.now_secs.max(now_ms / 1000);
        if bucket <= self.bucket {
            return false;
        }
        let previous = std::mem::replace(&mut self.bucket, bucket);
        for follower in &mut self.followers {
            follower.turn(previous, self.lanes, &mut self.counts.rows);
        }
        self.counts.forget_before_window(bucket);
        previous > 0
    }

    /// Takes a snapshot of control.
    pub fn on_rates(&mut self, rates: &Rates) {
        self.lanes = rates.lanes;
        for follower in &mut self.followers {
            follower.on_rates(rates, self.bucket);
        }
        self.rare.on_share(&rates.rare, self.lane);
        self.events.on_score(rates.event_score);
    }

    /// Hands over everything counted so far and goes on counting into `spare`, an emptied one that
    /// control gave back, or a new one. At any time, at least once per bucket.
    pub fn handover(&mut self, spare: LaneCounts) -> LaneCounts {
        for follower in &mut self.followers {
            follower.drain(self.bucket, &mut self.counts.rows);
        }
        self.counts.events_seen = self.events.take_seen();
        let report = &mut self.counts.rare;
        std::mem::swap(&mut report.seen, &mut self.rare.fresh);
        report.tokens = std::mem::replace(&mut self.rare.grant.tokens, 0);
        report.demand = std::mem::replace(&mut self.rare.demand, 0);
        report.serial = self.rare.grant.serial;
        let mut spare = spare;
        spare.clear();
        spare.lane = self.lane;
        std::mem::swap(&mut self.rare.fresh, &mut spare.rare.seen);
        std::mem::replace(&mut self.counts, spare)
    }

    /// Decides a chunk. Its events, if it has any, are in [`Self::events`] until the next call.
    #[inline]
    pub fn decide<S: Spans>(&mut self, chunk: &Chunk<'_>, spans: &S) -> Decision {
        self.events.found.clear();
        if chunk.root >= spans.count() {
            return Decision::dropped(Leaving::Nothing);
        }
        if self.settings.is_error_tracking_standalone {
            return self.decide_for_error_tracking(chunk, spans);
        }
        // Before anything else, so that what is kept for other reasons counts as seen.
        let rare_span = if self.rare.is_enabled() {
            let found = self.rare.sample(self.now_secs, chunk.env, spans);
            self.counts.tallies.record(Sampler::Rare, found.is_some());
            found
        } else {
            None
        };
        let mut decision = if let Some(probabilistic) = self.probabilistic {
            self.decide_by_share(&probabilistic, chunk, spans, rare_span.is_some())
        } else if self.is_dropped_by_client(chunk) {
            return self.rest(
                Decision { rare_span, ..Decision::dropped(Leaving::Nothing) },
                chunk,
                spans,
            );
        } else {
            self.decide_by_priority(chunk, spans, rare_span.is_some())
        };
        decision.rare_span = rare_span;
        self.events.extract(chunk, spans);
        if decision.is_kept() { decision } else { self.rest(decision, chunk, spans) }
    }

    /// Events of the last decided chunk: all of them are marked, whether or not the trace is kept.
    pub fn events(&self) -> &[Event] {
        &self.events.found
    }

    fn is_dropped_by_client(&self, chunk: &Chunk<'_>) -> bool {
        if self.settings.is_tracer_drop_sampled {
            chunk.priority == PRIORITY_USER_DROP && chunk.decision_maker == Some(MANUAL)
        } else {
            chunk.priority < 0 && chunk.priority != PRIORITY_NONE
        }
    }

    #[inline]
    fn decide_by_priority<S: Spans>(
        &mut self,
        chunk: &Chunk<'_>,
        spans: &S,
        is_rare: bool,
    ) -> Decision {
        if is_rare {
            return Decision::of(Verdict { kept_by: Some(Sampler::Rare), root_metric: None });
        }
        let mut verdict = if chunk.priority == PRIORITY_NONE {
            self.score(Kind::NoPriority, chunk, spans)
        } else {
            self.follow_tracer(chunk, spans)
        };
        if verdict.kept_by.is_none() && chunk.has_error {
            verdict = self.score(Kind::Errors, chunk, spans);
        }
        Decision::of(verdict)
    }

    /// The probabilistic sampler in the place of the priority samplers.
    fn decide_by_share<S: Spans>(
        &mut self,
        probabilistic: &Probabilistic,
        chunk: &Chunk<'_>,
        spans: &S,
        is_rare: bool,
    ) -> Decision {
        let mut mechanism = None;
        let verdict = if is_rare {
            Verdict { kept_by: Some(Sampler::Rare), root_metric: None }
        } else {
            let rate = probabilistic.sample(chunk);
            self.counts.tallies.record(Sampler::Probabilistic, rate.is_some());
            if let Some(rate) = rate {
                mechanism = Some(MECHANISM_PROBABILISTIC);
                let root_metric = Some((PROBABILISTIC_RATE, rate));
                Verdict { kept_by: Some(Sampler::Probabilistic), root_metric }
            } else if chunk.has_error {
                self.score(Kind::Errors, chunk, spans)
            } else {
                Verdict::default()
            }
        };
        let decision = Decision::of(verdict);
        Decision { mechanism, priority: Some(i32::from(decision.is_kept())), ..decision }
    }

    /// Error tracking standalone: errors alone, no single spans, no events. spec: apm §6.8.
    fn decide_for_error_tracking<S: Spans>(&mut self, chunk: &Chunk<'_>, spans: &S) -> Decision {
        let has_error =
            chunk.has_error || (0..spans.count()).any(|span| spans.has_exception_event(span));
        if !has_error {
            return Decision::dropped(Leaving::Nothing);
        }
        let verdict = self.score(Kind::Errors, chunk, spans);
        Decision { is_error_tracking: true, ..Decision::of(verdict) }
    }

    /// The priority sampler: does what the tracer says, and counts what rates can influence.
    /// spec: apm §7.3.
    #[inline]
    fn follow_tracer<S: Spans>(&mut self, chunk: &Chunk<'_>, spans: &S) -> Verdict {
        let is_kept = chunk.priority > 0;
        self.counts.tallies.record(Sampler::Priority, is_kept);
        let kept_by = is_kept.then_some(Sampler::Priority);
        if !matches!(chunk.priority, 0 | 1) {
            return Verdict { kept_by, root_metric: None };
        }
        let env = if chunk.env.is_empty() { &*self.settings.agent_env } else { chunk.env };
        let follower = &mut self.followers[Kind::Priority as usize];
        let service = spans.service(chunk.root);
        let slot = follower.count_service(self.bucket, service, env, chunk.weight_with_dropped());
        self.counts.tallies.overflowed += u64::from(slot.is_none());
        let is_rate_wanted = is_kept && !chunk.has_remote_parent && !chunk.has_priority_rate;
        let root_metric = is_rate_wanted.then(|| (PRIORITY_RATE, follower.rate(slot, self.lanes)));
        Verdict { kept_by, root_metric }
    }

    /// The no-priority and errors samplers. spec: apm §7.4.
    fn score<S: Spans>(&mut self, kind: Kind, chunk: &Chunk<'_>, spans: &S) -> Verdict {
        let follower = &mut self.followers[kind as usize];
        let (sampler, metric) = match kind {
            Kind::Errors => (Sampler::Errors, ERRORS_RATE),
            Kind::Priority | Kind::NoPriority => (Sampler::NoPriority, NO_PRIORITY_RATE),
        };
        // A target of 0 turns the errors sampler off; without priorities it just keeps nothing.
        if kind == Kind::Errors && follower.target() <= 0.0 {
            return Verdict::default();
        }
        let signature = chunk_signature(spans, chunk.root, chunk.env, &mut self.span_hashes);
        let slot = follower.count_signature(self.bucket, signature, chunk.weight());
        self.counts.tallies.overflowed += u64::from(slot.is_none());
        let rate = follower.rate(slot, self.lanes);
        let is_kept = is_kept_at(chunk.trace_id, chunk.client_rate() * rate);
        self.counts.tallies.record(sampler, is_kept);
        if !is_kept {
            return Verdict::default();
        }
        Verdict { kept_by: Some(sampler), root_metric: Some((metric, rate)) }
    }

    /// What is left of a dropped chunk: spans sampled alone, else events. spec: apm §7.1.
    fn rest<S: Spans>(&self, mut decision: Decision, chunk: &Chunk<'_>, spans: &S) -> Decision {
        let has_sampled = chunk.may_have_sampled_spans
            && (0..spans.count()).any(|span| spans.is_sampled_alone(span));
        if has_sampled {
            decision.leaving = Leaving::SampledSpans;
            decision.priority = Some(PRIORITY_USER_KEEP);
            decision.is_dropped_trace = false;
        } else if !self.events.found.is_empty() {
            decision.leaving = Leaving::Events;
        }
        decision
    }
}

impl Decision {
    const fn of(verdict: Verdict) -> Self {
        let leaving = if verdict.kept_by.is_some() { Leaving::All } else { Leaving::Nothing };
        Self {
            kept_by: verdict.kept_by,
            is_dropped_trace: verdict.kept_by.is_none(),
            root_metric: verdict.root_metric,
            ..Self::dropped(leaving)
        }
    }

    const fn dropped(leaving: Leaving) -> Self {
        Self {
            kept_by: None,
            leaving,
            is_dropped_trace: true,
            priority: None,
            mechanism: None,
            is_error_tracking: false,
            root_metric: None,
            rare_span: None,
        }
    }
}

#[cfg(test)]
mod tests;
