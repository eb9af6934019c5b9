//! One lane as the spec tells it, trace by trace: the model that a fleet is compared with.
//! spec: apm §7.2, §7.4.

use std::collections::{BTreeMap, BTreeSet};

use super::START_MS;
use super::traffic::Trace;

/// The core sampler.
pub(crate) struct Reference {
    target: f64,
    seen: BTreeMap<u32, [f64; 6]>,
    total: [f64; 6],
    pub(crate) rates: BTreeMap<u32, f64>,
    lowest: f64,
    last_bucket: u64,
    allowed: Option<BTreeSet<u32>>,
}

impl Reference {
    pub(crate) fn new(target: f64) -> Self {
        Self {
            target,
            seen: BTreeMap::new(),
            total: [0.0; 6],
            rates: BTreeMap::new(),
            lowest: 1.0,
            last_bucket: 0,
            allowed: None,
        }
    }

    /// Counts a trace; returns whether that began a bucket.
    pub(crate) fn count(&mut self, trace: &Trace, signature: u32, weight: f64) -> bool {
        let bucket = (START_MS + trace.ms) / 5000;
        let is_new = bucket != self.last_bucket;
        if is_new {
            self.recompute(self.last_bucket, bucket);
            self.last_bucket = bucket;
        }
        let place = usize::try_from(bucket % 6).expect("small");
        self.total[place] += weight;
        self.seen.entry(signature).or_default()[place] += weight;
        is_new
    }

    /// Counts a trace by its score and returns its rate.
    pub(crate) fn score(&mut self, trace: &Trace) -> f64 {
        let signature = self.shrink(signature(trace));
        self.count(trace, signature, 1.0);
        self.rates.get(&signature).copied().unwrap_or_else(|| self.default_rate())
    }

    pub(crate) fn default_rate(&self) -> f64 {
        if self.target == 0.0 {
            return 0.0;
        }
        let tps = self.total.iter().copied().fold(0.0, f64::max) / 5.0;
        let rate = f64::min(1.0, self.target / tps);
        if self.lowest > 0.0 && self.lowest < rate { self.lowest } else { rate }
    }

    fn shrink(&mut self, signature: u32) -> u32 {
        if self.seen.len() < 100 {
            self.allowed = None;
            return signature;
        }
        let seen = &self.seen;
        let allowed = self.allowed.get_or_insert_with(|| seen.keys().copied().collect());
        if allowed.contains(&signature) { signature } else { signature % 100 }
    }

    fn recompute(&mut self, previous: u64, new: u64) {
        zero_and_max(&mut self.total, previous, new);
        let tps: Vec<(u32, f64)> = self
            .seen
            .iter_mut()
            .map(|(&signature, buckets)| (signature, zero_and_max(buckets, previous, new) / 5.0))
            .collect();
        let mut sorted: Vec<f64> = tps.iter().map(|&(_, tps)| tps).collect();
        sorted.sort_by(f64::total_cmp);
        let mut left = self.target;
        let mut share = left / count(sorted.len());
        for (position, &seen) in sorted.iter().enumerate() {
            if seen >= share || position == sorted.len() - 1 {
                break;
            }
            left -= seen;
            share = left / count(sorted.len() - position - 1);
        }
        let before = std::mem::take(&mut self.rates);
        self.lowest = 1.0;
        for (signature, tps) in tps {
            let mut rate = if share < tps && tps > 0.0 { share / tps } else { 1.0 };
            match before.get(&signature) {
                Some(&before) if before != 0.0 && rate / before > 1.2 => rate = before * 1.2,
                _ => {}
            }
            rate = f64::min(rate, 1.0);
            if rate >= 1.0 && tps == 0.0 {
                self.seen.remove(&signature);
                continue;
            }
            self.lowest = self.lowest.min(rate);
            self.rates.insert(signature, rate);
        }
    }
}

/// FNV-1a, 32 bits.
pub(crate) fn fnv(parts: &[&[u8]]) -> u32 {
    parts
        .iter()
        .copied()
        .flatten()
        .fold(2_166_136_261, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619))
}

/// Signature of a chunk of one span.
fn signature(trace: &Trace) -> u32 {
    let error = [u8::try_from(trace.error).expect("small")];
    let span: [&[u8]; 4] = [b"prod", trace.service.as_bytes(), b"http.request", &error];
    let root = [span[0], span[1], span[2], span[3], trace.resource.as_bytes()];
    fnv(&root) ^ fnv(&span)
}

fn zero_and_max(buckets: &mut [f64; 6], previous: u64, new: u64) -> f64 {
    let mut max = 0.0;
    for bucket in previous + 1..=previous + 6 {
        let place = usize::try_from(bucket % 6).expect("small");
        if bucket < new {
            buckets[place] = 0.0;
            continue;
        }
        max = f64::max(max, buckets[place]);
        if bucket == new {
            buckets[place] = 0.0;
        }
    }
    max
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn count(count: usize) -> f64 {
    count as f64
}
