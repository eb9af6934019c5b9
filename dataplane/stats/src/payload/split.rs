//! Which groups travel together. spec: apm §10.2.

use std::collections::HashMap;

use crate::bucket::Bucket;

/// Groups of one payload key that travel in one message.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    /// Bucket and payload that has the key.
    pub(super) payload: (usize, usize),
    /// Buckets and groups, by bucket.
    pub(super) groups: Vec<(usize, usize)>,
}

/// Groups of all buckets by payload key, in the order of their first group. A key with `groups_max`
/// groups or more is dealt out evenly into as many parts as are needed.
pub(super) fn parts_of<C>(buckets: &[Bucket<C>], groups_max: usize) -> impl Iterator<Item = Part> {
    let mut wholes: Vec<Part> = Vec::new();
    let mut places: HashMap<&[u8], usize> = HashMap::new();
    for (at, bucket) in buckets.iter().enumerate() {
        for (group, payload) in bucket.group_payloads().enumerate() {
            let place = *places.entry(bucket.payload_key(payload)).or_insert_with(|| {
                wholes.push(Part { payload: (at, payload), groups: Vec::new() });
                wholes.len() - 1
            });
            if let Some(whole) = wholes.get_mut(place) {
                whole.groups.push((at, group));
            }
        }
    }
    wholes.into_iter().flat_map(move |whole| deal(whole, groups_max))
}

fn deal(whole: Part, groups_max: usize) -> Vec<Part> {
    let count = whole.groups.len().div_ceil(groups_max);
    if count <= 1 {
        return vec![whole];
    }
    let mut parts = vec![Part { payload: whole.payload, groups: Vec::new() }; count];
    for (at, group) in whole.groups.into_iter().enumerate() {
        if let Some(part) = parts.get_mut(at % count) {
            part.groups.push(group);
        }
    }
    parts
}
