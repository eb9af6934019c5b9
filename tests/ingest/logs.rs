//! Logs over HTTP: answers, limits, rules, and one payload of many.

use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use bed::{Agent, Bed, Settings};
use intake::{Intake, Options};
use serde_json::json;

use super::client::{post_logs, send};
use super::{address, settings};

pub(super) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("a time of today")
}

#[test]
fn answers_are_those_of_the_spec() {
    let bed = Bed::new();
    let agent = bed.start(&settings(&bed));
    let logs = address(&agent, "logs-http");
    let entry = json!([{ "message": "m", "timestamp": unix_ms() }]).to_string();
    let json = ["content-type: application/json"];
    let said = |status: u16, text: &str| (status, text.to_owned());
    assert_eq!(post_logs(&logs, &entry), said(200, "ok"));
    assert_eq!(post_logs(&logs, "[]"), said(200, "ok"));
    assert_eq!(send(&logs, "GET", "/v1/input", &[], b""), said(405, "method not allowed"));
    assert_eq!(send(&logs, "POST", "/v2/input", &json, b"[]"), said(404, "not found"));
    let (status, text) = post_logs(&logs, r#"[{"message":"m"}]"#);
    assert!(status == 400 && text.starts_with("invalid JSON: "), "{status} {text}");
    let long = format!("[{}]", " ".repeat(4 << 20));
    assert_eq!(post_logs(&logs, &long), said(413, "payload too large"));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(entry.as_bytes()).expect("memory");
    let gzip = gzip.finish().expect("memory");
    let headers = ["content-type: application/json", "content-encoding: gzip"];
    assert_eq!(send(&logs, "POST", "/api/v2/logs", &headers, &gzip), said(200, "ok"));
    let headers = ["content-encoding: br"];
    assert_eq!(send(&logs, "POST", "/v1/input", &headers, &gzip).0, 415);
    let headers = ["content-encoding: gzip"];
    assert_eq!(send(&logs, "POST", "/v1/input", &headers, b"[]"), said(400, "failed to read body"));
    let finished = bed.finish(agent);
    assert_eq!(finished.contents.logs.len(), 2);
    let ingest = finished.snapshot.ingest.expect("logs are on");
    let refused = [("too_long".to_owned(), 1)];
    assert_eq!((ingest.bodies_malformed, ingest.bodies_refused), (1, refused.into()));
    assert_eq!(ingest.answers.values().sum::<u64>(), 9);
}

/// Sends logs to an agent of these settings and ends it.
fn sent(bed: &Bed, agent: Agent, bodies: &[String]) -> Vec<intake::Log> {
    let logs = address(&agent, "logs-http");
    for body in bodies {
        assert_eq!(post_logs(&logs, body), (200, "ok".to_owned()));
    }
    bed.finish(agent).contents.logs
}

#[test]
fn rules_drop_and_mask_and_what_is_missing_is_filled_in() {
    let bed = Bed::new();
    let rules = json!([
        { "type": "exclude_at_match", "name": "health", "pattern": "GET /health" },
        { "type": "mask_sequences", "name": "card", "pattern": "(\\d{4})\\d{8}",
          "replace_placeholder": "$1********" },
    ]);
    let agent = bed.start(
        &settings(&bed)
            .set("logs_config.processing_rules", rules)
            .set("logs_config.max_message_size_bytes", 256)
            .set("tags", json!(["team:a"])),
    );
    let (now, long) = (unix_ms(), "x".repeat(300));
    let entry = |message: &str| json!({ "message": message, "timestamp": now });
    let body = json!([entry("GET /health 200"), entry("card 123456789012"), entry(&long)]);
    let logs = sent(&bed, agent, &[body.to_string()]);
    let messages: Vec<&str> = logs.iter().map(|log| &*log.message).collect();
    let cut = format!("{}...TRUNCATED...", "x".repeat(256));
    assert_eq!(messages, ["card 1234********", &*cut]);
    assert_eq!((&*logs[0].hostname, &*logs[0].status), (bed::HOST, "info"));
    assert_eq!(logs[0].tags, [] as [&str; 0], "a daemon's host is described by its metadata");
    assert_eq!(logs[1].tags, ["truncated:single_line"]);
}

#[test]
fn many_logs_share_payloads_and_each_is_within_its_limits() {
    let bed = Bed::new();
    let agent = bed.start(&settings(&bed).set("logs_config.batch_wait", 1));
    let now = unix_ms();
    let bodies: Vec<String> = (0..25)
        .map(|part| {
            let entries = (0..100).map(|one| {
                let message = format!("log {part} {one} {}", "y".repeat(part * 100));
                json!({ "message": message, "timestamp": now, "service": "many" })
            });
            entries.collect::<serde_json::Value>().to_string()
        })
        .collect();
    let logs = sent(&bed, agent, &bodies);
    assert_eq!(logs.len(), 2500);
    for (at, log) in logs.iter().enumerate() {
        let begins = format!("log {} {} ", at / 100, at % 100);
        assert!(log.message.starts_with(&begins), "they keep their order: {at}");
    }
    let payloads = bed.intake.store().read(|contents| contents.totals.logs.requests);
    assert!((3..=30).contains(&payloads), "{payloads} payloads");
}

#[test]
fn further_endpoints_get_everything_in_gzip() {
    let (bed, second) = (Bed::new(), Intake::start(Options::default()).expect("an intake"));
    let second_url = second.url();
    let (host, port) =
        second_url.trim_start_matches("http://").split_once(':').expect("a host and a port");
    let further = json!([{ "api_key": "fedcba9876543210fedcba9876543210", "Host": host,
        "Port": port.parse::<u16>().expect("a port"), "use_ssl": false }]);
    let agent = bed.start(&settings(&bed).set("logs_config.additional_endpoints", further));
    let body = json!([{ "message": "both", "timestamp": unix_ms() }]).to_string();
    assert_eq!(sent(&bed, agent, &[body]).len(), 1);
    assert_eq!(second.store().logs().len(), 1);
    let encoding = second.store().read(|contents| {
        let with_logs = contents.requests.iter().find(|request| request.log_count > 0);
        with_logs.and_then(|request| request.header("content-encoding")).map(str::to_owned)
    });
    assert_eq!(encoding.as_deref(), Some("gzip"));
    assert_eq!(second.store().violations(), []);
}

#[test]
fn a_rule_that_is_wrong_keeps_the_agent_from_starting() {
    let bed = Bed::new();
    let rules = json!([{ "type": "exclude_at_match", "name": "broken", "pattern": "(" }]);
    let settings: Settings = settings(&bed).set("logs_config.processing_rules", rules);
    let ended = bed::Agent::spawn(&bed, &settings).wait();
    assert!(!ended.status.success());
    assert!(ended.log.contains("invalid pattern ( for processing rule: broken"), "{}", ended.log);
}
