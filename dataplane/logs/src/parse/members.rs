//! The keys of a submitted record.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::Entry;

/// Unknown keys of a record.
const EXTRA_KEYS_MAX: usize = 256;
/// Levels of the value of an unknown key. Such values are not parsed, so that the parser's own
/// limit, 128, does not apply.
const EXTRA_DEPTH_MAX: usize = 100;

/// Reads one record.
pub(super) fn read_entry<'de, A: MapAccess<'de>>(mut object: A) -> Result<Entry, A::Error> {
    let mut known = Known::default();
    let mut extra: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::new();
    while let Some(key) = object.next_key::<Key<'de>>()? {
        match &*key.0 {
            "message" => set(&mut known.message, "message", &mut object)?,
            "timestamp" => set(&mut known.timestamp_ms, "timestamp", &mut object)?,
            "status" => set(&mut known.status, "status", &mut object)?,
            "hostname" => set(&mut known.hostname, "hostname", &mut object)?,
            "service" => set(&mut known.service, "service", &mut object)?,
            "ddsource" => set(&mut known.source, "ddsource", &mut object)?,
            "ddtags" => set(&mut known.tags, "ddtags", &mut object)?,
            _ => push_extra(&mut extra, key.0, object.next_value()?)?,
        }
    }
    let mut entry = Entry {
        message: known.message.ok_or_else(|| Error::missing_field("message"))?,
        status: known.status.flatten().unwrap_or_default(),
        timestamp_ms: known.timestamp_ms.ok_or_else(|| Error::missing_field("timestamp"))?,
        hostname: known.hostname.flatten().unwrap_or_default(),
        service: known.service.flatten().unwrap_or_default(),
        source: known.source.flatten().unwrap_or_default(),
        tags: known.tags.flatten().unwrap_or_default(),
        ..Entry::default()
    };
    for (key, value) in extra {
        entry.extra.push(&key, value);
    }
    Ok(entry)
}

/// Values of known keys; `Some(None)` is a null.
#[derive(Default)]
struct Known {
    message: Option<String>,
    status: Option<Option<String>>,
    timestamp_ms: Option<i64>,
    hostname: Option<Option<String>>,
    service: Option<Option<String>>,
    source: Option<Option<String>>,
    tags: Option<Option<String>>,
}

fn set<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    field: &mut Option<T>,
    key: &'static str,
    object: &mut A,
) -> Result<(), A::Error> {
    if field.is_some() {
        return Err(Error::duplicate_field(key));
    }
    *field = Some(object.next_value()?);
    Ok(())
}

/// The last of several values of a key counts, as for most readers of JSON.
fn push_extra<'de, E: Error>(
    extra: &mut Vec<(Cow<'de, str>, &'de RawValue)>,
    key: Cow<'de, str>,
    value: &'de RawValue,
) -> Result<(), E> {
    if !is_shallow(value.get()) {
        return Err(E::custom("recursion limit exceeded"));
    }
    if let Some((_, held)) = extra.iter_mut().find(|(held, _)| *held == key) {
        *held = value;
    } else if extra.len() == EXTRA_KEYS_MAX {
        return Err(E::custom(format_args!("more than {EXTRA_KEYS_MAX} unknown keys")));
    } else {
        extra.push((key, value));
    }
    Ok(())
}

/// Whether a valid value of JSON is nested no deeper than [`EXTRA_DEPTH_MAX`].
fn is_shallow(value: &str) -> bool {
    let (mut depth, mut is_in_text, mut is_escaped) = (0_usize, false, false);
    for byte in value.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => is_in_text = !is_in_text,
            _ if is_in_text => {}
            b'[' | b'{' => {
                depth += 1;
                if depth > EXTRA_DEPTH_MAX {
                    return false;
                }
            }
            b']' | b'}' => depth -= 1,
            _ => {}
        }
    }
    true
}

/// A key, borrowed unless it has escapes.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(key)))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(key.to_owned())))
    }
}
