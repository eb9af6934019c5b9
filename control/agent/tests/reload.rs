//! Reloads: what is refused changes nothing.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use config::{Config, FileSource, Sources};
use corelane_agent::{Agent, Options};

fn configuration(text: &str) -> Config {
    let file = FileSource::Text { name: "test.yaml".into(), bytes: text.into() };
    config::load(&Sources { file, ..Sources::default() }).expect("a valid configuration")
}

static APPLIED: AtomicUsize = AtomicUsize::new(0);

#[test]
fn a_bad_value_refuses_the_reload_and_changes_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let run_path = directory.path().display();
    let base = format!(
        "api_key: '0123456789abcdef0123456789abcdef'\ndd_url: http://127.0.0.1:1\nhostname: h0\nremote_configuration: {{enabled: false}}\n\
         run_path: {run_path}\ndogstatsd_port: 0\ndogstatsd_socket: ''\napm_config: {{enabled: false}}\n\
         dogstatsd_buffer_size: lots\nforwarder_stop_timeout: 0\ncorelane: {{lanes: 1}}\n"
    );
    let text = Arc::new(Mutex::new(base.clone()));
    let read = Arc::clone(&text);
    let options = Options {
        version: "0.0.0".into(),
        reload: Arc::new(move || Ok(configuration(&read.lock().expect("no panic")))),
        applied: |_| {
            APPLIED.fetch_add(1, Ordering::SeqCst);
        },
        recent_log: String::new,
    };
    let agent = Agent::start(configuration(&base), options).expect("a running agent");
    let source = agent.source();
    let before = source.config_yaml();

    *text.lock().expect("no panic") = format!("{base}log_level: debug\nforwarder_timeout: soon\n");
    let refused = source.reload().expect_err("a bad value");
    assert!(refused.contains("forwarder_timeout") && refused.contains("test.yaml"), "{refused}");
    assert_eq!(source.config_yaml(), before);
    assert_eq!(APPLIED.load(Ordering::SeqCst), 0);

    *text.lock().expect("no panic") = format!("{base}log_level: debug\n");
    let applied = source.reload().expect("a good configuration");
    assert!(applied.contains("log_level"), "{applied}");
    assert_eq!(APPLIED.load(Ordering::SeqCst), 1);
    agent.stop();
}
