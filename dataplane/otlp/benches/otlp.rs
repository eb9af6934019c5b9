//! Time, bytes and allocations per span: requests of spans to batches, and OTLP/JSON to protobuf.
//!
//! A request has one resource (10 attributes) with 4 traces of 50 spans: every fifth answers a
//! request (8 attributes), the others ask a database (7).

use std::hint::black_box;

use corelane_otlp::Signal;
use corelane_otlp::json::to_protobuf;
use corelane_otlp::traces::{Settings, Translator};
use criterion::{Criterion, Throughput};
use serde_json::{Value, json};
use span::Batch;
use span::decode::Progress;

const TRACES: u64 = 4;
const SPANS: u64 = 50;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let json = request().to_string();
    let body = to_protobuf(Signal::Traces, json.as_bytes()).expect("a request of our own");
    measure_traces(&mut criterion, &body);
    measure_json(&mut criterion, json.as_bytes());
    criterion.final_summary();
}

fn measure_traces(criterion: &mut Criterion, body: &[u8]) {
    let (mut translator, mut batch) = (Translator::new(Settings::default(), 1), Batch::default());
    let mut spare = Vec::new();
    let mut run = || {
        spare.extend_from_slice(body);
        spare = translator.start(std::mem::take(&mut spare), &mut batch);
        while translator.step(&mut batch, 64 << 10) == Ok(Progress::More) {}
        black_box(&batch);
        assert_eq!(batch.spans.len() as u64, TRACES * SPANS);
    };
    // The first bodies size the arenas.
    (0..3).for_each(|_| run());
    let allocations = allocation_counter::measure(&mut run).count_total;
    report("traces", body.len(), allocations);

    let mut group = criterion.benchmark_group("otlp");
    group.throughput(Throughput::Elements(TRACES * SPANS));
    group.bench_function("traces", |bencher| bencher.iter(&mut run));
    group.finish();
}

fn measure_json(criterion: &mut Criterion, json: &[u8]) {
    let run = || black_box(to_protobuf(Signal::Traces, json)).map_or(0, |body| body.len());
    let allocations = allocation_counter::measure(|| _ = run()).count_total;
    report("json", json.len(), allocations);

    let mut group = criterion.benchmark_group("otlp");
    group.throughput(Throughput::Elements(TRACES * SPANS));
    group.bench_function("json", |bencher| bencher.iter(run));
    group.finish();
}

#[expect(clippy::print_stderr, reason = "the report of a bench")]
fn report(name: &str, bytes: usize, allocations: u64) {
    let per_span = bytes as u64 / (TRACES * SPANS);
    eprintln!("{name}: {per_span} bytes a span, {allocations} allocations a request");
}

fn request() -> Value {
    let resource = attributes(&json!({
        "service.name": "checkout-api", "service.version": "1.42.0",
        "deployment.environment.name": "prod", "host.name": "node-17.internal",
        "telemetry.sdk.language": "python", "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": "1.27.0", "k8s.pod.name": "checkout-api-6d5f",
        "k8s.namespace.name": "shop", "process.pid": 4242,
    }));
    let scope = json!({"name": "opentelemetry.instrumentation.flask", "version": "0.48b0"});
    let spans: Vec<Value> =
        (0..TRACES).flat_map(|trace| (0..SPANS).map(move |at| span(trace, at))).collect();
    json!({"resourceSpans": [{
        "resource": {"attributes": resource},
        "scopeSpans": [{"scope": scope, "spans": spans}],
    }]})
}

fn span(trace: u64, at: u64) -> Value {
    let id =
        |at: u64| format!("{:016x}", (trace + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (at + 1));
    let start = 1_700_000_000_123_456_789 + at * 1000;
    let (name, kind, held) = if at.is_multiple_of(5) { answer() } else { question() };
    json!({
        "traceId": format!("6650000000000000{}", id(1_000_000)),
        "spanId": id(at),
        "parentSpanId": if at == 0 { String::new() } else { id(at / 5) },
        "name": name, "kind": kind, "attributes": held,
        "startTimeUnixNano": start.to_string(),
        "endTimeUnixNano": (start + 1_234_567).to_string(),
    })
}

fn answer() -> (&'static str, u32, Value) {
    let held = json!({
        "http.request.method": "GET", "http.route": "/api/v2/carts/<cart_id>/items",
        "http.response.status_code": 200, "url.path": "/api/v2/carts/12345/items",
        "url.scheme": "http", "server.address": "checkout.internal", "client.address": "10.2.3.4",
        "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
    });
    ("GET /api/v2/carts/<cart_id>/items", 2, attributes(&held))
}

fn question() -> (&'static str, u32, Value) {
    let held = json!({
        "db.system": "postgresql", "db.namespace": "carts", "db.user": "shop",
        "db.statement": "SELECT id, sku, quantity FROM cart_items WHERE cart_id = %s",
        "server.address": "carts-db.internal", "server.port": 5432, "db.row_count": 12,
    });
    ("SELECT carts", 3, attributes(&held))
}

fn attributes(object: &Value) -> Value {
    let entries = object.as_object().into_iter().flatten();
    entries
        .map(|(key, held)| {
            let kind = if held.is_string() { "stringValue" } else { "intValue" };
            json!({"key": key, "value": {kind: held}})
        })
        .collect()
}
