//! Events and service checks.

use std::sync::Arc;

use corelane_encode::{
    Encoding, EventsForm, Limits, Payload, Settings, encode_events, encode_service_checks,
};
use proptest::prelude::*;
use prost::Message as _;
use serde_json::{Value, json};
use signal::{AlertType, CheckStatus, Event, ServiceCheck};

use crate::build::{NOW, check_stats};
use crate::messages::EventsPayload;
use crate::read::body;
use crate::vectors::vector;

fn settings(events_form: EventsForm) -> Settings {
    Settings { compression: Encoding::Identity, events_form, ..Settings::default() }
}

fn event(title: &str, source: &str) -> Event {
    Event {
        title: title.to_owned(),
        text: "x".to_owned(),
        timestamp_secs: NOW,
        host: Arc::from("web-1"),
        tags: vec![Arc::from("env:prod")],
        source_type_name: source.to_owned(),
        ..Event::default()
    }
}

fn encode(events: &[Event], settings: &Settings) -> Vec<Payload> {
    let mut payloads = Vec::new();
    let stats = encode_events(events, "web-1", settings, |payload| payloads.push(payload));
    check_stats(&payloads, &stats);
    payloads
}

#[test]
fn a_batch_is_byte_exact() {
    let payloads = encode(&[event("t", "")], &settings(EventsForm::Batch));
    let hex: String = payloads[0].body.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, vector("events_batch"));
}

#[test]
fn the_intake_document_groups_by_source() {
    let mut full = event("t", "s");
    full.aggregation_key = "k".to_owned();
    full.alert_type = AlertType::Error;
    let bare = Event { tags: Vec::new(), ..event("\"quoted\"\n", "") };
    let payloads = encode(&[full, bare, event("u", "s")], &settings(EventsForm::Intake));
    assert_eq!(payloads.len(), 1);
    assert_eq!(payloads[0].path(), "/intake/");
    let value: Value = serde_json::from_slice(&payloads[0].body).unwrap();
    let common = json!({"msg_text": "x", "timestamp": NOW, "priority": "normal", "host": "web-1"});
    let with = |more: Value| {
        let mut value = common.clone();
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        value
    };
    let expected = json!({
        "apiKey": "",
        "internalHostname": "web-1",
        "events": {
            "api": [with(json!({"msg_title": "\"quoted\"\n", "alert_type": "info"}))],
            "s": [
                with(json!({
                    "msg_title": "t", "alert_type": "error", "aggregation_key": "k",
                    "source_type_name": "s", "tags": ["env:prod"],
                })),
                with(json!({
                    "msg_title": "u", "alert_type": "info", "source_type_name": "s",
                    "tags": ["env:prod"],
                })),
            ],
        },
    });
    assert_eq!(value, expected);
}

#[test]
fn a_batch_holds_at_most_a_hundred_events() {
    let events: Vec<Event> = (0..250).map(|i| event(&format!("e{i}"), "")).collect();
    let payloads = encode(&events, &settings(EventsForm::Batch));
    let counts: Vec<u64> = payloads.iter().map(|payload| payload.items).collect();
    assert_eq!(counts, [100, 100, 50]);
}

#[test]
fn a_huge_event_is_dropped_and_counted_and_the_rest_is_sent() {
    for form in [EventsForm::Intake, EventsForm::Batch] {
        let limits = Limits { compressed_bytes_max: 2000, uncompressed_bytes_max: 2000 };
        let settings = Settings { limits, ..settings(form) };
        let huge = Event { text: "x".repeat(3000), ..event("huge", "a") };
        let mut payloads = Vec::new();
        let stats = encode_events(&[event("a", "a"), huge, event("b", "b")], "h", &settings, |p| {
            payloads.push(p);
        });
        check_stats(&payloads, &stats);
        assert_eq!((stats.items_in, stats.items_out, stats.items_too_big), (3, 2, 1));
        for payload in &payloads {
            if form == EventsForm::Intake {
                serde_json::from_slice::<Value>(&body(payload)).unwrap();
            }
        }
    }
}

#[test]
fn disabled_events_are_counted() {
    let settings = Settings { events_enabled: false, ..Settings::default() };
    let stats = encode_events(&[event("t", "")], "h", &settings, |_| panic!("nothing is sent"));
    assert_eq!((stats.items_in, stats.items_disabled), (1, 1));
}

#[test]
fn service_checks_are_an_array_with_every_key() {
    let check = ServiceCheck {
        name: "agent.up".to_owned(),
        status: CheckStatus::Unknown,
        timestamp_secs: NOW,
        host: Arc::from("web-1"),
        message: String::new(),
        tags: Vec::new(),
    };
    let tagged = ServiceCheck { tags: vec![Arc::from("env:prod")], ..check.clone() };
    let mut payloads = Vec::new();
    let settings = settings(EventsForm::Intake);
    let stats = encode_service_checks(&[check, tagged], &settings, |p| payloads.push(p));
    check_stats(&payloads, &stats);
    assert_eq!(payloads[0].path(), "/api/v1/check_run");
    assert_eq!(
        std::str::from_utf8(&payloads[0].body).unwrap(),
        "[{\"check\":\"agent.up\",\"host_name\":\"web-1\",\"timestamp\":1700000000,\"status\":3,\
         \"message\":\"\",\"tags\":null},{\"check\":\"agent.up\",\"host_name\":\"web-1\",\
         \"timestamp\":1700000000,\"status\":3,\"message\":\"\",\"tags\":[\"env:prod\"]}]"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn events_read_back_whatever_the_limits(
        texts in prop::collection::vec((".{0,60}", "[a-c]{0,1}"), 0..40),
        max in 150_usize..4000,
    ) {
        let limits = Limits { compressed_bytes_max: max, uncompressed_bytes_max: max };
        let events: Vec<Event> = texts.iter().map(|(text, source)| event(text, source)).collect();
        for form in [EventsForm::Intake, EventsForm::Batch] {
            let settings = Settings { limits, ..settings(form) };
            let mut payloads = Vec::new();
            let stats = encode_events(&events, "h", &settings, |payload| payloads.push(payload));
            check_stats(&payloads, &stats);
            let mut titles: Vec<String> = Vec::new();
            for payload in &payloads {
                let body = body(payload);
                prop_assert!(body.len() <= max);
                if form == EventsForm::Batch {
                    let batch = EventsPayload::decode(&body[..]).unwrap();
                    titles.extend(batch.events.into_iter().map(|event| event.title));
                } else {
                    let value: Value = serde_json::from_slice(&body).unwrap();
                    for events in value["events"].as_object().unwrap().values() {
                        let events = events.as_array().unwrap();
                        titles.extend(events.iter().map(|e| e["msg_title"].as_str().unwrap().into()));
                    }
                }
            }
            prop_assert_eq!(titles.len() as u64, stats.items_out);
            let mut expected: Vec<String> = events.iter().map(|event| event.title.clone()).collect();
            if stats.items_too_big == 0 {
                expected.sort();
                titles.sort();
                prop_assert_eq!(titles, expected);
            } else {
                prop_assert!(titles.iter().all(|title| expected.contains(title)));
            }
        }
    }
}
