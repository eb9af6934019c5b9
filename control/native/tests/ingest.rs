//! Logs and OTLP in a Rust program: handed over without a socket, and over the ports that the agent
//! reports.

#![expect(clippy::float_cmp, reason = "sums of small whole numbers are exact")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use datadog_agent_native::blocking::Agent;
use datadog_agent_native::config::{Builder, Config};
use datadog_agent_native::{AgentError, OtlpSignal, SubmitError};
use intake::Intake;
use otlp::Signal;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(30);

fn intake() -> Intake {
    Intake::start(intake::Options::default()).expect("an intake")
}

fn settings(intake: &Intake) -> Builder {
    Config::builder()
        .set("api_key", "0123456789abcdef0123456789abcdef")
        .set("dd_url", intake.url())
        .set("hostname", "native-host")
        .set("agent_mode", "http_ephemeral_port")
        .set("service", "host-program")
        .set("env", "staging")
        .set("tags", "team:edge")
}

fn with_logs(intake: &Intake) -> Builder {
    settings(intake).set("logs_enabled", "true").set("otlp_config.logs.enabled", "true")
}

fn start(settings: Builder) -> Agent {
    Agent::start(&settings.build().expect("a configuration")).expect("an agent")
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("a time of today")
}

fn protobuf(signal: Signal, request: &Value) -> Vec<u8> {
    otlp::json::to_protobuf(signal, request.to_string().as_bytes()).expect("an OTLP request")
}

fn attributes(pairs: &[(&str, &str)]) -> Value {
    pairs
        .iter()
        .map(|(key, value)| json!({ "key": key, "value": { "stringValue": value } }))
        .collect()
}

fn span_request(name: &str) -> Value {
    let now_ns = unix_ms() * 1_000_000;
    json!({ "resourceSpans": [{
        "resource": { "attributes": attributes(&[("service.name", "otel-service")]) },
        "scopeSpans": [{ "scope": { "name": "lib" }, "spans": [{
            "traceId": "5b8efff798038103d269b633813fc60c",
            "spanId": "eee19b7ec3c1b174",
            "name": name,
            "kind": 2,
            "startTimeUnixNano": (now_ns - 5_000_000).to_string(),
            "endTimeUnixNano": now_ns.to_string(),
            "attributes": attributes(&[("http.request.method", "GET"), ("http.route", "/x")]),
        }] }],
    }] })
}

/// A delta of some seconds ago: of two points of one second an intake keeps one.
fn metric_request(name: &str, value: f64, secs_ago: u64) -> Value {
    let now_ns = (unix_ms() - secs_ago * 1000) * 1_000_000;
    let point = json!({
        "asDouble": value,
        "timeUnixNano": now_ns.to_string(),
        "startTimeUnixNano": (now_ns - 1).to_string(),
        "attributes": attributes(&[("shard", "one")]),
    });
    json!({ "resourceMetrics": [{
        "resource": { "attributes": attributes(&[("host.name", "otel-host")]) },
        "scopeMetrics": [{ "metrics": [{
            "name": name,
            "sum": { "aggregationTemporality": 1, "isMonotonic": true, "dataPoints": [point] },
        }] }],
    }] })
}

fn log_request(body: &str) -> Value {
    json!({ "resourceLogs": [{
        "resource": { "attributes": attributes(&[("service.name", "otel-service")]) },
        "scopeLogs": [{ "logRecords": [{
            "timeUnixNano": (unix_ms() * 1_000_000).to_string(),
            "severityNumber": 17,
            "body": { "stringValue": body },
        }] }],
    }] })
}

/// Stops the agent and asserts that everything is accounted for and acceptable.
fn finish(agent: &Agent, intake: &Intake) -> status::Snapshot {
    agent.stop(PATIENCE).expect("it stops");
    let last = agent.snapshot().expect("the last counters");
    for identity in status::identities(&last) {
        assert!(identity.holds && identity.in_open_buckets == 0, "{identity:?}");
    }
    assert_eq!(intake.store().violations(), []);
    last
}

#[test]
fn logs_arrive_without_a_socket() {
    let intake = intake();
    let rule = r#"[{"type":"exclude_at_match","name":"no","pattern":"DROPME"},
        {"type":"mask_sequences","name":"hide","pattern":"\\d{4}","replace_placeholder":"[x]"}]"#;
    let agent = start(with_logs(&intake).set("logs_config.processing_rules", rule));
    let now = unix_ms();
    let logs = json!([
        { "message": "pin 1234", "timestamp": now, "status": "error", "ddtags": "a:b", "ddsource": "rust" },
        { "message": "DROPME", "timestamp": now },
        { "message": "own", "timestamp": now, "service": "mine", "hostname": "there", "lambda": { "arn": "x" } },
    ]);
    agent.submit_logs(logs.to_string().as_bytes()).expect("taken");
    agent.flush(PATIENCE).expect("everything leaves");
    let logs = intake.store().logs();
    assert_eq!(logs.len(), 2, "{logs:?}");
    let (pin, own) = (&logs[0], &logs[1]);
    assert_eq!((&*pin.message, &*pin.status, &*pin.source), ("pin [x]", "error", "rust"));
    assert_eq!((&*pin.service, &*pin.hostname), ("host-program", "native-host"));
    assert_eq!(pin.tags, ["a:b", "team:edge", "env:staging"]);
    assert_eq!(pin.timestamp_ms, i64::try_from(now).expect("a time of today"));
    assert_eq!((&*own.service, &*own.hostname, &*own.status), ("mine", "there", "info"));
    assert_eq!(own.extra["lambda"]["arn"], "x");

    agent.submit_logs(br#"{"message":"last","timestamp":1}"#).expect("taken");
    agent.submit_logs(b"[{}]").expect("what is wrong with it is counted");
    let refused = agent.submit_logs(b"plain text");
    assert!(matches!(refused, Err(AgentError::Submission(SubmitError::Malformed))), "{refused:?}");
    agent.stop(PATIENCE).expect("it stops");
    assert_eq!(intake.store().logs().len(), 3, "a stop flushes");
    let ingest = agent.snapshot().expect("counters").ingest.expect("logs are on");
    assert_eq!((ingest.logs_received, ingest.logs_sent, ingest.bodies_malformed), (4, 3, 1));
    assert_eq!(ingest.logs_dropped, [("excluded".to_owned(), 1)].into());
}

#[test]
fn otlp_of_all_signals_arrives_without_a_socket() {
    let intake = intake();
    let agent = start(with_logs(&intake));
    let submit = |signal, kind, request: Value| {
        agent.submit_otlp(signal, &protobuf(kind, &request)).expect("taken");
    };
    submit(OtlpSignal::Traces, Signal::Traces, span_request("GET /x"));
    submit(OtlpSignal::Metrics, Signal::Metrics, metric_request("native.otlp", 3.0, 10));
    submit(OtlpSignal::Metrics, Signal::Metrics, metric_request("native.otlp", 4.0, 0));
    submit(OtlpSignal::Logs, Signal::Logs, log_request("a log"));
    agent.flush(PATIENCE).expect("everything leaves");
    let store = intake.store();
    let spans =
        store.read(|contents| contents.spans_of("otel-service").cloned().collect::<Vec<_>>());
    assert_eq!(spans.len(), 1, "{spans:?}");
    assert_eq!((&*spans[0].name, &*spans[0].resource), ("http.server.request", "GET /x"));
    assert_eq!(store.total_of("native.otlp"), 7.0);
    let metric = store.read(|contents| contents.named("native.otlp").next().cloned());
    let metric = metric.expect("it arrived");
    assert!(metric.has_tag("shard:one") && metric.host.as_deref() == Some("otel-host"));
    assert!(metric.has_tag("team:edge"), "what a host would be described by: {metric:?}");
    let logs = store.logs_of("otel-service");
    let message: Value = serde_json::from_str(&logs[0].message).expect("a log in JSON");
    assert_eq!((&message["message"], &*logs[0].status), (&json!("a log"), "error"));
    assert_eq!(&*logs[0].source, "otlp_log_ingestion");

    let broken = agent.submit_otlp(OtlpSignal::Traces, b"no protobuf");
    assert!(matches!(broken, Err(AgentError::Submission(SubmitError::Malformed))), "{broken:?}");
    agent.submit_otlp(OtlpSignal::Metrics, &[0x0a, 9]).expect("counted later");
    let last = finish(&agent, &intake);
    let ingest = last.ingest.expect("OTLP is taken");
    assert_eq!((ingest.points_received, ingest.points_out, ingest.bodies_malformed), (2, 2, 1));
}

#[test]
fn what_is_off_is_not_available() {
    let intake = intake();
    let agent = start(settings(&intake).set("otlp_config.metrics.enabled", "false"));
    let refused = [
        agent.submit_logs(b"[]"),
        agent.submit_otlp(OtlpSignal::Metrics, b""),
        agent.submit_otlp(OtlpSignal::Logs, b""),
    ];
    for (refused, key) in refused.iter().zip(["logs_enabled", "metrics.enabled", "logs.enabled"]) {
        let Err(AgentError::NotAvailable(why)) = refused else { panic!("{refused:?}") };
        assert!(why.contains(key), "{why}");
    }
    let body = protobuf(Signal::Traces, &span_request("GET /x"));
    agent.submit_otlp(OtlpSignal::Traces, &body).expect("traces are on by default");
    assert_eq!(agent.endpoints().logs_url(), None);
    finish(&agent, &intake);
}

/// Posts a body and returns the status line and the body of the answer.
fn post(address: SocketAddr, path: &str, media: &str, body: &[u8]) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: agent\r\ncontent-type: {media}\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), body].concat()).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    (head.lines().next().unwrap_or_default().to_owned(), answer.split_off(end + 4))
}

#[test]
fn ports_of_logs_and_otlp_are_reported_and_answer() {
    let intake = intake();
    let agent = start(
        with_logs(&intake)
            .set("logs_agent_port", "0")
            .set("otlp_config.receiver.protocols.http.endpoint", "127.0.0.1:0")
            .set("otlp_config.receiver.protocols.grpc.endpoint", "127.0.0.1:0"),
    );
    let endpoints = agent.endpoints();
    let (logs, http) = (endpoints.logs.expect("logs"), endpoints.otlp_http.expect("OTLP"));
    assert!(endpoints.otlp_grpc_url().is_some_and(|url| url.starts_with("http://127.0.0.1:")));
    let ok = "HTTP/1.1 200 OK".to_owned();
    let entry = format!(r#"[{{"message":"by http","timestamp":{}}}]"#, unix_ms());
    let answer = post(logs, "/v1/input", "application/json", entry.as_bytes());
    assert_eq!(answer, (ok.clone(), b"ok".to_vec()));
    let (status, body) = post(logs, "/v1/input", "application/json", b"[1]");
    assert_eq!(status, "HTTP/1.1 400 Bad Request");
    assert!(body.starts_with(b"invalid JSON: "), "{}", String::from_utf8_lossy(&body));
    assert_eq!(post(logs, "/api/v2/logs", "text/plain", b"one\ntwo\n").0, ok);

    let request = metric_request("native.by_http", 2.0, 0).to_string();
    let (status, body) = post(http, "/v1/metrics", "application/json", request.as_bytes());
    assert_eq!((status, &*body), (ok.clone(), &br#"{"partialSuccess":{}}"#[..]));
    let request = protobuf(Signal::Traces, &span_request("by http"));
    assert_eq!(post(http, "/v1/traces", "application/x-protobuf", &request), (ok, Vec::new()));
    let (status, body) = post(http, "/v1/traces", "application/x-protobuf", b"\x0a\x09");
    assert_eq!(status, "HTTP/1.1 400 Bad Request");
    assert_eq!(body[..2], [0x08, 3], "a status of INVALID_ARGUMENT");
    let unknown = post(http, "/v1/traces", "text/plain", b"x").0;
    assert_eq!(unknown, "HTTP/1.1 415 Unsupported Media Type");

    agent.flush(PATIENCE).expect("everything leaves");
    let store = intake.store();
    assert_eq!((store.logs().len(), store.total_of("native.by_http")), (3, 2.0));
    let spans = store.read(|contents| contents.spans_of("otel-service").count());
    assert_eq!(spans, 1);
    let ingest = finish(&agent, &intake).ingest.expect("it is on");
    assert_eq!(ingest.answers, [(200, 4), (400, 2), (415, 1)].into());
}
