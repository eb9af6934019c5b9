//! SIGHUP: the configuration is read again, and what can change does.

use bed::{Agent, Bed};
use rustix::process::Signal;
use serde_json::json;
use signal::Counter;

use crate::deliver::{counted, names, send, tags_of};

fn wait_log(agent: &Agent, words: &str) {
    let found = bed::wait_for(bed::WAIT_MAX, || agent.log().contains(words).then_some(()));
    assert!(found.is_some(), "`{words}` is not in the log:\n{}", agent.log());
}

/// Sends until the new rules show: lanes take them between two batches.
fn send_until_dropped(agent: &Agent, packet: &str) {
    let dropped = agent.status().total(Counter::DroppedFiltered);
    agent.wait_status("the new filter list holds", |status| {
        send(agent, &[packet]);
        status.total(Counter::DroppedFiltered) > dropped
    });
}

#[test]
fn a_new_filter_list_holds_without_restart() {
    let bed = Bed::new();
    let agent = bed.start(&bed.settings());
    send(&agent, &["kept:1|c", "early:1|c"]);
    agent.wait_status("both are read", |status| status.total(Counter::Recorded) == 2);

    let changed = bed
        .settings()
        .set("metric_filterlist", json!(["early", "late"]))
        .set("dogstatsd_tags", json!(["new:tag"]));
    agent.configure(&changed);
    agent.signal(Signal::HUP);
    wait_log(&agent, "metric_filterlist");
    send_until_dropped(&agent, "late:1|c");
    send(&agent, &["after:2|c"]);
    let finished = bed.finish(agent);
    let arrived = names(&finished);
    for name in ["after", "kept"] {
        assert!(arrived.iter().any(|one| one == name), "{name} is not in {arrived:?}");
    }
    assert_eq!(counted(&finished, "after"), 2);
    assert_eq!(tags_of(&finished, "after"), ["new:tag"]);
}

#[test]
fn a_faulty_configuration_changes_nothing() {
    let bed = Bed::new();
    let agent = bed.start(&bed.settings());
    std::fs::write(bed.path("datadog.yaml"), "tags: [unclosed\n").expect("a writable directory");
    agent.signal(Signal::HUP);
    wait_log(&agent, "stays as it was");
    send(&agent, &["kept:1|c"]);
    let finished = bed.finish(agent);
    assert_eq!(counted(&finished, "kept"), 1);
}
