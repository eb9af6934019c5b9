//! What tracers get.

use bed::{Bed, WAIT_MAX, wait_for};
use intake::remote::Configuration;
use serde_json::{Value, json};

use crate::client::{ask, decoded, send};
use crate::{PATH, backend, count, request, settings, start, wait};

#[test]
fn a_tracer_gets_its_configuration_and_the_backend_learns_of_it() {
    let bed = Bed::new();
    let agent = start(&bed);
    let answer = ask(&bed, &request("c-1"));
    assert!(answer.head.contains("content-type: application/json"), "{answer:?}");
    assert_eq!(answer.paths(), [PATH]);
    assert_eq!(answer.file(PATH).as_deref(), Some(r#"{"id":"p1"}"#));
    let targets: Value = serde_json::from_str(&decoded(&answer.json()["targets"])).expect("JSON");
    let version = targets["signed"]["version"].clone();
    assert!(targets["signed"]["targets"].get(PATH).is_some(), "{targets}");

    // What it has already is not sent again.
    let mut known = request("c-1");
    known["client"]["state"]["targets_version"] = version;
    assert_eq!(ask(&bed, &known).body, "{}");

    let seen = backend(&bed).wait_for(WAIT_MAX, |requests| {
        let client = requests.iter().find_map(|request| request.client("c-1"))?;
        Some((client.clone(), requests.last()?.clone()))
    });
    let (client, last) = seen.expect("the backend is told of the client");
    let tracer = client.client_tracer.expect("a tracer");
    assert_eq!((&*tracer.service, &*tracer.env), ("shop_ww", "prod"));
    assert_eq!(client.capabilities, [1]);
    assert!(client.last_seen > 1_700_000_000_000, "{}", client.last_seen);
    assert_eq!(last.hostname, bed::HOST);
    assert!(last.agent_version.starts_with("7."), "{}", last.agent_version);
    assert_eq!(last.backend_client_state, b"state");
    assert!(!last.has_error, "{}", last.error);

    let info = send(&bed, "GET", "/info", b"").json();
    assert!(info["endpoints"].as_array().expect("a list").contains(&json!("/v0.7/config")));
    bed.finish(agent);
}

#[test]
fn predicates_choose_who_gets_what() {
    let bed = Bed::new();
    let agent = start(&bed);
    let for_shop = "datadog/2/ASM/shop/config";
    let file = |path: &str, predicates: Vec<Value>| Configuration {
        path: path.to_owned(),
        content: b"{}".to_vec(),
        predicates,
    };
    let new = json!({"service": "shop_ww", "environment": "prod", "tracerVersion": ">=2.0"});
    backend(&bed).set(vec![file(PATH, Vec::new()), file(for_shop, vec![new])]);
    wait(&agent, "both", |remote| remote.configurations.len() == 2);
    assert_eq!(ask(&bed, &request("c-1")).paths(), [for_shop, PATH]);
    for (member, value) in [("tracer_version", "1.9.9"), ("env", "dev"), ("service", "other")] {
        let mut other = request("c-2");
        other["client"]["client_tracer"][member] = json!(value);
        assert_eq!(ask(&bed, &other).paths(), [PATH], "{member}");
    }
    let mut other = request("c-3");
    other["client"]["products"] = json!(["FFE_FLAGS"]);
    assert_eq!(ask(&bed, &other).paths(), [""; 0]);
    bed.finish(agent);
}

#[test]
fn what_cannot_be_answered_says_why() {
    let bed = Bed::new();
    let agent = start(&bed);
    let post = |body: &[u8]| send(&bed, "POST", "/v0.7/config", body);
    let empty = post(b"");
    assert_eq!((empty.status, &*empty.body), (400, "unexpected end of JSON input\n"));
    assert_eq!(post(b"{").status, 400);
    let invalid = post(b"{}");
    assert_eq!(invalid.status, 500);
    assert!(
        invalid.body.ends_with("client is a required field for client config update requests\n"),
        "{invalid:?}"
    );
    let mut no_root = request("c");
    no_root["client"]["state"]["root_version"] = json!(0);
    let no_root = ask(&bed, &no_root);
    assert_eq!(no_root.status, 500);
    assert!(no_root.body.contains("root_version must be >= 1"), "{no_root:?}");
    let remote = agent.status().remote.expect("remote configuration");
    assert_eq!((count(&remote, "requests_malformed"), count(&remote, "requests_invalid")), (2, 2));
    bed.finish(agent);
}

#[test]
fn a_request_may_have_so_many_bytes() {
    let bed = Bed::new();
    backend(&bed).put(PATH, &json!({}));
    let agent = bed.start(&settings(&bed).set("corelane.remote.request_bytes_max", 1024));
    let mut long = request("c");
    long["client"]["products"] = json!(["x".repeat(2000)]);
    assert_eq!(ask(&bed, &long).status, 413);
    bed.finish(agent);
}

/// Five polls ahead of time in an interval, whoever comes.
#[test]
fn new_tracers_cause_polls_up_to_a_limit() {
    let bed = Bed::new();
    backend(&bed).put(PATH, &json!({}));
    let fixed = settings(&bed).set("remote_configuration.refresh_interval", "600s");
    let agent = bed.start(&fixed);
    wait(&agent, "a first update", |remote| remote.configurations.len() == 1);
    for n in 0..7 {
        assert_eq!(ask(&bed, &request(&format!("c-{n}"))).status, 200);
    }
    let remote = agent.status().remote.expect("remote configuration");
    assert_eq!((count(&remote, "bypasses"), count(&remote, "bypasses_limited")), (5, 2));
    let polls =
        wait_for(WAIT_MAX, || Some(backend(&bed).requests().len()).filter(|polls| *polls >= 6));
    assert_eq!(polls, Some(6), "the first, and five more");
    bed.finish(agent);
}

#[test]
fn the_command_tells_versions_clients_and_states() {
    let bed = Bed::new();
    backend(&bed).set_refresh_secs(Some(1));
    backend(&bed).put(PATH, &json!({}));
    let agent = bed.start(&settings(&bed).set("telemetry.enabled", true));
    wait(&agent, "a first update", |remote| remote.configurations.len() == 1);
    let mut told = request("c-1");
    told["client"]["state"]["config_states"] = json!([{
        "id": "LOG_PROBE_p1", "version": 1, "product": "LIVE_DEBUGGING",
        "apply_state": 3, "apply_error": "no such line",
    }]);
    assert_eq!(ask(&bed, &told).status, 200);
    let text = agent.command(&["remote-config", "status"]);
    assert!(text.status.success());
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    for part in [
        &bed.intake.url(),
        "root 1",
        PATH,
        "c-1",
        "shop_ww",
        "python",
        "LIVE_DEBUGGING",
        "error: no such line",
        "on, and the API key may read it",
    ] {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
    let json = agent.command(&["remote-config", "status", "--json"]);
    let json: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(json["versions"]["director_root"], 1);
    assert_eq!(json["configurations"][0]["path"], PATH);
    let metrics = agent.ask("GET", "/metrics", &[]).expect("an agent that answers");
    let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
    for line in [
        "corelane_remote_version{role=\"director_root\"} 1",
        "corelane_remote_clients 2",
        "datadog_trace_agent_receiver_config_request 1",
    ] {
        assert!(metrics.contains(line), "`{line}` is not in:\n{metrics}");
    }
    bed.finish(agent);
}

#[test]
fn where_it_is_off_there_is_nothing() {
    let bed = Bed::new();
    let agent = bed.start(&bed.settings());
    assert_eq!(ask(&bed, &request("c")).status, 404);
    let info = send(&bed, "GET", "/info", b"").json();
    assert!(!info["endpoints"].as_array().expect("a list").contains(&json!("/v0.7/config")));
    let remote = agent.status().remote.expect("a reason");
    assert!(remote.disabled_reason.contains("enabled"), "{remote:?}");
    assert!(backend(&bed).requests().is_empty());
    bed.finish(agent);
}
