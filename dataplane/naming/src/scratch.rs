//! Buffers that one lane reuses for every line it names.

use std::ops::Range;

/// Reusable output buffers; empty at first, grown to the longest line seen.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The metric name as received, valid UTF-8.
    pub(crate) raw_name: String,
    /// One tag on its way into `out`.
    pub(crate) raw_tag: String,
    pub(crate) out: Output,
}

/// The result for one line: one text and the places of its parts.
#[derive(Debug, Default)]
pub(crate) struct Output {
    text: String,
    pub(crate) name: Range<usize>,
    pub(crate) tags: Vec<Range<usize>>,
    pub(crate) host: Option<Range<usize>>,
    pub(crate) entity_id: Option<Range<usize>>,
    pub(crate) cardinality: Option<Range<usize>>,
    pub(crate) jmx_service: Option<u32>,
}

impl Output {
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.name = 0..0;
        self.tags.clear();
        self.host = None;
        self.entity_id = None;
        self.cardinality = None;
        self.jmx_service = None;
    }

    /// Appends `part`; the place it went to.
    pub(crate) fn push(&mut self, part: &str) -> Range<usize> {
        let start = self.text.len();
        self.text.push_str(part);
        start..self.text.len()
    }

    /// The text at a place that [`Self::push`] returned since the last [`Self::clear`].
    pub(crate) fn at(&self, place: &Range<usize>) -> &str {
        self.text.get(place.clone()).unwrap_or_default()
    }
}

/// Replaces `text` by `bytes`, each run of invalid UTF-8 turned into U+FFFD.
pub(crate) fn set_lossy(text: &mut String, bytes: &[u8]) {
    text.clear();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lossy_text_is_that_of_the_standard_library(bytes: Vec<u8>) {
            let mut text = String::from("old");
            set_lossy(&mut text, &bytes);
            prop_assert_eq!(text, String::from_utf8_lossy(&bytes));
        }
    }
}
