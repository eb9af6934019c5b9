//! Traces of OTLP whose resources differ.

use bed::Bed;
use serde_json::{Value, json};

use super::client::send;
use super::logs::unix_ms;
use super::{address, settings};

fn resource(container: Option<&str>, service: &str) -> Value {
    let attribute = |key: &str, text: &str| json!({ "key": key, "value": { "stringValue": text } });
    let mut attributes = vec![attribute("service.name", service)];
    attributes.extend(container.map(|id| attribute("container.id", id)));
    let id = format!("{:032x}", u128::from(service.as_bytes()[0]));
    let start = unix_ms() * 1_000_000;
    let span = json!({
        "traceId": id, "spanId": "00000000000000a1", "name": "work", "kind": 2,
        "startTimeUnixNano": start.to_string(), "endTimeUnixNano": (start + 1_000).to_string(),
    });
    json!({ "resource": { "attributes": attributes }, "scopeSpans": [{ "spans": [span] }] })
}

/// One that names no container is not taken for that of the resource before it.
#[test]
fn resources_have_their_own_container_or_none() {
    let bed = Bed::new();
    let agent = bed.start(&settings(&bed));
    let first = "a".repeat(64);
    let last = "b".repeat(64);
    let resources =
        [resource(Some(&first), "cart"), resource(None, "desk"), resource(Some(&last), "shop")];
    let body = json!({ "resourceSpans": resources }).to_string();
    let address = address(&agent, "otlp-http");
    let headers = ["content-type: application/json"];
    assert_eq!(send(&address, "POST", "/v1/traces", &headers, body.as_bytes()).0, 200);
    let contents = bed.finish(agent).contents;
    let container_of = |service: &str| {
        let span = contents.spans_of(service).next().expect("it arrived");
        span.chunk.payload.container_id.to_string()
    };
    assert_eq!(["cart", "desk", "shop"].map(container_of), [first, String::new(), last]);
}
