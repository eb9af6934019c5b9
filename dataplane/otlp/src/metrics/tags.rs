//! Tags of points, and the contexts that they make. spec: otlp §5.1.

use std::sync::Arc;

use context::Keys;
use signal::{Context, Provenance, TagSet};

/// A tag of all points of a scope.
#[derive(Clone, Debug)]
struct Shared {
    text: Arc<str>,
    hash: u128,
}

/// What all points of a scope have in common.
#[derive(Debug)]
pub(crate) struct Place {
    host: Arc<str>,
    origin: Arc<str>,
    origin_hash: u128,
    provenance: Provenance,
    /// Sorted and unique.
    tags: Vec<Shared>,
    tags_key: u128,
}

/// The tags of one point beside those of its place. One is used for all points, so that its room is
/// allocated once.
#[derive(Debug, Default)]
pub(crate) struct PointTags {
    text: String,
    /// Sorted and unique once sealed.
    own: Vec<Own>,
    key: u128,
}

/// Where a tag lies in the text, and its hash once sealed.
#[derive(Clone, Copy, Debug)]
struct Own {
    start: usize,
    end: usize,
    hash: u128,
}

impl Place {
    pub(crate) fn new(
        keys: &Keys,
        host: &Arc<str>,
        origin: &Arc<str>,
        provenance: Provenance,
        mut tags: Vec<String>,
    ) -> Self {
        tags.sort_unstable();
        tags.dedup();
        let shared = |tag: String| Shared { hash: keys.hash(tag.as_bytes()), text: tag.into() };
        let tags: Vec<Shared> = tags.into_iter().map(shared).collect();
        Self {
            host: Arc::clone(host),
            origin: Arc::clone(origin),
            origin_hash: keys.hash(origin.as_bytes()),
            provenance,
            tags_key: Keys::tag_set(tags.iter().map(|tag| tag.hash)),
            tags,
        }
    }

    fn has(&self, tag: &str) -> bool {
        self.tags.binary_search_by(|held| (*held.text).cmp(tag)).is_ok()
    }
}

impl PointTags {
    /// Begins those of the next point.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.own.clear();
    }

    /// Adds a tag; a value that is empty is told as `n/a`. spec: otlp §5.1.
    pub(crate) fn push(&mut self, key: &str, value: &str) {
        self.push_with(key, |text| text.push_str(if value.is_empty() { "n/a" } else { value }));
    }

    /// Adds a tag whose value `write` appends.
    pub(crate) fn push_with(&mut self, key: &str, write: impl FnOnce(&mut String)) {
        let start = self.text.len();
        self.text.push_str(key);
        self.text.push(':');
        write(&mut self.text);
        self.own.push(Own { start, end: self.text.len(), hash: 0 });
    }

    /// Makes a set of them: without those that are there twice or in the place already.
    pub(crate) fn seal(&mut self, keys: &Keys, place: &Place) {
        let Self { text, own, key } = self;
        let of = |tag: &Own| text.get(tag.start..tag.end).unwrap_or_default();
        own.sort_unstable_by(|a, b| of(a).cmp(of(b)));
        own.dedup_by(|next, held| of(next) == of(held));
        own.retain(|tag| !place.has(of(tag)));
        for tag in own.iter_mut() {
            tag.hash = keys.hash(of(tag).as_bytes());
        }
        *key = place.tags_key.wrapping_add(Keys::tag_set(own.iter().map(|tag| tag.hash)));
    }

    /// The series of a metric with these tags, sealed before: also of which container it is, since
    /// two of them may say the same.
    pub(crate) fn identity(&self, keys: &Keys, place: &Place, name: &str) -> u128 {
        keys.context(name, &place.host, self.key).0 ^ place.origin_hash
    }

    /// The context of a metric with these tags, sealed before.
    pub(crate) fn context(&self, keys: &Keys, place: &Place, name: &str) -> Context {
        let mut tags = Vec::with_capacity(place.tags.len() + self.own.len());
        let mut shared = place.tags.iter().peekable();
        for tag in &self.own {
            let text = self.text.get(tag.start..tag.end).unwrap_or_default();
            while let Some(before) = shared.next_if(|held| &*held.text < text) {
                tags.push(Arc::clone(&before.text));
            }
            tags.push(Arc::from(text));
        }
        tags.extend(shared.map(|tag| Arc::clone(&tag.text)));
        Context {
            key: keys.context(name, &place.host, self.key),
            name: name.into(),
            tags: Arc::new(TagSet::new(self.key, tags.into())),
            host: Arc::clone(&place.host),
            provenance: place.provenance,
            origin: Arc::clone(&place.origin),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(keys: &Keys, tags: &[&str]) -> Place {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        Place::new(keys, &Arc::from("h"), &Arc::from(""), Provenance::INTERNAL, tags)
    }

    fn context(keys: &Keys, shared: &[&str], own: &[(&str, &str)]) -> Context {
        let (place, mut tags) = (place(keys, shared), PointTags::default());
        tags.push("of", "the point before");
        tags.clear();
        own.iter().for_each(|(key, value)| tags.push(key, value));
        tags.seal(keys, &place);
        tags.context(keys, &place, "m")
    }

    #[test]
    fn tags_are_a_set_wherever_they_come_from() {
        let keys = Keys::from_seed(1);
        let split = context(&keys, &["b:2", "d:4", "b:2"], &[("c", "3"), ("a", "1"), ("b", "2")]);
        let together =
            context(&keys, &[], &[("a", "1"), ("d", "4"), ("c", "3"), ("b", "2"), ("a", "1")]);
        let texts: Vec<&str> = split.tags.tags.iter().map(|tag| &**tag).collect();
        assert_eq!(texts, ["a:1", "b:2", "c:3", "d:4"]);
        assert_eq!(split, together);
        let hashes = ["a:1", "b:2", "c:3", "d:4"].map(|tag| keys.hash(tag.as_bytes()));
        assert_eq!(split.tags.key, Keys::tag_set(hashes.into_iter()));
        assert_eq!(split.key, keys.context("m", "h", split.tags.key));
    }

    #[test]
    fn an_empty_value_is_told() {
        let keys = Keys::from_seed(1);
        let context = context(&keys, &[], &[("a", "")]);
        assert_eq!(&*context.tags.tags[0], "a:n/a");
    }
}
