use super::*;
use crate::encode_entry;

fn parsed(body: &str) -> Vec<Entry> {
    parse_entries(body.as_bytes()).unwrap()
}

fn refused(body: &str) -> String {
    parse_entries(body.as_bytes()).unwrap_err().to_string()
}

fn extra(entry: &Entry) -> &str {
    str::from_utf8(entry.extra.as_members()).unwrap()
}

#[test]
fn an_array_or_one_record() {
    assert_eq!(parsed("[]"), []);
    let one = parsed(r#"{"message":"a","timestamp":-5}"#);
    assert_eq!(parsed(r#" [ {"message":"a","timestamp":-5} ] "#), one);
    assert_eq!((&*one[0].message, one[0].timestamp_ms), ("a", -5));
}

#[test]
fn known_keys_fill_the_record() {
    let entries = parsed(
        r#"[{"ddtags":"t","ddsource":"c","service":"s","hostname":"h","timestamp":1,
           "status":"error","\u006dessage":"m\n"}]"#,
    );
    let expected = Entry {
        message: "m\n".to_owned(),
        status: "error".to_owned(),
        timestamp_ms: 1,
        hostname: "h".to_owned(),
        service: "s".to_owned(),
        source: "c".to_owned(),
        tags: "t".to_owned(),
        ..Entry::default()
    };
    assert_eq!(entries, [expected]);
    let nulls = parsed(r#"{"message":"m","timestamp":1,"service":null,"ddtags":null}"#);
    assert_eq!((&*nulls[0].service, &*nulls[0].tags), ("", ""));
}

#[test]
fn unknown_keys_are_kept_in_order() {
    let entries = parsed(
        r#"{"z":1.50,"message":"m","a\"":{ "b":[ "\ud83d" ] },"timestamp":1,"z":null,"y":"\u00e9"}"#,
    );
    assert_eq!(extra(&entries[0]), r#","z":null,"a\"":{ "b":[ "\ud83d" ] },"y":"\u00e9""#);
    let mut out = Vec::new();
    encode_entry(&entries[0], &mut out);
    assert!(out.ends_with(br#""ddtags":"","z":null,"a\"":{ "b":[ "\ud83d" ] },"y":"\u00e9"}"#));
}

#[test]
fn what_is_wrong_is_said() {
    for (body, reason) in [
        ("", "EOF while parsing a value"),
        ("not json", "expected ident"),
        ("{}", "missing field `message`"),
        (r#"[{"message":"m"}]"#, "missing field `timestamp`"),
        (r#"{"message":null,"timestamp":1}"#, "invalid type: null"),
        (r#"{"message":"m","timestamp":"1"}"#, "invalid type: string"),
        (r#"{"message":"m","timestamp":1.0}"#, "invalid type: floating point"),
        (r#"{"message":"m","timestamp":1,"ddtags":[]}"#, "invalid type: sequence"),
        (r#"{"message":"m","timestamp":1,"message":"n"}"#, "duplicate field `message`"),
        (r#"{"message":"m","timestamp":1,"ddtags":null,"ddtags":"a"}"#, "duplicate field `ddtags`"),
        (r#"[["m",1]]"#, "invalid type: sequence, expected a log entry"),
        (r#""text""#, "invalid type: string \"text\", expected an array of log entries, or one"),
        (r#"[{"message":"m","timestamp":1}] x"#, "trailing characters"),
        (r#"[{"message":"m","timestamp":1},]"#, "trailing comma"),
        (r#"{"message":"m","timestamp":1,"k":}"#, "expected value"),
    ] {
        let error = refused(body);
        assert!(error.starts_with(&format!("invalid JSON: {reason}")), "{body}: {error}");
    }
    assert!(parse_entries(b"{\"message\":\"\xff\",\"timestamp\":1}").is_err());
    assert!(parse_entries(b"{\"message\":\"m\",\"timestamp\":1,\"k\":\"\xff\"}").is_err());
}

#[test]
fn nesting_is_bounded() {
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"message":"m","timestamp":1,"k":{open}"[\"[["{close}}}"#)
    };
    assert_eq!(parsed(&nested(100)).len(), 1);
    assert!(refused(&nested(101)).starts_with("invalid JSON: recursion limit exceeded"));
    assert!(refused(&nested(2_000_000)).starts_with("invalid JSON: recursion limit exceeded"));
    assert!(refused(&"[".repeat(2_000_000)).starts_with("invalid JSON: invalid type"));
}

#[test]
fn keys_and_records_are_bounded() {
    let keys = |count: usize| {
        let keys: String = (0..count).map(|key| format!(r#","{key}":0"#)).collect();
        format!(r#"{{"message":"m","timestamp":1{keys},"0":1}}"#)
    };
    assert!(extra(&parsed(&keys(256))[0]).starts_with(r#","0":1,"1":0,"#));
    assert!(refused(&keys(257)).starts_with("invalid JSON: more than 256 unknown keys"));
    let entries = |count: usize| {
        let one = r#"{"message":"","timestamp":0},"#.repeat(count);
        format!("[{}]", one.trim_end_matches(','))
    };
    assert_eq!(parsed(&entries(ENTRIES_MAX)).len(), ENTRIES_MAX);
    assert!(
        refused(&entries(ENTRIES_MAX + 1)).starts_with("invalid JSON: more than 50000 entries")
    );
}

#[test]
fn lines_of_text_are_records() {
    let entries = parse_lines(b"one\r\n\n \t\n  two \xff\xfe\nthree", 7).unwrap();
    let messages: Vec<_> = entries.iter().map(|entry| &*entry.message).collect();
    assert_eq!(messages, ["one", "two \u{fffd}\u{fffd}", "three"]);
    assert!(entries.iter().all(|entry| entry.timestamp_ms == 7));
    assert_eq!(parse_lines(b"", 7).unwrap(), []);
    assert_eq!(parse_lines("a\n".repeat(ENTRIES_MAX).as_bytes(), 7).unwrap().len(), ENTRIES_MAX);
    let error = parse_lines("a\n".repeat(ENTRIES_MAX + 1).as_bytes(), 7).unwrap_err();
    assert_eq!(error.to_string(), "more than 50000 lines; send fewer per request");
}
