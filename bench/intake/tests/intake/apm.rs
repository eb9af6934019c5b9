//! The routes of the trace intake.

use std::io::Write;

use intake::{Action, Behaviour, Intake, Keep, Options, Route, print};
use serde_json::json;

use crate::client::{Reply, get, post, start};

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = vec![];
    while value > 0x7f {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
    out
}

fn field(number: u64, content: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
}

fn number(number: u64, value: u64) -> Vec<u8> {
    [varint(number << 3), varint(value)].concat()
}

/// One trace of a service: a root and one child that failed.
fn traces(service: &str, trace_id: u64) -> Vec<u8> {
    let span = |id: u64, parent: u64, error: u64| {
        let span = [
            field(1, service.as_bytes()),
            field(2, b"web.request"),
            field(3, b"GET /"),
            number(4, trace_id),
            number(5, id),
            number(6, parent),
            number(7, 1_700_000_000_000_000_000),
            number(8, 1_000),
            number(9, error),
        ];
        field(3, &span.concat())
    };
    let chunk = field(6, &[number(1, 1), span(1, 0, 0), span(2, 1, 1)].concat());
    let payload = field(5, &[field(2, b"go"), chunk].concat());
    [field(1, b"web-1"), field(2, b"prod"), payload, field(7, b"7.79.0")].concat()
}

/// One group of three hits, in the newest form of the payload.
fn stats() -> Vec<u8> {
    fn text(out: &mut Vec<u8>, value: &str) {
        out.extend([0xd9, u8::try_from(value.len()).unwrap()]);
        out.extend(value.as_bytes());
    }
    let gamma = [vec![0x09], (1.01_f64 / 0.99).to_le_bytes().to_vec()].concat();
    let sketch = |count: f64| {
        let store = [field(2, &count.to_le_bytes()), number(3, 2 * 690)].concat();
        [field(1, &gamma), field(2, &store), field(3, &[])].concat()
    };
    let mut out = vec![0x84];
    for (key, value) in
        [("AgentHostname", "web-1"), ("AgentEnv", "prod"), ("AgentVersion", "7.79.0")]
    {
        text(&mut out, key);
        text(&mut out, value);
    }
    text(&mut out, "Stats");
    out.extend([0x91, 0x83]);
    for (key, value) in [("Hostname", "web-1"), ("Env", "prod")] {
        text(&mut out, key);
        text(&mut out, value);
    }
    text(&mut out, "Stats");
    out.extend([0x91, 0x83]);
    for (key, value) in [("Start", 1_700_000_000_000_000_000_u64), ("Duration", 10_000_000_000)] {
        text(&mut out, key);
        out.push(0xcf);
        out.extend(value.to_be_bytes());
    }
    text(&mut out, "Stats");
    out.extend([0x91, 0x88]);
    for (key, value) in [("Service", "web"), ("Name", "web.request"), ("Resource", "GET /")] {
        text(&mut out, key);
        text(&mut out, value);
    }
    for (key, value) in [("Hits", 3), ("Errors", 1), ("TopLevelHits", 3)] {
        text(&mut out, key);
        out.push(value);
    }
    for (key, count) in [("OkSummary", 2.0), ("ErrorSummary", 1.0)] {
        let sketch = sketch(count);
        text(&mut out, key);
        out.extend([0xc4, u8::try_from(sketch.len()).unwrap()]);
        out.extend(sketch);
    }
    out
}

fn send_traces(intake: &Intake, body: &[u8]) -> Reply {
    let body = zstd::bulk::compress(body, 1).unwrap();
    let more = [("Content-Encoding", "zstd"), ("X-Datadog-Reported-Languages", "go")];
    post(intake, Route::Traces, &body, &more).unwrap()
}

fn send_stats(intake: &Intake, body: &[u8]) -> Reply {
    let mut gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    gzip.write_all(body).unwrap();
    let more = [("Content-Encoding", "gzip"), ("X-Datadog-Reported-Languages", "go")];
    post(intake, Route::TraceStats, &gzip.finish().unwrap(), &more).unwrap()
}

#[test]
fn traces_and_stats_arrive_without_a_violation() {
    let intake = start();
    let reply = send_traces(&intake, &traces("web", 7));
    assert_eq!((reply.status, &*reply.body), (202, "{}"));
    assert_eq!(send_stats(&intake, &stats()).status, 202);
    assert_eq!(intake.store().violations(), []);
    let totals = intake.store().totals();
    assert_eq!((totals.traces.chunks, totals.traces.spans, totals.traces.error_spans), (1, 2, 1));
    let service = totals.traces.by_service["web"];
    assert_eq!((service.roots, service.errors, service.duration_ns), (1, 1, 2_000));
    let group = totals.stats.of("web", "web.request");
    assert_eq!((group.hits, group.errors, group.top_level_hits), (3, 1, 3));
    assert!((group.ok_count + group.error_count - 3.0).abs() < 1e-9);
    assert_eq!(totals.stats.sum, group);
    assert_eq!(intake.store().spans_of("web").len(), 2);
}

#[test]
fn the_query_interface_shows_them() {
    let intake = start();
    send_traces(&intake, &traces("web", 7));
    send_traces(&intake, &traces("db", 8));
    send_stats(&intake, &stats());
    let ask = |name: &str| get(&intake, &format!("/_corelane/{name}")).unwrap().json();
    let chunks = ask("traces");
    assert_eq!((chunks.as_array().unwrap().len(), &chunks[0]["priority"]), (2, &json!(1)));
    assert_eq!(chunks[0]["payload"]["agent"]["host"], "web-1");
    let spans = ask("spans?service=db");
    assert_eq!(spans.as_array().unwrap().len(), 2);
    assert_eq!((&spans[1]["parent_id"], &spans[1]["error"]), (&json!("1"), &json!(1)));
    assert_eq!(spans[0]["trace_id"], "00000000000000000000000000000008");
    assert_eq!(ask("stats")[0]["clients"][0]["buckets"][0]["groups"][0]["hits"], 3);
    let totals = ask("wait?chunks=2&spans=4&hits=3&ms=30000");
    assert_eq!(totals["traces"]["by_service"]["db"]["spans"], 2);
    assert_eq!(totals["stats"]["by_group"][0]["resource"], "GET /");
}

#[test]
fn scripts_work_and_lost_answers_count_once() {
    let intake = start();
    for status in [429, 500, 403] {
        intake.set_behaviour(Behaviour::first(1, Action::Status(status)).on(Route::Traces));
        assert_eq!(send_stats(&intake, &stats()).status, 202);
        assert_eq!(send_traces(&intake, &traces("web", 7)).status, status);
    }
    assert_eq!(
        (intake.store().totals().traces.spans, intake.store().totals().stats.groups),
        (0, 3)
    );
    intake.set_behaviour(Behaviour::first(1, Action::StoreThenClose));
    let body = traces("web", 9);
    let more = [("Content-Encoding", "identity")];
    assert!(post(&intake, Route::Traces, &body, &more).is_err());
    assert_eq!(post(&intake, Route::Traces, &body, &more).unwrap().status, 202);
    let totals = intake.store().totals();
    assert_eq!((totals.traces.spans, totals.resent), (2, 1));
    assert_eq!(send_traces(&intake, &[0xff]).status, 400);
}

#[test]
fn totals_alone_keep_no_spans() {
    let intake = Intake::start(Options { keep: Keep::Totals, ..Options::default() }).unwrap();
    send_traces(&intake, &traces("web", 7));
    send_stats(&intake, &stats());
    assert_eq!((intake.store().traces().len(), intake.store().stats().len()), (0, 0));
    assert_eq!(intake.store().totals().traces.spans, 2);
    assert_eq!(intake.store().totals().stats.sum.hits, 3);
}

#[test]
fn both_are_printed() {
    let (told, heard) = std::sync::mpsc::channel();
    let on_request = move |exchange: &intake::Exchange| {
        told.send((print::summary(exchange), print::details(exchange))).unwrap();
    };
    let options = Options { on_request: Some(Box::new(on_request)), ..Options::default() };
    let intake = Intake::start(options).unwrap();
    send_traces(&intake, &traces("web", 7));
    let (line, lines) = heard.recv().unwrap();
    assert!(line.starts_with("POST /api/v0.2/traces -> 202, 1 chunks, 2 spans, "), "{line}");
    assert_eq!(lines[0], "trace  00000000000000000000000000000007 priority 1 go");
    assert_eq!(lines[1], "span   web web.request \"GET /\" 1000 ns root");
    assert_eq!(lines[2], "span   web web.request \"GET /\" 1000 ns error");
    send_stats(&intake, &stats());
    let (_, lines) = heard.recv().unwrap();
    assert!(
        lines[0].starts_with(
            "stats  web web.request \"GET /\" hits=3 errors=1 top=3 sum=0 ns ok=n2 p50 "
        ),
        "{lines:?}"
    );
}
