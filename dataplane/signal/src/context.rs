//! What identifies a series: name, tags, host.

use std::sync::Arc;

/// Keyed 128-bit hash of name, host and the set of tags. Equal in every lane of one process, and
/// independent of the order and the repetition of the tags. spec: dogstatsd §8.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextKey(pub u128);

/// Index of a context in the tables of one lane. Reused after the context expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextId(pub u32);

/// A set of tags, sorted and without duplicates, shared by all contexts that carry it.
#[derive(Debug, PartialEq, Eq)]
pub struct TagSet {
    /// Keyed hash of the tags, see [`ContextKey`].
    pub key: u128,
    /// The tags, valid UTF-8, each interned once per lane.
    pub tags: Box<[Arc<str>]>,
    /// Whether any tag becomes a resource when a series is encoded (`device:`,
    /// `dd.internal.resource:`). spec: metrics-intake §3.1.
    pub has_resource_tags: bool,
}

impl TagSet {
    /// A set from tags that are already sorted and unique.
    #[must_use]
    pub fn new(key: u128, tags: Box<[Arc<str>]>) -> Self {
        debug_assert!(tags.windows(2).all(|pair| pair[0] < pair[1]), "tags sorted and unique");
        let has_resource_tags = tags
            .iter()
            .any(|tag| tag.starts_with("device:") || tag.starts_with("dd.internal.resource:"));
        Self { key, tags, has_resource_tags }
    }
}

/// Where a metric came from, as product usage pages attribute it. spec: metrics-intake §5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Provenance {
    /// 10: Agent.
    pub product: u32,
    /// 10: DogStatsD, 11: integration, 0: internal.
    pub category: u32,
    /// Integration number, 0 when there is none.
    pub service: u32,
}

impl Provenance {
    /// Anything received over DogStatsD.
    pub const DOGSTATSD: Self = Self { product: 10, category: 10, service: 0 };
    /// The agent's own series and anything of unknown source.
    pub const INTERNAL: Self = Self { product: 10, category: 0, service: 0 };

    /// A metric that a JMX check sent over DogStatsD. spec: metrics-intake §5.4.
    #[must_use]
    pub const fn jmx(service: u32) -> Self {
        Self { product: 10, category: 11, service }
    }
}

/// One context: everything that makes samples the same series, except their type.
#[derive(Debug, PartialEq, Eq)]
pub struct Context {
    /// Identity across lanes.
    pub key: ContextKey,
    /// Final metric name: mapped, with the namespace; valid UTF-8.
    pub name: Box<str>,
    /// Tags of the client, of its origin and of the configuration.
    pub tags: Arc<TagSet>,
    /// Host name; empty means "no host".
    pub host: Arc<str>,
    /// Attribution of the series.
    pub provenance: Provenance,
    /// Container or pod that sent it (`container_id://…`), empty when unknown. Not part of the key:
    /// the first sender is kept. Used by `dogstatsd top`.
    pub origin: Arc<str>,
}
