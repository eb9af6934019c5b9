//! Counts of one sampler over all lanes, and the rates that follow. spec: apm §7.2.

use std::collections::hash_map::Entry;

use crate::counts::Kind;
use crate::hash::BySignature;
use crate::lane::{SHRINK_FROM, SHRUNK};
use crate::rates::KindRates;
use crate::window::{BUCKET_SECS, Buckets, position, tps_per_signature, zero_and_max};

/// Most signatures with counts of their own; the rest counts in the total alone.
const SIGNATURES_MAX: usize = 20_000;
/// Most that a rate grows from one bucket to the next.
const GROWTH_MAX: f64 = 1.2;

#[derive(Debug)]
pub(crate) struct Ledger {
    kind: Kind,
    target: f64,
    extra_rate: f64,
    signatures: BySignature<Tracked>,
    total: Buckets,
    lowest: f64,
    allowed: Option<BySignature<()>>,
    seen_tps: Vec<f64>,
    /// Whether a snapshot of before would tell lanes something else.
    pub(crate) is_changed: bool,
}

/// One signature.
#[derive(Clone, Copy, Debug, Default)]
struct Tracked {
    buckets: Buckets,
    rate: Option<f64>,
    is_folded: bool,
}

/// A signature that stands for many, before its first count.
const FOLDED: Tracked = Tracked { buckets: [0.0; 6], rate: None, is_folded: true };

impl Ledger {
    pub(crate) fn new(kind: Kind, target: f64, extra_rate: f64) -> Self {
        Self {
            kind,
            target,
            extra_rate,
            signatures: BySignature::default(),
            total: Buckets::default(),
            lowest: 1.0,
            allowed: None,
            seen_tps: Vec::new(),
            is_changed: false,
        }
    }

    /// Adds weight to a bucket of the window. Returns false if the signature found no room.
    pub(crate) fn count(
        &mut self,
        bucket: u64,
        signature: Option<u32>,
        is_folded: bool,
        weight: f64,
    ) -> bool {
        self.total[position(bucket)] += weight;
        let Some(signature) = signature else { return false };
        let is_alone = self.allowed.as_ref().is_none_or(|list| list.contains_key(&signature));
        let is_folded = is_folded || !is_alone;
        let signature = if is_alone { signature } else { signature % SHRUNK };
        let has_room = self.signatures.len() < SIGNATURES_MAX;
        let tracked = match self.signatures.entry(signature) {
            Entry::Occupied(found) => found.into_mut(),
            Entry::Vacant(free) if has_room => {
                self.is_changed |= self.kind != Kind::Priority;
                free.insert(Tracked { is_folded, ..Tracked::default() })
            }
            Entry::Vacant(_) => return false,
        };
        tracked.buckets[position(bucket)] += weight;
        true
    }

    /// Ends a bucket and opens the next: every signature gets its rate, and those without traffic
    /// are forgotten once their rate is back at 1.
    pub(crate) fn close(&mut self, previous: u64) {
        let new = previous + 1;
        zero_and_max(&mut self.total, previous, new);
        self.seen_tps.clear();
        for tracked in self.signatures.values_mut() {
            // Kept for the second pass in the bucket that is just opened, which is 0.
            let max = zero_and_max(&mut tracked.buckets, previous, new);
            self.seen_tps.push(max / BUCKET_SECS);
            tracked.buckets[position(new)] = max;
        }
        let share = tps_per_signature(self.target, &mut self.seen_tps);
        self.lowest = 1.0;
        self.signatures.retain(|_, tracked| {
            let max = std::mem::take(&mut tracked.buckets[position(new)]);
            let rate = next_rate(share, max / BUCKET_SECS, tracked.rate);
            tracked.rate = Some(rate);
            let is_idle = rate >= 1.0 && max <= 0.0;
            if !is_idle {
                self.lowest = self.lowest.min(rate);
            }
            !is_idle
        });
        self.is_changed = true;
    }

    /// Freezes the list of signatures that count alone when there are many, and lifts it when there
    /// are few. Of more than fit, those with a rate stay, then the heaviest: the choice does not
    /// depend on the order in which lanes came. spec: apm §7.4.
    pub(crate) fn settle(&mut self) {
        if self.kind == Kind::Priority {
            return;
        }
        if self.signatures.len() < SHRINK_FROM {
            self.is_changed |= self.allowed.take().is_some();
            return;
        }
        if self.allowed.is_some() {
            return;
        }
        let alone = self.signatures.iter().filter(|(_, tracked)| !tracked.is_folded);
        let mut alone: Vec<(u32, Tracked)> = alone.map(|(&key, &tracked)| (key, tracked)).collect();
        alone.sort_unstable_by(|(a, left), (b, right)| {
            let weight = |tracked: &Tracked| tracked.buckets.iter().sum::<f64>();
            let order = left.rate.is_none().cmp(&right.rate.is_none());
            let order = order.then(weight(right).total_cmp(&weight(left)));
            order.then(a.cmp(b))
        });
        for (signature, tracked) in alone.split_off(alone.len().min(SHRINK_FROM)) {
            self.signatures.remove(&signature);
            let shrunk = self.signatures.entry(signature % SHRUNK);
            let shrunk = shrunk.or_insert(FOLDED);
            for (sum, count) in shrunk.buckets.iter_mut().zip(tracked.buckets) {
                *sum += count;
            }
        }
        self.allowed = Some(alone.into_iter().map(|(signature, _)| (signature, ())).collect());
        self.is_changed = true;
    }

    /// Changes the target and scales the rates with it. spec: apm §7.2.
    #[expect(clippy::float_cmp, reason = "the same target again changes nothing")]
    pub(crate) fn retarget(&mut self, target: f64) {
        if target == self.target {
            return;
        }
        let previous = std::mem::replace(&mut self.target, target);
        self.is_changed = true;
        if previous <= 0.0 {
            return;
        }
        for tracked in self.signatures.values_mut() {
            tracked.rate = tracked.rate.map(|rate| (rate * target / previous).min(1.0));
        }
    }

    /// Forgets everything but the target.
    pub(crate) fn forget(&mut self) {
        *self = Self::new(self.kind, self.target, self.extra_rate);
        self.is_changed = true;
    }

    /// Whether the signature has counts in the window or a rate below 1.
    pub(crate) fn is_live(&self, signature: u32) -> bool {
        self.signatures.contains_key(&signature)
    }

    /// Rate of a signature, with the extra rate.
    pub(crate) fn rate(&self, signature: u32) -> Option<f64> {
        self.signatures.get(&signature)?.rate.map(|rate| rate * self.extra_rate)
    }

    /// Weight in a bucket of the window.
    pub(crate) const fn total(&self, bucket: u64) -> f64 {
        self.total[position(bucket)]
    }

    /// What lanes need to know while bucket `open` is open.
    pub(crate) fn publish(&self, open: u64) -> KindRates {
        let closed = (0..self.total.len()).filter(|&place| place != position(open));
        let extra_rate = self.extra_rate;
        let rates = self.signatures.iter();
        KindRates {
            rates: rates.map(|(&key, seen)| (key, seen.rate.map(|r| r * extra_rate))).collect(),
            allowed: self.allowed.clone(),
            lowest: self.lowest,
            target: self.target,
            closed_max: closed.map(|place| self.total[place]).fold(0.0, f64::max),
        }
    }

    /// Weights by signature and bucket position, sorted; for comparisons.
    #[cfg(test)]
    pub(crate) fn weights(&self) -> Vec<(u32, Buckets)> {
        let mut weights: Vec<_> =
            self.signatures.iter().map(|(&key, tracked)| (key, tracked.buckets)).collect();
        weights.sort_unstable_by_key(|&(key, _)| key);
        weights
    }
}

fn next_rate(share: f64, seen_tps: f64, previous: Option<f64>) -> f64 {
    let rate = if share < seen_tps && seen_tps > 0.0 { share / seen_tps } else { 1.0 };
    let previous = previous.unwrap_or_default();
    if previous != 0.0 && rate / previous > GROWTH_MAX {
        return (previous * GROWTH_MAX).min(1.0);
    }
    rate.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(target: f64) -> Ledger {
        Ledger::new(Kind::NoPriority, target, 1.0)
    }

    #[test]
    fn one_signature_of_the_spec() {
        let mut ledger = ledger(7.0);
        for _ in 0..105 {
            assert!(ledger.count(10, Some(1), false, 1.0));
        }
        ledger.close(10);
        assert_eq!(ledger.rate(1), Some(1.0 / 3.0));
        for bucket in 11..16 {
            ledger.close(bucket);
            assert_eq!(ledger.rate(1), Some(1.0 / 3.0), "still in the window");
        }
        let mut expected = 1.0 / 3.0;
        for bucket in 16.. {
            ledger.close(bucket);
            expected *= 1.2;
            if expected >= 1.0 {
                break;
            }
            assert_eq!(ledger.rate(1), Some(expected), "bucket {bucket}");
        }
        assert_eq!(ledger.rate(1), None, "forgotten once it would be 1");
        assert!(!ledger.is_live(1));
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "the numbers of the spec are exact here")]
    fn default_rates() {
        let mut ledger = ledger(10.0);
        assert_eq!(ledger.publish(10).default_rate(0.0), 1.0);
        for hit in 0..1000 {
            ledger.count(10, Some(hit % 4), false, 1.0);
        }
        assert_eq!(ledger.publish(10).default_rate(ledger.total(10)), 0.05);
        ledger.close(10);
        assert_eq!(ledger.publish(11).default_rate(0.0), 0.05);
        ledger.retarget(0.0);
        assert_eq!(ledger.publish(11).default_rate(0.0), 0.0);
        assert_eq!(ledger.rate(1), Some(0.0));
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "the same operations give the same numbers")]
    fn a_lower_rate_than_the_default_wins() {
        let mut ledger = ledger(10.0);
        for (signature, weight) in [(1, 10_000.0), (2, 1.0)] {
            ledger.count(10, Some(signature), false, weight);
        }
        ledger.close(10);
        let published = ledger.publish(11);
        assert_eq!(published.lowest, 9.8 / 2000.0);
        assert_eq!(published.default_rate(0.0), 9.8 / 2000.0);
    }

    #[test]
    fn a_new_target_scales_rates() {
        let mut ledger = ledger(10.0);
        ledger.count(10, Some(1), false, 1000.0);
        ledger.close(10);
        assert_eq!(ledger.rate(1), Some(0.05));
        ledger.retarget(20.0);
        assert_eq!(ledger.rate(1), Some(0.1));
        ledger.retarget(1000.0);
        assert_eq!(ledger.rate(1), Some(1.0));
    }

    #[test]
    fn many_signatures_are_folded_until_few_are_left() {
        let mut ledger = ledger(10.0);
        let signature = |n: u32| 1000 + n * 7;
        for n in 0..150 {
            ledger.count(10, Some(signature(n)), false, f64::from(n + 1));
        }
        ledger.settle();
        let allowed = ledger.allowed.clone().expect("there are many");
        assert_eq!(allowed.len(), SHRINK_FROM);
        assert!((50..150).all(|n| allowed.contains_key(&signature(n))), "the heaviest");
        assert!((0..50).all(|n| !ledger.is_live(signature(n))));
        assert!((0..50).all(|n| ledger.is_live(signature(n) % SHRUNK)));
        ledger.count(10, Some(5003), false, 1.0);
        assert!(!ledger.is_live(5003) && ledger.is_live(3));
        for bucket in 10..60 {
            ledger.close(bucket);
            ledger.settle();
        }
        assert!(ledger.allowed.is_none());
        assert!(ledger.weights().is_empty());
    }

    #[test]
    fn signatures_are_bounded() {
        let mut ledger = Ledger::new(Kind::Priority, 10.0, 1.0);
        let count = u32::try_from(SIGNATURES_MAX).expect("fits");
        assert!((0..count).all(|signature| ledger.count(10, Some(signature), false, 1.0)));
        assert!(!ledger.count(10, Some(count), false, 1.0));
        assert!(ledger.count(10, Some(0), false, 1.0));
        assert!((ledger.total(10) - f64::from(count + 2)).abs() < 1e-9);
    }
}
