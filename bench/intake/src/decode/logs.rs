//! Logs. spec: logs §2, §4.4.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::{DecodeError, invalid};
use crate::{Log, Payload};

/// The keys that every entry has, in this order.
const KEYS: [&str; 7] =
    ["message", "status", "timestamp", "hostname", "service", "ddsource", "ddtags"];

#[derive(Deserialize)]
struct Entry {
    message: String,
    status: String,
    timestamp: i64,
    hostname: String,
    service: String,
    ddsource: String,
    ddtags: String,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

/// The keys of an object as they stand there.
struct Keys(Vec<String>);

/// A list of entries, or nothing: no bytes, or the `{}` of an agent that asks whether logs are
/// taken.
pub(super) fn payload(body: &[u8]) -> Result<Payload, DecodeError> {
    let mut payload = Payload { is_probe: body == b"{}", ..Payload::default() };
    if payload.is_probe || body.is_empty() {
        return Ok(payload);
    }
    let Some(first) = trimmed(body).strip_prefix(b"[") else {
        return invalid("body is not a JSON array");
    };
    // Item by item, because the size of each one is wanted.
    let mut rest = trimmed(first);
    if let Some(after) = rest.strip_prefix(b"]") {
        rest = after;
    } else {
        loop {
            let index = payload.logs.len();
            let (log, after) = entry(index, rest, &mut payload.remarks)?;
            payload.logs.push(log);
            rest = trimmed(after);
            match rest.split_first() {
                Some((b',', after)) => rest = trimmed(after),
                Some((b']', after)) => {
                    rest = after;
                    break;
                }
                _ => return invalid(format!("log {index}: no comma and no end follows")),
            }
        }
    }
    if !trimmed(rest).is_empty() {
        return invalid("more bytes follow the JSON array");
    }
    Ok(payload)
}

/// The entry that `bytes` begin with, and what follows it.
fn entry<'b>(
    index: usize,
    bytes: &'b [u8],
    remarks: &mut Vec<String>,
) -> Result<(Log, &'b [u8]), DecodeError> {
    let mut items = serde_json::Deserializer::from_slice(bytes).into_iter::<Entry>();
    let entry = match items.next() {
        Some(Ok(entry)) => entry,
        Some(Err(error)) => return invalid(format!("log {index}: {error}")),
        None => return invalid(format!("log {index}: the body ends")),
    };
    let (own, after) = bytes.split_at(items.byte_offset());
    let Keys(mut keys) = serde_json::from_slice(own)?;
    if !keys.iter().filter(|key| KEYS.contains(&key.as_str())).eq(KEYS.iter()) {
        remarks.push(format!("log {index}: the order of keys is {}", keys.join(", ")));
    }
    keys.sort_unstable();
    if keys.windows(2).any(|pair| pair[0] == pair[1]) {
        remarks.push(format!("log {index}: has a key twice"));
    }
    let tags = match entry.ddtags.as_str() {
        "" => Vec::new(),
        tags => tags.split(',').map(str::to_owned).collect(),
    };
    let log = Log {
        message: entry.message,
        status: entry.status,
        timestamp_ms: entry.timestamp,
        hostname: entry.hostname,
        service: entry.service,
        source: entry.ddsource,
        tags,
        extra: entry.extra,
        encoded_bytes: own.len(),
    };
    Ok((log, after))
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = map.next_entry()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// Without the blanks that JSON knows at the beginning.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let blanks = bytes.iter().take_while(|byte| b" \t\r\n".contains(byte)).count();
    &bytes[blanks..]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::payload;
    use crate::{Log, Report, Route, Rules, acceptance};

    const ENTRY: &str = r#"{"message":"a \u003c\"b\"","status":"info","timestamp":1700000000123,
        "hostname":"web-1","service":"web","ddsource":"nginx","ddtags":"env:prod,b,a:b"}"#;

    fn refusal(body: impl AsRef<[u8]>) -> String {
        payload(body.as_ref()).expect_err("a body that is refused").to_string()
    }

    #[test]
    fn entries_come_back_in_order() {
        let second = ENTRY.replace("web-1", "").replace("env:prod,b,a:b", "");
        let body = format!(" [\n{ENTRY} ,\t{second}]\r\n");
        let payload = payload(body.as_bytes()).unwrap();
        let first = Log {
            message: "a <\"b\"".into(),
            status: "info".into(),
            timestamp_ms: 1_700_000_000_123,
            hostname: "web-1".into(),
            service: "web".into(),
            source: "nginx".into(),
            tags: ["env:prod", "b", "a:b"].map(Into::into).to_vec(),
            encoded_bytes: ENTRY.len(),
            ..Log::default()
        };
        let second = Log {
            hostname: String::new(),
            tags: vec![],
            encoded_bytes: second.len(),
            ..first.clone()
        };
        assert!(first.has_tag("b") && !second.has_tag("b"));
        assert_eq!((payload.logs, payload.remarks), (vec![first, second], vec![]));
    }

    #[test]
    fn what_holds_nothing_is_no_error() {
        for (body, is_probe) in [("{}", true), ("", false), ("[]", false), (" [ ] ", false)] {
            let payload = payload(body.as_bytes()).unwrap();
            assert!(payload.is_empty(), "{body:?}");
            assert_eq!(payload.is_probe, is_probe, "{body:?}");
        }
    }

    #[test]
    fn unknown_keys_are_kept() {
        let body = ENTRY.replacen('{', r#"{"lambda":{"arn":"x"},"n":[1,2.5],"#, 1);
        let payload = payload(format!("[{body}]").as_bytes()).unwrap();
        let extra = json!({"lambda": {"arn": "x"}, "n": [1, 2.5]});
        assert_eq!(json!(payload.logs[0].extra), extra);
        assert_eq!(payload.remarks, [""; 0]);
    }

    #[test]
    fn keys_out_of_order_and_twice_are_remarked() {
        let entry = r#"{"status":"","message":"","x":1,"x":2,"timestamp":1,"hostname":"",
            "service":"","ddsource":"","ddtags":""}"#;
        let payload = payload(format!("[{ENTRY},{entry}]").as_bytes()).unwrap();
        let [order, twice] = &payload.remarks[..] else { panic!("{:?}", payload.remarks) };
        assert!(
            order.starts_with("log 1: the order of keys is status, message, x, x, "),
            "{order}"
        );
        assert_eq!(twice, "log 1: has a key twice");
    }

    #[test]
    fn each_key_is_needed_with_its_type() {
        let entry: serde_json::Value = serde_json::from_str(ENTRY).unwrap();
        for key in super::KEYS {
            let mut cut = entry.clone();
            cut.as_object_mut().unwrap().remove(key);
            let error = refusal(format!("[{ENTRY},{cut}]"));
            assert!(error.contains(&format!("log 1: missing field `{key}`")), "{error}");
            for wrong in [json!(null), json!({"message": "a"}), json!(1.5)] {
                let mut changed = entry.clone();
                changed[key] = wrong;
                let error = refusal(json!([changed]).to_string());
                assert!(error.contains("log 0: invalid type"), "{error}");
            }
        }
        let twice = ENTRY.replacen('{', r#"{"message":"","#, 1);
        let error = refusal(format!("[{twice}]"));
        assert!(error.contains("duplicate field `message`"), "{error}");
    }

    #[test]
    fn hostile_bodies_are_refused() {
        let deep =
            format!("[{}", ENTRY.replacen('{', &format!("{{\"a\":{}", "[".repeat(10_000)), 1));
        for (body, why) in [
            ("{", "not a JSON array"),
            ("{} ", "not a JSON array"),
            (r#"{"message":"a"}"#, "not a JSON array"),
            ("null", "not a JSON array"),
            ("\u{feff}[]", "not a JSON array"),
            ("[", "log 0: the body ends"),
            ("[]]", "more bytes follow"),
            ("[] []", "more bytes follow"),
            ("[{}]", "missing field `message`"),
            ("[[]]", "log 0: invalid type"),
            ("[null]", "log 0: invalid type"),
            ("[\"a\"]", "log 0: invalid type"),
            ("[,]", "log 0: expected value"),
            (&format!("[{ENTRY}"), "log 0: no comma and no end"),
            (&format!("[{ENTRY}{ENTRY}]"), "log 0: no comma and no end"),
            (&format!("[{ENTRY},]"), "log 1: expected value"),
            (&format!("[{ENTRY},"), "log 1: the body ends"),
            (&ENTRY.replace("\\u003c", "\\ud800").replacen('{', "[{", 1), "log 0: "),
            (&ENTRY.replace("1700000000123", "1e400").replacen('{', "[{", 1), "log 0: "),
            (&ENTRY.replace("1700000000123", &"9".repeat(20)).replacen('{', "[{", 1), "log 0: "),
            (&deep, "recursion limit"),
        ] {
            let error = refusal(body);
            assert!(error.contains(why), "{body:.100}: {error}, not {why}");
        }
        let mut bytes = format!("[{ENTRY}]").into_bytes();
        bytes[13] = 0xff;
        assert!(refusal(bytes).contains("log 0: "));
    }

    proptest! {
        #[test]
        fn damaged_bodies_get_an_answer(
            damage in proptest::collection::vec(
                (any::<proptest::sample::Index>(), any::<u8>()), 1..6),
            cut in any::<proptest::sample::Index>(),
        ) {
            let mut body = format!("[{ENTRY},{ENTRY}]").into_bytes();
            for (index, byte) in damage {
                let index = index.index(body.len());
                body[index] = byte;
            }
            for body in [&body[..], &body[..cut.index(body.len())]] {
                let Ok(payload) = payload(body) else { continue };
                let mut report = Report::default();
                let (rules, bytes) = (Rules::default(), body.len());
                acceptance::check_payload(
                    Route::Logs, bytes, bytes, &payload, &rules, 1_700_000_000, &mut report,
                );
                let entry_bytes: usize = payload.logs.iter().map(|log| log.encoded_bytes).sum();
                prop_assert!(entry_bytes <= body.len());
            }
        }
    }
}
