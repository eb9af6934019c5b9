//! What the agent itself reads.

use bed::{Agent, Bed, WAIT_MAX, wait_for};
use serde_json::{Value, json};

use crate::client::send;
use crate::{backend, settings, start, wait};

const ORDER: &str = "datadog/2/AGENT_CONFIG/configuration_order/configname";
const LAYER: &str = "datadog/2/AGENT_CONFIG/layer/configname";

fn log_level(agent: &Agent) -> String {
    let reply = agent.ask("GET", "/config", &[]).expect("an agent that answers");
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    text.lines().find(|line| line.starts_with("log_level:")).unwrap_or_default().to_owned()
}

fn wait_level(agent: &Agent, level: &str) {
    let found = wait_for(WAIT_MAX, || Some(log_level(agent)).filter(|line| line.contains(level)));
    assert!(found.is_some(), "{level} is not in effect: {}", log_level(agent));
}

/// What the backend is told of a configuration of this agent.
pub(crate) fn wait_state(bed: &Bed, product: &str, id: &str, state: u64) -> String {
    let found = backend(bed).wait_for(WAIT_MAX, |requests| {
        let told = requests.last()?.own_state(product, id)?;
        (told.apply_state == state).then(|| told.apply_error.clone())
    });
    assert!(found.is_some(), "{product} {id} never got state {state}");
    found.unwrap_or_default()
}

#[test]
fn the_log_level_follows_and_goes_back() {
    let bed = Bed::new();
    let agent = start(&bed);
    backend(&bed).put(ORDER, &json!({"order": ["layer"], "internal_order": []}));
    backend(&bed).put(LAYER, &json!({"name": "x", "config": {"log_level": "debug"}}));
    wait_level(&agent, "debug # remote");
    wait_state(&bed, "AGENT_CONFIG", "layer", 2);

    // A level that does not exist is told, and changes nothing.
    backend(&bed).put(LAYER, &json!({"name": "x", "config": {"log_level": "loud"}}));
    let error = wait_state(&bed, "AGENT_CONFIG", "layer", 3);
    assert!(error.contains("log_level") || error.contains("one of"), "{error}");
    assert!(log_level(&agent).contains("debug # remote"), "the last good one stays");

    // Reading the file again keeps what came from afar.
    agent.ask("POST", "/reload", &[]).expect("an agent that answers");
    assert!(log_level(&agent).contains("debug # remote"));

    backend(&bed).set(Vec::new());
    wait_level(&agent, "info");
    assert!(!log_level(&agent).contains("remote"), "{}", log_level(&agent));
    bed.finish(agent);
}

#[test]
fn a_flag_or_a_switch_keeps_the_log_level() {
    let bed = Bed::new();
    backend(&bed).set_refresh_secs(Some(1));
    backend(&bed).put(ORDER, &json!({"order": ["layer"]}));
    backend(&bed).put(LAYER, &json!({"config": {"log_level": "debug"}}));
    let off = settings(&bed).set("remote_configuration.agent_config.enabled", false);
    let agent = bed.start(&off);
    wait(&agent, "an update", |remote| remote.configurations.len() == 2);
    assert!(log_level(&agent).contains("info"), "{}", log_level(&agent));
    let asked = backend(&bed).requests();
    let own = asked.last().expect("a poll").active_clients.first().expect("this agent").clone();
    assert!(!own.products.contains(&"AGENT_CONFIG".to_owned()), "{:?}", own.products);
    bed.finish(agent);
}

/// Traces of one service, as JSON, of the spec's v0.4.
fn traces(first: u64) -> Value {
    let span = |n: u64| {
        json!([{
            "trace_id": first + n, "span_id": first + n, "parent_id": 0,
            "service": "shop", "name": "web.request", "resource": "GET /",
            "start": 1_700_000_000_000_000_000_u64, "duration": 1000, "error": 0,
            "meta": {"env": "prod"}, "metrics": {"_sampling_priority_v1": 1}, "type": "web",
        }])
    };
    (0..100).map(span).collect()
}

fn rate(bed: &Bed, first: &mut u64) -> Option<f64> {
    let body = traces(*first).to_string();
    *first += 1000;
    let address = bed.trace_url(false).replace("http://", "");
    let answer = {
        use std::io::{Read as _, Write as _};
        let mut stream = std::net::TcpStream::connect(address).expect("a listening agent");
        let head = format!(
            "PUT /v0.4/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
             X-Datadog-Trace-Count: 100\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("written");
        stream.write_all(body.as_bytes()).expect("written");
        let mut all = String::new();
        stream.read_to_string(&mut all).expect("an answer");
        all
    };
    let (_, body) = answer.split_once("\r\n\r\n").expect("a head");
    let rates: Value = serde_json::from_str(body).expect("rates in JSON");
    rates["rate_by_service"]["service:shop,env:prod"].as_f64()
}

/// Targets from afar reach the samplers of all lanes, and so the rates that tracers are told.
#[test]
fn sampling_targets_change_the_rates_that_tracers_are_told() {
    let bed = Bed::new();
    backend(&bed).set_refresh_secs(Some(1));
    let agent = bed.start(&settings(&bed).set("apm_config.env", "prod"));
    let mut first = 1;
    let low = wait_for(WAIT_MAX, || rate(&bed, &mut first).filter(|rate| *rate < 0.5));
    assert!(low.is_some(), "more traces than the target of 10 a second lower the rate");
    backend(&bed).put(
        "datadog/2/APM_SAMPLING/dynamic_rates/config",
        &json!({
            "all_envs": {"priority_sampler_target_TPS": 1, "errors_sampler_target_TPS": 12},
            "by_env": [{"env": "prod", "config": {"priority_sampler_target_TPS": 100}}],
        }),
    );
    let status = agent.wait_status("the targets", |status| {
        status.traces.as_ref().is_some_and(|traces| traces.target_tps > 99.0)
    });
    let traces = status.traces.expect("traces are on");
    assert!((traces.errors_tps - 12.0).abs() < 1e-9, "{}", traces.errors_tps);
    let before = low.unwrap_or_default();
    let higher = wait_for(WAIT_MAX, || rate(&bed, &mut first).filter(|rate| *rate > 2.0 * before));
    assert!(higher.is_some(), "the rate rises with the target");
    // A configuration that cannot be read changes nothing.
    backend(&bed).put("datadog/2/APM_SAMPLING/dynamic_rates/config", &json!({"all_envs": 5}));
    wait(&agent, "the next version", |remote| {
        remote.configurations.iter().any(|one| one.version == 2)
    });
    let traces = agent.status().traces.expect("traces are on");
    assert!((traces.target_tps - 100.0).abs() < 1e-9, "{}", traces.target_tps);
    bed.finish(agent);
}

#[test]
fn tasks_of_tracers_are_passed_on_and_left_alone() {
    let bed = Bed::new();
    let agent = start(&bed);
    let tracer = json!({"task_type": "tracer_flare", "uuid": "u-2", "args": {"case_id": "1234"}});
    backend(&bed).put("datadog/2/AGENT_TASK/t2/config", &tracer);
    wait_state(&bed, "AGENT_TASK", "t2", 0);
    let mut request = crate::request("c");
    request["client"]["products"] = json!(["AGENT_TASK"]);
    let answer = send(&bed, "POST", "/v0.7/config", request.to_string().as_bytes());
    assert_eq!(answer.paths().len(), 1);
    bed.finish(agent);
}
