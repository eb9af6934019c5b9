//! The vectors of the spec: 48 sequences of answers, 11 requests of clients. spec: remote-config §9

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message as _;
use ring::rand::SystemRandom;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::message::LatestConfigsResponse;
use crate::own::Own;
use crate::refused::Result;
use crate::service::{Now, Service};
use crate::settings::{Identity, Limits, Settings};
use crate::uptane::{Anchors, Organisation, Repositories};

/// 2026-01-01.
pub(crate) const NOW_SECS: i64 = 1_767_225_600;

#[derive(Deserialize)]
pub(crate) struct Scenarios {
    now: String,
    org_uuid: String,
    embedded: BTreeMap<String, String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    response: String,
    expect: String,
    cls: Option<String>,
    state: HashMap<String, Value>,
}

fn read(name: &str) -> Vec<u8> {
    let path = format!("{}/../../tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

impl Scenarios {
    pub(crate) fn read() -> Self {
        serde_json::from_slice(&read("remote-config.json")).expect("vectors")
    }

    pub(crate) fn anchors(&self) -> Anchors {
        let root = |name: &str| self.embedded[name].as_bytes();
        Anchors::new(root("director_root"), root("config_root")).expect("roots of the vectors")
    }

    pub(crate) fn organisation(&self) -> Organisation {
        Organisation { uuid: Some(self.org_uuid.clone()), id: None }
    }

    /// The answers of a case.
    pub(crate) fn answers(&self, name: &str) -> Vec<LatestConfigsResponse> {
        let case = self.cases.iter().find(|case| case.name == name).expect("a known case");
        case.steps.iter().map(|step| answer(&step.response)).collect()
    }

    /// The state after the first case.
    pub(crate) fn ok_first(&self) -> Repositories {
        let empty = Repositories::new(&self.anchors());
        update(&empty, self.answers("ok_first").remove(0), &self.organisation()).expect("is good")
    }
}

fn answer(base64: &str) -> LatestConfigsResponse {
    LatestConfigsResponse::decode(STANDARD.decode(base64).expect("base64").as_slice())
        .expect("protobuf")
}

pub(crate) fn update(
    repositories: &Repositories,
    answer: LatestConfigsResponse,
    organisation: &Organisation,
) -> Result<Repositories> {
    repositories.stage(answer, NOW_SECS)?.finish(organisation, NOW_SECS)
}

fn state(repositories: &Repositories) -> BTreeMap<String, Value> {
    let versions = repositories.versions();
    let files: Vec<&str> = repositories.file_paths().collect();
    [
        ("director_root", json!(versions.director_root)),
        ("director_timestamp", json!(versions.director_timestamp)),
        ("director_snapshot", json!(versions.director_snapshot)),
        ("director_targets", json!(versions.director_targets)),
        ("config_root", json!(versions.config_root)),
        ("config_snapshot", json!(versions.config_snapshot)),
        ("stored_files", json!(files)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

#[test]
fn every_sequence_of_answers() {
    let scenarios = Scenarios::read();
    assert_eq!(crate::rfc3339::parse(&scenarios.now), Some(NOW_SECS));
    let (mut accepted, mut rejected) = (0, 0);
    for case in &scenarios.cases {
        let mut held = Repositories::new(&scenarios.anchors());
        for (at, step) in case.steps.iter().enumerate() {
            let what = format!("{} step {at}", case.name);
            match update(&held, answer(&step.response), &scenarios.organisation()) {
                Ok(next) => {
                    assert_eq!(step.expect, "accept", "{what}");
                    held = next;
                }
                Err(refused) => {
                    assert_eq!(step.expect, "reject", "{what}: {refused}");
                    assert_eq!(
                        Some(refused.cause.name()),
                        step.cls.as_deref(),
                        "{what}: {refused}"
                    );
                }
            }
            for (name, value) in state(&held) {
                assert_eq!(Some(&value), step.state.get(&name), "{what}: {name}");
            }
        }
        match case.steps.last().expect("a step").expect.as_str() {
            "accept" => accepted += 1,
            _ => rejected += 1,
        }
    }
    assert_eq!((accepted, rejected), (9, 39));
}

/// Settings for tests of the service.
pub(crate) fn settings(scenarios: &Scenarios) -> Settings {
    Settings {
        identity: Identity { agent_version: "7.82.0".to_owned(), ..Identity::default() },
        anchors: scenarios.anchors(),
        url: "https://config.example.test".to_owned(),
        api_key: "key".to_owned(),
        legacy_key: None,
        directory: "/nonexistent".into(),
        refresh_interval: None,
        backoff_max: Duration::from_secs(300),
        client_time_to_live: Duration::from_secs(30),
        bypass_max: 5,
        org_status_interval: Duration::from_secs(60),
        limits: Limits::default(),
    }
}

/// A service that has just verified the first answer.
pub(crate) fn service(scenarios: &Scenarios) -> (Service, Now) {
    let now = Now { instant: Instant::now(), unix_ms: NOW_SECS.unsigned_abs() * 1000 };
    let settings = settings(scenarios);
    let own = Own::new("7.82.0", &SystemRandom::new());
    let empty = Repositories::new(&settings.anchors);
    let mut service = Service::new(Arc::new(settings), own, empty, now);
    let uuid = scenarios.organisation().uuid.expect("the vectors name one");
    service.org_uuids = BTreeMap::from([(1, uuid)]);
    service.commit(scenarios.ok_first(), Vec::new(), now, 0.5);
    (service, now)
}

#[test]
fn every_request_of_a_client() {
    let cases: Value = serde_json::from_slice(&read("remote-config-client.json")).expect("vectors");
    let cases = cases["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 11);
    let scenarios = Scenarios::read();
    for case in cases {
        let (mut service, now) = service(&scenarios);
        let body = case["request"].to_string();
        let asked = service.ask(body.as_bytes(), |_| {}, now).expect("a good request");
        let reply = service.answer(&asked, now);
        assert_eq!(reply.status, 200);
        let given: Value = serde_json::from_slice(&reply.body).expect("JSON");
        assert_eq!(given, case["response"], "{}", case["name"]);
    }
}
