//! Bytes that are no text.

use std::borrow::Cow;

/// The text of some bytes, in which each byte that is not UTF-8 is one U+FFFD: three for the three
/// bytes of a surrogate, as the Agent has it. spec: logs §2.2.
///
/// What is read from files is repaired before rules see it: then `.` matches one such byte, as it
/// does in the Agent, whose rules see the bytes.
#[must_use]
pub fn repair_utf8(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut repaired = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        repaired.push_str(chunk.valid());
        repaired.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Cow::Owned(repaired)
}
