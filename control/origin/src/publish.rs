//! Builds the snapshots that lanes resolve origins in.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use entity::{EntityTags, InodeMisses, OriginSnapshot, TaggerState};

use crate::{WalkLimits, walk_cgroups};

/// Shortest time between two walks of the cgroups. spec: dogstatsd §7.3.
pub const WALK_INTERVAL: Duration = Duration::from_secs(1);

/// Settings of a [`Publisher`].
#[derive(Clone, Debug, Default)]
pub struct PublisherOptions {
    /// Hierarchy to walk for inodes, see [`crate::Roots::cgroup_base`].
    pub cgroup_base: PathBuf,
    /// Bounds of a walk.
    pub limits: WalkLimits,
    /// Tags for every message, by level.
    pub global_tags: EntityTags,
}

/// Owns what is known about entities and hands out snapshots of it. Driven by one control thread:
/// call [`Publisher::refresh`] about once a second.
#[derive(Debug)]
pub struct Publisher {
    options: PublisherOptions,
    /// What is known without a loaded capture.
    known: OriginSnapshot,
    replayed: TaggerState,
    current: Arc<OriginSnapshot>,
    misses: Arc<InodeMisses>,
    misses_seen: u64,
    walked_at: Option<Instant>,
}

impl Publisher {
    /// Starts with nothing but the global tags.
    #[must_use]
    pub fn new(options: PublisherOptions) -> Self {
        let known = OriginSnapshot {
            global_tags: options.global_tags.clone(),
            ..OriginSnapshot::default()
        };
        Self {
            options,
            misses: Arc::clone(&known.inode_misses),
            current: Arc::new(known.clone()),
            known,
            replayed: TaggerState::default(),
            misses_seen: 0,
            walked_at: None,
        }
    }

    /// The snapshot in force.
    #[must_use]
    pub fn current(&self) -> Arc<OriginSnapshot> {
        Arc::clone(&self.current)
    }

    /// Walks the cgroups if a lane missed an inode and the last walk is long enough ago. Returns
    /// the snapshot to publish when the walk found something else than before.
    pub fn refresh(&mut self, now: Instant) -> Option<Arc<OriginSnapshot>> {
        let misses = self.misses.count();
        let is_rested =
            self.walked_at.is_none_or(|at| now.saturating_duration_since(at) >= WALK_INTERVAL);
        if misses == self.misses_seen || !is_rested {
            return None;
        }
        self.misses_seen = misses;
        self.walked_at = Some(now);
        let walk = walk_cgroups(&self.options.cgroup_base, self.options.limits);
        if walk.inodes == self.known.inodes {
            return None;
        }
        self.known.inodes = walk.inodes;
        Some(self.publish())
    }

    /// Loads what a capture knew about its senders, in place of an earlier one; an empty state
    /// unloads it. Returns the snapshot to publish. spec: dogstatsd §12.
    pub fn load_replay(&mut self, state: TaggerState) -> Arc<OriginSnapshot> {
        self.replayed = state;
        self.publish()
    }

    /// Replaces what is known about entities and pods, for a source of tags such as a container
    /// runtime. Returns the snapshot to publish.
    pub fn update(&mut self, change: impl FnOnce(&mut OriginSnapshot)) -> Arc<OriginSnapshot> {
        change(&mut self.known);
        self.known.inode_misses = Arc::clone(&self.misses);
        self.publish()
    }

    fn publish(&mut self) -> Arc<OriginSnapshot> {
        let mut next = self.known.clone();
        self.replayed.load_into(&mut next);
        next.version = self.current.version + 1;
        self.current = Arc::new(next);
        self.current()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_missed_inode_is_looked_for_at_most_once_a_second() {
        let root = tempfile::tempdir().expect("directory");
        let options =
            PublisherOptions { cgroup_base: root.path().to_owned(), ..PublisherOptions::default() };
        let mut publisher = Publisher::new(options);
        let container = root.path().join("a".repeat(64));
        fs::create_dir(&container).expect("directory");
        let inode = fs::metadata(&container).expect("metadata").ino();

        let start = Instant::now();
        assert!(publisher.refresh(start).is_none(), "nothing was missed");
        publisher.current().inode_misses.add();
        let snapshot = publisher.refresh(start).expect("a walk");
        assert!(snapshot.inodes[&inode].ends_with(&"a".repeat(64)));
        assert_eq!(snapshot.version, 1);

        fs::create_dir(root.path().join("b".repeat(64))).expect("directory");
        snapshot.inode_misses.add();
        assert!(publisher.refresh(start + WALK_INTERVAL / 2).is_none(), "too soon");
        let later = publisher.refresh(start + WALK_INTERVAL).expect("a walk");
        assert_eq!(later.inodes.len(), 2);
        later.inode_misses.add();
        assert!(publisher.refresh(start + WALK_INTERVAL * 2).is_none(), "nothing new");
    }

    #[test]
    fn a_loaded_capture_lies_over_what_is_known() {
        let mut publisher = Publisher::new(PublisherOptions::default());
        publisher.update(|known| {
            known.entities.insert("container_id://own".into(), Arc::default());
        });
        let state = TaggerState {
            entities: Vec::new(),
            pids: vec![(42, "container_id://replayed".into())],
        };
        let loaded = publisher.load_replay(state);
        assert_eq!(&*loaded.pid_map[&42], "container_id://replayed");
        assert!(loaded.entities.contains_key("container_id://own"));
        let unloaded = publisher.load_replay(TaggerState::default());
        assert!(unloaded.pid_map.is_empty());
        assert_eq!(unloaded.version, 3);
    }

    #[test]
    fn global_tags_are_in_every_snapshot() {
        let global_tags = EntityTags { low: vec!["a:b".into()], ..EntityTags::default() };
        let mut publisher =
            Publisher::new(PublisherOptions { global_tags, ..PublisherOptions::default() });
        assert_eq!(publisher.current().global_tags.low.len(), 1);
        assert_eq!(publisher.load_replay(TaggerState::default()).global_tags.low.len(), 1);
    }
}
