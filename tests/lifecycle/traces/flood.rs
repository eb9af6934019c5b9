//! More than fits: who is refused is told as it can bear it, and counted; others go on.

use bed::{Bed, Settings};
use load::traces::{TraceSpec, TraceVersion};
use status::TraceStatus;

use super::client::{Client, MSGPACK, head};
use super::{assert_arrived, counter, quick, refused, send, send_all, spec, wait_traces};

/// One lane, whose bodies may take 64 MiB together.
fn one_lane(bed: &Bed) -> Settings {
    quick(bed).set("corelane.lanes", 1)
}

/// More than the hogs leave.
const BODY_BYTES: usize = 5 << 20;
/// An array of no traces.
const NOTHING: &[u8] = &[0x90];
const REAL: &str = "Content-Type: application/msgpack\r\nDatadog-Send-Real-Http-Status: yes\r\n\
                    Datadog-Meta-Lang: ruby\r\nX-Datadog-Trace-Count: 7\r\n";

/// Bodies that never end hold the room for all; it is free again when their senders are gone.
#[test]
fn without_room_for_bodies_each_tracer_is_told_as_it_can_bear_it() {
    const PIECE_BYTES: usize = 15 << 20;
    let bed = Bed::new();
    let agent = bed.start(&one_lane(&bed).set("apm_config.receiver_timeout", 60));
    let hogs: Vec<Client> = (0..4)
        .map(|_| {
            let mut hog = Client::tcp(&bed);
            // One byte short of what they announce.
            let head = head("/v0.4/traces", MSGPACK, PIECE_BYTES + 1);
            hog.write(head.as_bytes()).expect("an open connection");
            hog.write(&vec![0; PIECE_BYTES]).expect("an open connection");
            hog
        })
        .collect();
    let mut client = Client::unix(&bed);
    let body = vec![0; BODY_BYTES];
    // What a body in the middle takes is seen by what it leaves alone.
    let is_taken = bed::wait_for(bed::WAIT_MAX, || {
        let headers = REAL.replace("ruby", "perl");
        (client.put("/v0.4/traces", &headers, &body).status == 429).then_some(())
    });
    assert!(is_taken.is_some(), "{}", agent.log());
    let rates = "{\"rate_by_service\":{}}\n";
    for (path, headers, status, text) in [
        ("/v0.4/traces", REAL, 429, rates),
        ("/v0.5/traces", REAL, 429, rates),
        ("/v0.3/traces", REAL, 429, "OK\n"),
        ("/v0.4/traces", MSGPACK, 200, rates),
        ("/v0.3/traces", MSGPACK, 200, "OK\n"),
        ("/v1.0/traces", MSGPACK, 429, rates),
        ("/v1.0/traces", REAL, 429, rates),
    ] {
        let answer = client.put(path, headers, &body);
        assert_eq!((answer.status, &*answer.body), (status, text), "{path} {headers}");
    }
    let busy_of = |traces: &TraceStatus, language| {
        refused(traces, language).map(|row| (counter(&row.requests, "busy"), row.traces))
    };
    wait_traces(&agent, "refusals are counted", |traces| {
        busy_of(traces, "ruby") == Some((4, 28)) && busy_of(traces, "") == Some((3, 0))
    });
    assert_eq!(client.put("/info", "", b"").status, 200);
    drop(hogs);
    // Each is told that its body ended early, should it still listen.
    wait_traces(&agent, "the senders are gone", |traces| {
        let told = traces.answers.get(&400).copied().unwrap_or(0);
        told + counter(&traces.server, "requests_lost") == 4
    });
    let accepted = send_all(spec(&bed));
    assert_arrived(&bed.finish(agent).contents, &accepted);
}

fn busy(traces: &TraceStatus) -> u64 {
    traces.refused.iter().map(|row| counter(&row.requests, "busy")).sum()
}

/// Flat out on many connections, with the least patience: each payload is accepted or refused, the
/// tracer is told which, and both sides count the same.
#[test]
fn a_flood_is_accepted_or_refused_and_counted() {
    for (driver, version) in [("auto", TraceVersion::V10), ("epoll", TraceVersion::V04)] {
        let bed = Bed::new();
        let settings = one_lane(&bed).set("apm_config.decoder_timeout", 1);
        let agent = bed.start(&settings.set("corelane.driver", driver));
        let sent = send(TraceSpec {
            version,
            connections: 64,
            traces_per_payload: 20,
            payloads: 10,
            payloads_max: 150,
            ..spec(&bed)
        });
        assert_eq!(sent.unanswered.payloads, 0);
        assert!(sent.statuses.keys().all(|status| [200, 429].contains(status)));
        assert!(sent.refused.payloads > 0, "the flood was no flood: {:?}", sent.statuses);
        let status = wait_traces(&agent, "everything is counted", |traces| {
            busy(traces) == sent.refused.payloads && traces.spans_received == sent.accepted.spans
        });
        let traces: u64 = status.refused.iter().map(|row| row.traces).sum();
        assert_eq!(traces, sent.refused.chunks, "{driver}: {:?}", status.refused);
        assert_eq!(status.payloads_decoded, sent.accepted.payloads);
        assert_arrived(&bed.finish(agent).contents, &sent.accepted);
    }
}

/// A budget that is exceeded from the start: traces are refused, the process lives, metrics flow.
#[test]
fn over_its_memory_budget_an_agent_refuses_traces_and_lives() {
    let bed = Bed::new();
    let agent = bed.start(&quick(&bed).set("apm_config.max_memory", 1_000_000));
    wait_traces(&agent, "the budget is exceeded", |traces| traces.shedding == "memory");
    // Lanes hear of it with the next orders.
    let is_refused = bed::wait_for(bed::WAIT_MAX, || {
        (Client::unix(&bed).put("/v0.4/traces", REAL, NOTHING).status == 429).then_some(())
    });
    assert!(is_refused.is_some(), "{}", agent.log());
    let before = wait_traces(&agent, "the refusal is counted", |traces| busy(traces) > 0);
    let spec = TraceSpec { payloads_max: 10, ..spec(&bed) };
    let sent = send(spec);
    let lanes = sent.statuses.get(&429).copied().unwrap_or(0);
    let status = wait_traces(&agent, "refusals are counted", |traces| {
        busy(traces) == busy(&before) + sent.refused.payloads
    });
    assert_eq!(lanes, sent.refused.payloads);
    assert!(lanes > 0, "{:?}", sent.statuses);
    assert_eq!(counter(&status.server, "payloads_shed_memory"), busy(&status));
    assert!(agent.log().contains("apm_config.max_memory"), "{}", agent.log());
    let text = String::from_utf8_lossy(&agent.command(&["status"]).stdout).into_owned();
    assert!(text.contains("resident memory is over apm_config.max_memory"), "{text}");
    bed::Sender::connect(&agent, bed::Transport::Uds).send("still:1|c");
    let finished = bed.finish(agent);
    assert!((finished.contents.total_of("still") - 1.0).abs() < 1e-9);
    assert_arrived(&finished.contents, &sent.accepted);
}
