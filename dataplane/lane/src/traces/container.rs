//! The container of a sender, and its tags. spec: apm §4.2.

use std::sync::Arc;

use entity::{
    CLIENT_ID_BYTES_MAX, CONTAINER_PREFIX, Cardinality, ExternalData, OriginSnapshot,
    container_entity,
};
use ring::digest::{SHA256, digest};
use server::{Head, Text};

/// Keys of the tags that name a workload. spec: apm §8.
const HASHED_KEYS: [&str; 9] = [
    "kube_deployment",
    "kube_cronjob",
    "kube_container_name",
    "kube_namespace",
    "kube_app_name",
    "kube_app_managed_by",
    "service",
    "short_image",
    "kube_cluster_name",
];

/// A sender's container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// Its id; empty when unknown.
    pub id: String,
    /// Its tags, of the highest cardinality.
    pub tags: Vec<Arc<str>>,
}

impl Container {
    /// The container that the headers name, or that of the peer.
    pub(crate) fn of(head: &Head, peer: Option<&Arc<str>>, snapshot: &OriginSnapshot) -> Self {
        entity_of(head, peer, snapshot)
            .map_or_else(Self::default, |entity| Self::of_entity(&entity, snapshot))
    }

    /// The container with this id.
    pub(super) fn with_id(id: &str, snapshot: &OriginSnapshot) -> Self {
        Self::of_entity(&container_entity(id), snapshot)
    }

    fn of_entity(entity: &Arc<str>, snapshot: &OriginSnapshot) -> Self {
        let mut tags = Vec::new();
        if let Some(held) = snapshot.entities.get(entity) {
            held.extend(Cardinality::High, &mut tags);
            tags.sort_unstable();
            tags.dedup();
        }
        let id = entity.strip_prefix(CONTAINER_PREFIX).unwrap_or_default().to_owned();
        Self { id, tags }
    }

    /// Value of `Datadog-Container-Tags-Hash`: of the tags that name a workload. spec: apm §8.
    #[must_use]
    pub fn tags_hash(&self) -> String {
        let is_named = |tag: &&Arc<str>| {
            let key = tag.split_once(':').map_or(&***tag, |(key, _)| key);
            HASHED_KEYS.contains(&key)
        };
        let named: Vec<&str> = self.tags.iter().filter(is_named).map(|tag| &**tag).collect();
        let hash = digest(&SHA256, named.join(",").as_bytes());
        hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Its tags, with commas between.
    #[must_use]
    pub fn joined_tags(&self) -> String {
        self.tags.join(",")
    }
}

fn entity_of(head: &Head, peer: Option<&Arc<str>>, snapshot: &OriginSnapshot) -> Option<Arc<str>> {
    let items = || head.text(Text::EntityId).split(',').map(str::trim);
    let named = items().find_map(|item| {
        item.strip_prefix("ci-").or_else(|| item.strip_prefix("cid-")).filter(|id| is_id(id))
    });
    let named = named.or_else(|| Some(head.text(Text::ContainerId)).filter(|id| is_id(id)));
    if let Some(id) = named {
        return Some(container_entity(id));
    }
    let inode = items().find_map(|item| item.strip_prefix("in-")?.parse::<u64>().ok());
    if let Some(inode) = inode {
        match snapshot.inodes.get(&inode) {
            Some(entity) => return Some(Arc::clone(entity)),
            None => snapshot.inode_misses.add(),
        }
    }
    if let Some(peer) = peer {
        return Some(Arc::clone(peer));
    }
    let external = ExternalData::parse(head.text(Text::ExternalEnv).as_bytes());
    snapshot.container_of(&external).cloned()
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= CLIENT_ID_BYTES_MAX
}
