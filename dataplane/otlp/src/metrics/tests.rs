//! Whole requests: what is sent of them, and what is counted.

mod any;
mod vectors;

use std::sync::Arc;

use context::Keys;
use serde_json::{Value as Json, json};
use signal::{Context, Series, SeriesKind, SeriesSink, SketchSeries};

use super::{CumulativeMode, Dropped, MetricsSettings, Translator, check_metrics};
use crate::{Signal, json::to_protobuf};

const SECOND: u64 = 1_000_000_000;

/// Keeps what it is handed, in the form of the vectors.
#[derive(Default)]
struct Kept {
    series: Vec<Json>,
    sketches: Vec<Json>,
    contexts: Vec<Context>,
    units: Vec<String>,
}

impl SeriesSink for Kept {
    fn series(&mut self, series: Series<'_>) {
        let (context, point) = (series.context, series.points[0]);
        self.series.push(json!({
            "Name": format!("{}{}", context.name, series.suffix),
            "Tags": tags(context),
            "Host": &*context.host,
            "Type": match series.kind {
                SeriesKind::Count => "count",
                SeriesKind::Gauge => "gauge",
                SeriesKind::Rate => "rate",
            },
            "Timestamp": point.timestamp_secs.cast_unsigned() * SECOND,
            "Interval": series.interval_secs,
            "Value": point.value,
        }));
        self.units.push(series.unit.to_owned());
        self.keep(context);
    }

    fn sketch(&mut self, series: SketchSeries<'_>) {
        let (context, point) = (series.context, series.points[0]);
        let summary = point.sketch.summary();
        let bins: Vec<_> = point.sketch.bins().iter().collect();
        self.sketches.push(json!({
            "Name": &*context.name,
            "Tags": tags(context),
            "Host": &*context.host,
            "Timestamp": point.timestamp_secs.cast_unsigned() * SECOND,
            "Summary": {
                "Min": summary.min,
                "Max": summary.max,
                "Sum": summary.sum,
                "Avg": summary.avg,
                "Cnt": summary.count,
            },
            "Keys": bins.iter().map(|bin| bin.key).collect::<Vec<_>>(),
            "Counts": bins.iter().map(|bin| bin.count).collect::<Vec<_>>(),
        }));
        self.keep(context);
    }
}

impl Kept {
    fn keep(&mut self, context: &Context) {
        self.contexts.push(Context {
            key: context.key,
            name: context.name.clone(),
            tags: Arc::clone(&context.tags),
            host: Arc::clone(&context.host),
            provenance: context.provenance,
            origin: Arc::clone(&context.origin),
        });
    }

    /// Name, value of each series.
    fn values(&self) -> Vec<(&str, f64)> {
        let value = |series: &'_ Json| series["Value"].as_f64().unwrap();
        self.series.iter().map(|one| (one["Name"].as_str().unwrap(), value(one))).collect()
    }
}

fn tags(context: &Context) -> Vec<&str> {
    context.tags.tags.iter().map(|tag| &**tag).collect()
}

fn plain() -> MetricsSettings {
    MetricsSettings { instrumentation_scope_metadata_as_tags: false, ..MetricsSettings::default() }
}

fn translator(settings: MetricsSettings, process_start_secs: u64) -> Translator {
    let start_nanos = process_start_secs * SECOND;
    Translator::new(settings, Keys::from_seed(7), &Arc::from("agent"), start_nanos).unwrap()
}

/// A request with metrics of one scope of a host `h1`.
fn request(metrics: &Json) -> Vec<u8> {
    let host = json!([{"key": "host.name", "value": {"stringValue": "h1"}}]);
    request_of(&json!([{
        "resource": {"attributes": host},
        "scopeMetrics": [{"metrics": metrics}],
    }]))
}

fn request_of(resource_metrics: &Json) -> Vec<u8> {
    let text = json!({ "resourceMetrics": resource_metrics }).to_string();
    to_protobuf(Signal::Metrics, text.as_bytes()).unwrap()
}

fn run(settings: MetricsSettings, metrics: &Json) -> (Kept, super::Counts) {
    let mut kept = Kept::default();
    let counts = translator(settings, 1000).translate(&request(metrics), 1, &mut kept).unwrap();
    assert!(counts.is_balanced());
    (kept, counts)
}

/// Whether all that `expected` has is there and equal; numbers to the last digits.
fn assert_like(actual: &Json, expected: &Json, what: &str) {
    match (actual, expected) {
        (Json::Object(actual), Json::Object(expected)) => {
            for (key, value) in expected {
                let actual = actual.get(key).unwrap_or(&Json::Null);
                assert_like(actual, value, &format!("{what}, {key}"));
            }
        }
        (Json::Array(actual), Json::Array(expected)) => {
            assert_eq!(actual.len(), expected.len(), "{what}: {actual:?}");
            for (at, (actual, expected)) in actual.iter().zip(expected).enumerate() {
                assert_like(actual, expected, &format!("{what}, {at}"));
            }
        }
        (Json::Number(a), Json::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() <= 1e-12 * b.abs(), "{what}: {a} instead of {b}");
        }
        _ => assert_eq!(actual, expected, "{what}"),
    }
}

fn gauge(name: &str, value: &Json) -> Json {
    json!({"name": name, "gauge": {"dataPoints": [value]}})
}

fn sum(temporality: u8, is_monotonic: bool, points: &Json) -> Json {
    json!({
        "name": "s",
        "sum": {
            "aggregationTemporality": temporality,
            "isMonotonic": is_monotonic,
            "dataPoints": points,
        },
    })
}

fn attribute(key: &str, value: &str) -> Json {
    json!({"key": key, "value": {"stringValue": value}})
}

#[test]
fn numbers_become_gauges_and_counts() {
    let points = json!([
        {"startTimeUnixNano": "5000000000000", "timeUnixNano": "6000000000000", "asInt": "3"},
        {"startTimeUnixNano": "5000000000000", "timeUnixNano": "7000000000000", "asDouble": 4.5},
    ]);
    let raw = MetricsSettings { cumulative_monotonic_mode: CumulativeMode::RawValue, ..plain() };
    for (temporality, is_monotonic, settings, kind, values) in [
        (1, true, plain(), "count", [3.0, 4.5]),
        (1, false, plain(), "count", [3.0, 4.5]),
        (2, false, plain(), "gauge", [3.0, 4.5]),
        (2, true, plain(), "count", [3.0, 1.5]),
        (2, true, raw, "gauge", [3.0, 4.5]),
    ] {
        let (kept, _) = run(settings, &json!([sum(temporality, is_monotonic, &points)]));
        assert_eq!(kept.values(), values.map(|value| ("s", value)), "{temporality} {is_monotonic}");
        assert!(kept.series.iter().all(|series| series["Type"] == kind), "{:?}", kept.series);
        assert_eq!(kept.series[1]["Timestamp"], 7000 * SECOND);
    }
    let empty = json!({"timeUnixNano": "1"});
    assert_eq!(run(plain(), &json!([gauge("g", &empty)])).0.values(), [("g", 0.0)]);
}

#[test]
fn what_is_dropped_is_counted_by_reason() {
    let bounds = |bounds: Json, counts: Json| {
        let points =
            json!([{"count": "9", "sum": 1, "bucketCounts": counts, "explicitBounds": bounds}]);
        json!({"name": "h", "histogram": {"aggregationTemporality": 1, "dataPoints": points}})
    };
    let exponential = |temporality: u8, point: Json| {
        let data = json!({"aggregationTemporality": temporality, "dataPoints": [point]});
        json!({"name": "e", "exponentialHistogram": data})
    };
    let at = |value: u8, time: &str| json!({"timeUnixNano": time, "asInt": value.to_string()});
    let internal = json!({"aggregationTemporality": 1, "dataPoints": [{}, {}]});
    for (metric, reason, count) in [
        (gauge("g", &json!({"asDouble": "NaN"})), Dropped::NotFinite, 1),
        (gauge("g", &json!({"asDouble": "-Infinity"})), Dropped::NotFinite, 1),
        (gauge("g", &json!({"asInt": "1", "flags": 1})), Dropped::NoRecordedValue, 1),
        (sum(0, true, &json!([{}, {}])), Dropped::Temporality, 2),
        (exponential(2, json!({"count": "1"})), Dropped::Temporality, 1),
        (exponential(1, json!({"count": "0"})), Dropped::NoObservations, 1),
        (exponential(1, json!({"zeroCount": "268431361"})), Dropped::TooManyObservations, 1),
        (
            exponential(1, json!({"positive": {"offset": 900, "bucketCounts": ["1", "1"]}})),
            Dropped::OutOfRange,
            1,
        ),
        (bounds(json!([2, 1]), json!(["1", "1", "1"])), Dropped::NonMonotonic, 1),
        (bounds(json!(["NaN"]), json!(["1", "1"])), Dropped::NonMonotonic, 1),
        (bounds(json!([1, 2]), json!(["1", "1"])), Dropped::BucketCount, 1),
        (bounds(json!([1]), json!(["0", "268431361"])), Dropped::TooManyObservations, 1),
        (bounds(json!([1]), json!(["0", "0"])), Dropped::NoObservations, 1),
        (sum(2, true, &json!([at(1, "5")])), Dropped::FirstPoint, 1),
        (json!({"name": "none"}), Dropped::NoData, 1),
        (json!({"name": "dd.internal.stats.payload", "sum": internal}), Dropped::Internal, 2),
        (
            json!({"name": "traces.span.sdk.metrics.duration", "histogram": internal}),
            Dropped::Internal,
            2,
        ),
    ] {
        let (kept, counts) = run(plain(), &json!([metric]));
        assert!(kept.series.is_empty() && kept.sketches.is_empty(), "{metric}");
        let tally = (counts.points.received, counts.points.dropped_for(reason));
        assert_eq!(tally, (count, count), "{metric}: {counts:?}");
    }
    let points = json!([at(1, "5"), at(2, "4"), at(3, "6")]);
    let (kept, counts) = run(plain(), &json!([sum(2, true, &points)]));
    assert_eq!(kept.values(), [("s", 2.0)]);
    assert_eq!(counts.points.dropped_for(Dropped::OlderPoint), 1);
    assert_eq!((counts.rejected(), counts.points.emitted), (1, 1));
}

#[test]
fn a_full_cache_drops_new_series_only() {
    let settings = MetricsSettings { cumulative_series_max: 1, ..plain() };
    let mut translator = translator(settings, 0);
    let mut kept = Kept::default();
    for (time, secs) in [("5", 1), ("6", 2)] {
        let point = |key: &str| json!({"timeUnixNano": time, "asInt": time, "attributes": [attribute("k", key)]});
        let body = request(&json!([sum(2, true, &json!([point("a"), point("b")]))]));
        translator.translate(&body, secs, &mut kept).unwrap();
    }
    assert_eq!(kept.values(), [("s", 1.0)]);
    assert_eq!(translator.counts().points.dropped_for(Dropped::CumulativeLimit), 2);
    assert_eq!(translator.cumulative_series(), 1);
}

#[test]
fn a_body_that_breaks_off_leaves_balanced_counts() {
    let point = json!({"asInt": "1"});
    let mut body = request(&json!([gauge("a", &point)]));
    body.extend([0x0a, 200]);
    let (mut kept, mut translator) = (Kept::default(), translator(plain(), 0));
    assert!(translator.translate(&body, 1, &mut kept).is_err());
    assert_eq!(translator.counts().points.emitted, 1);
    assert!(translator.counts().is_balanced());
}

#[test]
fn tags_are_those_of_point_scope_resource_and_settings() {
    let resource_metrics = json!([{
        "scopeMetrics": [{
            "scope": {
                "name": "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/hostmetricsreceiver/disk",
                "attributes": [attribute("scoped", "")],
            },
            "metrics": [gauge("g", &json!({
                "asInt": "1",
                "attributes": [
                    attribute("k", "v"),
                    attribute("k", "v"),
                    attribute("empty", ""),
                    attribute("own", "point"),
                    {"key": "n", "value": {"doubleValue": 3}},
                ],
            }))],
        }],
        "resource": {"attributes": [
            attribute("service.name", "web"),
            attribute("own", "resource"),
            attribute("other", "resource"),
            attribute("container.id", "c1"),
        ]},
    }]);
    let mut kept = Kept::default();
    let settings = MetricsSettings {
        tags: vec!["team:a".to_owned(), "k:v".to_owned()],
        resource_attributes_as_tags: true,
        ..MetricsSettings::default()
    };
    let body = request_of(&resource_metrics);
    let counts = translator(settings, 0).translate(&body, 1, &mut kept).unwrap();
    let context = &kept.contexts[0];
    let scope = "instrumentation_scope:github.com/open-telemetry/opentelemetry-collector-contrib/\
                 receiver/hostmetricsreceiver/disk";
    let expected = [
        "container.id:c1",
        "container_id:c1",
        "empty:n/a",
        scope,
        "instrumentation_scope_version:n/a",
        "k:v",
        "n:3",
        "other:resource",
        "own:point",
        "scoped:n/a",
        "service.name:web",
        "service:web",
        "team:a",
    ];
    assert_eq!(tags(context), expected);
    assert_eq!((&*context.host, &*context.origin), ("agent", "container_id://c1"));
    let provenance = signal::Provenance { product: 10, category: 17, service: 224 };
    assert_eq!(context.provenance, provenance);
    assert_eq!(counts.resources_without_host, 1);
}

#[test]
fn equal_series_of_two_containers_are_counted_apart() {
    let of = |id: &str, value: &str, time: &str| {
        let points = json!([{"timeUnixNano": time, "asInt": value}]);
        json!({
            "resource": {"attributes": [attribute("k8s.pod.uid", id)]},
            "scopeMetrics": [{"metrics": [sum(2, true, &points)]}],
        })
    };
    let body = request_of(&json!([
        of("a", "1", "1"),
        of("b", "100", "2"),
        of("a", "3", "3"),
        of("b", "150", "4"),
    ]));
    let mut kept = Kept::default();
    translator(plain(), 0).translate(&body, 1, &mut kept).unwrap();
    assert_eq!(kept.values(), [("s", 2.0), ("s", 50.0)]);
}

#[test]
fn runtime_metrics_are_copied_behind_the_originals() {
    let eden =
        [attribute("jvm.memory.type", "heap"), attribute("jvm.memory.pool.name", "Eden Space")];
    let of = |attributes: &Json| json!({"asInt": "5", "attributes": attributes});
    let metrics = json!([
        {"name": "jvm.memory.used", "gauge": {"dataPoints": [of(&json!([])), of(&json!(eden))]}},
        gauge("process.runtime.go.goroutines", &json!({"asInt": "7"})),
    ]);
    let (kept, counts) = run(plain(), &metrics);
    let expected = [
        ("jvm.memory.used", 5.0),
        ("jvm.memory.used", 5.0),
        ("otel.process.runtime.go.goroutines", 7.0),
        ("jvm.heap_memory", 5.0),
        ("jvm.gc.eden_size", 5.0),
        ("runtime.go.num_goroutine", 7.0),
    ];
    assert_eq!(kept.values(), expected);
    // Attributes that were compared are left out.
    assert_eq!(tags(&kept.contexts[3]), ["jvm.memory.pool.name:Eden Space"]);
    assert_eq!(tags(&kept.contexts[4]), [""; 0]);
    assert_eq!((counts.points.emitted, counts.copies.emitted), (3, 3));
    let off = MetricsSettings { maps_runtime_metrics: false, ..plain() };
    assert_eq!(run(off, &metrics).0.series.len(), 3);
}

#[test]
fn of_a_histogram_the_first_point_that_meets_conditions_is_copied() {
    let heap = json!([attribute("type", "heap")]);
    let point = json!({"count": "1", "sum": 1, "attributes": heap});
    let data = json!({"aggregationTemporality": 1, "dataPoints": [{"count": "1"}, point, point]});
    let metric = json!({"name": "process.runtime.jvm.memory.init", "histogram": data});
    let (kept, counts) = run(plain(), &json!([metric]));
    assert_eq!(kept.sketches[3]["Name"], "jvm.heap_memory_init");
    assert_eq!((kept.sketches.len(), counts.copies.emitted), (4, 1));
}

#[test]
fn host_and_kafka_metrics_are_copied_where_that_is_wanted() {
    let state = json!([attribute("state", "out"), attribute("type", "original")]);
    let at = |value: &str, time: &str| json!({"asInt": value, "timeUnixNano": time, "attributes": state});
    let points = json!([at("100", "1000000000"), at("150", "6000000000")]);
    let data = json!({"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": points});
    let metrics = json!([
        {"name": "kafka.network.io", "sum": data},
        gauge("system.memory.usage", &json!({"asInt": "3145728"})),
    ]);
    let settings = MetricsSettings { remaps_host_metrics: true, ..plain() };
    let (kept, counts) = run(settings, &metrics);
    let expected = [
        ("kafka.network.io", 50.0),
        ("otel.system.memory.usage", 3_145_728.0),
        ("kafka.net.bytes_out.rate", 10.0),
        ("system.mem.total", 3.0),
    ];
    assert_eq!(kept.values(), expected);
    assert_eq!(kept.series[2]["Type"], "gauge");
    let copied = ["name:BytesOutPerSec", "state:out", "type:BrokerTopicMetrics"];
    assert_eq!(tags(&kept.contexts[2]), copied);
    assert_eq!(counts.copies.dropped_for(Dropped::FirstPoint), 1);
    assert_eq!(run(plain(), &metrics).0.series.len(), 2);
}

#[test]
fn units_are_told_where_they_are_wanted() {
    let point = json!({"count": "1", "sum": 2, "min": 1, "max": 3});
    let data = json!({"aggregationTemporality": 1, "dataPoints": [point]});
    let metrics = json!([
        {"name": "g", "unit": "By/s", "gauge": {"dataPoints": [{}]}},
        {"name": "h", "unit": "ms", "histogram": data},
    ]);
    let settings = MetricsSettings { send_aggregation_metrics: true, ..plain() };
    assert_eq!(run(settings.clone(), &metrics).0.units, [""; 5]);
    let (kept, _) = run(MetricsSettings { has_units: true, ..settings }, &metrics);
    assert_eq!(kept.units, ["byte/second", "", "millisecond", "millisecond", "millisecond"]);
}

#[test]
fn deltas_have_their_interval_where_that_is_wanted() {
    let points = json!([{
        "startTimeUnixNano": "10000000000", "timeUnixNano": "20010000000", "asInt": "1",
    }]);
    let settings = MetricsSettings { infers_interval: true, ..plain() };
    let (kept, _) = run(settings.clone(), &json!([sum(1, true, &points)]));
    assert_eq!(kept.series[0]["Interval"], 10);
    let (kept, _) = run(settings, &json!([sum(2, false, &points)]));
    assert_eq!(kept.series[0]["Interval"], 0);
}

#[test]
fn a_cumulative_histogram_without_buckets_lies_at_the_end_that_is_new() {
    let at = |time: &str, count: &str, sum: u32, max: u32| json!({"timeUnixNano": time, "count": count, "sum": sum, "min": 1, "max": max});
    let points = json!([at("1", "10", 50, 10), at("2", "14", 100, 20)]);
    let data = json!({"aggregationTemporality": 2, "dataPoints": points});
    let (kept, _) = run(plain(), &json!([{"name": "h", "histogram": data}]));
    let summary =
        json!({"Min": 19.931_631_680_416_33, "Max": 20, "Sum": 50, "Avg": 12.5, "Cnt": 4});
    assert_like(&kept.sketches[0]["Summary"], &summary, "summary");
    assert_eq!(kept.sketches.len(), 1);
}

#[test]
fn extreme_exponential_histograms_end() {
    for scale in [i32::MIN, -2000, -11, -10, 0, 20, 2000, i32::MAX] {
        for offset in [i32::MIN, -1074, -1, 0, 1, i32::MAX] {
            for counts in [json!(["1"]), json!(["5", "0", "7"])] {
                let buckets = json!({"offset": offset, "bucketCounts": counts});
                let point = json!({"scale": scale, "positive": buckets, "negative": buckets});
                let data = json!({"aggregationTemporality": 1, "dataPoints": [point]});
                let metric = json!({"name": "e", "exponentialHistogram": data});
                check_metrics(&request(&json!([metric])));
            }
        }
    }
}

#[test]
fn wide_buckets_of_one_request_are_bounded() {
    let point = |second: usize| {
        json!({
            "timeUnixNano": (second as u64 * SECOND).to_string(),
            "count": "60000000",
            "sum": 0.0,
            "explicitBounds": [-1e300, 1e300],
            "bucketCounts": ["0", "60000000", "0"],
        })
    };
    let points: Vec<Json> = (1..400).map(point).collect();
    let metrics = json!([{
        "name": "wide",
        "histogram": { "aggregationTemporality": 1, "dataPoints": points },
    }]);
    let mut translator = translator(plain(), 0);
    let counts = translator.translate(&request(&metrics), 1000, &mut Kept::default()).unwrap();
    let refused = counts.points.dropped_for(Dropped::TooManyBins);
    assert!(counts.is_balanced() && counts.sketches > 100 && refused > 100, "{counts:?}");
    assert_eq!(counts.rejected(), refused);
    // The next request has bins of its own.
    let one = json!([{
        "name": "wide",
        "histogram": { "aggregationTemporality": 1, "dataPoints": [point(1000)] },
    }]);
    let counts = translator.translate(&request(&one), 1000, &mut Kept::default()).unwrap();
    assert_eq!(counts.sketches, 1);
}
