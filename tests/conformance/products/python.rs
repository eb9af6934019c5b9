//! `ddtrace` for Python.

use bed::Client;
use serde_json::{Value, json};

use super::{
    DATA_STREAMS, EMITTING, PROFILE, Ran, SNAPSHOT, Surroundings, TELEMETRY, Wanted,
    assert_data_streams, assert_debugger, assert_event_platform, assert_host_tags, assert_profiles,
    assert_telemetry, probe,
};

const SYMBOLS: Wanted =
    Wanted { what: "symbols", is_it: |one| one.header("dd-evp-origin") == Some("agent-symdb") };
const EVALUATION: Wanted =
    Wanted { what: "evaluation", is_it: |one| one.path.ends_with("/eval-metric") };

#[test]
fn everything_but_traces_arrives() {
    let surroundings = Surroundings::new();
    let place = json!({"typeName": "basket", "methodName": "Basket.add"});
    let probes = json!([
        probe("probe-1", "python", &place, true),
        probe("probe-2", "python", &place, false),
    ]);
    let file = surroundings.probe_file(&probes);
    let environment = [
        ("DD_PROFILING_ENABLED", "true"),
        ("DD_DATA_STREAMS_ENABLED", "true"),
        ("DD_DYNAMIC_INSTRUMENTATION_PROBE_FILE", file.as_str()),
        ("DD_DYNAMIC_INSTRUMENTATION_DIAGNOSTICS_INTERVAL", "2"),
        ("DD_PROFILING_UPLOAD_INTERVAL", "2"),
        // Symbols are sent without being asked for.
        ("_DD_SYMBOL_DATABASE_FORCE_UPLOAD", "true"),
        ("DD_SYMBOL_DATABASE_INCLUDES", "basket"),
    ];
    let wanted = [PROFILE, TELEMETRY, DATA_STREAMS, SNAPSHOT, EMITTING, SYMBOLS, EVALUATION];
    let ran = surroundings.run(Client::PythonProducts, &environment, &wanted);
    assert_profiles(&ran, "python", "dd-trace-py");
    assert_debugger(&ran, "probe-1", "added 'tea'");
    assert_telemetry(&ran, "python");
    assert_data_streams(&ran);
    assert_symbols(&ran);
    let evaluations = assert_event_platform(&ran, "api", "/api/intake/llm-obs/v2/eval-metric");
    let metric = &evaluations[0]["data"]["attributes"]["metrics"][0];
    assert_eq!((&metric["label"], &metric["score_value"]), (&json!("helpful"), &json!(0.5)));
}

fn assert_symbols(ran: &Ran) {
    let at_intake = ran.at("debugger-intake", "/api/v2/debugger");
    let uploads = at_intake.iter().filter(|one| one.header("dd-evp-origin") == Some("agent-symdb"));
    let mut symbols = String::new();
    for upload in uploads {
        assert_eq!(upload.query, "", "tags are in a header");
        let tags = upload.header("x-datadog-additional-tags").expect("tags");
        assert_host_tags(tags);
        assert!(tags.contains(",debugger_version:"), "{tags}");
        let parts = upload.parts();
        let event = parts.iter().find(|part| part.name == "event").expect("an event");
        let event: Value = serde_json::from_slice(&event.body).expect("JSON");
        assert_eq!((&event["type"], &event["service"]), (&json!("symdb"), &json!("shop")));
        let file = parts.iter().find(|part| part.name == "file").expect("a file");
        let text = intake::decompress(Some("gzip"), &file.body, 1 << 20).expect("gzip");
        symbols.push_str(std::str::from_utf8(&text).expect("text"));
    }
    assert!(symbols.contains("Basket") && symbols.contains("basket.py"), "{symbols}");
}
