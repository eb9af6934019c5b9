//! Tags of statistics: those that name the peer of a span, and those that a configuration adds.

use std::ops::Range;

use obfuscate::peer_ip;
use span::{Batch, Key, KeySet, Span};
use stats::{PeerTagScope, additional_tag_value, peer_tag_scope};

use crate::access::{KeyName, is_told};

/// Keys and values of one span.
pub(super) type Pairs<'a> = Vec<(&'a str, &'a str)>;

/// Peer tags. spec: apm §9.3.
#[derive(Debug)]
pub(super) struct PeerTags {
    tags: Tags,
    /// Where the base service is among the keys.
    base_service: Option<usize>,
}

/// Additional metric tags. spec: apm §9.3.
#[derive(Debug)]
pub(super) struct AdditionalTags {
    tags: Tags,
}

/// Keys, and scratch memory for the tags of one span.
#[derive(Debug)]
struct Tags {
    keys: Vec<KeyName>,
    /// What a span has no key of is passed over at once.
    groups: Vec<Group>,
    /// Values, one after the other.
    text: String,
    formatted: String,
    /// Index of the key, and where the value is.
    found: Vec<(usize, Range<usize>)>,
    /// Without items; kept for its memory.
    memory: Pairs<'static>,
}

/// Neighbours among the keys.
#[derive(Debug)]
struct Group {
    /// The keys, if spans tell of all of them whether they are there.
    told: Option<KeySet>,
    keys: Range<usize>,
}

/// Keys of one group: few, so that most groups are passed over.
const GROUP_KEYS: usize = 8;

impl PeerTags {
    pub(super) fn new(keys: &[String]) -> Self {
        let tags = Tags::new(keys);
        let base_service = tags.keys.iter().position(|name| name.key == Key::DdBaseService);
        Self { tags, base_service }
    }

    /// The tags of a span of this kind. [`PeerTags::keep`] takes the list back.
    pub(super) fn of(&mut self, batch: &Batch, span: &Span, kind: &str) -> Pairs<'_> {
        self.tags.clear();
        match peer_tag_scope(kind) {
            PeerTagScope::Configured => self.tags.find_all(batch, span, |value, text| {
                if !peer_ip::quantize(value, text).is_written() {
                    text.push_str(value);
                }
            }),
            PeerTagScope::BaseService => {
                if let Some(key) = self.base_service {
                    self.tags.find(key, batch, span, |value, text| text.push_str(value));
                }
            }
            PeerTagScope::Nothing => {}
        }
        self.tags.pairs()
    }

    pub(super) fn keep(&mut self, memory: Pairs<'static>) {
        self.tags.memory = memory;
    }
}

impl AdditionalTags {
    pub(super) fn new(keys: &[String]) -> Self {
        Self { tags: Tags::new(keys) }
    }

    /// The tags of a span. [`AdditionalTags::keep`] takes the list back.
    pub(super) fn of(&mut self, batch: &Batch, span: &Span) -> Pairs<'_> {
        self.tags.clear();
        self.tags.find_all(batch, span, |value, text| text.push_str(additional_tag_value(value)));
        self.tags.pairs()
    }

    pub(super) fn keep(&mut self, memory: Pairs<'static>) {
        self.tags.memory = memory;
    }
}

impl Tags {
    fn new(keys: &[String]) -> Self {
        let keys: Vec<KeyName> = keys.iter().map(|key| KeyName::new(key)).collect();
        let groups = keys.chunks(GROUP_KEYS).enumerate().map(|(n, names)| {
            let known: Vec<Key> = names.iter().map(|name| name.key).collect();
            let is_told = known.iter().all(|key| is_told(*key));
            let start = n * GROUP_KEYS;
            Group { told: is_told.then(|| KeySet::of(&known)), keys: start..start + names.len() }
        });
        Self {
            groups: groups.collect(),
            keys,
            text: String::new(),
            formatted: String::new(),
            found: Vec::new(),
            memory: Vec::new(),
        }
    }

    fn clear(&mut self) {
        self.text.clear();
        self.found.clear();
    }

    /// Writes what a span has under each key.
    fn find_all(&mut self, batch: &Batch, span: &Span, write: impl Fn(&str, &mut String)) {
        for n in 0..self.groups.len() {
            let Some(group) = self.groups.get(n) else { return };
            if group.told.is_none_or(|keys| span.keys.has_any(keys)) {
                for key in group.keys.clone() {
                    self.find(key, batch, span, &write);
                }
            }
        }
    }

    /// Writes what a span has under a key, if it is there and not empty.
    fn find(
        &mut self,
        key: usize,
        batch: &Batch,
        span: &Span,
        write: impl FnOnce(&str, &mut String),
    ) {
        let Some(name) = self.keys.get(key) else { return };
        let value = name.text_of(batch, span, &mut self.formatted);
        let Some(value) = value.filter(|value| !value.is_empty()) else { return };
        let start = self.text.len();
        write(value, &mut self.text);
        self.found.push((key, start..self.text.len()));
    }

    fn pairs(&mut self) -> Pairs<'_> {
        let mut pairs: Pairs<'_> = recycle(std::mem::take(&mut self.memory));
        for (key, range) in &self.found {
            if let Some(name) = self.keys.get(*key) {
                pairs.push((&name.text, self.text.get(range.clone()).unwrap_or_default()));
            }
        }
        pairs
    }
}

/// Empties a list and gives its memory another lifetime: collecting an emptied vector into one of
/// the same layout takes over what it holds.
pub(super) fn recycle<'a>(mut pairs: Pairs<'_>) -> Pairs<'a> {
    pairs.clear();
    pairs.into_iter().map(|_| ("", "")).collect()
}
