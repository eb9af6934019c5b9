//! The probabilistic sampler: a fixed share by a seeded hash of the trace id. spec: apm §7.6.

use crate::hash::Fnv;
use crate::{Chunk, ProbabilisticSettings};

/// The hash takes one of this many values.
const STEPS_MASK: u32 = 0x3fff;
const STEPS_PER_PERCENT: f32 = 163.84;

/// Without state: every lane and agent of one seed decides the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probabilistic {
    settings: ProbabilisticSettings,
    threshold: u32,
}

impl Probabilistic {
    pub(crate) fn new(settings: ProbabilisticSettings) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the wire formula; the cast saturates and no number is 0"
        )]
        let threshold = (settings.percentage * STEPS_PER_PERCENT) as u32;
        Self { settings, threshold }
    }

    /// The rate to set on the root if the chunk is kept.
    pub(crate) fn sample(&self, chunk: &Chunk<'_>) -> Option<f64> {
        let is_kept = self.hash(chunk) & STEPS_MASK < self.threshold;
        is_kept.then(|| f64::from(self.settings.percentage) / 100.0)
    }

    fn hash(&self, chunk: &Chunk<'_>) -> u32 {
        let low = chunk.trace_id.to_be_bytes();
        let seed = Fnv::new().bytes(&self.settings.hash_seed.to_le_bytes());
        if !self.settings.is_full_trace_id {
            return seed.bytes(&low).bytes(&[0; 8]).0;
        }
        let own = (u128::from(chunk.trace_id_high) << 64) | u128::from(chunk.trace_id);
        let id = chunk.otel_trace_id.and_then(parse_trace_id).unwrap_or(own);
        seed.bytes(&id.to_be_bytes()).0
    }
}

/// Exactly 32 hexadecimal digits; anything else is no trace id, and the chunk's own counts.
fn parse_trace_id(text: &str) -> Option<u128> {
    let is_id = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::chunk;

    fn sampler(percentage: f32, is_full_trace_id: bool) -> Probabilistic {
        let settings =
            ProbabilisticSettings { is_enabled: true, percentage, hash_seed: 0, is_full_trace_id };
        Probabilistic::new(settings)
    }

    #[test]
    fn full_ids_of_the_spec() {
        let pair = Chunk { trace_id_high: 0x0102_0304_0506_0708, ..chunk(0x090a_0b0c_0d0e_0f10) };
        let otel = Chunk { otel_trace_id: Some("0102030405060708090a0b0c0d0e0f10"), ..chunk(77) };
        for chunk in [pair, otel] {
            assert_eq!(sampler(41.0, true).hash(&chunk), 3_743_685_157);
            assert_eq!(3_743_685_157 & STEPS_MASK, 6693);
            assert_eq!(sampler(41.0, true).threshold, 6717);
            assert_eq!(sampler(40.0, true).threshold, 6553);
            assert_eq!(sampler(41.0, true).sample(&chunk), Some(0.41));
            assert_eq!(sampler(40.0, true).sample(&chunk), None);
        }
    }

    #[test]
    fn low_halves_of_the_spec() {
        let chunk = Chunk { trace_id_high: 99, ..chunk(0x090a_0b0c_0d0e_0f10) };
        assert_eq!(sampler(70.0, false).hash(&chunk), 3_170_675_661);
        assert_eq!(3_170_675_661 & STEPS_MASK, 11213);
        assert!(sampler(70.0, false).sample(&chunk).is_some());
        assert!(sampler(68.0, false).sample(&chunk).is_none());
    }

    #[test]
    fn odd_percentages_and_ids() {
        assert!((0..100).all(|id| sampler(100.0, false).sample(&chunk(id)).is_some()));
        for nothing in [0.0, -5.0, f32::NAN] {
            assert!((0..100).all(|id| sampler(nothing, true).sample(&chunk(id)).is_none()));
        }
        let bad = Chunk { otel_trace_id: Some("+102030405060708090a0b0c0d0e0f1é"), ..chunk(5) };
        assert_eq!(sampler(1.0, true).hash(&bad), sampler(1.0, true).hash(&chunk(5)));
    }
}
