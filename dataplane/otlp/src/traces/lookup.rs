//! What a span says, or else its resource. spec: otlp §4.3, rule S→R.

use std::borrow::Cow;

use obfuscate::normalize;

use super::known::{Known, Places};
use super::shared::Shared;
use crate::{Attributes, Value};

/// The attributes of a span and of its resource, to be looked up by known keys.
#[derive(Clone, Copy)]
pub(super) struct Lookup<'s> {
    pub(super) attributes: &'s Attributes<'s>,
    pub(super) places: &'s Places,
    pub(super) resource: &'s Shared,
}

impl<'s> Lookup<'s> {
    /// The value that the span itself has under a key.
    pub(super) fn value(&self, key: Known) -> Option<&'s Value<'s>> {
        self.places.value(key, self.attributes)
    }

    /// Text of the span, or else of its resource; an empty one counts as none.
    pub(super) fn text(&self, key: Known) -> Option<Cow<'s, str>> {
        self.of_span(key).or_else(|| self.of_resource(key))
    }

    /// The same the other way round, as names were found in the old way.
    pub(super) fn text_of_resource_first(&self, key: Known) -> Option<Cow<'s, str>> {
        self.of_resource(key).or_else(|| self.of_span(key))
    }

    /// The first text under several keys.
    pub(super) fn first(&self, keys: &[Known]) -> Option<Cow<'s, str>> {
        keys.iter().find_map(|key| self.text(*key))
    }

    /// [`Self::text`] as the value of a tag; none when nothing of it can be kept.
    pub(super) fn tag_value(&self, key: Known) -> Option<Cow<'s, str>> {
        self.text(key).map(normalized).filter(|text| !text.is_empty())
    }

    /// Text of the span.
    pub(super) fn of_span(&self, key: Known) -> Option<Cow<'s, str>> {
        text_of(self.value(key)?)
    }

    /// Text of the resource.
    pub(super) fn of_resource(&self, key: Known) -> Option<Cow<'s, str>> {
        self.resource.text(key).map(Cow::Borrowed)
    }
}

/// The text of a value that may name something. Lists and maps name nothing: they may be long, and
/// are looked at several times.
pub(super) fn text_of<'v>(value: &'v Value<'_>) -> Option<Cow<'v, str>> {
    if matches!(value, Value::Array(_) | Value::Map(_)) {
        return None;
    }
    value.to_text().ok().filter(|text| !text.is_empty())
}

/// A text as the value of a tag.
pub(super) fn normalized(text: Cow<'_, str>) -> Cow<'_, str> {
    let mut out = String::new();
    let change = normalize::tag_value(text.as_bytes(), &mut out);
    if change.is_written() { Cow::Owned(out) } else { text }
}
