//! What control knows about entities, as lanes see it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::resolve::text;
use crate::{Cardinality, ExternalData};

/// Prefix of container entities; a container id follows.
pub const CONTAINER_PREFIX: &str = "container_id://";
/// Prefix of pod entities; a pod uid follows.
pub const POD_PREFIX: &str = "kubernetes_pod_uid://";

/// Entity name of a container.
#[must_use]
pub fn container_entity(id: &str) -> Arc<str> {
    [CONTAINER_PREFIX, id].concat().into()
}

/// Entity name of a pod.
#[must_use]
pub fn pod_entity(uid: &str) -> Arc<str> {
    [POD_PREFIX, uid].concat().into()
}

/// The tags of one entity, by the level that reveals them. spec: dogstatsd §7.7.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntityTags {
    /// From [`Cardinality::Low`] on.
    pub low: Vec<Arc<str>>,
    /// From [`Cardinality::Orchestrator`] on.
    pub orchestrator: Vec<Arc<str>>,
    /// At [`Cardinality::High`].
    pub high: Vec<Arc<str>>,
    /// `env`, `service`, `version`: at every level but [`Cardinality::None`].
    pub standard: Vec<Arc<str>>,
}

impl EntityTags {
    /// Appends the tags that `level` reveals.
    pub fn extend(&self, level: Cardinality, tags: &mut Vec<Arc<str>>) {
        if level >= Cardinality::Low {
            tags.extend_from_slice(&self.low);
            tags.extend_from_slice(&self.standard);
        }
        if level >= Cardinality::Orchestrator {
            tags.extend_from_slice(&self.orchestrator);
        }
        if level >= Cardinality::High {
            tags.extend_from_slice(&self.high);
        }
    }
}

/// One container of a pod, as external data (`e:`) names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodContainer {
    /// Name of the container in the pod.
    pub name: Arc<str>,
    /// Whether it is an init container.
    pub is_init: bool,
    /// Its entity, `container_id://…`.
    pub entity: Arc<str>,
}

/// Everything that origin resolution looks up. Immutable once published; control replaces it whole.
///
/// A lane that caches what [`crate::resolve`] returned drops the cache when `version` changes.
#[derive(Clone, Debug, Default)]
pub struct OriginSnapshot {
    /// Grows by one with every change.
    pub version: u64,
    /// Tags by entity name (`container_id://…`, `kubernetes_pod_uid://…`).
    pub entities: HashMap<Arc<str>, Arc<EntityTags>>,
    /// Entity of a process, as a replayed capture recorded it. spec: dogstatsd §12.
    pub pid_map: HashMap<i32, Arc<str>>,
    /// Containers by the uid of their pod.
    pub pods: HashMap<Arc<str>, Vec<PodContainer>>,
    /// Container entities by the inode of their cgroup directory.
    pub inodes: HashMap<u64, Arc<str>>,
    /// Tags that every message gets, as far as its cardinality goes.
    pub global_tags: EntityTags,
    /// Told about inodes that are not in `inodes`; shared by all snapshots of one publisher.
    pub inode_misses: Arc<InodeMisses>,
}

impl OriginSnapshot {
    /// The entity of the container that external data names.
    #[must_use]
    pub fn container_of(&self, external: &ExternalData<'_>) -> Option<&Arc<str>> {
        let pod = text(external.pod_uid)?;
        let name = text(external.container_name)?;
        self.pods
            .get(pod)?
            .iter()
            .find(|container| container.is_init == external.is_init && &*container.name == name)
            .map(|container| &container.entity)
    }
}

/// How often lanes looked for an unknown inode: control walks the cgroups again when it grew.
#[derive(Debug, Default)]
pub struct InodeMisses(AtomicU64);

impl InodeMisses {
    /// One more miss.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Misses so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
