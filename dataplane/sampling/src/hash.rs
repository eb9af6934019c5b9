//! Hashes that clients and the backend agree on, and the keep decision by trace id. spec: apm §7.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Multiplier of the trace id in hash sampling; every tracer and agent uses this one.
const KNUTH: u64 = 1_111_111_111_111_111_111;

/// Keeps `rate` of all trace ids, the same ones in every lane, agent and tracer. spec: apm §7.
///
/// `trace_id` is the low half of a 128-bit id. A rate that is not a number keeps nothing.
pub fn is_kept_at(trace_id: u64, rate: f64) -> bool {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "the wire formula: 64-bit ids against a float limit; the cast saturates"
    )]
    let limit = (rate * u64::MAX as f64) as u64;
    rate >= 1.0 || trace_id.wrapping_mul(KNUTH) < limit
}

/// Signature of a service in an environment: FNV-1a of `service,env`. spec: apm §7.3.
pub fn service_signature(service: &str, env: &str) -> u32 {
    Fnv::new().text(service).byte(b',').text(env).0
}

/// FNV-1a, 32 bits, as a chain of calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fnv(pub(crate) u32);

impl Fnv {
    pub(crate) const fn new() -> Self {
        Self(0x811c_9dc5)
    }

    #[inline]
    pub(crate) const fn byte(self, byte: u8) -> Self {
        Self((self.0 ^ byte as u32).wrapping_mul(0x0100_0193))
    }

    #[inline]
    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        bytes.iter().fold(self, |hash, &byte| hash.byte(byte))
    }

    #[inline]
    pub(crate) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }
}

/// A map by signature. Signatures are hashes already, so one multiplication spreads them.
///
/// A client may choose colliding signatures; since every such map is bounded, that costs it time,
/// not memory.
pub(crate) type BySignature<V> = HashMap<u32, V, BuildHasherDefault<Spread>>;

/// Hasher of [`BySignature`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        // The map takes its position from low bits and its tag from high ones: exchange them.
        self.0.rotate_left(29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(u32::from(byte));
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.0 = (self.0 ^ u64::from(value)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_of_the_spec() {
        let table: [(u64, u64, &[f64], &[f64]); 5] = [
            (1, 1_111_111_111_111_111_111, &[], &[0.1]),
            (2, 2_222_222_222_222_222_222, &[0.1], &[0.25]),
            (42, 9_773_178_519_247_563_430, &[0.5], &[0.9]),
            (9_223_372_036_854_775_807, 8_112_260_925_743_664_697, &[0.25], &[0.5]),
            (u64::MAX, 17_335_632_962_598_440_505, &[0.9], &[1.0]),
        ];
        for (id, product, dropped, kept) in table {
            assert_eq!(id.wrapping_mul(KNUTH), product);
            assert!(dropped.iter().all(|&rate| !is_kept_at(id, rate)), "{id}");
            assert!(kept.iter().all(|&rate| is_kept_at(id, rate)), "{id}");
        }
    }

    #[test]
    fn odd_rates_decide_something() {
        assert!(!is_kept_at(7, f64::NAN));
        assert!(!is_kept_at(7, -1.0));
        assert!(!is_kept_at(7, 0.0));
        assert!(is_kept_at(7, f64::INFINITY));
    }

    #[test]
    fn service_signature_of_the_spec() {
        assert_eq!(service_signature("web", "prod"), 2_726_573_998);
    }
}
