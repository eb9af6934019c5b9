//! The token bucket of the rare sampler, dealt out to the lanes. spec: apm §7.5.
//!
//! Tokens in hand and tokens on lanes together never exceed the burst, so the bucket holds in
//! total. A lane gives back what it did not use with every handover; half of what is in hand then
//! goes to all lanes alike and half by what they asked for, so that a lane that was idle has a
//! token at once.

use std::sync::Arc;

use crate::RareSettings;
use crate::counts::RareReport;
use crate::rare::Grant;
use crate::settings::target_or_zero;

#[derive(Debug)]
pub(crate) struct Tokens {
    per_sec: f64,
    burst: f64,
    in_hand: f64,
    /// The last grant to each lane; its tokens are 0 once they came back.
    grants: Vec<Grant>,
    /// What each lane asked for since the last deal.
    demands: Vec<u64>,
    serial: u64,
    refilled_ms: Option<u64>,
}

impl Tokens {
    pub(crate) fn new(settings: RareSettings, lanes: usize) -> Self {
        let burst = f64::from(settings.burst);
        let mut tokens = Self {
            per_sec: target_or_zero(settings.tokens_per_sec),
            burst,
            in_hand: burst,
            grants: vec![Grant::default(); lanes],
            demands: vec![0; lanes],
            serial: 0,
            refilled_ms: None,
        };
        tokens.deal();
        tokens
    }

    /// Takes back what a lane did not use, and notes what it asked for.
    pub(crate) fn give_back(&mut self, lane: usize, report: &RareReport) {
        self.in_hand += f64::from(report.tokens);
        if let Some(grant) = self.grants.get_mut(lane)
            && grant.serial <= report.serial
        {
            grant.tokens = 0;
        }
        if let Some(demand) = self.demands.get_mut(lane) {
            *demand = demand.saturating_add(report.demand);
        }
    }

    pub(crate) fn refill(&mut self, now_ms: u64) {
        let before_ms = self.refilled_ms.unwrap_or(now_ms);
        self.refilled_ms = Some(now_ms.max(before_ms));
        #[expect(clippy::cast_precision_loss, reason = "a time between two ticks")]
        let elapsed_secs = now_ms.saturating_sub(before_ms) as f64 / 1000.0;
        let on_lanes: f64 = self.grants.iter().map(|grant| f64::from(grant.tokens)).sum();
        let room = (self.burst - on_lanes).max(0.0);
        self.in_hand = (self.in_hand + elapsed_secs * self.per_sec).min(room);
    }

    /// Deals whole tokens to the lanes that hold none.
    pub(crate) fn deal(&mut self) {
        let mut free: Vec<usize> =
            (0..self.grants.len()).filter(|&lane| self.grants[lane].tokens == 0).collect();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and the burst, which is a u32"
        )]
        let whole = self.in_hand as u32;
        if whole == 0 || free.is_empty() {
            return;
        }
        self.serial += 1;
        self.in_hand -= f64::from(whole);
        for &lane in &free {
            self.grants[lane] = Grant { serial: self.serial, tokens: 0 };
        }
        // Another lane is the first each time, in no step with anything else.
        let first = self.serial.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let first = usize::try_from(first).unwrap_or_default() % free.len();
        free.rotate_left(first);
        let left = self.deal_by_demand(&free, whole.div_ceil(2));
        self.deal_in_turns(&free, whole / 2 + left);
    }

    /// Deals in proportion to what lanes asked for, the greatest demand first. Demand that gets
    /// nothing is remembered. Returns what is left.
    fn deal_by_demand(&mut self, free: &[usize], tokens: u32) -> u32 {
        let mut free = free.to_vec();
        free.sort_by_key(|&lane| std::cmp::Reverse(self.demands[lane]));
        let demand = free.iter().fold(0, |sum: u64, &lane| sum.saturating_add(self.demands[lane]));
        let mut left = tokens;
        for &lane in &free {
            let own = self.demands[lane];
            let part = u64::from(tokens).saturating_mul(own).div_ceil(demand.max(1));
            let part = u32::try_from(part).unwrap_or(tokens).min(left);
            if part > 0 {
                self.grants[lane].tokens += part;
                self.demands[lane] = 0;
                left -= part;
            }
        }
        left
    }

    /// Deals to one lane after the other.
    fn deal_in_turns(&mut self, free: &[usize], tokens: u32) {
        let lanes = u32::try_from(free.len()).unwrap_or(u32::MAX).max(1);
        for (&lane, turn) in free.iter().zip(0..) {
            self.grants[lane].tokens += tokens / lanes + u32::from(turn < tokens % lanes);
        }
    }

    pub(crate) fn grants(&self) -> Arc<[Grant]> {
        Arc::from(&self.grants[..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(tokens: &Tokens) -> Vec<u32> {
        tokens.grants.iter().map(|grant| grant.tokens).collect()
    }

    fn report(tokens: &Tokens, left: u32, demand: u64) -> RareReport {
        RareReport { tokens: left, demand, serial: tokens.serial, ..RareReport::default() }
    }

    #[test]
    fn the_burst_is_dealt_at_start() {
        for lanes in [1, 3, 64] {
            let tokens = Tokens::new(RareSettings::default(), lanes);
            assert_eq!(held(&tokens).iter().sum::<u32>(), 50);
            assert!(held(&tokens).iter().all(|&own| own as usize <= 50_usize.div_ceil(lanes)));
        }
    }

    #[test]
    fn demand_draws_tokens() {
        let mut tokens = Tokens::new(RareSettings::default(), 4);
        tokens.refill(0);
        for lane in 0..4 {
            let left = tokens.grants[lane].tokens;
            tokens.give_back(lane, &report(&tokens, left, if lane == 2 { 100 } else { 0 }));
        }
        tokens.refill(1000);
        tokens.deal();
        let held = held(&tokens);
        assert_eq!(held.iter().sum::<u32>(), 50);
        assert!(held[2] >= 25 + 6 && held.iter().all(|&own| own > 0), "{held:?}");
    }

    #[test]
    fn tokens_on_lanes_count_against_the_burst() {
        let mut tokens = Tokens::new(RareSettings::default(), 2);
        tokens.refill(0);
        tokens.refill(60_000);
        tokens.deal();
        assert_eq!(held(&tokens), [25, 25]);
        tokens.give_back(0, &report(&tokens, 0, 25));
        tokens.refill(61_000);
        tokens.deal();
        assert_eq!(held(&tokens), [5, 25], "lane 1 has not handed over");
    }

    #[test]
    fn a_grant_under_way_stays_granted() {
        let mut tokens = Tokens::new(RareSettings::default(), 1);
        let late = RareReport { serial: 0, ..RareReport::default() };
        tokens.give_back(0, &late);
        tokens.refill(0);
        tokens.deal();
        assert_eq!(held(&tokens), [50]);
    }
}
