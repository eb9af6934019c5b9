//! Buckets to bodies of requests: splitting, and the message. spec: apm §9.1, §10.2.

mod encode;
mod split;

use crate::bucket::{Bucket, Counts};
use split::{Part, parts_of};

/// Groups of one message.
const GROUPS_MAX: usize = 4000;

/// What all messages of an agent say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatsHeader<'a> {
    /// Host name of the agent.
    pub hostname: &'a str,
    /// Environment of the agent.
    pub env: &'a str,
    /// Version of the agent.
    pub version: &'a str,
    /// Whether clients computed the statistics.
    pub is_client_computed: bool,
}

/// What is known of a container's tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContainerTags {
    /// The tags, maybe none.
    Known(Vec<String>),
    /// The lookup failed: neither tags nor the id are sent.
    Failed,
}

/// Body of a request, not compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatsBody {
    /// A `StatsPayload` in MessagePack.
    pub bytes: Vec<u8>,
    /// Groups in it, 1 to 4000.
    pub group_count: usize,
    /// Payloads of clients in it.
    pub payload_count: usize,
}

/// Encodes buckets into as few bodies as hold at most 4000 groups each and hands them out one by
/// one, so that one at a time is in memory. Nothing is handed out when there is no group.
///
/// `draw` is the caller's generator of numbers in [0, 1): a weighted count is rounded up with the
/// probability of its fraction. `tags_of` looks up the tags of a container for payloads that came
/// without.
pub fn encode_payloads<C: Counts>(
    header: &StatsHeader<'_>,
    buckets: &[Bucket<C>],
    mut draw: impl FnMut() -> f64,
    mut tags_of: impl FnMut(&str) -> ContainerTags,
    mut emit: impl FnMut(StatsBody),
) {
    let mut messages: Vec<Vec<Part>> = Vec::new();
    let mut group_count = GROUPS_MAX;
    for part in parts_of(buckets, GROUPS_MAX) {
        group_count += part.groups.len();
        match messages.last_mut() {
            Some(message) if group_count <= GROUPS_MAX => message.push(part),
            _ => {
                group_count = part.groups.len();
                messages.push(vec![part]);
            }
        }
    }
    let is_split = messages.len() > 1;
    let mut round = |count: f64| round_randomly(count, &mut draw);
    for parts in messages {
        let mut bytes = Vec::new();
        let mut message = encode::Message::new(&mut bytes, buckets, &mut round);
        message.write(header, is_split, &parts, &mut tags_of);
        let group_count = parts.iter().map(|part| part.groups.len()).sum();
        emit(StatsBody { bytes, group_count, payload_count: parts.len() });
    }
}

/// A whole number whose mean is `count`.
#[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
#[expect(clippy::cast_sign_loss, reason = "a cast saturates; counts are not negative")]
fn round_randomly(count: f64, draw: &mut impl FnMut() -> f64) -> u64 {
    let fraction = count.fract();
    let is_up = fraction > 0.0 && draw() < fraction;
    (count as u64).saturating_add(u64::from(is_up))
}

#[cfg(test)]
mod tests;
