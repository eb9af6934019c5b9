//! Flares: asked for from afar, and by somebody at the keyboard.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use bed::{Agent, Bed, HOST, Settings, WAIT_MAX};
use intake::flares::{Flare, FlareAnswer, unzip};
use serde_json::{Value, json};
use status::FlareStatus;

use crate::products::wait_state;
use crate::{backend, settings};

/// None of these may be in any archive. The first is the API key of every bed.
const SECRETS: [&str; 8] = [
    "0123456789abcdef0123456789abcdef",
    "fedcba9876543210fedcba9876543210",
    "zq-proxy-word",
    "zq-events-key-0123456789",
    "zq-environment-key-0123",
    "zq-shadowed-key-of-the-file",
    "zq-word-in-a-variable",
    "zq-stripped-value",
];

fn task(uuid: &str) -> Value {
    json!({
        "task_type": "flare",
        "uuid": uuid,
        "args": {"case_id": "1234", "user_handle": "someone@example.test", "hostname": HOST},
    })
}

fn secretive(bed: &Bed) -> Settings {
    settings(bed)
        .set("additional_endpoints", json!({bed.intake.url(): [SECRETS[1]]}))
        .set("proxy.https", format!("http://someone:{}@127.0.0.1:9", SECRETS[2]))
        .set("evp_proxy_config.api_key", SECRETS[3])
        .set("apm_config.debugger_api_key", SECRETS[5])
        .set("flare_stripped_keys", json!(["shoe_size"]))
        .set("shoe_size", SECRETS[7])
}

/// An agent with secrets in its file and in its environment.
fn start(bed: &Bed) -> Agent {
    backend(bed).set_refresh_secs(Some(1));
    Agent::start_with(bed, &secretive(bed), |command| {
        command.env("DD_APM_DEBUGGER_API_KEY", SECRETS[4]);
        command.env("HTTP_PROXY_OF_NOBODY", SECRETS[6]);
        command.env("DD_OL_PROXY_CONFIG_API_KEY", SECRETS[6]);
        command.env("DD_PROXY_NO_PROXY", "127.0.0.1");
    })
}

fn assert_clean(members: &BTreeMap<String, String>) {
    for (name, content) in members {
        for secret in SECRETS {
            assert!(!content.contains(secret), "{secret} is in {name}:\n{content}");
        }
    }
}

fn flares(agent: &Agent, what: &str, is_so: impl Fn(&FlareStatus) -> bool) -> FlareStatus {
    agent.wait_status(what, |snapshot| is_so(&snapshot.flares)).flares
}

/// Everything that the specification wants of the request, and of what the archive holds.
fn assert_good(flare: &Flare, agent: &Agent) {
    assert_clean(&flare.members);
    assert!(flare.members.keys().all(|name| name.starts_with(&format!("{HOST}/"))));
    for (name, part) in [
        ("status.log", "Listeners"),
        ("status.json", "\"host_name\""),
        ("health.yaml", "- live"),
        ("diagnose.log", "SUCCESS listener"),
        ("config-check.log", ""),
        ("envvars.log", "DD_PROXY_NO_PROXY=127.0.0.1"),
        ("etc/datadog.yaml", "***bcdef"),
        ("runtime_config_dump.yaml", "dogstatsd_port"),
        ("secrets.log", "api_key: "),
        ("permissions.log", "datadog.yaml"),
        ("telemetry.log", "dogstatsd__processed"),
        ("remote-config-state.log", "director"),
        ("expvar/vars.json", "aggregator"),
        ("metadata/host.json", "systemStats"),
        ("dogstatsd/top.json", "contexts"),
        ("version.json", "agent_version"),
        ("logs/recent.log", "ready"),
        ("flare_creation.log", "status.log: "),
    ] {
        let content = flare.member(name).unwrap_or("not there");
        assert!(content != "not there", "{name} is missing: {flare:#?}");
        assert!(content.contains(part), "{part} is not in {name}:\n{content}");
    }
    let status: Value =
        serde_json::from_str(flare.member("status.json").unwrap_or_default()).expect("JSON");
    assert_eq!(status["pid"], agent.status().pid);
    assert!(flare.file_name.starts_with("datadog-agent-20"), "{}", flare.file_name);
    let header = |name: &str| flare.headers.iter().find(|(known, _)| known == name);
    assert_eq!(header("dd-api-key").map(|(_, key)| key.as_str()), Some(SECRETS[0]));
    assert_eq!(header("transfer-encoding").map(|(_, coding)| coding.as_str()), Some("chunked"));
}

#[test]
fn a_task_brings_a_flare_to_support() {
    let bed = Bed::new();
    bed.intake.flares().set_answer(FlareAnswer::Redirect);
    let agent = start(&bed);
    backend(&bed).put("datadog/2/AGENT_TASK/t1/config", &task("u-1"));
    let taken = bed.intake.flares().wait_for(1, WAIT_MAX);
    assert_eq!(bed.intake.flares().refused(), Vec::<String>::new());
    let flare = taken.first().expect("a flare");
    assert_good(flare, &agent);
    assert_eq!(flare.path, "/support/flare/v1", "where the intake wanted it");
    assert_eq!(
        flare.order,
        ["case_id", "email", "source", "rc_task_uuid", "flare_file", "agent_version", "hostname"]
    );
    let field = |name: &str| flare.fields.get(name).map_or("", String::as_str);
    assert_eq!((field("case_id"), field("email")), ("1234", "someone@example.test"));
    assert_eq!((field("source"), field("rc_task_uuid")), ("remote-config", "u-1"));
    assert_eq!((field("hostname"), field("agent_version")), (HOST, "7.82.0"));
    wait_state(&bed, "AGENT_TASK", "t1", 2);
    // The same task in another version is not done again.
    backend(&bed).put("datadog/2/AGENT_TASK/t1/config", &task("u-1"));
    backend(&bed).put("datadog/2/AGENT_TASK/t2/config", &task("u-2"));
    wait_state(&bed, "AGENT_TASK", "t2", 2);
    let status = flares(&agent, "both flares", |status| status.sent == 2);
    assert_eq!((status.asked, status.waiting, status.failed.len()), (2, 0, 0));
    assert_eq!(bed.intake.flares().taken().len(), 2);
    bed.finish(agent);
}

#[test]
fn a_flare_that_support_does_not_take_is_an_error_of_its_task() {
    let bed = Bed::new();
    let agent = start(&bed);
    for (number, (answer, part)) in [
        (FlareAnswer::Status(500), "status 500"),
        (FlareAnswer::Status(403), "API key ending with bcdef"),
        (FlareAnswer::Error, "there is no such case"),
    ]
    .into_iter()
    .enumerate()
    {
        bed.intake.flares().set_answer(answer);
        let id = format!("t{number}");
        let path = format!("datadog/2/AGENT_TASK/{id}/config");
        backend(&bed).put(&path, &task(&format!("u-{number}")));
        let error = wait_state(&bed, "AGENT_TASK", &id, 3);
        assert!(error.contains(part), "{part} is not in {error}");
    }
    let without_case = json!({"task_type": "flare", "uuid": "u-9", "args": {"case_id": "0"}});
    backend(&bed).put("datadog/2/AGENT_TASK/t9/config", &without_case);
    let error = wait_state(&bed, "AGENT_TASK", "t9", 3);
    assert!(error.contains("no case"), "{error}");
    let status =
        flares(&agent, "three failures", |status| status.failed.values().sum::<u64>() == 3);
    assert_eq!((status.asked, status.sent), (3, 0));
    let text = String::from_utf8_lossy(&agent.command(&["status"]).stdout).into_owned();
    assert!(text.contains("Flares") && text.contains("there is no such case"), "{text}");
    bed.finish(agent);
}

#[test]
fn an_intake_that_hangs_holds_neither_the_agent_nor_its_stop() {
    let bed = Bed::new();
    bed.intake.flares().set_answer(FlareAnswer::Hang);
    let agent = start(&bed);
    backend(&bed).put("datadog/2/AGENT_TASK/t1/config", &task("u-1"));
    wait_state(&bed, "AGENT_TASK", "t1", 1);
    flares(&agent, "a flare under way", |status| status.waiting == 1 && status.last_bytes > 0);
    bed.finish(agent);
}

#[test]
fn a_host_may_refuse_flares_from_afar() {
    let bed = Bed::new();
    backend(&bed).set_refresh_secs(Some(1));
    let agent = bed.start(&settings(&bed).set("corelane.flare.remote_enabled", false));
    backend(&bed).put("datadog/2/AGENT_TASK/t1/config", &task("u-1"));
    let error = wait_state(&bed, "AGENT_TASK", "t1", 3);
    assert!(error.contains("corelane.flare.remote_enabled"), "{error}");
    assert_eq!(bed.intake.flares().heads(), 0);
    bed.finish(agent);
}

fn json_of(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn members(path: &Value) -> BTreeMap<String, String> {
    let path = Path::new(path.as_str().expect("a path"));
    let archive = std::fs::read(path).expect("an archive");
    let text =
        |(name, content): (String, Vec<u8>)| (name, String::from_utf8(content).expect("text"));
    unzip(&archive, 64 << 20).expect("a good archive").into_iter().map(text).collect()
}

#[test]
fn a_command_writes_a_flare_and_sends_it_when_asked_to() {
    let bed = Bed::new();
    let agent = start(&bed);
    let directory = bed.path("flares");
    std::fs::create_dir(&directory).expect("a directory");
    let directory = directory.display().to_string();
    let told = json_of(&agent.command(&["flare", "--json", "-o", &directory]));
    assert_eq!((&told["agent_answered"], &told["sent"]), (&json!(true), &json!(false)));
    let written = members(&told["path"]);
    assert_clean(&written);
    assert!(written.contains_key(&format!("{HOST}/status.log")));
    assert_eq!((bed.intake.flares().heads(), bed.intake.flares().taken().len()), (0, 0));

    let other = bed.path("sent");
    std::fs::create_dir(&other).expect("a directory");
    let other = other.display().to_string();
    let told = json_of(&agent.command(&[
        "flare",
        "77",
        "--send",
        "--email",
        "me@example.test",
        "--json",
        "-o",
        &other,
    ]));
    assert_eq!((&told["sent"], &told["case_id"]), (&json!(true), &json!("77")));
    let taken = bed.intake.flares().taken();
    let flare = taken.first().expect("a flare");
    assert_good(flare, &agent);
    assert_eq!(
        flare.order,
        ["case_id", "email", "source", "flare_file", "agent_version", "hostname"]
    );
    assert_eq!(flare.fields.get("source").map(String::as_str), Some("local"));
    assert_eq!(flare.path, "/support/flare/77");
    assert_eq!(flares(&agent, "local ones", |status| status.local == 2).asked, 0);

    // A key that is refused is told with its end.
    bed.intake.flares().set_answer(FlareAnswer::Status(403));
    let output =
        agent.command(&["flare", "--send", "--case-id", "77", "-e", "a@b", "-o", &bed_root(&bed)]);
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("bcdef") && !error.contains(SECRETS[0]), "{error}");
    bed.finish(agent);
}

fn bed_root(bed: &Bed) -> String {
    bed.directory().display().to_string()
}

#[test]
fn without_an_agent_a_flare_holds_the_configuration() {
    let bed = Bed::new();
    let agent = start(&bed);
    let config = bed.path("datadog.yaml");
    agent.kill();
    let output = std::process::Command::new(bed::corelane())
        .args(["flare", "--json", "-c"])
        .arg(&config)
        .arg("-o")
        .arg(bed.directory())
        .env_clear()
        .env("DD_OL_PROXY_CONFIG_API_KEY", SECRETS[6])
        .output()
        .expect("a binary that starts");
    let told = json_of(&output);
    assert_eq!(told["agent_answered"], json!(false));
    let written = members(&told["path"]);
    assert_clean(&written);
    for name in ["etc/datadog.yaml", "runtime_config_dump.yaml", "envvars.log", "version.json"] {
        assert!(written.contains_key(&format!("{HOST}/{name}")), "{name}: {:?}", written.keys());
    }
    assert!(written[&format!("{HOST}/status.log")].contains("no agent answers"));
}
