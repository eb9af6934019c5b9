//! What holds for any body that is submitted; for properties and fuzzing.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::{Batch, BatchLimits, Entry, Push, Settings, parse_entries, parse_lines, prepare};

/// Reads the bytes as JSON and as lines. What is read can be sent: each record becomes an object
/// of JSON with the same values, and a payload of them is an array within its limits.
///
/// # Panics
/// One of these is not so.
pub fn check_ingest(body: &[u8]) {
    if let Ok(entries) = parse_entries(body) {
        check_entries(entries);
    }
    let lines = parse_lines(body, i64::MIN);
    let entries = lines.unwrap_or_default();
    for entry in &entries {
        assert!(!entry.message.is_empty() && !entry.message.contains('\n'), "a line is one line");
    }
    check_entries(entries);
}

/// Puts records into payloads, and reads those again.
fn check_entries(entries: Vec<Entry>) {
    let (settings, limits) = (Settings::default(), BatchLimits::default());
    let (mut batch, mut prepared) = (Batch::new(limits), Vec::new());
    for mut entry in entries {
        let mut encoded = Vec::new();
        if prepare(&mut entry, &settings, &mut encoded).is_err() {
            assert!(encoded.is_empty(), "nothing is written of what is dropped");
            continue;
        }
        assert!(encoded.len() <= settings.limits.entry_bytes_max, "a record is short enough");
        if batch.push(&encoded, 0) == Push::Full {
            check_payload(&mut batch, limits, &mut prepared);
            assert_eq!(batch.push(&encoded, 0), Push::Added, "an empty batch takes any record");
        }
        prepared.push(entry);
    }
    check_payload(&mut batch, limits, &mut prepared);
    assert!(prepared.is_empty(), "every record is in a payload");
}

/// A payload is an array within its limits, and has the records in their order.
fn check_payload(batch: &mut Batch, limits: BatchLimits, prepared: &mut Vec<Entry>) {
    let Some(payload) = batch.take() else { return };
    assert!(payload.body.len() <= limits.bytes_max && payload.count <= limits.count_max, "limits");
    let entries = parse_entries(&payload.body);
    assert!(entries.is_ok(), "what is sent can be submitted");
    let entries = entries.unwrap_or_default();
    assert_eq!(entries.len(), payload.count, "the count is that of the records");
    for (mut sent, read) in prepared.drain(..payload.count).zip(entries) {
        sent.is_truncated = false;
        assert_eq!(sent, read, "a record comes back as it was sent");
        check_folded(sent);
    }
}

/// Further keys that are folded into the message are still JSON.
fn check_folded(mut entry: Entry) {
    let extra = entry.extra.clone();
    let message = entry.message.clone();
    entry.fold_extra();
    assert!(entry.extra.is_empty(), "all keys are folded");
    if extra.is_empty() {
        assert_eq!(entry.message, message, "nothing to fold");
        return;
    }
    // An object of raw values: halves of surrogates in them are nobody's business here.
    let folded: Result<BTreeMap<String, &RawValue>, _> = serde_json::from_str(&entry.message);
    let count = folded.map(|members| members.len()).ok();
    assert!(count.is_some_and(|count| count > 1), "a folded message is an object");
}
