//! The spec's vectors, all lines. spec: apm-obfuscation §4-§10.

use corelane_obfuscate::cards::{Issuer, is_card, issuer};
use corelane_obfuscate::http_url::{self, UrlOptions};
use corelane_obfuscate::normalize::{self, Flaw};
use corelane_obfuscate::{Change, CommandScrubber, JsonBody, memcached, peer_ip, redis};
use serde_json::Value;

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

fn flag(line: &Value, field: &str) -> bool {
    line[field].as_bool().unwrap_or_default()
}

fn result(value: &str, obfuscate: impl FnOnce(&str, &mut String) -> Change) -> String {
    let mut out = String::new();
    obfuscate(value, &mut out).select(value, &out).to_owned()
}

fn check(line: &Value, obfuscate: impl FnOnce(&str, &mut String) -> Change) {
    assert_eq!(result(text(line, "in"), obfuscate), text(line, "out"), "{line}");
}

#[test]
fn redis_commands() {
    for line in vectors!("redis_quantize") {
        check(&line, redis::quantize);
    }
    for line in vectors!("redis_obfuscate") {
        check(&line, redis::obfuscate);
    }
    for line in vectors!("redis_remove_all_args") {
        check(&line, redis::remove_all_arguments);
    }
}

#[test]
fn memcached_commands() {
    for line in vectors!("memcached") {
        let keep_command = flag(&line, "keep_command");
        check(&line, |command, out| memcached::obfuscate(command, keep_command, out));
    }
}

#[test]
fn urls() {
    for line in vectors!("http_url") {
        let options = UrlOptions {
            remove_query_string: flag(&line, "remove_query_string"),
            remove_path_digits: flag(&line, "remove_path_digits"),
        };
        check(&line, |url, out| http_url::obfuscate(url, options, out));
    }
}

/// Statements of the vectors with their obfuscation, which is another crate's.
const STATEMENTS: &[(&str, &str)] = &[
    ("select * from table where id = 2", "select * from table where id = ?"),
    (
        "(`sbtest`.`sbtest1`.`id` between 5016 and 5115)",
        "( sbtest . sbtest1 . id between ? and ? )",
    ),
    ("datadog.org_id", "datadog.org_id"),
    ("(datadog.org_id != 8182)", "( datadog.org_id != ? )"),
    ("(query <> 'dogfood'::text)", "( query <> ? :: text )"),
    ("(pg_stat_statements.dbid = pg_database.)", "( pg_stat_statements.dbid = pg_database. )"),
    (
        "((datadog.org.id >= 10) AND (datadog.org.id < 15))",
        "( ( datadog.org.id >= ? ) AND ( datadog.org.id < ? ) )",
    ),
    ("datadog.org.name != 'dummy'", "datadog.org.name != ?"),
    ("datadog.org_name = 'dummy'", "datadog.org_name = ?"),
    ("datadog.org.id >= 10", "datadog.org.id >= ?"),
    (
        "((datadog.tid > '15531'::tid) AND (datadog.tid <= '(44247,178)'::tid))",
        "( ( datadog.tid > ? :: tid ) AND ( datadog.tid <= ? :: tid ) )",
    ),
    ("'60'::double precision", "? :: double precision"),
];

#[test]
fn json_bodies() {
    for line in vectors!("json") {
        let keys = |field: &str| -> Vec<String> {
            let keys = line[field].as_array().cloned().unwrap_or_default();
            keys.iter().map(|key| key.as_str().expect("a key").to_owned()).collect()
        };
        let mut body = JsonBody::new(keys("keep_values"), keys("obfuscate_sql_values"));
        let mut sql = |statement: &str, out: &mut String| {
            let known = STATEMENTS.iter().find(|(known, _)| *known == statement);
            out.push_str(known.unwrap_or_else(|| panic!("unknown: {statement}")).1);
            true
        };
        check(&line, |text, out| body.obfuscate(text, &mut sql, out));
    }
}

#[test]
fn card_numbers() {
    for line in vectors!("credit_cards") {
        assert_eq!(is_card(text(&line, "in"), false), flag(&line, "card"), "{line}");
        assert_eq!(is_card(text(&line, "in"), true), flag(&line, "card_luhn"), "{line}");
    }
    for line in vectors!("credit_card_prefix") {
        let expected = match (flag(&line, "yes"), flag(&line, "maybe")) {
            (true, _) => Issuer::Known,
            (false, true) => Issuer::Open,
            (false, false) => Issuer::Unknown,
        };
        let number = line["n"].as_u64().and_then(|n| u32::try_from(n).ok()).expect("a number");
        assert_eq!(issuer(number), expected, "{line}");
    }
}

#[test]
fn peers() {
    for line in vectors!("peer_ip") {
        check(&line, peer_ip::quantize);
    }
}

#[test]
fn command_lines() {
    let scrubber = CommandScrubber::new();
    for line in vectors!("process_cmdline") {
        let arguments = |field: &str| -> Vec<String> {
            let arguments = line[field].as_array().expect("arguments");
            arguments.iter().map(|a| a.as_str().expect("an argument").to_owned()).collect()
        };
        let scrubbed = scrubber.scrub_arguments(&arguments("in"));
        assert_eq!(scrubbed.unwrap_or_else(|| arguments("in")), arguments("out"), "{line}");
    }
}

fn normalized(value: &[u8], normalize: impl FnOnce(&[u8], &mut String) -> Change) -> String {
    let mut out = String::new();
    match normalize(value, &mut out) {
        Change::Unchanged => str::from_utf8(value).expect("unchanged is UTF-8").to_owned(),
        Change::Written => out,
    }
}

#[test]
fn tags() {
    for line in vectors!("normalize_tag") {
        let value = text(&line, "in").as_bytes();
        assert_eq!(normalized(value, normalize::tag), text(&line, "tag"), "{line}");
        assert_eq!(normalized(value, normalize::tag_value), text(&line, "tag_value"), "{line}");
    }
    for line in vectors!("normalize_tag_invalid_utf8") {
        let bytes = |field: &str| -> Vec<u8> {
            let byte = |digits| str::from_utf8(digits).map(|digits| u8::from_str_radix(digits, 16));
            let pairs = text(&line, field).as_bytes().chunks(2);
            pairs.map(|pair| byte(pair).expect("two digits").expect("a byte")).collect()
        };
        let value = bytes("in_hex");
        assert_eq!(normalized(&value, normalize::tag).as_bytes(), bytes("tag_hex"), "{line}");
        let expected = bytes("tag_value_hex");
        assert_eq!(normalized(&value, normalize::tag_value).as_bytes(), expected, "{line}");
    }
}

fn flaw(line: &Value) -> Option<Flaw> {
    line["err"].as_str().map(|err| match err {
        "empty" => Flaw::Empty,
        "too long" => Flaw::TooLong,
        other => {
            assert_eq!(other, "invalid");
            Flaw::Invalid
        }
    })
}

#[test]
fn names_and_services() {
    for line in vectors!("normalize_name") {
        let mut found = None;
        check(&line, |value, out| {
            let result = normalize::name(value.as_bytes(), out);
            found = result.flaw;
            result.change
        });
        assert_eq!(found, flaw(&line), "{line}");
    }
    for line in vectors!("normalize_service") {
        let mut found = None;
        check(&line, |value, out| {
            let result = if flag(&line, "peer") {
                normalize::peer_service(value.as_bytes(), out)
            } else {
                normalize::service(value.as_bytes(), text(&line, "lang"), out)
            };
            found = result.flaw;
            result.change
        });
        assert_eq!(found, flaw(&line), "{line}");
    }
}

#[test]
fn cuts() {
    for line in vectors!("normalize_truncate") {
        let limit = line["limit"].as_u64().and_then(|n| usize::try_from(n).ok()).expect("a limit");
        let (value, expected) = (text(&line, "in"), text(&line, "out"));
        assert_eq!(normalize::cut_str(value, limit), expected, "{line}");
        assert_eq!(normalize::cut_bytes(value.as_bytes(), limit), expected.as_bytes(), "{line}");
    }
}
