//! The route of logs.

use std::io::Write;
use std::sync::mpsc;
use std::time::{SystemTime, UNIX_EPOCH};

use intake::{Action, Behaviour, Intake, Keep, Options, Passed, Route, Rule, print};
use serde_json::json;

use crate::client::{KEY, LOG_HEADERS, get, head, post, request, start};

fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()
}

fn entry(service: &str, message: &str) -> String {
    entry_at(service, message, now_ms())
}

fn entry_at(service: &str, message: &str, timestamp_ms: u128) -> String {
    let message = json!(message);
    let first = format!(r#""message":{message},"status":"error","timestamp":{timestamp_ms}"#);
    let then = format!(r#""hostname":"web-1","service":"{service}","ddsource":"nginx""#);
    format!(r#"{{{first},{then},"ddtags":"env:prod,a:b"}}"#)
}

fn send(intake: &Intake, body: &str) -> u16 {
    post(intake, Route::Logs, body.as_bytes(), &[]).unwrap().status
}

#[test]
fn logs_arrive_in_every_encoding_without_a_violation() {
    let intake = start();
    let plain = format!("[{},{}]", entry("web", "one"), entry("db", "two"));
    let mut gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    gzip.write_all(plain.as_bytes()).unwrap();
    let zstd = zstd::bulk::compress(plain.as_bytes(), 1).unwrap();
    for (body, more) in [
        (plain.as_bytes(), &[][..]),
        (&gzip.finish().unwrap(), &[("Content-Encoding", "gzip")]),
        (&zstd, &[("Content-Encoding", "zstd")]),
        (b"{}", &[]),
    ] {
        let reply = post(&intake, Route::Logs, body, more).unwrap();
        assert_eq!((reply.status, &*reply.body), (202, "{}"), "{more:?}");
    }
    assert_eq!(intake.store().violations(), []);
    let totals = intake.store().totals();
    assert_eq!((totals.logs.requests, totals.logs.entries), (3, 6));
    assert_eq!(totals.logs.by_service["web"], 3);
    assert_eq!(totals.logs.entry_bytes, 3 * (plain.len() as u64 - 3));
    assert_eq!(totals.requests[&("logs", 202)], 4);
    let logs = intake.store().logs();
    assert_eq!(
        (logs[1].message.as_str(), &logs[1].tags[..]),
        ("two", &["env:prod", "a:b"].map(String::from)[..])
    );
    assert_eq!(intake.store().logs_of("db").len(), 3);
}

#[test]
fn a_header_tells_logs_of_agents_from_those_of_tracers() {
    let intake = start();
    let body = format!("[{}]", entry("web", "one"));
    let own: Vec<_> =
        [("Content-Type", "application/json")].into_iter().chain(LOG_HEADERS).collect();
    for (path, headers, is_own) in [
        ("/api/v2/logs", &own[..], true),
        ("/v1/input", &own, true),
        ("/some/prefix/api/v2/logs", &own, true),
        ("/api/v2/logs", &own[..1], false),
        ("/v1/input", &own[..1], false),
    ] {
        let head = head("POST", path, body.len(), headers);
        let reply = request(intake.addr(), &head, body.as_bytes()).unwrap();
        assert_eq!((reply.status, &*reply.body), (202, "{}"), "{path}");
        let request = intake.store().requests().pop().unwrap();
        let expected = if is_own { (Some(Route::Logs), None) } else { (None, Some(Passed::Logs)) };
        assert_eq!((request.route, request.passed), expected, "{path}");
    }
    let totals = intake.store().totals();
    assert_eq!((totals.logs.entries, totals.passed()["logs_of_tracers"]), (3, 2));
    assert_eq!(totals.passed().len(), 1);
    assert_eq!(intake.store().violations(), []);
    let get = head("GET", "/api/v2/logs", 0, &own);
    assert_eq!(request(intake.addr(), &get, b"").unwrap().status, 405);
}

#[test]
fn refusals_say_why() {
    let intake = start();
    let large = format!("[{}]", entry("web", &"x".repeat(5_000_000)));
    let bomb = zstd::bulk::compress(large.as_bytes(), 1).unwrap();
    let cut = entry("web", "one").replace(r#""ddtags":"env:prod,a:b""#, r#""x":1"#);
    let cut = format!("[{cut}]");
    for (body, encoding, status, why) in [
        (large.as_bytes(), "identity", 413, "compressed body is larger than 5000000"),
        (&bomb, "zstd", 413, "decompressed body is larger than 5000000"),
        (cut.as_bytes(), "identity", 400, "log 0: missing field `ddtags`"),
        (b"[1]", "identity", 400, "log 0: invalid type"),
        (b"message", "identity", 400, "not a JSON array"),
        (b"[]", "zstd", 400, "not valid zstd"),
    ] {
        let more = [("Content-Encoding", encoding)];
        let reply = post(&intake, Route::Logs, body, &more).unwrap();
        let error = reply.json()["errors"][0].as_str().unwrap().to_owned();
        assert_eq!(reply.status, status, "{error}");
        assert!(error.contains(why), "{error}, not {why}");
    }
    assert_eq!(intake.store().logs(), []);
    assert_eq!(intake.store().totals().violations[&Rule::Undecodable], 4);
}

#[test]
fn what_the_backend_takes_and_cuts_is_a_violation() {
    let intake = start();
    let long = format!("[{}]", entry("web", &"x".repeat(1_000_000)));
    let many = format!("[{}]", vec![entry("web", "x"); 1_001].join(","));
    let old = format!("[{}]", entry_at("web", "x", 1_600_000_000_000));
    for (body, rule) in [
        (long.as_str(), Rule::TooLarge),
        (&many, Rule::TooManyItems),
        (&old, Rule::Timestamp),
        ("[]", Rule::EmptyPayload),
    ] {
        intake.store().reset();
        assert_eq!(send(&intake, body), 202);
        let rules: Vec<Rule> =
            intake.store().violations().iter().map(|violation| violation.rule).collect();
        assert_eq!(rules, [rule]);
    }
}

#[test]
fn scripts_work_and_lost_answers_count_once() {
    let intake = start();
    let body = format!("[{}]", entry("web", "one"));
    for status in [429, 500, 403, 413] {
        let line = json!({"route": "logs", "times": 1, "action": "status", "value": status});
        intake.set_behaviour(Behaviour::from_json(&line).unwrap());
        assert_eq!(send(&intake, &body), status);
    }
    assert_eq!(intake.store().totals().logs.entries, 0);
    intake.set_behaviour(Behaviour::first(1, Action::StoreThenClose).on(Route::Logs));
    assert!(post(&intake, Route::Logs, body.as_bytes(), &[]).is_err());
    assert_eq!(send(&intake, &body), 202);
    let totals = intake.store().totals();
    assert_eq!((totals.logs.entries, totals.resent), (1, 1));
    intake.set_keys(vec!["other".into()]);
    assert_eq!(send(&intake, &body), 403);
}

#[test]
fn the_query_interface_shows_them() {
    let intake = start();
    let extra = entry("db", "two").replacen('{', r#"{"n":{"a":1},"#, 1);
    send(&intake, &format!("[{},{extra}]", entry("web", "one")));
    let ask = |name: &str| get(&intake, &format!("/_corelane/{name}")).unwrap().json();
    assert_eq!(ask("logs").as_array().unwrap().len(), 2);
    let logs = ask("logs?service=db");
    assert_eq!((logs.as_array().unwrap().len(), &logs[0]["message"]), (1, &json!("two")));
    assert_eq!((&logs[0]["source"], &logs[0]["status"]), (&json!("nginx"), &json!("error")));
    assert_eq!(
        (&logs[0]["extra"], &logs[0]["tags"]),
        (&json!({"n": {"a": 1}}), &json!(["env:prod", "a:b"]))
    );
    assert_eq!(logs[0]["bytes"], extra.len());
    let totals = ask("wait?logs=2&ms=30000");
    assert_eq!(totals["logs"]["by_service"], json!({"db": 1, "web": 1}));
    let requests = ask("requests");
    assert_eq!((&requests[0]["route"], &requests[0]["logs"]), (&json!("logs"), &json!(2)));
    assert!(!requests.to_string().contains(KEY));
}

#[test]
fn totals_alone_keep_no_logs() {
    let intake = Intake::start(Options { keep: Keep::Totals, ..Options::default() }).unwrap();
    send(&intake, &format!("[{}]", entry("web", "one")));
    assert_eq!((intake.store().logs(), intake.store().totals().logs.entries), (vec![], 1));
}

#[test]
fn they_are_printed() {
    let (told, heard) = mpsc::channel();
    let on_request = move |exchange: &intake::Exchange| {
        told.send((print::summary(exchange), print::details(exchange))).unwrap();
    };
    let options = Options { on_request: Some(Box::new(on_request)), ..Options::default() };
    let intake = Intake::start(options).unwrap();
    let extra = entry("", &"x".repeat(1_000)).replacen('{', r#"{"n":1,"#, 1);
    send(&intake, &format!("[{},{extra}]", entry("web", "one\n\u{1b}[2J")));
    let (line, lines) = heard.recv().unwrap();
    assert!(line.starts_with("POST /api/v2/logs -> 202, 2 logs, "), "{line}");
    let tags = "[env:prod, a:b]";
    assert_eq!(
        lines[0],
        format!("log    error web from nginx on web-1: one\\n\\u{{1b}}[2J {tags}")
    );
    let message = "x".repeat(500);
    assert_eq!(lines[1], format!("log    error from nginx on web-1: {message}... n=1 {tags}"));
}
