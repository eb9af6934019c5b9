//! The spec's vectors, all lines of the kinds that are about records. spec: logs §23.

use corelane_logs::{
    Batch, BatchLimits, Counted, Entry, Push, RuleConfig, Rules, encode_entry, parse_entries,
    repair_utf8,
};
use serde_json::Value;

/// Kinds of the intake's vectors that are not about records.
const OTHER_KINDS: &[&str] = &[
    // The raw TCP transport, which is not built.
    "proto_encode",
    "raw_encode",
    "raw_is_rfc5424",
    "tcp_frame",
    // The forwarder's, and tested there.
    "backoff",
    "backoff_counter",
    "status",
    // Those of `control/config`, which says where logs go, and tested there.
    "serverless_additional_endpoints",
    "url",
    "url_from_site",
];

/// Kinds of the framing vectors that are about reading lines of files, which is not built.
const FRAMING_KINDS: &[&str] =
    &["decode_utf16", "frame_shiftjis", "frame_utf16", "frame_utf8", "single_line_pipeline"];

macro_rules! vectors {
    ($name:literal) => {
        lines(include_str!(concat!("../../../tests/vectors/", $name, ".jsonl")))
    };
}

fn lines(text: &str) -> Vec<Value> {
    let lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    assert!(!lines.is_empty());
    lines
}

fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line[field].as_str().expect("the field is text")
}

fn rules(line: &Value, field: &str) -> Vec<RuleConfig> {
    serde_json::from_value(line[field].clone()).expect("a list of rules")
}

#[test]
fn processing_rules() {
    for line in vectors!("logs_rules") {
        match text(&line, "kind") {
            "rules" => check_rules(&line),
            "validate" => {
                let error = Rules::new(&rules(&line, "rules")).err().map(|e| e.to_string());
                assert_eq!(error.as_deref(), line["error"].as_str(), "{line}");
            }
            kind => panic!("unknown kind {kind}"),
        }
    }
}

fn check_rules(line: &Value) {
    let (global, source) = (rules(line, "global_rules"), rules(line, "source_rules"));
    let rules = Rules::new(global.iter().chain(&source)).expect("valid rules");
    let mut message = text(line, "input").to_owned();
    let is_truncated = line["input_is_truncated_flag"].as_bool().unwrap_or_default();
    let result = rules.apply(&mut message, is_truncated, 1_000_000);
    assert_eq!(result.is_err(), line["dropped"], "{line}");
    assert_eq!(result.ok().map(|()| &*message), line["output"].as_str(), "{line}");
}

#[test]
fn intake() {
    for line in vectors!("logs_intake") {
        match text(&line, "kind") {
            "json_encode" => check_encode(&line),
            "batch" => check_batch(&line),
            "local_ingest" => check_ingest(&line),
            "local_ingest_entry" => check_ingested_entry(&line),
            kind => assert!(OTHER_KINDS.contains(&kind), "unknown kind {kind}"),
        }
    }
}

#[test]
fn repaired_text() {
    for line in vectors!("logs_framing") {
        match text(&line, "kind") {
            "utf8_repair" => {
                let bytes = from_hex(text(&line, "input_hex"));
                assert_eq!(repair_utf8(&bytes), text(&line, "output"), "{line}");
            }
            kind => assert!(FRAMING_KINDS.contains(&kind), "unknown kind {kind}"),
        }
    }
}

fn from_hex(digits: &str) -> Vec<u8> {
    let byte = |pair| str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    digits.as_bytes().chunks(2).map(|pair| byte(pair).expect("two digits")).collect()
}

fn check_encode(line: &Value) {
    let input = &line["input"];
    let config = |field: &str| input["config"][field].as_str().unwrap_or_default();
    let list = |value: &'_ Value| -> Vec<String> {
        let list = value.as_array().cloned().unwrap_or_default();
        list.iter().map(|tag| tag.as_str().expect("a tag").to_owned()).collect()
    };
    let category = Some(config("sourcecategory")).filter(|category| !category.is_empty());
    let mut tags = list(&input["origin_tags"]);
    tags.extend(category.map(|category| format!("sourcecategory:{category}")));
    tags.extend(list(&input["config"]["tags"]));
    let mut entry = Entry {
        message: text(input, "content").to_owned(),
        status: text(input, "status").to_owned(),
        timestamp_ms: input["now_ms"].as_i64().expect("a time"),
        hostname: text(input, "hostname").to_owned(),
        service: config("service").to_owned(),
        source: config("source").to_owned(),
        ..Entry::default()
    };
    tags.iter().for_each(|tag| entry.push_tags(tag));
    assert_eq!(encoded(&entry), text(line, "output"), "{line}");
}

fn encoded(entry: &Entry) -> String {
    let mut out = Vec::new();
    encode_entry(entry, &mut out);
    String::from_utf8(out).expect("JSON is text")
}

fn check_batch(line: &Value) {
    let number = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok()).expect("n");
    let numbers = |value: &Value| -> Vec<usize> {
        value.as_array().expect("a list").iter().map(number).collect()
    };
    let mut batch = Batch::new(BatchLimits {
        count_max: number(&line["limits"]["max_count"]),
        bytes_max: number(&line["limits"]["max_bytes"]),
        counted: Counted::Entries,
    });
    let sizes_of = |body: &[u8]| -> Vec<usize> {
        let inner = &body[1..body.len() - 1];
        inner.split(|byte| *byte == b',').map(<[u8]>::len).collect()
    };
    let (mut flushed, mut too_large) = (Vec::new(), 0);
    let mut flush = |batch: &mut Batch| {
        flushed.push(sizes_of(&batch.take().expect("a payload").body));
    };
    for size in numbers(&line["encoded_sizes"]) {
        let encoded = vec![b'x'; size];
        match batch.push(&encoded, 0) {
            Push::Added => {}
            Push::TooLarge => too_large += 1,
            Push::Full => {
                flush(&mut batch);
                assert_eq!(batch.push(&encoded, 0), Push::Added, "{line}");
            }
        }
        if batch.is_full() {
            flush(&mut batch);
        }
    }
    let expected: Vec<_> =
        line["flushed"].as_array().expect("a list").iter().map(numbers).collect();
    assert_eq!(flushed, expected, "{line}");
    let left = batch.take().map(|payload| sizes_of(&payload.body)).unwrap_or_default();
    assert_eq!(left, numbers(&line["left_for_timer"]), "{line}");
    assert_eq!(too_large, number(&line["dropped_too_large"]), "{line}");
}

/// Replies to methods, paths and lengths are the server's, and tested there.
fn check_ingest(line: &Value) {
    let reply = text(line, "reply");
    let parsed = parse_entries(text(line, "body").as_bytes());
    match line["status"].as_u64() {
        Some(200) => assert!(parsed.is_ok(), "{line}"),
        Some(400) => {
            let error = parsed.expect_err("it is refused").to_string();
            let fixed = reply.strip_suffix("<parser text>").expect("a text of the parser");
            assert!(error.strip_prefix(fixed).is_some_and(|rest| !rest.is_empty()), "{error}");
        }
        status => assert!(matches!(status, Some(404 | 405 | 413)), "unknown status: {line}"),
    }
}

/// The reference leaves out what was not sent, which is written here with its default.
fn check_ingested_entry(line: &Value) {
    let entries = parse_entries(text(line, "input").as_bytes()).expect("valid");
    assert_eq!(entries.len(), 1, "{line}");
    let serialized: Value = serde_json::from_str(text(line, "serialized")).expect("JSON");
    let mut written: Value = serde_json::from_str(&encoded(&entries[0])).expect("JSON");
    for key in ["status", "hostname", "service", "ddsource", "ddtags"] {
        if serialized[key].is_null() {
            let default = if key == "status" { "info" } else { "" };
            assert_eq!(written[key], default, "{line}");
            written.as_object_mut().expect("an object").remove(key);
        }
    }
    assert_eq!(written, serialized, "{line}");
}
