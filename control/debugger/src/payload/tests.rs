use serde_json::json;

use super::*;

fn round_trip(payload: &DebuggerPayload<'_>) -> serde_json::Value {
    let text = serde_json::to_string(payload).expect("JSON");
    let read: DebuggerPayload<'_> = serde_json::from_str(&text).expect("what was written");
    assert_eq!(&read, payload);
    serde_json::from_str(&text).expect("JSON")
}

fn value(type_name: &'static str, value: &'static str) -> Value<'static> {
    Value { type_name: type_name.into(), value: Some(value.into()), ..Value::default() }
}

#[test]
fn a_snapshot_has_every_field_by_its_name() {
    let list = Value {
        type_name: "list".into(),
        elements: vec![value("int", "1")],
        entries: vec![(value("str", "k"), value("str", "v"))],
        fields: [("f".into(), Value { is_null: true, ..value("str", "x") })].into(),
        truncated: true,
        not_captured_reason: Some("collectionSize".into()),
        size: Some(7),
        ..Value::default()
    };
    let frame = StackFrame {
        file_name: Some("a.py".into()),
        function: Some("f".into()),
        line_number: Some(3),
        column_number: Some(5),
    };
    let capture = Capture {
        static_fields: [("s".into(), value("int", "0"))].into(),
        arguments: [("a".into(), list)].into(),
        locals: [("l".into(), value("int", "2"))].into(),
        capture_expressions: [("e".into(), value("int", "3"))].into(),
        throwable: Some(Throwable {
            type_name: "E".into(),
            message: "m".into(),
            stacktrace: vec![frame.clone()],
        }),
    };
    let captures = Captures {
        lines: [(12, Capture::default())].into(),
        entry: Some(Capture::default()),
        exit: Some(capture),
    };
    let location = ProbeLocation { method: Some("f".into()), type_name: Some("C".into()) };
    let snapshot = Snapshot {
        language: "python".into(),
        id: "uuid".into(),
        timestamp: 17,
        exception_id: Some("x".into()),
        exception_hash: Some("h".into()),
        frame_index: Some(2),
        captures: Some(captures),
        probe: Some(Probe { id: "p".into(), location }),
        evaluation_errors: vec![EvaluationError { expr: "a.b".into(), message: "no".into() }],
        stack: vec![frame],
    };
    let mut payload = DebuggerPayload::snapshot("web", snapshot);
    payload.message = Some("hit".into());
    payload.process_tags = Some("a:b".into());
    assert_eq!(payload.debugger_type(), DebuggerType::Snapshots);
    let frame = json!({"fileName": "a.py", "function": "f", "lineNumber": 3, "columnNumber": 5});
    let list = json!({
        "type": "list",
        "elements": [{"type": "int", "value": "1"}],
        "entries": [[{"type": "str", "value": "k"}, {"type": "str", "value": "v"}]],
        "fields": {"f": {"type": "str", "value": "x", "isNull": true}},
        "truncated": true,
        "notCapturedReason": "collectionSize",
        "size": 7,
    });
    let exit = json!({
        "staticFields": {"s": {"type": "int", "value": "0"}},
        "arguments": {"a": list},
        "locals": {"l": {"type": "int", "value": "2"}},
        "captureExpressions": {"e": {"type": "int", "value": "3"}},
        "throwable": {"type": "E", "message": "m", "stacktrace": [frame]},
    });
    let expected = json!({
        "service": "web",
        "ddsource": "dd_debugger",
        "timestamp": 17,
        "message": "hit",
        "process_tags": "a:b",
        "debugger": {"snapshot": {
            "language": "python",
            "id": "uuid",
            "timestamp": 17,
            "exceptionId": "x",
            "exceptionHash": "h",
            "frameIndex": "2",
            "captures": {"lines": {"12": {}}, "entry": {}, "return": exit},
            "probe": {"id": "p", "location": {"method": "f", "type": "C"}},
            "evaluationErrors": [{"expr": "a.b", "message": "no"}],
            "stack": [frame],
        }},
    });
    assert_eq!(round_trip(&payload), expected);
}

#[test]
fn a_log_line_leaves_out_what_it_does_not_have() {
    let snapshot =
        Snapshot { language: "go".into(), id: "u".into(), timestamp: 1, ..Snapshot::default() };
    let payload = DebuggerPayload::snapshot("web", snapshot);
    assert_eq!(payload.debugger_type(), DebuggerType::Logs);
    let expected = json!({
        "service": "web",
        "ddsource": "dd_debugger",
        "timestamp": 1,
        "debugger": {"snapshot": {"language": "go", "id": "u", "timestamp": 1}},
    });
    assert_eq!(round_trip(&payload), expected);
}

#[test]
fn diagnostics_say_what_their_status_means() {
    let diagnostics = |status, exception: Option<&'static str>| Diagnostics {
        probe_id: "p1".into(),
        runtime_id: "r".into(),
        parent_id: Some("r0".into()),
        probe_version: 4,
        status,
        exception: exception.map(|message| DiagnosticsException {
            type_name: "E".into(),
            message: message.into(),
            stacktrace: Vec::new(),
        }),
        details: None,
    };
    let error = diagnostics(DiagnosticsStatus::Error, Some("no such line"));
    let payload = DebuggerPayload::diagnostics("web", 9, error);
    assert_eq!(payload.debugger_type(), DebuggerType::Diagnostics);
    let expected = json!({
        "service": "web",
        "ddsource": "dd_debugger",
        "timestamp": 9,
        "message": "Encountered error while instrumenting probe p1: no such line",
        "debugger": {"diagnostics": {
            "probeId": "p1",
            "runtimeId": "r",
            "parentId": "r0",
            "probeVersion": 4,
            "status": "ERROR",
            "exception": {"type": "E", "message": "no such line"},
        }},
    });
    assert_eq!(round_trip(&payload), expected);
    for (status, message) in [
        (DiagnosticsStatus::Received, "Received definition for probe p1"),
        (DiagnosticsStatus::Installed, "Instrumented probe p1"),
        (DiagnosticsStatus::Emitting, "Instrumented probe p1"),
        (DiagnosticsStatus::Blocked, "Instrumentation denied for probe p1"),
        (DiagnosticsStatus::Warning, "Probe p1 warning: "),
    ] {
        assert_eq!(diagnostics(status, None).message(), message);
    }
}

#[test]
fn the_kind_of_json_is_that_of_what_it_was_made_of() {
    let kind = |text: &str| debugger_type_of_json(text.as_bytes()).ok();
    let snapshot = r#"{"dd":{},"debugger":{"snapshot":{"id":"1","captures":{"lines":{}}}}}"#;
    assert_eq!(kind(snapshot), Some(DebuggerType::Snapshots));
    assert_eq!(kind(r#"{"debugger":{"snapshot":{"captures":null}}}"#), Some(DebuggerType::Logs));
    assert_eq!(kind(r#"{"debugger":{"diagnostics":{}}}"#), Some(DebuggerType::Diagnostics));
    for text in ["", "[]", "{}", r#"{"debugger":{}}"#, r#"{"debugger":{"snapshot":{}}"#] {
        assert_eq!(kind(text), None, "{text}");
    }
}
