//! Tags of statistics: those that name the peer of a span, and those that a configuration adds.

use std::ops::Range;

use obfuscate::peer_ip;
use span::{Batch, Key, KeySet, Span};
use stats::{PeerTagScope, additional_tag_value, peer_tag_scope};

use crate::access::KeyName;

/// Keys and values of one span.
pub(super) type Pairs<'a> = Vec<(&'a str, &'a str)>;

/// Peer tags. spec: apm §9.3.
#[derive(Debug)]
pub(super) struct PeerTags {
    tags: Tags,
    /// The known keys among them.
    known: KeySet,
    has_other_keys: bool,
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
    /// Values, one after the other.
    text: String,
    formatted: String,
    /// Index of the key, and where the value is.
    found: Vec<(usize, Range<usize>)>,
    /// Without items; kept for its memory.
    memory: Pairs<'static>,
}

impl PeerTags {
    pub(super) fn new(keys: &[String]) -> Self {
        let tags = Tags::new(keys);
        let known: Vec<Key> = tags.keys.iter().map(|name| name.key).collect();
        Self {
            known: KeySet::of(&known),
            has_other_keys: known.contains(&Key::Other),
            base_service: known.iter().position(|key| *key == Key::DdBaseService),
            tags,
        }
    }

    /// The tags of a span of this kind. [`PeerTags::keep`] takes the list back.
    pub(super) fn of(&mut self, batch: &Batch, span: &Span, kind: &str) -> Pairs<'_> {
        self.tags.clear();
        match peer_tag_scope(kind) {
            PeerTagScope::Configured if self.has_other_keys || span.keys.has_any(self.known) => {
                for key in 0..self.tags.keys.len() {
                    self.tags.find(key, batch, span, |value, text| {
                        if !peer_ip::quantize(value, text).is_written() {
                            text.push_str(value);
                        }
                    });
                }
            }
            PeerTagScope::BaseService => {
                if let Some(key) = self.base_service {
                    self.tags.find(key, batch, span, |value, text| text.push_str(value));
                }
            }
            PeerTagScope::Configured | PeerTagScope::Nothing => {}
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
        for key in 0..self.tags.keys.len() {
            self.tags.find(key, batch, span, |value, text| {
                text.push_str(additional_tag_value(value));
            });
        }
        self.tags.pairs()
    }

    pub(super) fn keep(&mut self, memory: Pairs<'static>) {
        self.tags.memory = memory;
    }
}

impl Tags {
    fn new(keys: &[String]) -> Self {
        Self {
            keys: keys.iter().map(|key| KeyName::new(key)).collect(),
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

    /// Writes what a span has under a key, if it is there and not empty.
    fn find(
        &mut self,
        key: usize,
        batch: &Batch,
        span: &Span,
        write: impl FnOnce(&str, &mut String),
    ) {
        let Some(name) = self.keys.get(key).filter(|name| span.keys.has(name.key)) else { return };
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
