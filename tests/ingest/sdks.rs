//! SDKs of OpenTelemetry, as programs use them.

use bed::{Bed, Client, Program};
use intake::{Contents, MetricKind, ReceivedSpan};
use serde_json::Value;

use super::{address, settings};

/// Runs a program with an SDK against an agent. Returns what arrived and the id of its trace.
fn arrived(client: Client, transport: &str, protocol: &str) -> (Contents, u128) {
    let bed = Bed::new();
    let agent = bed.start(&settings(&bed).set("env", "prod"));
    let endpoint = format!("http://{}", address(&agent, transport));
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_INSECURE", "true"),
    ];
    let said = Program::start(client, &bed, &environment).finish();
    let said: Value = serde_json::from_str(&said).expect("a report in JSON");
    let trace_id = said["trace_id"].as_str().expect("the id of a trace");
    let trace_id = u128::from_str_radix(trace_id, 16).expect("an id in hex");
    let finished = bed.finish(agent);
    let ingest = finished.snapshot.ingest.expect("it is on");
    assert_eq!(ingest.answers.keys().copied().collect::<Vec<_>>(), [200], "{ingest:?}");
    (finished.contents, trace_id)
}

fn text(span: &ReceivedSpan, key: &str) -> String {
    span.text(key).unwrap_or_default().into_owned()
}

fn span<'c>(contents: &'c Contents, name: &str) -> &'c ReceivedSpan {
    let names: Vec<_> = contents.spans().map(|span| span.name.to_string()).collect();
    let found = contents.spans().find(|span| &*span.name == name);
    assert!(found.is_some(), "no {name} in {names:?}");
    found.expect("just seen")
}

#[expect(clippy::float_cmp, reason = "sums of small whole numbers are exact")]
fn check_python(contents: &Contents, trace_id: u128) {
    // The upper half is in `otel.trace_id` alone.
    let low = trace_id & u128::from(u64::MAX);
    let (server, query) =
        (span(contents, "http.server.request"), span(contents, "postgresql.query"));
    assert_eq!((server.trace_id, query.trace_id, query.parent_id), (low, low, server.span_id));
    assert_eq!((&*server.service, &*server.resource), ("shop", "GET /cart/{id}"));
    assert_eq!((&*server.span_type, server.error, query.error), ("web", 0, 1));
    assert_eq!(&*query.resource, "SELECT * FROM cart WHERE id = ?", "its literal is hidden");
    assert_eq!(text(query, "error.type"), "ValueError");
    assert_eq!(text(query, "error.msg"), "no such cart");
    assert_eq!(text(server, "otel.trace_id"), format!("{trace_id:032x}"));
    assert_eq!(server.metrics.get("items"), Some(&3.0));
    assert_eq!(text(server, "version"), "1.2");

    assert_eq!(contents.total_of("shop.orders"), 7.0, "the first value of a new counter counts");
    let orders = contents.named("shop.orders").next().expect("it arrived");
    assert!(orders.has_tag("region:north") && orders.has_tag("service:shop"), "{orders:?}");
    assert_eq!(orders.host.as_deref(), Some("otel-host"));
    let queue: Vec<f64> = contents
        .named("shop.queue")
        .flat_map(|metric| metric.points.values().iter().map(|point| point.value))
        .collect();
    assert_eq!(queue, [3.0, 7.0, 7.0], "what goes up and down is a gauge");
    // Of a cumulative histogram the first point is what others are counted from.
    let latency: Vec<_> =
        contents.named("shop.latency").flat_map(|one| one.points.sketches()).collect();
    assert_eq!(
        latency.iter().map(|point| (point.count, point.sum)).collect::<Vec<_>>(),
        [(3, 777.0)]
    );

    let logs: Vec<_> = contents.logs_of("shop").collect();
    assert_eq!(logs.len(), 1, "{logs:?}");
    let log = logs[0];
    let content: Value = serde_json::from_str(&log.message).expect("a log in JSON");
    assert_eq!((&content["message"], &content["cart"]), (&"cart 17 is gone".into(), &17.into()));
    assert_eq!((&*log.status, &*log.hostname), ("ERROR", "otel-host"));
    assert_eq!(&*log.source, "otlp_log_ingestion");
}

#[test]
fn python_over_grpc() {
    let (contents, trace_id) = arrived(Client::PythonOtel, "otlp-grpc", "grpc");
    check_python(&contents, trace_id);
}

#[test]
fn python_over_http() {
    let (contents, trace_id) = arrived(Client::PythonOtel, "otlp-http", "http/protobuf");
    check_python(&contents, trace_id);
}

#[test]
fn node_as_json() {
    let (contents, trace_id) = arrived(Client::NodeOtel, "otlp-http", "http/json");
    let sent = span(&contents, "kafka.publish");
    assert_eq!((&*sent.resource, &*sent.service), ("publish orders", "desk"));
    assert_eq!(text(sent, "otel.trace_id"), format!("{trace_id:032x}"));
    assert_eq!(text(sent, "env"), "test", "what the resource says");
    let letters = contents.named("desk.letters").next().expect("it arrived");
    assert_eq!((letters.kind, letters.total()), (MetricKind::Count, 5.0));
    assert!(letters.has_tag("kind:blue") && letters.has_tag("instrumentation_scope:desk.meter"));
    let weights = contents.named("desk.weights").next().expect("it arrived");
    assert_eq!(weights.points.len(), 1);
    let weights = &weights.points.sketches()[0];
    assert_eq!((weights.count, weights.sum, weights.min, weights.max), (4, 30331.0, 1.0, 30000.0));
    let log = contents.logs_of("desk").next().expect("it arrived");
    let content: Value = serde_json::from_str(&log.message).expect("a log in JSON");
    assert_eq!((&content["message"], &content["tray"]), (&"paper runs low".into(), &2.into()));
    assert_eq!((&*log.status, &*log.hostname), ("warn", bed::HOST));
}
