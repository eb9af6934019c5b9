//! Chunks, spans and tags of unusual size, whose work is cut into slices: they arrive whole, others
//! meanwhile, and the daemon goes on.

use std::time::{SystemTime, UNIX_EPOCH};

use bed::Bed;

use super::client::{Client, MSGPACK};
use super::{counter, quick, send_all, spec, wait_traces};

fn text(text: &str, out: &mut Vec<u8>) {
    out.push(0xd9);
    out.push(u8::try_from(text.len()).expect("a short text"));
    out.extend_from_slice(text.as_bytes());
}

fn list(marker: u8, len: usize, out: &mut Vec<u8>) {
    out.push(marker);
    out.extend_from_slice(&u32::try_from(len).expect("a short list").to_be_bytes());
}

/// A span of one trace with some tags, kept by its user.
fn span(id: u64, tags: usize, rate: Option<f64>, out: &mut Vec<u8>) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_nanos();
    out.push(0x89);
    for (key, value) in [("service", "huge"), ("name", "n"), ("resource", "r")] {
        text(key, out);
        text(value, out);
    }
    let start = u64::try_from(now).expect("this century");
    for (key, number) in
        [("trace_id", 77), ("span_id", id), ("parent_id", u64::from(id > 1)), ("start", start)]
    {
        text(key, out);
        out.push(0xcf);
        out.extend_from_slice(&number.to_be_bytes());
    }
    text("meta", out);
    list(0xdf, tags, out);
    for n in 0..tags {
        text(&format!("key.{n}"), out);
        text("a value", out);
    }
    text("metrics", out);
    out.push(0x80 + 1 + u8::from(rate.is_some()));
    for (key, number) in [("_sampling_priority_v1", Some(2.0)), ("_sample_rate", rate)] {
        if let Some(number) = number {
            text(key, out);
            out.push(0xcb);
            out.extend_from_slice(&number.to_be_bytes());
        }
    }
}

/// One trace of spans with some tags.
fn body(spans: u64, tags: usize, rate: Option<f64>) -> Vec<u8> {
    let mut out = vec![0x91];
    list(0xdd, usize::try_from(spans).expect("few"), &mut out);
    for id in 1..=spans {
        span(id, tags, rate, &mut out);
    }
    out
}

#[test]
fn a_chunk_of_100_000_spans_arrives_while_others_are_served() {
    let bed = Bed::new();
    let settings = quick(&bed).set(
        "apm_config.replace_tags",
        serde_json::json!([{"name": "*", "pattern": "value", "repl": "v"}]),
    );
    let agent = bed.start(&settings);
    let body = body(100_000, 1, None);
    let mut client = Client::unix(&bed);
    assert_eq!(client.put("/v0.4/traces", MSGPACK, &body).status, 200);
    let accepted = send_all(spec(&bed));
    let contents = bed.finish(agent).contents;
    let traces = &contents.totals.traces;
    assert_eq!(traces.chunks, accepted.chunks + 1);
    assert_eq!(traces.spans, accepted.spans + 100_000);
    assert_eq!(traces.by_service.get("huge").map(|totals| totals.spans), Some(100_000));
    assert_eq!(contents.totals.stats.sum.hits, accepted.hits + 1);
}

#[test]
fn a_span_may_have_16_384_tags_and_no_more() {
    let bed = Bed::new();
    let agent = bed.start(&quick(&bed));
    let mut client = Client::unix(&bed);
    // One of them is the priority.
    assert_eq!(client.put("/v0.4/traces", MSGPACK, &body(1, 16_383, None)).status, 200);
    let answer = client.put("/v0.4/traces", MSGPACK, &body(2, 16_384, None));
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("too many"), "{}", answer.body);
    wait_traces(&agent, "the refusal is counted", |traces| {
        traces.refused.iter().any(|row| counter(&row.requests, "malformed") == 1)
    });
    let contents = bed.finish(agent).contents;
    assert_eq!(contents.totals.traces.spans, 1);
}

#[test]
fn stats_count_what_the_rate_of_the_client_left_out() {
    let bed = Bed::new();
    let agent = bed.start(&quick(&bed));
    let mut client = Client::unix(&bed);
    for _ in 0..10 {
        let answer = client.put("/v0.4/traces", MSGPACK, &body(3, 1, Some(0.25)));
        assert_eq!(answer.status, 200);
    }
    let contents = bed.finish(agent).contents;
    assert_eq!((contents.totals.traces.chunks, contents.totals.traces.spans), (10, 30));
    // The root of each trace counts, and stands for four; their sketches have one entry each.
    let sum = &contents.totals.stats.sum;
    assert_eq!((sum.hits, sum.top_level_hits, sum.errors), (40, 40, 0));
    assert!((sum.ok_count - 10.0).abs() < 0.01, "{}", sum.ok_count);
}

#[test]
fn answers_to_what_is_no_request_carry_what_all_do() {
    let bed = Bed::new();
    let agent = bed.start(&quick(&bed));
    for head in ["no request\r\n\r\n", "PUT / HTTP/9.9\r\n\r\n"] {
        let mut client = Client::tcp(&bed);
        client.write(head.as_bytes()).expect("an open connection");
        let answer = client.answer().expect("an answer");
        assert_eq!(answer.status, 400);
        for name in ["datadog-agent-version: ", "datadog-agent-state: "] {
            assert!(answer.head.contains(name), "{head:?}: {}", answer.head);
        }
    }
    bed.finish(agent);
}
