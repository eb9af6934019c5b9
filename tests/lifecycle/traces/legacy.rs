//! Bodies of the formats that are JSON: v0.1, v0.2, and v0.3 as JSON.

use std::time::{SystemTime, UNIX_EPOCH};

use bed::Bed;
use intake::{Options, Rules};

use super::client::Client;
use super::{counter, quick, wait_traces};

const JSON: &str = "Content-Type: application/json\r\n";

/// Paths with whether their body is a flat list.
const PATHS: [(&str, bool); 5] = [
    ("/spans", true),
    ("/v0.1/spans", true),
    ("/v0.2/traces", false),
    ("/v0.3/traces", false),
    ("/v0.4/traces", false),
];

/// Two traces of two spans. Those of a flat list are mixed.
fn body(is_flat: bool) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_nanos();
    let span = |trace: u64, id: u64, parent: u64| {
        format!(
            r#"{{"trace_id":{trace},"span_id":{id},"parent_id":{parent},"service":"old","name":"n",
            "resource":"r \u00e9","start":{now},"duration":1000,"error":0,"type":"web",
            "meta":{{"k":"v\n"}},"metrics":{{"_sampling_priority_v1":2,"m":1.5e1}},"x":[{{}}]}}"#
        )
    };
    let spans = [span(7, 1, 0), span(9, 3, 0), span(7, 2, 1), span(9, 4, 3)];
    let [a, b, c, d] = &spans;
    if is_flat { format!("[{}]", spans.join(",")) } else { format!("[[{a},{c}],[{b},{d}]]") }
}

#[test]
fn every_prefix_and_every_flipped_bit_of_json_is_taken_or_refused() {
    // A flipped bit of a start can be any time.
    let rules = Rules { span_future_secs_max: i64::MAX, ..Rules::default() };
    let bed = Bed::with_intake(Options { rules, ..Options::default() });
    let agent = bed.start(&quick(&bed));
    let mut client = Client::unix(&bed);
    let (mut taken, mut refused) = (0, 0);
    for (path, is_flat) in PATHS {
        let whole = body(is_flat).into_bytes();
        for end in (0..whole.len()).step_by(7) {
            let answer = client.put(path, JSON, &whole[..end]);
            assert_eq!(answer.status, 400, "{path}: {end} of {} bytes", whole.len());
            refused += 1;
        }
        for at in (0..whole.len()).step_by(3) {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << (at % 8);
            let answer = client.put(path, JSON, &damaged);
            assert!(matches!(answer.status, 200 | 400), "{path}: {answer:?}");
            let count = if answer.status == 200 { &mut taken } else { &mut refused };
            *count += 1;
        }
        assert_eq!(client.put(path, JSON, &whole).status, 200, "{path}");
        taken += 1;
    }
    let status = wait_traces(&agent, "all answers are counted", |traces| {
        let of = |name| traces.refused.iter().map(|row| counter(&row.requests, name)).sum::<u64>();
        traces.payloads_decoded == taken && of("malformed") + of("unexpected_eof") == refused
    });
    assert!(taken > 100 && refused > 100, "{taken} taken, {refused} refused");
    assert_eq!(counter(&status.server, "requests_lost"), 0);
    // Bodies that broke behind their first span say whose they were.
    assert!(status.refused.iter().any(|row| row.service == "old"), "{:?}", status.refused);
    assert!(!agent.log().contains("panicked"), "{}", agent.log());
    bed.finish(agent);
}

#[test]
fn flat_lists_arrive_as_traces() {
    let bed = Bed::new();
    let agent = bed.start(&quick(&bed));
    let mut client = Client::unix(&bed);
    for (path, is_flat) in PATHS {
        assert_eq!(client.put(path, JSON, body(is_flat).as_bytes()).status, 200, "{path}");
    }
    let contents = bed.finish(agent).contents;
    let traces = &contents.totals.traces;
    assert_eq!((traces.chunks, traces.spans), (10, 20));
    assert_eq!(contents.totals.stats.sum.hits, 10, "two roots in each body");
}
