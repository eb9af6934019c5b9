use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::json;

use super::*;
use crate::Signal;
use crate::json::{Message, message_to_protobuf, to_protobuf};

/// A plain value as OTLP/JSON has it.
fn any(value: &Json) -> Json {
    match value {
        Json::Null => json!({}),
        Json::Bool(is_set) => json!({ "boolValue": is_set }),
        Json::String(text) => json!({ "stringValue": text }),
        Json::Number(number) if number.is_i64() => json!({ "intValue": number.to_string() }),
        Json::Number(number) => json!({ "doubleValue": number }),
        Json::Array(items) => {
            json!({ "arrayValue": { "values": items.iter().map(any).collect::<Vec<_>>() } })
        }
        Json::Object(_) => json!({ "kvlistValue": { "values": attributes(value) } }),
    }
}

fn attributes(object: &Json) -> Json {
    let entries = object.as_object().into_iter().flatten();
    entries.map(|(key, value)| json!({ "key": key, "value": any(value) })).collect()
}

/// Attributes in the order in which they are written, on which the order of tags depends.
struct Ordered(Vec<Json>);

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Ordered;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
                let mut list = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, Json>()? {
                    list.push(json!({ "key": key, "value": any(&value) }));
                }
                Ok(Ordered(list))
            }
        }
        json.deserialize_map(Entries)
    }
}

#[derive(serde::Deserialize)]
struct Line {
    resource: Ordered,
}

fn record_json(plain: &Json) -> Json {
    let mut record = plain.clone();
    record["attributes"] = attributes(&plain["attributes"]);
    if !plain["body"].is_null() {
        record["body"] = any(&plain["body"]);
    }
    record
}

#[test]
fn records_are_those_of_the_vectors() {
    let text = include_str!("../../../../tests/vectors/otlp_logs.jsonl");
    let mut count = 0;
    for line in text.lines() {
        let Line { resource } = serde_json::from_str(line).unwrap();
        let line: Json = serde_json::from_str(line).unwrap();
        let message = |kind, json: Json| message_to_protobuf(kind, &json).unwrap();
        let record = message(Message::LogRecord, record_json(&line["record"]));
        let resource = json!({ "attributes": resource.0 });
        let resource = message(Message::Resource, resource);
        let scope = json!({ "attributes": attributes(&line["scope_attributes"]) });
        let scope = message(Message::InstrumentationScope, scope);
        let (resource, scope) = (Resource::read(&resource).unwrap(), Scope::read(&scope).unwrap());
        let read = Record::read(&record, &resource, &scope).unwrap();
        let mut out = json!({
            "message": read.message,
            "ddtags": read.tags,
            "attributes": read.attributes,
        });
        if !read.service.is_empty() {
            out["service"] = Json::from(read.service);
        }
        if let Some(hostname) = read.hostname {
            out["hostname"] = Json::from(hostname);
        }
        assert_eq!(out, line["out"], "{line}");
        count += 1;
    }
    assert!(count >= 30, "{count}");
}

fn entries(request: &Json) -> Vec<Entry> {
    let body = to_protobuf(Signal::Logs, request.to_string().as_bytes()).unwrap();
    let mut entries = Vec::new();
    read(&body, 7, &mut |entry| entries.push(entry)).unwrap();
    entries
}

#[test]
fn a_request_becomes_entries_whose_message_is_json() {
    let record = |plain: Json| record_json(&plain);
    let own = json!({ "service.name": "own", "host.name": "k" });
    let request = json!({ "resourceLogs": [{
        "resource": { "attributes": attributes(&json!({ "host.name": "h", "service.name": "s" })) },
        "scopeLogs": [{
            "scope": { "name": "lib" },
            "logRecords": [
                record(json!({ "body": "one", "severityNumber": 17 })),
                record(json!({ "body": "two", "attributes": { "datadog.log.source": "nginx" } })),
            ],
        }],
    }, {
        "scopeLogs": [{ "logRecords": [record(json!({ "body": "three", "attributes": own }))] }],
    }] });
    let entries = entries(&request);
    let [one, two, three] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((&*one.status, &*one.hostname, &*one.service), ("error", "h", "s"));
    assert_eq!(&*one.source, "otlp_log_ingestion");
    assert_eq!(&*one.tags, "service:s,otel_source:datadog_agent");
    assert_eq!(one.timestamp_ms, 7);
    let content = concat!(
        r#"{"host.name":"h","hostname":"h","message":"one","otel.severity_number":"17","#,
        r#""service":"s","service.name":"s","status":"error"}"#
    );
    assert_eq!(one.message, content);
    assert_eq!((&*two.source, &*two.status), ("nginx", ""));
    assert_eq!((&*three.service, &*three.hostname), ("own", "k"));
}

#[test]
fn a_request_that_is_broken_leaves_nothing() {
    let request = json!({ "resourceLogs": [{ "scopeLogs": [{ "logRecords": [{}, {}] }] }] });
    let mut body = to_protobuf(Signal::Logs, request.to_string().as_bytes()).unwrap();
    body.extend([0x0a, 0x02, 0x12, 0x7f]);
    let mut count = 0;
    assert!(read(&body, 0, &mut |_| count += 1).is_err());
    assert_eq!(count, 0);
}

#[test]
fn a_resource_that_every_record_repeats_is_bounded() {
    let text = "x".repeat(4 << 20);
    let records: Vec<Json> = (0..80).map(|_| json!({})).collect();
    let request = json!({ "resourceLogs": [{
        "resource": { "attributes": attributes(&json!({ "k": text })) },
        "scopeLogs": [{ "logRecords": records }],
    }] });
    let body = to_protobuf(Signal::Logs, request.to_string().as_bytes()).unwrap();
    let mut count = 0;
    assert_eq!(read(&body, 0, &mut |_| count += 1), Err(WireError::TooMany));
    assert_eq!(count, 0, "nothing is handed on");
}

proptest::proptest! {
    #[test]
    fn nothing_panics(body: Vec<u8>) {
        let mut count = 0_usize;
        let is_read = read(&body, 0, &mut |_| count += 1).is_ok();
        assert!(is_read || count == 0);
    }

    /// Attributes of any shape lead to a message that is JSON.
    #[test]
    fn messages_are_json(keys in proptest::collection::vec("[a-zA-Z._]{0,12}", 0..6), text: String) {
        let list = json!([text, { "a": 1.5 }]);
        let plain: Json = keys.iter().map(|key| (key.clone(), list.clone())).collect();
        let request = json!({ "resourceLogs": [{ "scopeLogs": [{ "logRecords": [
            record_json(&json!({ "attributes": plain, "body": text })),
        ] }] }] });
        let entries = entries(&request);
        assert_eq!(entries.len(), 1);
        serde_json::from_str::<Json>(&entries[0].message).unwrap();
    }
}
