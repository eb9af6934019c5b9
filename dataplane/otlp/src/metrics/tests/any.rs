//! Whatever is sent: nothing panics, and every point is accounted for.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{attribute, plain, request, run};
use crate::metrics::check_metrics;

/// Numbers that matter beside any.
fn number() -> impl Strategy<Value = Json> {
    prop_oneof![
        any::<i32>().prop_map(|number| json!(number)),
        (-1e6f64..1e6).prop_map(|number| json!(number)),
        prop::sample::select(vec!["NaN", "Infinity", "-Infinity"]).prop_map(|text| json!(text)),
        prop::sample::select(vec![0.0, 1e-300, 1e300, -1e300]).prop_map(|number| json!(number)),
    ]
}

fn count() -> impl Strategy<Value = Json> {
    prop_oneof![0u64..20, any::<u64>()].prop_map(|count| json!(count.to_string()))
}

fn buckets() -> impl Strategy<Value = Json> {
    (-3000i32..3000, prop::collection::vec(count(), 0..4))
        .prop_map(|(offset, counts)| json!({"offset": offset, "bucketCounts": counts}))
}

/// A point with fields of every kind of point: each takes its own.
fn point() -> impl Strategy<Value = Json> {
    let numbers = prop::collection::vec(number(), 0..5);
    let counts = prop::collection::vec(count(), 0..5);
    let head = (0u64..4, 0u64..6, 0u8..2, 0u8..3);
    (head, numbers, counts, (buckets(), buckets()), -30i32..30).prop_map(
        |((start, time, flags, value), mut numbers, counts, (positive, negative), scale)| {
            let mut next = || numbers.pop();
            let first = counts.first().cloned();
            json!({
                "startTimeUnixNano": start.to_string(),
                "timeUnixNano": time.to_string(),
                "flags": u8::from(flags == 1 && value == 0),
                "attributes": [attribute("state", &value.to_string())],
                "asDouble": next(),
                "sum": next(),
                "min": next(),
                "max": next(),
                "count": first,
                "zeroCount": first,
                "scale": scale,
                "positive": positive,
                "negative": negative,
                "bucketCounts": counts,
                "explicitBounds": (1..counts.len()).collect::<Vec<_>>(),
                "quantileValues": [{"quantile": 0.5, "value": next()}],
            })
        },
    )
}

fn metric() -> impl Strategy<Value = Json> {
    let kinds = vec!["gauge", "sum", "histogram", "exponentialHistogram", "summary"];
    let names = vec!["a", "system.memory.usage", "kafka.network.io", "jvm.memory.used"];
    let points = prop::collection::vec(point(), 0..4);
    let (name, kind) = (prop::sample::select(names), prop::sample::select(kinds));
    (name, kind, 0u8..3, any::<bool>(), points).prop_map(
        |(name, kind, temporality, is_monotonic, points)| {
            let mut data = json!({"dataPoints": points});
            if kind != "gauge" && kind != "summary" {
                data["aggregationTemporality"] = json!(temporality);
            }
            if kind == "sum" {
                data["isMonotonic"] = json!(is_monotonic);
            }
            json!({"name": name, "unit": "ms", kind: data})
        },
    )
}

/// Also with each byte changed twice, which the fuzzer does by chance.
#[test]
fn inputs_of_the_fuzzer_are_survived() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/otlp-metrics");
    let mut count = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let mut body = std::fs::read(entry.unwrap().path()).unwrap();
        check_metrics(&body);
        for at in 0..body.len() {
            let byte = body[at];
            for changed in [byte ^ 1, 0xff] {
                body[at] = changed;
                check_metrics(&body);
            }
            body[at] = byte;
        }
        count += 1;
    }
    assert!(count >= 10, "{count} inputs");
}

proptest! {
    #[test]
    fn any_bytes_are_survived(body: Vec<u8>) {
        check_metrics(&body);
    }

    #[test]
    fn any_points_are_accounted_for(metrics in prop::collection::vec(metric(), 0..5)) {
        let points = |metric: &Json| {
            let data = metric.as_object().unwrap().values().find_map(|data| data.get("dataPoints"));
            data.unwrap().as_array().unwrap().len() as u64
        };
        let received: u64 = metrics.iter().map(points).sum();
        let (kept, counts) = run(plain(), &json!(metrics));
        prop_assert_eq!(counts.points.received, received);
        prop_assert_eq!(counts.series, kept.series.len() as u64);
        prop_assert_eq!(counts.sketches, kept.sketches.len() as u64);
        check_metrics(&request(&json!(metrics)));
    }
}
