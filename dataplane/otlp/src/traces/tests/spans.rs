//! Fields and attributes of a span. spec: otlp §4.3, §4.7 to §4.9, §4.11.

use super::*;

const TRACE: &str = "72df520af2bde7a5240031ead750e5f3";
const EVENTS: &str = concat!(
    r#"[{"time_unix_nano":1581452773000000123,"name":"boom","#,
    r#""attributes":{"key":"Out of memory","accuracy":2.4}},"#,
    r#"{"time_unix_nano":1581452773000000456,"name":"exception","#,
    r#""attributes":{"exception.message":"Out of memory"},"dropped_attributes_count":2}]"#,
);

#[test]
fn the_worked_example() {
    let attribute = |key: &str, held: Json| json!({"key": key, "value": value(&held)});
    let body = protobuf(&json!({"resourceSpans": [{
        "resource": {"attributes": [
            attribute("service.name", json!("pylons")),
            attribute("service.version", json!("v1.2.3")),
            attribute("deployment.environment.name", json!("staging")),
            attribute("telemetry.sdk.language", json!("go")),
            attribute("telemetry.sdk.version", json!("1.20.0")),
        ]},
        "scopeSpans": [{"scope": {"name": "ddtracer", "version": "v2"}, "spans": [{
            "traceId": TRACE, "spanId": "240031ead750e5f3", "traceState": "state",
            "name": "/path", "kind": 2,
            "startTimeUnixNano": "1581452772000000321", "endTimeUnixNano": "1581452772200000321",
            "status": {"code": 2, "message": "Error"},
            "attributes": [
                attribute("name", json!("john")),
                attribute("count", json!(2)),
                attribute("approx", json!(1.2)),
                attribute("http.request.method", json!("GET")),
                attribute("http.response.status_code", json!(500)),
            ],
            "events": [{"name": "exception", "attributes": [
                attribute("exception.message", json!("Out of memory")),
                attribute("exception.type", json!("mem")),
                attribute("exception.stacktrace", json!("1/2/3")),
            ]}],
        }]}],
    }]}));
    let (translator, batch) = translated(Settings::default(), body);
    let text = |of| batch.strings.text(of);
    let span = batch.spans[0];
    assert_eq!(
        [span.service, span.name, span.resource, span.span_type].map(text),
        ["pylons", "http.server.request", "GET", "web"]
    );
    let id = 2_594_128_270_069_917_171;
    assert_eq!((span.trace_id, span.span_id, span.parent_id), (id, id, 0));
    assert_eq!((span.error, span.start_ns), (1, 1_581_452_772_000_000_321));
    assert_eq!(span.duration_ns, 200_000_000);
    let (texts, numbers) = held(&batch, &span);
    assert_eq!(numbers, json!({"count": 2.0, "approx": 1.2, "http.status_code": 500.0}));
    let event = concat!(
        r#"[{"name":"exception","attributes":{"exception.message":"Out of memory","#,
        r#""exception.type":"mem","exception.stacktrace":"1/2/3"}}]"#,
    );
    assert_eq!(
        texts,
        json!({
            "span.kind": "server", "name": "john", "http.method": "GET", "otel.trace_id": TRACE,
            "version": "v1.2.3", "env": "staging", "events": event,
            "_dd.span_events.has_exception": "true", "otel.scope.name": "ddtracer",
            "otel.library.name": "ddtracer", "otel.scope.version": "v2",
            "otel.library.version": "v2",
            "otel.status_code": "Error", "otel.status_description": "Error",
            "error.msg": "Out of memory", "error.type": "mem", "error.stack": "1/2/3",
            "w3c.tracestate": "state", "service.version": "v1.2.3",
            "deployment.environment.name": "staging", "telemetry.sdk.language": "go",
            "telemetry.sdk.version": "1.20.0", "_dd.p.dm": "-9",
        })
    );
    let chunk = batch.chunks[0];
    assert_eq!((chunk.priority, chunk.trace_id), (1, id));
    assert_eq!(chunk.trace_id_high, 0x72df_520a_f2bd_e7a5);
    let tags = batch.attributes.get(chunk.attributes);
    assert_eq!((text(tags[0].key), tags[0].text().map(text)), ("_dd.otlp_sr", Some("1.00")));
    let header = batch.header;
    let header = [header.env, header.language_name, header.tracer_version, header.hostname];
    assert_eq!(header.map(text), ["staging", "go", "otlp-1.20.0", ""]);
    assert_eq!((batch.format, batch.tags.len()), (Format::V07, 0));
    assert!(!translator.payload().is_stats_by_client && !translator.has_next());
}

#[test]
fn attributes_are_mapped_and_the_first_of_equal_keys_stays() {
    let list = json!([
        {"key": "client.address", "value": {"stringValue": "10.0.0.1"}},
        {"key": "http.client_ip", "value": {"stringValue": "10.0.0.2"}},
        {"key": "http.request.header.x-id", "value": {"arrayValue": {"values": [
            {"stringValue": "7"}
        ]}}},
        {"key": "http.request.header.referrer", "value": {"stringValue": "r"}},
        {"key": "http.status_code", "value": {"stringValue": "404"}},
        {"key": "flag", "value": {"boolValue": true}},
        {"key": "flag", "value": {"boolValue": false}},
        {"key": "flag", "value": {"intValue": 5}},
        {"key": "raw", "value": {"bytesValue": "AQI="}},
        {"key": "none"},
        {"key": "operation.name", "value": {"stringValue": "op"}},
        {"key": "service.name", "value": {"intValue": 3}},
        {"key": "analytics.event", "value": {"stringValue": "true"}},
        {"key": "sampling.priority", "value": {"doubleValue": 2}},
        {"key": "otel.trace_id", "value": {"stringValue": "mine"}},
        {"key": "_dd.measured", "value": {"stringValue": "1"}},
    ]);
    let resource = json!({"flag": "resource", "client.address": "r", "n": 4, "host.name": "h1"});
    let (span, batch) = only_span(&resource, json!({"attributes": list}));
    let (texts, numbers) = held(&batch, &span);
    assert_eq!(
        texts,
        json!({
            "span.kind": "unspecified", "otel.trace_id": "0".repeat(32),
            "otel.status_code": "Unset",
            "http.client_ip": "10.0.0.1", "http.request.headers.x-id": "[\"7\"]",
            "http.referrer": "r", "http.status_code": "404", "flag": "true", "raw": "AQI=",
            "none": "", "_dd.measured": "1", "n": "4", "host.name": "h1", "_dd.p.dm": "-4",
        })
    );
    assert_eq!(
        numbers,
        json!({
            "flag": 5.0, "http.status_code": 404.0, "_dd1.sr.eausr": 1.0,
            "_sampling_priority_v1": 2.0, "_dd.measured": 1.0,
        })
    );
    assert_eq!(batch.strings.text(span.service), "3");
    assert_eq!(batch.strings.text(batch.header.hostname), "h1");
}

#[test]
fn scopes_overwrite_and_resources_do_not() {
    let body = protobuf(&json!({"resourceSpans": [{
        "resource": {"attributes": attributes(&json!({"a": "r", "b": "r", "c": "r",
            "sampling.priority": 2, "analytics.event": "false"}))},
        "scopeSpans": [{
            "scope": {"attributes": [
                {"key": "a", "value": {"stringValue": "first"}},
                {"key": "a", "value": {"stringValue": "scope"}},
                {"key": "client.address", "value": {"intValue": 1}},
                {"key": "span.kind", "value": {"stringValue": "scope"}},
            ]},
            "spans": [{"attributes": attributes(&json!({"a": "s", "b": "s"}))}],
        }],
    }]}));
    let settings = Settings { is_scope_convention: false, ..Settings::default() };
    let (_, batch) = translated(settings, body);
    let (texts, numbers) = held(&batch, &batch.spans[0]);
    assert_eq!(
        texts,
        json!({
            "a": "scope", "b": "s", "c": "r", "client.address": "1", "span.kind": "scope",
            "sampling.priority": "2", "otel.trace_id": "0".repeat(32), "otel.status_code": "Unset",
            "_dd.p.dm": "-9",
        })
    );
    assert_eq!(numbers, json!({"_dd1.sr.eausr": 0.0}));
}

#[test]
fn scope_names_have_two_keys_unless_one_is_not_wanted() {
    for is_scope_convention in [true, false] {
        let body = protobuf(&json!({"resourceSpans": [{"scopeSpans": [
            {"scope": {"name": "lib", "version": "1"}, "spans": [{}]}
        ]}]}));
        let settings = Settings { is_scope_convention, ..Settings::default() };
        let (_, batch) = translated(settings, body);
        let texts = texts(&batch, &batch.spans[0]);
        assert_eq!(
            (&texts["otel.library.name"], &texts["otel.library.version"]),
            (&json!("lib"), &json!("1"))
        );
        assert_eq!(texts["otel.scope.name"] == "lib", is_scope_convention);
        assert_eq!(texts["otel.scope.version"] == "1", is_scope_convention);
    }
}

#[test]
fn service_version_and_environment_are_those_of_the_span_or_its_resource() {
    let resource = json!({"service.name": "Of Resource", "service.version": "1 0",
        "deployment.environment": "Prod"});
    let (span, batch) = only_span(&resource, json!({}));
    assert_eq!(batch.strings.text(span.service), "of_resource");
    let held = texts(&batch, &span);
    assert_eq!((&held["version"], &held["env"]), (&json!("1_0"), &json!("prod")));
    let own = span_with(&json!({"service.name": "Mine", "service.version": "2",
        "deployment.environment": "dev", "db.namespace": "orders"}));
    let (span, batch) = only_span(&resource, own);
    assert_eq!(batch.strings.text(span.service), "mine");
    let held = texts(&batch, &span);
    assert_eq!((&held["version"], &held["env"]), (&json!("2"), &json!("dev")));
    assert_eq!((&held["db.name"], &held["service.version"]), (&json!("orders"), &json!("2")));
    let (span, batch) = only_span(&json!({}), json!({}));
    assert_eq!(batch.strings.text(span.service), "otlpresourcenoservicename");
    let newer = json!({"deployment.environment": "a", "deployment.environment.name": "b"});
    let (_, batch) = only_span(&newer, json!({}));
    assert_eq!(batch.strings.text(batch.header.env), "b");
}

#[test]
fn events_and_links_are_json() {
    let (span, batch) = only_span(
        &json!({}),
        json!({
            "events": [
                {"timeUnixNano": "1581452773000000123", "name": "boom", "attributes": [
                    {"key": "key", "value": {"stringValue": "Out of memory"}},
                    {"key": "accuracy", "value": {"doubleValue": 2.4}},
                ]},
                {"timeUnixNano": "1581452773000000456", "name": "exception", "attributes": [
                    {"key": "exception.message", "value": {"stringValue": "Out of memory"}},
                ], "droppedAttributesCount": 2},
            ],
            "links": [
                {"traceId": TRACE, "spanId": "00000000000000ff"},
                {"traceId": "01", "traceState": "a=\"b\"", "droppedAttributesCount": 3,
                    "attributes":
                    attributes(&json!({"n": 1, "l": ["x"]}))},
            ],
        }),
    );
    let held = texts(&batch, &span);
    assert_eq!(held["events"], EVENTS);
    assert_eq!(held["_dd.span_events.has_exception"], "true");
    let links = format!(
        "[{{\"trace_id\":\"{TRACE}\",\"span_id\":\"00000000000000ff\"}},{{\"trace_id\":\"{:032}\",\
         \"span_id\":\"0000000000000000\",\"tracestate\":\"a=\\\"b\\\"\",\"attributes\":{{\
         \"l\":\"[\\\"x\\\"]\",\"n\":\"1\"}},\"dropped_attributes_count\":3}}]",
        0
    );
    assert_eq!(held["_dd.span_links"], links);
    let (span, batch) = only_span(&json!({}), json!({"events": [{"name": "Exception"}]}));
    let held = texts(&batch, &span);
    assert_eq!(
        (&held["events"], &held["error.msg"]),
        (&json!("[{\"name\":\"Exception\"}]"), &Json::Null)
    );
    assert_eq!(held["_dd.span_events.has_exception"], Json::Null);
}

#[test]
fn events_that_no_longer_fit_are_left_out() {
    let event = |name: &str| json!({"name": name});
    let long = "x".repeat(400 << 10);
    let events = [event(&long), event(&long), event("exception")];
    let (span, batch) = only_span(&json!({}), json!({"events": events}));
    let held = texts(&batch, &span);
    let left: Vec<Json> = serde_json::from_str(held["events"].as_str().unwrap()).unwrap();
    assert_eq!(left, [event(&long), event("exception")]);
    assert_eq!(held["_dd.span_events.has_exception"], "true");
}

#[test]
fn an_error_is_told_by_attributes_exception_status_or_answer() {
    let error = |mut span: Json, code: u32| {
        let status = span["status"].take();
        span["status"] = json!({"code": code, "message": status});
        let (span, batch) = only_span(&json!({}), span);
        (span.error, texts(&batch, &span)["error.msg"].clone())
    };
    let exception = |message: &str| {
        json!({"name": "EXCEPTION", "attributes":
        attributes(&json!({"exception.message": message}))})
    };
    let all = json!({"events": [exception("first"), exception("last")], "status": "status",
        "attributes": attributes(&json!({"error.msg": "own"}))});
    assert_eq!(error(all.clone(), 2), (1, json!("own")));
    assert_eq!(error(json!({"events": all["events"], "status": "status"}), 2), (1, json!("last")));
    assert_eq!(error(json!({"status": "status"}), 2), (1, json!("status")));
    let answer = |status: Json| span_with(&json!({"http.response.status_code": status}));
    assert_eq!(error(answer(json!(404)), 2), (1, json!("404 Not Found")));
    assert_eq!(error(answer(json!("599")), 2), (1, json!("599")));
    assert_eq!(error(answer(json!(404)), 1), (0, Json::Null));
    assert_eq!(error(json!({}), 2), (1, Json::Null));
}

#[test]
fn spans_are_marked_by_their_kind_if_it_is_wished() {
    let marks = |is_top_level_by_kind, span: Json| {
        let settings = Settings { is_top_level_by_kind, ..Settings::default() };
        let (translator, batch) = translated(settings, request(&json!({}), &[span]));
        assert_eq!(translator.payload().is_top_level_by_client, is_top_level_by_kind);
        let numbers = held(&batch, &batch.spans[0]).1;
        (numbers["_top_level"] == 1.0, numbers["_dd.measured"] == 1.0)
    };
    let child = |kind: u32| json!({"kind": kind, "parentSpanId": "0000000000000001"});
    assert_eq!(marks(true, json!({})), (true, false));
    assert_eq!([1, 2, 5].map(|kind| marks(true, child(kind)).0), [false, true, true]);
    assert_eq!([1, 3, 4].map(|kind| marks(true, child(kind)).1), [false, true, true]);
    assert_eq!(marks(false, child(2)), (false, false));
    assert_eq!(marks(false, span_with(&json!({"_dd.measured": 1}))), (false, true));
}

#[test]
fn codes_and_rates_are_found_under_several_keys() {
    let grpc = |object: Json| {
        let (span, batch) = only_span(&json!({}), span_with(&object));
        texts(&batch, &span)["rpc.grpc.status_code"].clone()
    };
    assert_eq!(grpc(json!({"rpc.grpc.status_code": "5", "grpc.status.code": 14})), "14");
    assert_eq!(grpc(json!({"grpc.code": "UNAVAILABLE"})), "UNAVAILABLE");
    assert_eq!(grpc(json!({"grpc.status.code": "1"})), Json::Null);

    let numbers = |span: Json| {
        let (span, batch) = only_span(&json!({}), span);
        held(&batch, &span).1
    };
    let status = |object: Json| numbers(span_with(&object))["http.status_code"].clone();
    assert_eq!(status(json!({"http.status_code": "x", "http.response.status_code": 201})), 201.0);
    assert_eq!(status(json!({"http.status_code": "-1"})), Json::Null);
    let rate = |span: Json| numbers(span)["_sample_rate"].clone();
    assert_eq!(rate(json!({"traceState": "ot=th:8"})), 0.5);
    let own = json!({"traceState": "ot=th:8", "attributes":
        attributes(&json!({"_sample_rate": 0.1}))});
    assert_eq!(rate(own), 0.1);
}
