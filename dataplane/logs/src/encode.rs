//! A record as JSON. spec: logs §2.2.

mod text;

use crate::Entry;

pub(crate) use text::push_text;

/// What all keys and what stands between them take.
const FRAME_BYTES: usize = 128;

/// What is sent for a record without a status.
pub(crate) const STATUS_DEFAULT: &str = "info";

/// Appends a record as an object of JSON: the seven keys in their order, all of them always there,
/// then the further ones. Bytes are those of the Agent, which escapes what HTML would read.
///
/// It sets no limit to the length: see [`crate::prepare`].
pub fn encode_entry(entry: &Entry, out: &mut Vec<u8>) {
    let texts = entry.message.len() + entry.tags.len() + entry.extra.as_members().len();
    out.reserve(FRAME_BYTES + texts);
    out.extend_from_slice(b"{\"message\":");
    push_text(&entry.message, out);
    out.extend_from_slice(b",\"status\":");
    push_text(if entry.status.is_empty() { STATUS_DEFAULT } else { &entry.status }, out);
    out.extend_from_slice(b",\"timestamp\":");
    push_integer(entry.timestamp_ms, out);
    out.extend_from_slice(b",\"hostname\":");
    push_text(&entry.hostname, out);
    out.extend_from_slice(b",\"service\":");
    push_text(&entry.service, out);
    out.extend_from_slice(b",\"ddsource\":");
    push_text(&entry.source, out);
    out.extend_from_slice(b",\"ddtags\":");
    push_text(&entry.tags, out);
    out.extend_from_slice(entry.extra.as_members());
    out.push(b'}');
}

fn push_integer(value: i64, out: &mut Vec<u8>) {
    let written = serde_json::to_writer(out, &value);
    debug_assert!(written.is_ok(), "a number into memory cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_decimal() {
        for value in [0, 7, -7, 10, 1_700_000_000_123, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            push_integer(value, &mut out);
            assert_eq!(out, value.to_string().into_bytes());
        }
    }
}
