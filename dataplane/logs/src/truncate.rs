//! Messages that are too long.

use crate::Entry;

/// Stands where something was cut off. spec: logs §10.3.
pub const TRUNCATED_MARK: &str = "...TRUNCATED...";

/// Tag of a record that was cut.
const TRUNCATED_TAG: &str = "truncated:single_line";

/// Cuts a message at a character within `bytes_max` bytes and marks its end; the record gets a tag
/// if `is_tagged`. A message that is short enough stays.
///
/// A file's line is split into several records instead, where the line is read. What is submitted
/// is one record, and the Agent's intake would cut it without a mark.
pub(crate) fn truncate(entry: &mut Entry, bytes_max: usize, is_tagged: bool) {
    if entry.message.len() <= bytes_max {
        return;
    }
    entry.message.truncate(entry.message.floor_char_boundary(bytes_max));
    entry.message.push_str(TRUNCATED_MARK);
    entry.is_truncated = true;
    if is_tagged {
        entry.push_tags(TRUNCATED_TAG);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(message: &str, bytes_max: usize) -> Entry {
        let mut entry = Entry { message: message.to_owned(), ..Entry::default() };
        truncate(&mut entry, bytes_max, true);
        entry
    }

    #[test]
    fn a_message_of_the_limit_stays() {
        let entry = cut("12345", 5);
        assert_eq!((&*entry.message, &*entry.tags, entry.is_truncated), ("12345", "", false));
    }

    #[test]
    fn a_longer_one_ends_with_a_mark() {
        let entry = cut("123456", 5);
        assert_eq!(entry.message, "12345...TRUNCATED...");
        assert_eq!((&*entry.tags, entry.is_truncated), ("truncated:single_line", true));
        assert_eq!(
            cut("1\u{e9}\u{e9}", 4).message,
            "1\u{e9}...TRUNCATED...",
            "characters stay whole"
        );
    }

    #[test]
    fn the_tag_can_be_left_out() {
        let mut entry = Entry { message: "123".to_owned(), ..Entry::default() };
        truncate(&mut entry, 2, false);
        assert!(entry.tags.is_empty() && entry.is_truncated);
    }
}
