//! Time and allocations per point, for each kind.
//!
//! A request has 100 points of one metric with three attributes each, of a scope and a resource
//! with eight attributes. Cumulative points are later with each request.

use std::hint::black_box;
use std::sync::Arc;

use context::Keys;
use corelane_otlp::Signal;
use corelane_otlp::json::to_protobuf;
use corelane_otlp::metrics::{MetricsSettings, Translator};
use criterion::{Criterion, Throughput};
use serde_json::{Value as Json, json};
use signal::{Series, SeriesSink, SketchSeries};

const POINTS: u64 = 100;
const SECOND: u64 = 1_000_000_000;

/// Looks at what it is handed.
struct Seen;

impl SeriesSink for Seen {
    fn series(&mut self, series: Series<'_>) {
        black_box(series);
    }

    fn sketch(&mut self, series: SketchSeries<'_>) {
        black_box(series);
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for (name, kind, data, point) in [
        ("gauge", "gauge", json!({}), json!({"asDouble": 3.5})),
        (
            "cumulative sum",
            "sum",
            json!({"aggregationTemporality": 2, "isMonotonic": true}),
            json!({"asInt": "35"}),
        ),
        ("histogram", "histogram", json!({"aggregationTemporality": 1}), histogram()),
        (
            "histogram over all magnitudes",
            "histogram",
            json!({"aggregationTemporality": 1}),
            widest(),
        ),
        ("cumulative histogram", "histogram", json!({"aggregationTemporality": 2}), histogram()),
        (
            "exponential histogram",
            "exponentialHistogram",
            json!({"aggregationTemporality": 1}),
            exponential(),
        ),
        ("summary", "summary", json!({}), summary()),
    ] {
        // Bodies of many times, each later and with more than the one before.
        let bodies: Vec<Vec<u8>> = (1..=50).map(|round| body(kind, &data, &point, round)).collect();
        measure(&mut criterion, name, &bodies);
    }
    criterion.final_summary();
}

#[expect(clippy::print_stderr, reason = "the report of a bench")]
fn measure(criterion: &mut Criterion, name: &str, bodies: &[Vec<u8>]) {
    let made = || {
        let host = Arc::from("host");
        Translator::new(MetricsSettings::default(), Keys::from_seed(1), &host, 0)
            .expect("default settings are valid")
    };
    let run = |translator: &mut Translator, body: &[u8]| {
        translator.translate(body, 1, &mut Seen).expect("a valid body")
    };
    let mut translator = made();
    run(&mut translator, &bodies[0]);
    let info = allocation_counter::measure(|| {
        black_box(run(&mut translator, &bodies[1]));
    });
    let lens = bodies[1].len() as u64 / POINTS;
    eprintln!(
        "{name}: per point {lens} bytes, {:.1} allocations of {} bytes",
        info.count_total as f64 / POINTS as f64,
        info.bytes_total / POINTS,
    );
    let mut group = criterion.benchmark_group("metrics");
    group.throughput(Throughput::Elements(POINTS * bodies.len() as u64));
    group.bench_function(name, |bencher| {
        bencher.iter_batched_ref(
            made,
            |translator| {
                for body in bodies {
                    black_box(run(translator, body));
                }
            },
            criterion::BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn histogram() -> Json {
    json!({
        "count": "10", "sum": 123.5, "min": 1, "max": 90,
        "bucketCounts": ["0", "1", "4", "3", "1", "1", "0", "0", "0", "0", "0"],
        "explicitBounds": [0, 5, 10, 25, 50, 75, 100, 250, 500, 1000],
    })
}

/// The most that one bucket can cost.
fn widest() -> Json {
    json!({
        "count": "99999999", "sum": 1,
        "bucketCounts": ["0", "99999999", "0"],
        "explicitBounds": [-1e200, 1e200],
    })
}

fn exponential() -> Json {
    let counts: Vec<String> = (0..40).map(|bucket| (bucket % 5).to_string()).collect();
    json!({
        "count": "80", "sum": 300, "scale": 3,
        "positive": {"offset": 5, "bucketCounts": counts},
    })
}

fn summary() -> Json {
    json!({
        "count": "80", "sum": 300,
        "quantileValues": [{"quantile": 0.5, "value": 3}, {"quantile": 0.99, "value": 9}],
    })
}

/// A point as it is after so many rounds, if it counts from the start.
fn grown(data: &Json, point: &Json, round: u64) -> Json {
    let mut point = point.clone();
    if data["aggregationTemporality"] == 2 {
        let grow = |count: &mut Json| {
            let each: u64 = count.as_str().and_then(|text| text.parse().ok()).unwrap_or_default();
            *count = json!((each * round).to_string());
        };
        for field in ["count", "asInt"] {
            point.get_mut(field).map(grow);
        }
        let buckets = point.get_mut("bucketCounts").and_then(Json::as_array_mut);
        buckets.into_iter().flatten().for_each(grow);
    }
    point
}

fn body(kind: &str, data: &Json, point: &Json, round: u64) -> Vec<u8> {
    let attribute = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let points: Vec<Json> = (0..POINTS)
        .map(|at| {
            let mut point = grown(data, point, round);
            point["startTimeUnixNano"] = json!("5");
            point["timeUnixNano"] = json!((round * SECOND).to_string());
            point["attributes"] = json!([
                attribute("http.route", &format!("/api/v1/items/{at}")),
                attribute("http.request.method", "GET"),
                attribute("http.response.status_code", "200"),
            ]);
            point
        })
        .collect();
    let mut data = data.clone();
    data["dataPoints"] = json!(points);
    let resource = json!([
        attribute("service.name", "web"),
        attribute("service.version", "1.2.3"),
        attribute("deployment.environment.name", "production"),
        attribute("host.name", "ip-10-1-2-3.internal"),
        attribute("telemetry.sdk.language", "rust"),
        attribute("k8s.pod.name", "web-59d8c6f6b-abcde"),
        attribute("k8s.namespace.name", "shop"),
        attribute("container.id", "0123456789abcdef0123456789abcdef"),
    ]);
    let request = json!({"resourceMetrics": [{
        "resource": {"attributes": resource},
        "scopeMetrics": [{
            "scope": {"name": "io.opentelemetry.http", "version": "2.1.0"},
            "metrics": [{"name": "http.server.request.duration", "unit": "s", kind: data}],
        }],
    }]});
    to_protobuf(Signal::Metrics, request.to_string().as_bytes()).expect("a valid request")
}
