//! The tagger state that a capture carries, as plain data. spec: dogstatsd §12.

use std::sync::Arc;

use crate::{CONTAINER_PREFIX, EntityTags, OriginSnapshot};

/// What was known about the senders when a capture was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaggerState {
    /// Entities, sorted by name.
    pub entities: Vec<TaggerEntity>,
    /// Entity name of each process, sorted by process.
    pub pids: Vec<(i32, Arc<str>)>,
}

/// One entity of a [`TaggerState`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaggerEntity {
    /// Name with prefix: `container_id://…`.
    pub name: Arc<str>,
    /// Hash that the recorder kept for it; informative, may be empty.
    pub hash: Arc<str>,
    /// Its tags.
    pub tags: EntityTags,
}

impl TaggerState {
    /// Whether nothing is known.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entities.is_empty() && self.pids.is_empty()
    }

    /// The state for a capture that saw `pids`: their entities, with the tags that `snapshot` has.
    #[must_use]
    pub fn of(mut pids: Vec<(i32, Arc<str>)>, snapshot: &OriginSnapshot) -> Self {
        pids.sort_unstable();
        pids.dedup_by_key(|&mut (pid, _)| pid);
        let mut names: Vec<&Arc<str>> = pids.iter().map(|(_, name)| name).collect();
        names.sort_unstable();
        names.dedup();
        let entities = names
            .into_iter()
            .map(|name| TaggerEntity {
                name: Arc::clone(name),
                hash: Arc::default(),
                tags: snapshot
                    .entities
                    .get(name)
                    .map(|tags| EntityTags::clone(tags))
                    .unwrap_or_default(),
            })
            .collect();
        Self { entities, pids }
    }

    /// Puts the state into a snapshot, over what it has, for the replay of a capture.
    pub fn load_into(&self, snapshot: &mut OriginSnapshot) {
        for entity in &self.entities {
            snapshot.entities.insert(full_name(&entity.name), Arc::new(entity.tags.clone()));
        }
        for (pid, name) in &self.pids {
            snapshot.pid_map.insert(*pid, full_name(name));
        }
    }
}

/// Older captures name containers by their bare id.
fn full_name(name: &Arc<str>) -> Arc<str> {
    if name.contains("://") { Arc::clone(name) } else { [CONTAINER_PREFIX, name].concat().into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_survives_the_way_through_a_snapshot() {
        let tags = EntityTags { low: vec!["image:a".into()], ..EntityTags::default() };
        let state = TaggerState {
            entities: vec![TaggerEntity {
                name: "container_id://abc".into(),
                hash: "".into(),
                tags,
            }],
            pids: vec![(1, "container_id://abc".into()), (2, "container_id://abc".into())],
        };
        let mut snapshot = OriginSnapshot::default();
        state.load_into(&mut snapshot);
        let pids = vec![(2, "container_id://abc".into()), (1, "container_id://abc".into())];
        assert_eq!(TaggerState::of(pids, &snapshot), state);
    }

    #[test]
    fn bare_ids_become_containers() {
        let state = TaggerState { entities: Vec::new(), pids: vec![(7, "abc".into())] };
        let mut snapshot = OriginSnapshot::default();
        state.load_into(&mut snapshot);
        assert_eq!(&*snapshot.pid_map[&7], "container_id://abc");
    }
}
