//! A backend that answers badly, or not at all.

use bed::{Bed, WAIT_MAX, wait_for};
use intake::remote::Fault;
use serde_json::json;

use crate::client::ask;
use crate::{PATH, backend, count, request, start, wait};

#[test]
fn bad_answers_are_counted_and_told_and_nothing_is_lost() {
    let bed = Bed::new();
    let agent = start(&bed);
    for (at, (fault, counter, words)) in [
        (Fault::Status(401), "call_failed_unauthorized", "scope"),
        (Fault::Status(404), "call_failed_proxy", "proxy or firewall"),
        (Fault::Status(429), "call_failed_proxy", "proxy or firewall"),
        (Fault::Status(500), "call_failed_status", "500"),
        (Fault::Status(503), "call_failed_transient", "not available"),
        (Fault::Garbage, "call_failed_malformed", "cannot be read"),
        (Fault::Hang, "call_failed_network", "no answer within"),
    ]
    .into_iter()
    .enumerate()
    {
        let before = count(&agent.status().remote.expect("it is on"), counter);
        backend(&bed).set_fault(Some(fault));
        // New tracers cause polls, not too many at once, and are answered whatever becomes of that.
        let mut tries = 0;
        let counted = wait_for(WAIT_MAX, || {
            tries += 1;
            let answer = ask(&bed, &request(&format!("c-{at}-{tries}")));
            assert!(answer.file(PATH).is_some(), "{fault:?}: {answer:?}");
            agent.status().remote.filter(|remote| count(remote, counter) > before)
        });
        let remote = counted.unwrap_or_else(|| panic!("{counter}: {:?}", agent.status().remote));
        assert!(remote.last_error.starts_with("api: "), "{fault:?}: {}", remote.last_error);
        assert!(remote.last_error.contains(words), "{fault:?}: {}", remote.last_error);
    }
    backend(&bed).set_fault(None);
    backend(&bed).put(PATH, &json!({"id": "p2"}));
    let mut tries = 0;
    let recovered = wait_for(WAIT_MAX, || {
        tries += 1;
        let answer = ask(&bed, &request(&format!("again-{tries}")));
        answer.file(PATH).filter(|content| content.contains("p2"))
    });
    assert!(recovered.is_some(), "it recovers");
    let told = backend(&bed).requests();
    assert!(told.iter().any(|request| request.error.starts_with("api: ")), "the backend is told");
    bed.finish(agent);
}

/// A stop does not wait for an answer.
#[test]
fn a_backend_that_hangs_holds_nobody() {
    let bed = Bed::new();
    backend(&bed).set_fault(Some(Fault::Hang));
    let agent = bed.start(&crate::settings(&bed).set("forwarder_timeout", 60));
    let polled = backend(&bed);
    let is_asked =
        wait_for(WAIT_MAX, || agent.status().remote.filter(|remote| remote.updated_unix_secs == 0));
    assert!(is_asked.is_some() && polled.requests().is_empty(), "the organisation comes first");
    assert_eq!(ask(&bed, &request("c")).body, "{}");
    bed.finish(agent);
}

#[test]
fn an_organisation_without_it_is_told() {
    let bed = Bed::new();
    backend(&bed).set_org_status(true, false);
    let agent = start(&bed);
    let remote = wait(&agent, "the status", |remote| remote.org_enabled == Some(true));
    assert_eq!(remote.api_key_scoped, Some(false));
    let finished = bed.finish(agent);
    assert!(finished.log.contains("lacks the scope"), "{}", finished.log);
}
