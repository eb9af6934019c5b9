//! One log record.

use serde_json::value::RawValue;

use crate::encode::push_text;

/// One log record, as it is read from a source and written into a payload. spec: logs §2.2.
///
/// An empty text is a field that the source did not set; [`crate::Defaults`] may fill it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The content.
    pub message: String,
    /// `info`, `error` and so on; empty is sent as `info`.
    pub status: String,
    /// Milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
    /// Host that it is from.
    pub hostname: String,
    /// Service that it is from.
    pub service: String,
    /// `ddsource`.
    pub source: String,
    /// `ddtags`, joined by commas.
    pub tags: String,
    /// Further keys of the top level.
    pub extra: Extra,
    /// Whether the message is only a part of what was logged. Not sent.
    pub is_truncated: bool,
}

/// Many short records of one request are held at once.
const _: () = assert!(size_of::<Entry>() <= 184);

impl Entry {
    /// Appends tags to those that are there.
    pub fn push_tags(&mut self, tags: &str) {
        if tags.is_empty() {
            return;
        }
        if !self.tags.is_empty() {
            self.tags.push(',');
        }
        self.tags.push_str(tags);
    }

    /// Moves further keys into the message, which becomes the JSON text of an object with a key
    /// `message`. For observability pipelines, which refuse a payload with unknown keys.
    /// spec: logs §4.4.
    pub fn fold_extra(&mut self) {
        if self.extra.is_empty() {
            return;
        }
        let mut folded = b"{\"message\":".to_vec();
        push_text(&self.message, &mut folded);
        folded.extend_from_slice(&self.extra.members);
        folded.push(b'}');
        self.message = String::from_utf8(folded).expect("texts and JSON that were checked");
        self.extra = Extra::default();
    }
}

/// Keys of a record that this crate does not know, with their values as they were sent, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extra {
    /// `,"key":value` for each, so that writing them back is one copy.
    members: Vec<u8>,
}

impl Extra {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// `,"key":value` for each: what follows the last known key of an object of JSON.
    #[must_use]
    pub fn as_members(&self) -> &[u8] {
        &self.members
    }

    /// The caller knows that the key is neither one of the seven nor there already.
    pub(crate) fn push(&mut self, key: &str, value: &RawValue) {
        self.members.push(b',');
        push_text(key, &mut self.members);
        self.members.push(b':');
        self.members.extend_from_slice(value.get().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_joined_by_commas() {
        let mut entry = Entry::default();
        for tags in ["", "a:b", "", "c,d"] {
            entry.push_tags(tags);
        }
        assert_eq!(entry.tags, "a:b,c,d");
    }

    #[test]
    fn extra_keys_fold_into_the_message() {
        let mut entry = Entry { message: "a \"b\"".to_owned(), ..Entry::default() };
        entry.fold_extra();
        assert_eq!(entry.message, "a \"b\"", "nothing to fold");
        let value = RawValue::from_string("{ \"arn\": 1 }".to_owned()).unwrap();
        entry.extra.push("lambda", &value);
        entry.fold_extra();
        assert_eq!(entry.message, r#"{"message":"a \"b\"","lambda":{ "arn": 1 }}"#);
        assert!(entry.extra.is_empty());
    }
}
