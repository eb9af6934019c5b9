//! `dd-trace` for Node.js.

use bed::Client;
use serde_json::json;

use super::{
    DATA_STREAMS, EMITTING, PROFILE, SNAPSHOT, Surroundings, TELEMETRY, Wanted,
    assert_data_streams, assert_debugger, assert_event_platform, assert_profiles, assert_telemetry,
    probe,
};

const LLM: Wanted = Wanted { what: "LLM observability", is_it: |one| one.path == "/api/v2/llmobs" };

/// The line of `basket.js` that the probe is on.
pub(super) fn marked_line() -> String {
    let source = include_str!("../../clients/node/basket.js");
    let index = source.lines().position(|line| line.ends_with("// probe")).expect("a marked line");
    (index + 1).to_string()
}

#[test]
fn everything_but_traces_arrives() {
    let surroundings = Surroundings::new();
    let place = json!({"sourceFile": "basket.js", "lines": [marked_line()]});
    let file = surroundings.probe_file(&json!([probe("probe-1", "javascript", &place, true)]));
    let environment = [
        ("DD_PROFILING_ENABLED", "true"),
        ("DD_DATA_STREAMS_ENABLED", "true"),
        ("DD_DYNAMIC_INSTRUMENTATION_PROBE_FILE", file.as_str()),
        ("DD_PROFILING_UPLOAD_PERIOD", "2"),
        ("DD_LLMOBS_ENABLED", "true"),
        ("DD_LLMOBS_ML_APP", "shop-ml"),
        ("DD_LLMOBS_AGENTLESS_ENABLED", "false"),
    ];
    let wanted = [PROFILE, TELEMETRY, DATA_STREAMS, SNAPSHOT, EMITTING, LLM];
    let ran = surroundings.run(Client::NodeProducts, &environment, &wanted);
    assert_profiles(&ran, "node", "dd-trace-js");
    assert_debugger(&ran, "probe-1", "added tea");
    assert_telemetry(&ran, "nodejs");
    assert_data_streams(&ran);
    let spans = assert_event_platform(&ran, "llmobs-intake", "/api/v2/llmobs");
    let span = &spans[0][0]["spans"][0];
    assert_eq!(
        (&span["name"], &span["meta"]["input"]["value"]),
        (&json!("ask"), &json!("question"))
    );
    // Its DogStatsD client found the route and used it.
    let rounds: f64 = ran.said.trim().parse().expect("a number of rounds");
    let counted = ran.finished.contents.total_of("shop.rounds");
    assert!((counted - rounds).abs() < 0.5, "{counted} of {rounds} rounds");
}
