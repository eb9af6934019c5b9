//! The spec's vectors, all lines. spec: otlp §10.

use serde_json::{Value as Json, json};

use super::super::run::inferred_interval_secs;
use super::{Kept, SECOND, assert_like, plain, request, run, translator};
use crate::metrics::{HistogramMode, InitialValue, MetricsSettings, SummaryMode, ZeroBucket};

fn lines(text: &str) -> Vec<Json> {
    let lines: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!lines.is_empty());
    lines
}

/// Takes the interval out of an expected sketch, which has none here, and sorts tags.
fn prepare(expected: &mut Json) -> Vec<u64> {
    let list = expected.as_array_mut().unwrap();
    let mut intervals = Vec::new();
    for item in list {
        if let Some(tags) = item.get_mut("Tags").and_then(Json::as_array_mut) {
            tags.sort_by_key(|tag| tag.as_str().unwrap().to_owned());
        }
        if item.get("Keys").is_some()
            && let Some(interval) = item.as_object_mut().unwrap().remove("Interval")
        {
            intervals.push(interval.as_u64().unwrap());
        }
    }
    intervals
}

fn nanos(point: &Json, field: &str) -> u64 {
    point[field].as_str().map_or(0, |text| text.parse().unwrap())
}

fn assert_sent(kept: &Kept, line: &mut Json) {
    let name = line["name"].to_string();
    prepare(&mut line["series"]);
    if let Some(sketches) = line.get_mut("sketches") {
        prepare(sketches);
        assert_like(&json!(kept.sketches), &line["sketches"], &name);
    }
    assert_like(&json!(kept.series), &line["series"], &name);
}

#[test]
fn histograms_become_what_the_vectors_say() {
    for mut line in lines(include_str!("../../../../../tests/vectors/otlp_histogram.jsonl")) {
        let options = &line["options"];
        let zero_bucket = match line["rule"].as_str() {
            Some("2025") => ZeroBucket::Spread,
            Some("2026" | "any") => ZeroBucket::AtBound,
            rule => panic!("an unknown rule: {rule:?}"),
        };
        let mode = match options["mode"].as_str() {
            Some("distributions") => HistogramMode::Distributions,
            Some("counters") => HistogramMode::Counters,
            Some("nobuckets") => HistogramMode::NoBuckets,
            mode => panic!("an unknown mode: {mode:?}"),
        };
        let infers_interval = options["infer_interval"].as_bool().unwrap();
        let settings = MetricsSettings {
            histogram_mode: mode,
            send_aggregation_metrics: options["send_aggregation_metrics"].as_bool().unwrap(),
            infers_interval,
            zero_bucket,
            ..plain()
        };
        let (kept, _) = run(settings, &line["metrics"]);
        let intervals = prepare(&mut line["sketches"]);
        if infers_interval {
            let point = &line["metrics"][0]["histogram"]["dataPoints"][0];
            let (start, time) = (nanos(point, "startTimeUnixNano"), nanos(point, "timeUnixNano"));
            assert_eq!(intervals, [u64::from(inferred_interval_secs(start, time))], "{line}");
        }
        if line["rule"] == "any" {
            let settings = MetricsSettings {
                zero_bucket: ZeroBucket::Spread,
                histogram_mode: mode,
                send_aggregation_metrics: line["options"]["send_aggregation_metrics"]
                    .as_bool()
                    .unwrap(),
                ..plain()
            };
            assert_sent(&run(settings, &line["metrics"]).0, &mut line);
        }
        assert_sent(&kept, &mut line);
    }
}

#[test]
fn exponential_histograms_become_what_the_vectors_say() {
    for mut line in lines(include_str!("../../../../../tests/vectors/otlp_exp_histogram.jsonl")) {
        let settings = MetricsSettings {
            send_aggregation_metrics: line["options"]["send_aggregation_metrics"]
                .as_bool()
                .unwrap(),
            ..plain()
        };
        let points = json!([line["point"]]);
        let data = json!({"aggregationTemporality": 1, "dataPoints": points});
        let (kept, _) = run(settings, &json!([{"name": "e", "exponentialHistogram": data}]));
        assert_sent(&kept, &mut line);
    }
}

#[test]
fn cumulative_sums_become_what_the_vectors_say() {
    for line in lines(include_str!("../../../../../tests/vectors/otlp_cumulative.jsonl")) {
        let initial = match line["initial_value"].as_str() {
            Some("auto") => InitialValue::Auto,
            Some("keep") => InitialValue::Keep,
            Some("drop") => InitialValue::Drop,
            value => panic!("an unknown initial value: {value:?}"),
        };
        let settings =
            MetricsSettings { initial_cumulative_monotonic_value: Some(initial), ..plain() };
        let mut translator = translator(settings, line["process_start_s"].as_u64().unwrap());
        let point = |point: &Json| {
            let at = |field: &str| (point[field].as_u64().unwrap_or(0) * SECOND).to_string();
            json!({
                "startTimeUnixNano": at("start_s"),
                "timeUnixNano": at("time_s"),
                "asInt": point["value"].to_string(),
            })
        };
        let points: Vec<Json> = line["points"].as_array().unwrap().iter().map(point).collect();
        let requests: Vec<Vec<Json>> = if line["one_request"].as_bool().unwrap() {
            vec![points]
        } else {
            points.into_iter().map(|point| vec![point]).collect()
        };
        let mut kept = Kept::default();
        for points in requests {
            let sum = json!({
                "aggregationTemporality": 2, "isMonotonic": true, "dataPoints": points,
            });
            let body = request(&json!([{"name": "c", "sum": sum}]));
            translator.translate(&body, 5, &mut kept).unwrap();
        }
        let out = line["out"].as_array().unwrap();
        let expected: Vec<Json> = out
            .iter()
            .map(|out| {
                json!({
                    "Name": "c",
                    "Type": out["type"],
                    "Timestamp": out["time_s"].as_u64().unwrap() * SECOND,
                    "Value": out["value"],
                })
            })
            .collect();
        assert_like(&json!(kept.series), &json!(expected), &line.to_string());
    }
}

#[test]
fn summaries_become_what_the_vectors_say() {
    for mut line in lines(include_str!("../../../../../tests/vectors/otlp_summary.jsonl")) {
        let options = &line["options"];
        assert_eq!(options["process_start"], "after all points");
        let settings = MetricsSettings {
            summary_mode: match options["summaries.mode"].as_str() {
                Some("gauges") => SummaryMode::Gauges,
                Some("noquantiles") => SummaryMode::NoQuantiles,
                mode => panic!("an unknown mode: {mode:?}"),
            },
            initial_cumulative_monotonic_value: match options["initial_value"].as_str() {
                Some("auto") => None,
                Some("keep") => Some(InitialValue::Keep),
                value => panic!("an unknown initial value: {value:?}"),
            },
            ..plain()
        };
        let metrics = json!([{"name": "s", "summary": {"dataPoints": line["points"]}}]);
        let mut kept = Kept::default();
        let mut translator = translator(settings, 1_800_000_000);
        translator.translate(&request(&metrics), 1, &mut kept).unwrap();
        // The vectors have the quantiles of a point behind its count and sum.
        assert_sent(&kept, &mut line);
    }
}
