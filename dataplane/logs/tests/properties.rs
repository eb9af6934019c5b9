//! What holds for every record: it comes back from its JSON, and no limit is exceeded.

use corelane_logs::{
    Batch, BatchLimits, Counted, Defaults, Dropped, Entry, EntryLimits, Push, RuleConfig, Rules,
    Settings, check_ingest, encode_entry, parse_entries, prepare, repair_utf8,
};
use proptest::prelude::*;
use serde_json::Value;

/// Texts with whatever is escaped, often around the ends of blocks.
fn texts() -> impl Strategy<Value = String> {
    let special = prop::sample::select(vec![
        "\"", "\\", "<", ">", "&", "\n", "\u{1}", "\u{7f}", "\u{2028}", "\u{2029}", "\u{201c}",
        "é", "🍣",
    ]);
    let piece = prop_oneof![special.prop_map(str::to_owned), "[a-z ]{0,40}", "\\PC{0,4}"];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn entries() -> impl Strategy<Value = Entry> {
    let fields = prop::array::uniform6(texts());
    (fields, any::<i64>()).prop_map(|(fields, timestamp_ms)| {
        let [message, status, hostname, service, source, tags] = fields;
        let status = if status.is_empty() { "info".to_owned() } else { status };
        let known = Entry { message, status, hostname, service, source, tags, ..Entry::default() };
        Entry { timestamp_ms, ..known }
    })
}

/// Bodies close enough to what is submitted to get deep into the parser.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => prop::sample::select(vec![
            "[", "]", "{", "}", ",", ":", "{\"message\":\"m\",\"timestamp\":1", "\"message\"",
            "\"timestamp\"", "\"ddtags\":", "\"lambda\":", "\"\\u006d\":", "null", "1", "-1.5e3",
            "\"<a>\"", "\"\\ud83d\"", "\\", " ", "\n", "\r\n",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..4),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn rules() -> impl Strategy<Value = Vec<RuleConfig>> {
    let kind = prop::sample::select(vec![
        "exclude_at_match",
        "include_at_match",
        "mask_sequences",
        "mask_sequences",
        "exclude_truncated",
        "multi_line",
        "remap_source",
    ]);
    let rule = (kind, "[a-z]", r"[\[\]\\{}()^$.*+?a-dQEpx0-3|]{0,12}", r"[${}a1_ ]{0,8}");
    let rule = rule.prop_map(|(kind, name, pattern, replace_placeholder)| RuleConfig {
        kind: kind.to_owned(),
        name,
        pattern,
        replace_placeholder,
    });
    prop::collection::vec(rule, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_record_comes_back_from_its_json(entry in entries()) {
        let mut out = Vec::new();
        encode_entry(&entry, &mut out);
        prop_assert_eq!(parse_entries(&out).unwrap(), [entry.clone()]);
        let read: Value = serde_json::from_slice(&out).unwrap();
        prop_assert_eq!(read.as_object().unwrap().len(), 7);
        let raw = |byte: &u8| *byte < 0x20 || b"<>&".contains(byte);
        prop_assert!(!out.iter().any(raw), "everything is escaped");
    }

    #[test]
    fn any_body_is_survived(body in bodies()) {
        check_ingest(&body);
    }

    #[test]
    fn rules_never_panic(rules in rules(), message in texts(), is_truncated: bool) {
        let Ok(compiled) = Rules::new(&rules) else { return Ok(()) };
        let bytes_max = 200.max(message.len());
        let mut processed = message.clone();
        let result = compiled.apply(&mut processed, is_truncated, bytes_max);
        if result.is_ok() {
            prop_assert!(processed.len() <= bytes_max);
        }
        if !rules.iter().any(|rule| rule.kind == "mask_sequences") {
            prop_assert_eq!(&processed, &message);
            prop_assert_ne!(result, Err(Dropped::TooLarge));
        }
    }

    #[test]
    fn no_record_exceeds_its_limits(
        mut entry in entries(),
        message_bytes_max in 0_usize..80,
        entry_bytes_max in 0_usize..500,
        tags_truncated: bool,
    ) {
        let defaults = Defaults { tags: "a:b".to_owned(), ..Defaults::default() };
        let limits = EntryLimits { message_bytes_max, entry_bytes_max, tags_truncated };
        let settings = Settings { defaults, limits, ..Settings::default() };
        let length = entry.message.len();
        let mut out = vec![b'x'];
        match prepare(&mut entry, &settings, &mut out) {
            Ok(()) => {
                prop_assert!(out.len() - 1 <= entry_bytes_max);
                prop_assert_eq!(entry.is_truncated, length > message_bytes_max);
                prop_assert_eq!(entry.tags.contains("truncated:"), entry.is_truncated && tags_truncated);
                prop_assert!(entry.tags.ends_with("a:b"));
            }
            Err(reason) => {
                prop_assert_eq!((reason, &*out), (Dropped::TooLarge, &b"x"[..]));
            }
        }
    }

    #[test]
    fn batches_never_exceed_their_limits(
        lengths in prop::collection::vec(1_usize..30, 0..40),
        count_max in 1_usize..8,
        bytes_max in 0_usize..80,
        is_body: bool,
    ) {
        let counted = if is_body { Counted::Body } else { Counted::Entries };
        let mut batch = Batch::new(BatchLimits { count_max, bytes_max, counted });
        let (mut payloads, mut kept) = (Vec::new(), Vec::new());
        for length in lengths {
            let encoded = vec![b'x'; length];
            let mut push = batch.push(&encoded, 0);
            if push == Push::Full {
                payloads.extend(batch.take());
                push = batch.push(&encoded, 0);
            }
            let framing = if is_body { 2 } else { 0 };
            prop_assert_eq!(push == Push::Added, length + framing <= bytes_max);
            if push == Push::Added {
                kept.push(length);
            }
        }
        payloads.extend(batch.take());
        let mut sent = Vec::new();
        for payload in &payloads {
            let inner = &payload.body[1..payload.body.len() - 1];
            let lengths: Vec<usize> = inner.split(|byte| *byte == b',').map(<[u8]>::len).collect();
            let bytes = if is_body { payload.body.len() } else { lengths.iter().sum() };
            prop_assert!(bytes <= bytes_max && lengths.len() <= count_max);
            prop_assert_eq!(lengths.len(), payload.count);
            sent.extend(lengths);
        }
        prop_assert_eq!(sent, kept, "every record, once and in order");
    }

    #[test]
    fn repaired_bytes_have_a_mark_for_each_wrong_byte(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0x80_u8..0xc0, Just(b'a')], 0..20),
    ) {
        let repaired = repair_utf8(&bytes);
        let valid: usize = bytes.utf8_chunks().map(|chunk| chunk.valid().len()).sum();
        let is_mark = |c: &char| *c == char::REPLACEMENT_CHARACTER;
        let own: usize = bytes.utf8_chunks().map(|chunk| chunk.valid().chars().filter(is_mark).count()).sum();
        prop_assert_eq!(repaired.chars().filter(is_mark).count() - own, bytes.len() - valid);
    }
}
