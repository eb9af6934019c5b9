//! Byte-exact bodies and decisions of the specification. spec: metrics-intake §11.

use corelane_encode::{Encoding, PayloadKind, SeriesForm, Settings, SketchesForm};
use signal::SeriesKind;

use crate::build::{NOW, OwnedSketch, context, encode, series, sketch_of};
use crate::read;

const SETTINGS: fn(SeriesForm) -> Settings =
    |series_form| Settings { compression: Encoding::Identity, series_form, ..Settings::default() };

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The vectors, `name` and `hex` per line.
pub(crate) fn vector(name: &str) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/metrics_intake.jsonl");
    std::fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .find(|vector| vector["name"] == name)
        .map(|vector| vector["hex"].as_str().unwrap().to_owned())
        .unwrap()
}

#[test]
fn series_v2_is_byte_exact() {
    let context = context("page.views", "web-1", &["env:prod", "a:b"]);
    let (payloads, _) =
        encode(&SETTINGS(SeriesForm::V2), &[series(context, SeriesKind::Rate, &[4.2])], &[]);
    assert_eq!(hex(&payloads[0].body), vector("series_v2"));
    assert_eq!(payloads[0].kind, PayloadKind::SeriesV2);
    assert_eq!(payloads[0].path(), "/api/v2/series");
    assert_eq!(payloads[0].content_type(), "application/x-protobuf");
}

#[test]
fn sketches_v2_are_byte_exact() {
    let sketch = OwnedSketch {
        context: context("lat", "web-1", &["env:prod"]),
        points: vec![(NOW, sketch_of(&[1.0, 2.0, 3.0]))],
    };
    let (payloads, _) = encode(&SETTINGS(SeriesForm::V2), &[], &[sketch]);
    assert_eq!(hex(&payloads[0].body), vector("sketches_v2"));
}

#[test]
fn series_v3_is_byte_exact() {
    let gauge = |name: &str, tags: &[&str], value: f64| {
        series(context(name, "web-1", tags), SeriesKind::Gauge, &[value])
    };
    let views = context("page.views", "web-1", &["env:prod", "a:b"]);
    let mut average = gauge("lat", &["env:prod"], 0.5);
    average.suffix = ".avg".to_owned();
    average.unit = "millisecond".to_owned();
    let all = [
        series(views, SeriesKind::Rate, &[4.2]),
        gauge("q.len", &["env:prod"], 7.0),
        average,
        gauge("up", &[], 0.0),
    ];
    let (payloads, _) = encode(&SETTINGS(SeriesForm::V3), &all, &[]);
    assert_eq!(hex(&payloads[0].body), vector("series_v3"));
    assert_eq!(payloads[0].body.len(), 185);
}

#[test]
fn series_v1_is_the_documented_json() {
    let context = context("page.views", "web-1", &["device:sda1", "env:prod"]);
    let mut views = series(context, SeriesKind::Rate, &[4.2]);
    views.source_type_name = "System".to_owned();
    let (payloads, _) = encode(&SETTINGS(SeriesForm::V1), &[views], &[]);
    assert_eq!(
        std::str::from_utf8(&payloads[0].body).unwrap(),
        "{\"series\":[{\"metric\":\"page.views\",\"points\":[[1700000000,4.2]],\
         \"tags\":[\"env:prod\"],\"host\":\"web-1\",\"device\":\"sda1\",\"type\":\"rate\",\
         \"interval\":10,\"source_type_name\":\"System\"}]}"
    );
    assert_eq!(payloads[0].content_type(), "application/json");
}

#[test]
fn columns_are_coded_as_by_hand() {
    let sets = [context("a", "", &["t1", "t2"]), context("b", "", &["t1", "t3"])];
    let [first, second] = sets.map(|context| series(context, SeriesKind::Gauge, &[0.0, 0.0]));
    let mut all = [first, second];
    for (series, timestamps) in all.iter_mut().zip([[1000, 1000], [2000, 3000]]) {
        for (point, timestamp) in series.points.iter_mut().zip(timestamps) {
            point.timestamp_secs = timestamp;
        }
    }
    let (payloads, _) = encode(&SETTINGS(SeriesForm::V3), &all, &[]);
    let body = hex(&payloads[0].body);
    assert!(body.contains(&vector("column_timestamps")), "{body}");
    assert!(body.contains(&vector("column_tagsets")), "{body}");

    let sketch = OwnedSketch {
        context: context("lat", "", &[]),
        points: vec![(NOW, sketch_of(&[1.0, 2.0]))],
    };
    let settings = Settings { sketches_form: SketchesForm::V3, ..SETTINGS(SeriesForm::V3) };
    let (payloads, _) = encode(&settings, &[], &[sketch]);
    let body = hex(&payloads[0].body);
    assert!(body.contains(&vector("column_bin_keys")), "{body}");
}

#[test]
fn resource_tags_become_resources_of_series_only() {
    let tags = ["a:b", "dd.internal.resource:aws_rds_instance:db1", "device:sda1"];
    let context = context("disk", "web-1", &tags);
    let owned = series(context.clone(), SeriesKind::Gauge, &[1.0]);
    for form in [SeriesForm::V2, SeriesForm::V3] {
        let (payloads, _) = encode(&SETTINGS(form), std::slice::from_ref(&owned), &[]);
        let read = &read::metrics(&payloads[0]).0[0];
        let expected = [("host", "web-1"), ("device", "sda1"), ("aws_rds_instance", "db1")];
        assert_eq!(read.resources, expected.map(|(kind, name)| (kind.to_owned(), name.to_owned())));
        assert_eq!(read.tags, ["a:b"]);
    }
    let sketch = OwnedSketch { context, points: vec![(NOW, sketch_of(&[1.0]))] };
    for sketches_form in [SketchesForm::V2, SketchesForm::V3] {
        let settings = Settings { sketches_form, ..SETTINGS(SeriesForm::V2) };
        let (payloads, _) = encode(&settings, &[], std::slice::from_ref(&sketch));
        assert_eq!(read::metrics(&payloads[0]).1[0].tags, tags);
    }
}

#[test]
fn an_empty_host_is_a_resource_in_v2_and_none_in_v3() {
    let owned = series(context("up", "", &[]), SeriesKind::Gauge, &[1.0]);
    let resources = |form| {
        let (payloads, _) = encode(&SETTINGS(form), std::slice::from_ref(&owned), &[]);
        read::metrics(&payloads[0]).0[0].resources.clone()
    };
    assert_eq!(resources(SeriesForm::V2), [("host".to_owned(), String::new())]);
    assert_eq!(resources(SeriesForm::V3), []);
}

#[test]
fn no_index_is_marked_in_both_forms() {
    let mut owned = series(context("n", "h", &[]), SeriesKind::Gauge, &[1.0]);
    owned.is_no_index = true;
    for form in [SeriesForm::V2, SeriesForm::V3] {
        let (payloads, _) = encode(&SETTINGS(form), std::slice::from_ref(&owned), &[]);
        assert!(read::metrics(&payloads[0]).0[0].is_no_index);
    }
}
