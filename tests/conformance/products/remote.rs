//! What the backend tells reaches the tracers, and they do it.

use bed::{Client, Settings};
use serde_json::{Value, json};

use super::{SNAPSHOT, Surroundings, assert_debugger, node, probe};

/// Settings of an agent that trusts the bed's backend and sends traces to the bed's intake.
pub(super) fn settings(surroundings: &Surroundings) -> Settings {
    let intake = &surroundings.bed.intake;
    surroundings
        .settings()
        .set("apm_config.apm_dd_url", intake.url())
        .set("remote_configuration.enabled", true)
        .set("remote_configuration.rc_dd_url", intake.url())
        .set("remote_configuration.no_tls", true)
        .set("remote_configuration.no_tls_validation", true)
        .set("remote_configuration.config_root", intake.remote().config_root())
        .set("remote_configuration.director_root", intake.remote().director_root())
}

/// A share that no default is.
const RATE: f64 = 0.625;

/// Runs a program that knows no probe and no rate, and checks that it learns both.
fn follows(client: Client, language: &str, place: &Value, message: &str) {
    let surroundings = Surroundings::new();
    let backend = surroundings.bed.intake.remote();
    backend.set_refresh_secs(Some(1));
    let probe = probe("probe-1", language, place, true);
    backend.put("datadog/2/LIVE_DEBUGGING/logProbe_probe-1/config", &probe);
    let rules = json!([{
        "service": "*", "name": "*", "resource": "*",
        "provenance": "customer", "sample_rate": RATE,
    }]);
    // dd-trace for Node.js reads the second form alone.
    let sampling = json!({
        "id": "shop-bed",
        "revision": 1,
        "schema_version": "v1.0.0",
        "action": "enable",
        "service_target": {"service": "shop", "env": "bed"},
        "lib_config": {
            "library_language": "all",
            "library_version": "latest",
            "tracing_sampling_rules": rules,
        },
        "sdk_config": {"config": {"DD_TRACE_SAMPLING_RULES": rules.to_string()}},
    });
    backend.put("datadog/2/APM_TRACING/shop-bed/config", &sampling);
    let environment = [
        ("DD_REMOTE_CONFIGURATION_ENABLED", "true"),
        ("DD_REMOTE_CONFIG_POLL_INTERVAL_SECONDS", "1"),
    ];
    let store = surroundings.bed.intake.store();
    let is_sampled = || {
        store.read(|contents| {
            let rate_of = |span: &intake::ReceivedSpan| span.number("_dd.rule_psr");
            contents.spans().filter_map(rate_of).any(|rate| (rate - RATE).abs() < 1e-9)
        })
    };
    // It tells the backend through the agent that it did what it was told.
    let is_acknowledged = || {
        backend.requests().iter().any(|request| {
            let clients = request.active_clients.iter().filter_map(|client| client.state.as_ref());
            let states: Vec<_> = clients.flat_map(|state| &state.config_states).collect();
            let is_done = |product: &str| {
                let mut of_product = states.iter().filter(|state| state.product == product);
                of_product.any(|state| state.apply_state == ACKNOWLEDGED)
            };
            is_done("LIVE_DEBUGGING") && is_done("APM_TRACING")
        })
    };
    let missing = || {
        let found = [
            ("snapshot", surroundings.arrived().iter().any(SNAPSHOT.is_it)),
            ("sampled span", is_sampled()),
            ("acknowledgement", is_acknowledged()),
        ];
        found.into_iter().filter(|(_, is_there)| !is_there).map(|(what, _)| what).collect()
    };
    let ran = surroundings.run_until(&settings(&surroundings), client, &environment, missing);
    assert_debugger(&ran, "probe-1", message);
}

/// State of a configuration that was applied.
const ACKNOWLEDGED: u64 = 2;

#[test]
fn python_follows() {
    let place = json!({"typeName": "basket", "methodName": "Basket.add"});
    follows(Client::PythonProducts, "python", &place, "added 'tea'");
}

#[test]
fn node_follows() {
    let place = json!({"sourceFile": "basket.js", "lines": [node::marked_line()]});
    follows(Client::NodeProducts, "javascript", &place, "added tea");
}
