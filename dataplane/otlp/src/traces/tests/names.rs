//! Operations, resources and types. spec: otlp §4.4 to §4.6.

use super::*;

#[derive(serde::Deserialize)]
struct Line {
    kind: String,
    name: String,
    attributes: Json,
    resource_attributes: Json,
    operation: String,
    resource: String,
    r#type: String,
}

fn span(line: &Line) -> Json {
    json!({
        "name": line.name,
        "kind": format!("SPAN_KIND_{}", line.kind.to_uppercase()),
        "attributes": attributes(&line.attributes),
    })
}

#[test]
fn names_are_those_of_the_vectors() {
    let text = include_str!("../../../../../tests/vectors/otlp_span_names.jsonl");
    for line in text.lines() {
        let parsed: Line = serde_json::from_str(line).unwrap();
        let (span, batch) = only_span(&parsed.resource_attributes, span(&parsed));
        let text = |of| batch.strings.text(of);
        assert_eq!(
            (text(span.name), text(span.resource), text(span.span_type)),
            (&*parsed.operation, &*parsed.resource, &*parsed.r#type),
            "{line}"
        );
    }
    assert_eq!(text.lines().count(), 56);
}

#[test]
fn a_resource_is_cut_between_characters() {
    let resource = format!("{}é", "x".repeat(4999));
    let (span, batch) = only_span(&json!({}), span_with(&json!({"resource.name": resource})));
    assert_eq!(batch.strings.len_of(span.resource), 4999);
    let long = "é".repeat(3000);
    let span = span_with(&json!({"rpc.method": "m", "rpc.service": long}));
    let (span, batch) = only_span(&json!({}), span);
    assert_eq!(batch.strings.len_of(span.resource), 5000);
}

#[test]
fn the_old_way_names_operations_after_scope_and_kind() {
    let old = |settings: &Settings, scope: &str, span: Json| {
        let resource = json!({"attributes": attributes(&json!({"http.method": "PUT"}))});
        let scopes = json!([{"scope": {"name": scope}, "spans": [span]}]);
        let body = protobuf(&json!({"resourceSpans": [
            {"resource": resource, "scopeSpans": scopes}
        ]}));
        let (_, batch) = translated(settings.clone(), body);
        let text = |of| batch.strings.text(of).to_owned();
        (text(batch.spans[0].name), text(batch.spans[0].resource))
    };
    let pair = |name: &str, resource: &str| (name.to_owned(), resource.to_owned());
    let span = json!({"kind": 3, "name": "Get It", "attributes": attributes(
        &json!({"http.request.method": "_OTHER", "http.method": "GET", "http.route": "/r"})
    )});

    let mut settings = Settings { is_naming_v1: true, ..Settings::default() };
    assert_eq!(old(&settings, "my-lib", span.clone()), pair("my_lib.client", "_OTHER /r"));
    assert_eq!(old(&settings, "", json!({})), pair("opentelemetry.unspecified", "PUT"));
    settings.remappings.insert("my-lib.client".to_owned(), "Mine!".to_owned());
    settings.is_naming_v1 = false;
    assert_eq!(old(&settings, "my-lib", span.clone()).0, "Mine");
    settings = Settings { is_operation_span_name: true, ..Settings::default() };
    assert_eq!(old(&settings, "my-lib", span).0, "Get_It");
    let named = span_with(&json!({"operation.name": "op", "db.system": "x", "db.statement": "s"}));
    assert_eq!(old(&settings, "my-lib", named), pair("op", "PUT"));
}
