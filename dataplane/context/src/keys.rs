//! Keyed hashes that stand for lines, tags and contexts.

use std::fmt;

use signal::ContextKey;
use xxhash_rust::xxh3::{xxh3_64_with_secret, xxh3_128_with_secret};

/// Hash of everything that identifies a metric line: name, tag bytes in their order, client data,
/// sender and the version of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineKey(pub u128);

/// The secret under which one process hashes. All lanes share it, so that their keys agree.
#[derive(Clone)]
pub struct Keys {
    secret: Box<[u8; 192]>,
}

impl Keys {
    /// Keys from a seed, which should be random outside tests: a sender that knows it could make
    /// two contexts collide.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        // splitmix64, whose output is equidistributed for every seed.
        let mut state = seed;
        let mut secret = Box::new([0u8; 192]);
        for chunk in secret.chunks_exact_mut(8) {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ z >> 31).to_le_bytes());
        }
        Self { secret }
    }

    /// Hash of any bytes.
    #[inline]
    #[must_use]
    pub fn hash(&self, bytes: &[u8]) -> u128 {
        xxh3_128_with_secret(bytes, &self.secret[..])
    }

    /// Shorter hash of any bytes, for what only needs to be spread.
    #[inline]
    #[must_use]
    pub fn hash64(&self, bytes: &[u8]) -> u64 {
        xxh3_64_with_secret(bytes, &self.secret[..])
    }

    /// The key of a line. `client` is what its sender says about itself, `salt` stands for the
    /// sender and the version of the rules. Empty fields count as absent.
    #[inline]
    #[must_use]
    pub fn line(
        &self,
        name: &[u8],
        tags: &[u8],
        client: Option<[&[u8]; 3]>,
        salt: u128,
    ) -> LineKey {
        // Half a turn keeps the two roles apart for less than a multiplication.
        let mut key = self.hash(name).rotate_left(64).wrapping_add(salt);
        if !tags.is_empty() {
            key = key.wrapping_add(self.hash(tags));
        }
        if let Some(client) = client {
            key = key.wrapping_add(self.client(client));
        }
        LineKey(key)
    }

    #[inline(never)]
    fn client(&self, fields: [&[u8]; 3]) -> u128 {
        let present = fields.into_iter().zip(CLIENT_FACTORS).filter(|(field, _)| !field.is_empty());
        present
            .fold(0, |sum, (field, factor)| sum.wrapping_add(self.hash(field).wrapping_mul(factor)))
    }

    /// The key of a set of tags from the hashes of its members, in any order.
    #[must_use]
    pub fn tag_set(hashes: impl Iterator<Item = u128>) -> u128 {
        hashes.fold(0, |sum, hash| sum.wrapping_add(hash.wrapping_mul(TAGS_FACTOR)))
    }

    /// The key of a context.
    #[must_use]
    pub fn context(&self, name: &str, host: &str, tag_set: u128) -> ContextKey {
        let name = self.hash(name.as_bytes()).wrapping_mul(NAME_FACTOR);
        let host = self.hash(host.as_bytes()).wrapping_mul(HOST_FACTOR);
        ContextKey(name.wrapping_add(host).wrapping_add(tag_set))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(secret)")
    }
}

// Odd, so that multiplying loses nothing; different, so that a hash in one role is not the same in
// another: fractional digits of pi.
const NAME_FACTOR: u128 = 0x243f_6a88_85a3_08d3_1319_8a2e_0370_7345;
const TAGS_FACTOR: u128 = 0xa409_3822_299f_31d0_082e_fa98_ec4e_6c89;
const HOST_FACTOR: u128 = 0x4528_21e6_38d0_1377_be54_66cf_34e9_0c6d;
const CLIENT_FACTORS: [u128; 3] = [
    0xc0ac_29b7_c97c_50dd_3f84_d5b5_b547_0917,
    0x9216_d5d9_8979_fb1b_d131_0ba6_98df_b5ad,
    0x2ffd_72db_d01a_dfb7_b8e1_afed_6a26_7e97,
];
