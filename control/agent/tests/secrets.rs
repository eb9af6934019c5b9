//! A rotated key is fetched when the old one is refused.

use std::sync::Arc;
use std::time::Duration;

use config::{FileSource, Sources};
use corelane_agent::{Agent, Options};
use intake::Intake;

const PATIENCE: Duration = Duration::from_secs(30);
const NEW_KEY: &str = "fedcba9876543210fedcba9876543210";

#[test]
fn a_refused_key_makes_the_agent_ask_for_its_secrets_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let keys = vec![NEW_KEY.into()];
    let intake = Intake::start(intake::Options { keys, ..intake::Options::default() });
    let intake = intake.expect("an intake");
    let secrets = directory.path().join("secrets.json");
    std::fs::write(&secrets, r#"{"k": "0123456789abcdef0123456789abcdef"}"#).expect("written");
    let text = format!(
        "api_key: ENC[k]\nsecret_backend_type: file.json\nsecret_backend_config: {{file_path: {}}}\n\
         secret_refresh_on_api_key_failure_interval: 1\ndd_url: {}\nhostname: h0\nremote_configuration: {{enabled: false}}\nrun_path: {}\n\
         dogstatsd_port: 0\ndogstatsd_socket: ''\napm_config: {{enabled: false}}\n\
         corelane: {{lanes: 1, bucket_secs: 1, flush_interval_secs: 1}}\n",
        secrets.display(),
        intake.url(),
        directory.path().display(),
    );
    let file = FileSource::Text { name: "test.yaml".into(), bytes: text.into() };
    let config = config::load(&Sources { file, ..Sources::default() }).expect("valid");
    let options = Options {
        version: "0.0.0".into(),
        reload: Arc::new(|| Err("no".into())),
        applied: |_| {},
        recent_log: String::new,
    };
    // The key was rotated while the agent was away.
    std::fs::write(&secrets, format!(r#"{{"k": "{NEW_KEY}"}}"#)).expect("written");
    let agent = Agent::start(config, options).expect("a running agent");
    let running = "datadog.agent.running";
    let is_heard = intake.store().wait_until(PATIENCE, |all| all.total_of(running) > 0.0);
    assert!(is_heard, "{:?}", agent.source().snapshot().endpoints);
    agent.stop();
}
