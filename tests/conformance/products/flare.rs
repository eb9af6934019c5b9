//! A flare of a real tracer, asked for by remote configuration.

use std::cell::Cell;

use bed::Client;
use serde_json::{Value, json};

use super::{SITE, Surroundings};

const FLARE: &str = "/api/ui/support/serverless/flare";

#[test]
fn a_flare_of_python_arrives_with_all_its_fields() {
    let surroundings = Surroundings::new();
    let backend = surroundings.bed.intake.remote();
    backend.set_refresh_secs(Some(1));
    let level = json!({"name": "flare-log-level.debug", "config": {"log_level": "debug"}});
    backend.put("datadog/2/AGENT_CONFIG/flare-log-level.debug/config", &level);
    let settings = super::remote::settings(&surroundings);
    let environment = [
        ("DD_REMOTE_CONFIGURATION_ENABLED", "true"),
        ("DD_REMOTE_CONFIG_POLL_INTERVAL_SECONDS", "1"),
    ];
    let is_asked = Cell::new(false);
    // First it collects, which it tells the backend, then it is asked to send what it has.
    let missing = || -> Vec<&str> {
        let is_collecting = backend.requests().iter().any(|request| {
            let clients = request.active_clients.iter().filter_map(|client| client.state.as_ref());
            let mut states = clients.flat_map(|state| &state.config_states);
            states.any(|state| state.product == "AGENT_CONFIG" && state.apply_state == 2)
        });
        if is_collecting && !is_asked.replace(true) {
            let task: Value = json!({
                "args": {"case_id": "123", "hostname": "web01", "user_handle": "a@b.test"},
                "task_type": "tracer_flare",
                "uuid": "d53fc8a4-8820-47a2-aa7d-d565582feb81",
            });
            backend.put("datadog/2/AGENT_TASK/d53fc8a4/config", &task);
        }
        let is_there = surroundings.arrived().iter().any(|one| one.path == FLARE);
        if is_there { Vec::new() } else { vec!["flare"] }
    };
    let ran = surroundings.run_until(&settings, Client::PythonProducts, &environment, missing);
    let flare = ran.arrived.iter().find(|one| one.path == FLARE).expect("it was there");
    assert_eq!((flare.host.as_str(), flare.method.as_str()), (SITE, "POST"));
    assert_eq!(flare.header("dd-api-key"), Some(super::KEY));
    let parts = flare.parts();
    let text = |name: &str| {
        let part = parts.iter().find(|part| part.name == name);
        let part = part.unwrap_or_else(|| panic!("no {name} in {parts:?}"));
        String::from_utf8_lossy(&part.body).into_owned()
    };
    assert_eq!(text("source"), "tracer_python");
    assert_eq!(text("case_id"), "123");
    assert_eq!(text("hostname"), "web01");
    assert_eq!(text("email"), "a@b.test");
    let file = parts.iter().find(|part| part.name == "flare_file").expect("an archive");
    let name = file.file.as_deref().expect("a name");
    assert!(name.starts_with("tracer-python-123-") && name.ends_with(".zip"), "{name}");
    // A whole archive: its first entry, and the directory at its end.
    assert!(file.body.starts_with(b"PK\x03\x04"), "{} bytes", file.body.len());
    let end = file.body.windows(4).rposition(|four| four == b"PK\x05\x06");
    assert_eq!(end, file.body.len().checked_sub(22), "the archive is whole");
}
