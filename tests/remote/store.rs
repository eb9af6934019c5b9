//! What outlives the process.

use std::fs;
use std::time::Duration;

use bed::{Bed, WAIT_MAX};
use intake::remote::Fault;
use serde_json::json;

use crate::client::ask;
use crate::{PATH, backend, count, request, settings, start, wait};

#[test]
fn a_restart_serves_what_was_verified_before() {
    let bed = Bed::new();
    let agent = start(&bed);
    agent.stop();
    backend(&bed).set_fault(Some(Fault::Status(503)));
    let asked = backend(&bed).requests().len();
    let agent = bed.start(&settings(&bed));
    let answer = ask(&bed, &request("c"));
    assert_eq!(answer.file(PATH).as_deref(), Some(r#"{"id":"p1"}"#));
    let remote = agent.status().remote.expect("it is on");
    assert!(remote.is_on_disk && remote.updated_unix_secs == 0, "{remote:?}");
    backend(&bed).set_fault(None);
    assert_eq!(ask(&bed, &request("c-2")).paths(), [PATH]);
    // The first polls of a process say that it has nothing.
    let requests = backend(&bed).requests();
    let first = requests.get(asked).expect("a poll after the restart");
    assert_eq!(first.current_director_root_version, 0);
    assert_eq!(first.current_config_snapshot_version, 0);
    bed.finish(agent);
}

/// Killed at any moment, the agent finds the state before or after, and trusts it.
#[test]
fn a_kill_while_storing_leaves_a_whole_state() {
    let bed = Bed::new();
    let agent = start(&bed);
    let mut agent = Some(agent);
    for round in 0..6_u32 {
        let running = agent.take().unwrap_or_else(|| bed.start(&settings(&bed)));
        // Much to write, and a poll that writes it when the kill comes.
        let content = json!({"id": format!("round-{round}"), "text": "x".repeat(300_000)});
        backend(&bed).put(PATH, &content);
        let polled = backend(&bed).requests().len();
        let is_polled =
            backend(&bed).wait_for(WAIT_MAX, |requests| (requests.len() > polled).then_some(()));
        assert!(is_polled.is_some(), "the agent polls");
        // Each time a little later in its work.
        std::thread::sleep(Duration::from_millis(u64::from(4 * round)));
        running.kill();
    }
    backend(&bed).set_fault(Some(Fault::Status(503)));
    let agent = bed.start(&settings(&bed));
    let remote = agent.status().remote.expect("it is on");
    assert_eq!(count(&remote, "store_distrusted"), 0, "{}", agent.log());
    let content = ask(&bed, &request("last")).file(PATH).expect("a state");
    assert!(content.contains("round-"), "{}", content.get(..60).unwrap_or(&content));
    bed.finish(agent);
}

#[test]
fn a_store_that_was_tampered_with_is_not_used() {
    let bed = Bed::new();
    let agent = start(&bed);
    agent.stop();
    let path = bed.path("remote-config.db");
    let mut bytes = fs::read(&path).expect("a store");
    let at = bytes.windows(2).rposition(|pair| pair == b"p1").expect("the content is in it");
    bytes[at] = b'q';
    fs::write(&path, &bytes).expect("a writable directory");
    backend(&bed).set_fault(Some(Fault::Status(503)));
    let agent = bed.start(&settings(&bed));
    assert_eq!(ask(&bed, &request("c")).body, "{}");
    let remote = agent.status().remote.expect("it is on");
    assert_eq!(count(&remote, "store_distrusted"), 1);
    backend(&bed).set_fault(None);
    assert_eq!(ask(&bed, &request("c-2")).paths(), [PATH]);
    let finished = bed.finish(agent);
    assert!(finished.log.contains("stored configurations are not used"), "{}", finished.log);
}

/// Another key may belong to another organisation.
#[test]
fn another_key_starts_anew() {
    let bed = Bed::new();
    let agent = start(&bed);
    agent.stop();
    backend(&bed).set_fault(Some(Fault::Status(503)));
    let other = settings(&bed).set("api_key", "fedcba9876543210fedcba9876543210");
    let agent = bed.start(&other);
    assert_eq!(ask(&bed, &request("c")).body, "{}");
    bed.finish(agent);
}

#[test]
fn a_directory_that_cannot_be_used_leaves_it_in_memory() {
    let bed = Bed::new();
    // A directory where the lock should be.
    fs::create_dir(bed.path("remote-config.db.lock")).expect("a writable directory");
    let agent = start(&bed);
    let remote = wait(&agent, "an update", |remote| remote.updated_unix_secs > 0);
    assert!(!remote.is_on_disk);
    assert_eq!(ask(&bed, &request("c")).paths(), [PATH]);
    let finished = bed.finish(agent);
    assert!(finished.log.contains("kept in memory alone"), "{}", finished.log);
}
