//! Which entities a message belongs to, and the tags they bring. spec: dogstatsd §7.5, §7.6.

use std::sync::Arc;

use crate::{CONTAINER_PREFIX, Cardinality, ExternalData, LocalData, OriginSnapshot, POD_PREFIX};

/// Longest container id, container name or pod uid taken from a client; longer ones name nothing.
pub const CLIENT_ID_BYTES_MAX: usize = 256;

/// How origins are resolved. The defaults are those of the configuration keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OriginSettings {
    /// `dogstatsd_origin_detection`: use the credentials of the peer.
    pub is_peer_used: bool,
    /// `dogstatsd_origin_detection_client`: honour the fields `c:` and `e:`. The caller applies the
    /// key to `card:`, which a tag can replace.
    pub is_client_used: bool,
    /// `dogstatsd_origin_optout_enabled`: cardinality `none` suppresses all tags.
    pub is_optout_enabled: bool,
    /// `origin_detection_unified`: the first entity that is known wins.
    pub is_unified: bool,
    /// `dogstatsd_entity_id_precedence`: `dd.internal.entity_id` displaces the peer's container.
    pub is_entity_id_preferred: bool,
    /// `dogstatsd_tag_cardinality`: level for messages that name none.
    pub cardinality: Cardinality,
}

impl Default for OriginSettings {
    fn default() -> Self {
        Self {
            is_peer_used: false,
            is_client_used: false,
            is_optout_enabled: true,
            is_unified: false,
            is_entity_id_preferred: false,
            cardinality: Cardinality::Low,
        }
    }
}

/// All that is claimed or known about the sender of one message.
#[derive(Clone, Copy, Debug, Default)]
pub struct Claims<'a> {
    /// Container entity of the peer, from a [`crate::PidResolver`].
    pub peer: Option<&'a Arc<str>>,
    /// The `c:` field.
    pub local: LocalData<'a>,
    /// The `e:` field.
    pub external: ExternalData<'a>,
    /// Value of the `dd.internal.entity_id:` tag, a pod uid; empty when absent.
    pub entity_id: &'a [u8],
    /// The level asked for, see [`Cardinality::choose`].
    pub cardinality: Option<Cardinality>,
}

/// What resolution adds to a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Tags, sorted, without duplicates.
    pub tags: Vec<Arc<str>>,
    /// The first entity that the snapshot knows, else the first that was named.
    pub entity: Option<Arc<str>>,
    /// Whether the sender opted out of all tags.
    pub is_suppressed: bool,
}

/// Resolves the origin of one message.
///
/// Legacy order: the tags of the peer's container, of the pod or container that the client names,
/// and the global ones, together. Unified order: peer, container of `c:` (or its inode), container
/// of `e:`, pod of the entity id, pod of `e:`; the first that the snapshot knows is the only one,
/// global tags come only when none is known.
#[must_use]
pub fn resolve(
    settings: &OriginSettings,
    claims: &Claims<'_>,
    snapshot: &OriginSnapshot,
) -> Resolved {
    if is_suppressed(settings, claims) {
        return Resolved { is_suppressed: true, ..Resolved::default() };
    }
    let mut found = Found {
        // `none` without the right to opt out asks for no particular level.
        level: claims
            .cardinality
            .filter(|&level| level != Cardinality::None)
            .unwrap_or(settings.cardinality),
        snapshot,
        is_known: false,
        resolved: Resolved::default(),
    };
    if settings.is_unified {
        found.unify(settings, claims);
    } else {
        found.accumulate(settings, claims);
    }
    let mut resolved = found.resolved;
    resolved.tags.sort_unstable();
    resolved.tags.dedup();
    resolved
}

fn is_suppressed(settings: &OriginSettings, claims: &Claims<'_>) -> bool {
    claims.cardinality == Some(Cardinality::None)
        && (settings.is_unified || settings.is_optout_enabled)
}

struct Found<'s> {
    level: Cardinality,
    snapshot: &'s OriginSnapshot,
    /// Whether `resolved.entity` is in the snapshot.
    is_known: bool,
    resolved: Resolved,
}

impl Found<'_> {
    /// spec: dogstatsd §7.5.
    fn accumulate(&mut self, settings: &OriginSettings, claims: &Claims<'_>) {
        let is_peer_displaced = settings.is_entity_id_preferred && !claims.entity_id.is_empty();
        if let Some(peer) = peer(settings, claims)
            && !is_peer_displaced
        {
            self.add(peer);
        }
        if let Some(pod) = entity_pod(claims) {
            self.add(&pod);
        } else if settings.is_client_used
            && let Some(container) = self.local_container(&claims.local)
        {
            self.add(&container);
        }
        self.add_global();
    }

    /// spec: dogstatsd §7.6.
    fn unify(&mut self, settings: &OriginSettings, claims: &Claims<'_>) {
        let is_client_used = settings.is_client_used;
        let is_found = peer(settings, claims).is_some_and(|peer| self.add(peer))
            || is_client_used
                && self.local_container(&claims.local).is_some_and(|entity| self.add(&entity))
            || is_client_used
                && self
                    .external_container(&claims.external)
                    .is_some_and(|entity| self.add(&entity))
            || entity_pod(claims).is_some_and(|pod| self.add(&pod))
            || is_client_used
                && name(POD_PREFIX, claims.external.pod_uid).is_some_and(|pod| self.add(&pod));
        if !is_found {
            self.add_global();
        }
    }

    /// Adds the tags of an entity; false when the snapshot does not know it.
    fn add(&mut self, entity: &Arc<str>) -> bool {
        let Some((name, tags)) = self.snapshot.entities.get_key_value(entity) else {
            self.resolved.entity.get_or_insert_with(|| Arc::clone(entity));
            return false;
        };
        if !self.is_known {
            self.is_known = true;
            self.resolved.entity = Some(Arc::clone(name));
        }
        tags.extend(self.level, &mut self.resolved.tags);
        true
    }

    fn add_global(&mut self) {
        self.snapshot.global_tags.extend(self.level, &mut self.resolved.tags);
    }

    fn local_container(&self, local: &LocalData<'_>) -> Option<Arc<str>> {
        if !local.container_id.is_empty() {
            return name(CONTAINER_PREFIX, local.container_id);
        }
        if local.inode == 0 {
            return None;
        }
        let container = self.snapshot.inodes.get(&local.inode);
        if container.is_none() {
            self.snapshot.inode_misses.add();
        }
        container.cloned()
    }

    fn external_container(&self, external: &ExternalData<'_>) -> Option<Arc<str>> {
        self.snapshot.container_of(external).cloned()
    }
}

fn peer<'a>(settings: &OriginSettings, claims: &Claims<'a>) -> Option<&'a Arc<str>> {
    claims.peer.filter(|_| settings.is_peer_used)
}

/// `none` says that there is no pod, which still displaces the peer in the legacy order.
fn entity_pod(claims: &Claims<'_>) -> Option<Arc<str>> {
    name(POD_PREFIX, claims.entity_id).filter(|_| claims.entity_id != b"none")
}

fn name(prefix: &str, id: &[u8]) -> Option<Arc<str>> {
    text(id).map(|id| [prefix, id].concat().into())
}

/// An id of a client as text; nothing when it is empty, too long or not UTF-8.
pub(crate) fn text(id: &[u8]) -> Option<&str> {
    if id.is_empty() || id.len() > CLIENT_ID_BYTES_MAX {
        return None;
    }
    std::str::from_utf8(id).ok()
}

#[cfg(test)]
mod tests;
