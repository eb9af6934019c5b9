//! Payloads of containers that are not known yet wait for their tags.

use std::sync::Arc;

use bed::{Agent, Bed};
use entity::{EntityTags, TaggerEntity, TaggerState};
use load::traces::{Language, TracePool, TraceSpec, TraceVersion};

use super::client::{Client, MSGPACK};
use super::{counter, quick, wait_traces};

/// Says which containers have tags.
fn load_tags(agent: &Agent, ids: &[&str]) {
    let entities = ids.iter().map(|id| TaggerEntity {
        name: format!("container_id://{id}").into(),
        hash: "1".into(),
        tags: EntityTags { low: vec![Arc::from("image:shop")], ..EntityTags::default() },
    });
    let state = TaggerState { entities: entities.collect(), pids: Vec::new() };
    let loaded = agent.ask("POST", "/dogstatsd/replay-state", &capture::encode_state(&state));
    assert!(loaded.expect("an agent that answers").is_success());
}

#[test]
fn a_payload_waits_for_the_tags_of_its_container() {
    let bed = Bed::new();
    let agent = bed.start(&quick(&bed));
    let spec = TraceSpec {
        version: TraceVersion::V04,
        language: Language::Go,
        spans_per_trace: 4,
        traces_per_payload: 2,
        payloads: 1,
        kept_per_mille: 1000,
        ..TraceSpec::default()
    };
    let body = TracePool::build(&spec).expect("a pool").body(0).to_vec();
    let mut client = Client::unix(&bed);
    let mut put = |container: &str| {
        let headers = format!("{MSGPACK}Datadog-Container-ID: {container}\r\n");
        assert_eq!(client.put("/v0.4/traces", &headers, &body).status, 200);
    };
    let is_held =
        |held: u64| move |traces: &status::TraceStatus| counter(&traces.server, "held") == held;
    // Nobody has tags: nothing waits.
    put("aaaa");
    wait_traces(&agent, "the first leaves", |traces| traces.traces_kept == 2);

    load_tags(&agent, &["bbbb"]);
    // Lanes learn of it between two ticks; until then nothing is held.
    let mut sent = 1;
    let status = loop {
        put("aaaa");
        sent += 1;
        let status = wait_traces(&agent, "another payload", |t| t.payloads_decoded == sent);
        if counter(&status.server, "held") == 1 {
            break status;
        }
        assert!(sent < 10_000, "nothing is held: {status:#?}");
    };
    assert_eq!(counter(&status.server, "held_waiting"), 1);
    assert_eq!(counter(&status.server, "held_waiting_bytes"), body.len() as u64);
    put("bbbb");
    wait_traces(&agent, "a known container", |traces| traces.traces_kept == 2 * sent);

    load_tags(&agent, &["aaaa", "bbbb"]);
    wait_traces(&agent, "the tags", |traces| {
        is_held(1)(traces)
            && counter(&traces.server, "held_tagged") == 1
            && traces.traces_kept == 2 * (sent + 1)
    });
    // One that waits when the agent stops leaves all the same.
    put("cccc");
    wait_traces(&agent, "it waits", is_held(2));
    let contents = bed.finish(agent).contents;
    assert_eq!(contents.totals.traces.chunks, 2 * (sent + 2));
}
