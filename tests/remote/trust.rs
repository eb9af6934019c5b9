//! What is not signed is not served, and what was good stays.

use bed::Bed;
use intake::remote::Tamper;
use serde_json::json;

use crate::client::{ask, decoded};
use crate::{PATH, backend, count, request, start, wait};

fn is_refused(tamper: Tamper) {
    let bed = Bed::new();
    let agent = start(&bed);
    backend(&bed).set_tamper(Some(tamper));
    backend(&bed).put(PATH, &json!({"id": "evil"}));
    let refused = wait(&agent, "a refusal", |remote| remote.last_error.starts_with("tuf: "));
    let counted: u64 = refused
        .counts
        .iter()
        .filter(|(name, _)| name.starts_with("refused_"))
        .map(|(_, count)| count)
        .sum();
    assert!(counted > 0, "{tamper:?}: {:?}", refused.counts);
    // A new tracer causes a poll, and gets what was good before.
    let answer = ask(&bed, &request("late"));
    let good = answer.file(PATH);
    assert!(good.is_some_and(|good| !good.contains("evil")), "{tamper:?}: {answer:?}");
    let told = backend(&bed).requests();
    let told = told.iter().rev().find(|request| request.has_error).expect("the backend is told");
    assert!(told.error.starts_with("tuf: "), "{}", told.error);
    // Once the backend tells the truth again, so does the agent.
    backend(&bed).set_tamper(None);
    let answer = ask(&bed, &request("later"));
    assert!(answer.file(PATH).is_some_and(|content| content.contains("evil")), "{tamper:?}");
    wait(&agent, "no error", |remote| remote.last_error.is_empty());
    bed.finish(agent);
}

#[test]
fn content_that_differs_is_refused() {
    is_refused(Tamper::Content);
}

#[test]
fn signatures_of_strangers_are_refused() {
    is_refused(Tamper::Signature);
}

#[test]
fn older_versions_are_refused() {
    is_refused(Tamper::Rollback);
}

#[test]
fn expired_documents_are_refused() {
    is_refused(Tamper::Expired);
}

#[test]
fn what_the_config_repository_does_not_list_is_refused() {
    is_refused(Tamper::Unlisted);
}

#[test]
fn repositories_of_others_are_refused() {
    is_refused(Tamper::Organisation);
}

#[test]
fn roots_that_nobody_trusted_signed_are_refused() {
    is_refused(Tamper::Root);
}

#[test]
fn every_way_of_tampering_has_its_test() {
    assert_eq!(Tamper::ALL.len(), 7);
}

#[test]
fn roots_rotate_and_tracers_can_follow() {
    let bed = Bed::new();
    let agent = start(&bed);
    assert!(ask(&bed, &request("before")).json().get("roots").is_none());
    for version in [2, 3, 4] {
        backend(&bed).rotate();
        wait(&agent, "the next root", |remote| {
            remote.versions.get("director_root") == Some(&version)
        });
    }
    let answer = ask(&bed, &request("after")).json();
    let roots = answer["roots"].as_array().expect("a chain");
    let version = |root: &serde_json::Value| {
        let root: serde_json::Value = serde_json::from_str(&decoded(root)).expect("JSON");
        root["signed"]["version"].as_u64()
    };
    let versions: Vec<_> = roots.iter().map(version).collect();
    assert_eq!(versions, [Some(2), Some(3), Some(4)]);
    let mut known = request("follows");
    known["client"]["state"]["root_version"] = json!(3);
    assert_eq!(ask(&bed, &known).json()["roots"].as_array().map(Vec::len), Some(1));
    let remote = agent.status().remote.expect("remote configuration");
    assert_eq!(remote.versions.get("config_root"), Some(&4));
    assert_eq!(count(&remote, "refused_threshold"), 0);
    bed.finish(agent);
}
