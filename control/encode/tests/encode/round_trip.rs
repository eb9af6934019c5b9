//! Encode, decode, compare: whatever the content, the forms, the codec and the limits.

use std::sync::Arc;

use corelane_encode::{Encoding, Limits, SeriesForm, Settings, SketchesForm};
use proptest::prelude::*;
use signal::{Context, Point, Provenance, SeriesKind};

use crate::build::{OwnedSeries, OwnedSketch, context_of, encode, sketch_of};
use crate::read::{self, ReadSeries, ReadSketch, SketchPoint};

fn any_context() -> impl Strategy<Value = Arc<Context>> {
    let tag = prop_oneof![
        4 => "[a-c]{1,3}:[a-d]{0,8}",
        1 => "device:[a-b]{0,2}",
        1 => "dd.internal.resource:[a-b]{0,1}:?[a-b]{0,1}",
        1 => "\\PC{1,12}",
    ];
    let tags = prop::collection::btree_set(tag, 0..6);
    let provenance = prop_oneof![
        Just(Provenance::DOGSTATSD),
        Just(Provenance::INTERNAL),
        (0_u32..200).prop_map(Provenance::jmx),
    ];
    ("[a-f.]{1,12}", "[h-i]{0,2}", tags, provenance).prop_map(|(name, host, tags, provenance)| {
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        context_of(&name, &host, &tags, provenance)
    })
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        (-1_000_000_i64..1_000_000).prop_map(|v| v as f64),
        any::<i64>().prop_map(|v| v as f64),
        any::<f32>().prop_map(f64::from).prop_filter("finite", |v| v.is_finite()),
        any::<f64>().prop_filter("finite", |v| v.is_finite()),
        Just(f64::NAN),
    ]
}

fn any_series() -> impl Strategy<Value = OwnedSeries> {
    let kind =
        prop_oneof![Just(SeriesKind::Count), Just(SeriesKind::Rate), Just(SeriesKind::Gauge)];
    let point = (any_timestamp(), any_value())
        .prop_map(|(timestamp_secs, value)| Point { timestamp_secs, value });
    (
        any_context(),
        prop_oneof![Just(""), Just(".max"), Just(".95percentile")],
        kind,
        any::<u32>(),
        prop_oneof![Just(""), Just("millisecond"), Just("byte")],
        prop_oneof![Just(""), Just("System")],
        any::<bool>(),
        prop::collection::vec(point, 1..5),
    )
        .prop_map(
            |(context, suffix, kind, interval_secs, unit, source, is_no_index, points)| {
                OwnedSeries {
                    context,
                    suffix: suffix.to_owned(),
                    kind,
                    interval_secs,
                    unit: unit.to_owned(),
                    source_type_name: source.to_owned(),
                    is_no_index,
                    points,
                }
            },
        )
}

fn any_timestamp() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 1_700_000_000_i64..1_700_001_000, 1 => any::<i64>()]
}

fn any_sketch() -> impl Strategy<Value = OwnedSketch> {
    let samples = prop::collection::vec(-1e9_f64..1e9, 1..30);
    let whole = prop::collection::vec((-50_i64..50).prop_map(|v| v as f64), 1..30);
    let point = (any_timestamp(), prop_oneof![samples, whole])
        .prop_map(|(timestamp, samples)| (timestamp, sketch_of(&samples)));
    (any_context(), prop::collection::vec(point, 1..4))
        .prop_map(|(context, points)| OwnedSketch { context, points })
}

/// What a reader must see of a series, with its tags sorted.
fn expected_series(owned: &OwnedSeries, form: SeriesForm) -> ReadSeries {
    let context = &owned.context;
    let mut tags = Vec::new();
    let mut device = None;
    let mut resources = Vec::new();
    for tag in context.tags.tags.iter().map(ToString::to_string) {
        let parts: Vec<&str> = tag.splitn(3, ':').collect();
        match parts[..] {
            ["device", ..] => device = tag.strip_prefix("device:").map(str::to_owned),
            ["dd.internal.resource", kind, name] if !kind.is_empty() && !name.is_empty() => {
                resources.push((kind.to_owned(), name.to_owned()));
            }
            ["dd.internal.resource", ..] => {}
            _ => tags.push(tag),
        }
    }
    if let Some(device) = device.filter(|device| !device.is_empty()) {
        resources.insert(0, ("device".to_owned(), device));
    }
    if form == SeriesForm::V2 || !context.host.is_empty() {
        resources.insert(0, ("host".to_owned(), context.host.to_string()));
    }
    let finite = owned.points.iter().filter(|point| point.value.is_finite());
    let Provenance { product, category, service } = context.provenance;
    tags.sort();
    ReadSeries {
        name: format!("{}{}", context.name, owned.suffix),
        tags,
        resources,
        kind: owned.kind as u64,
        interval: u64::from(owned.interval_secs),
        unit: owned.unit.clone(),
        source_type: owned.source_type_name.clone(),
        origin: (product, category, service),
        is_no_index: owned.is_no_index,
        points: finite.map(|point| (point.timestamp_secs, point.value)).collect(),
    }
}

fn expected_sketch(owned: &OwnedSketch, form: SketchesForm) -> ReadSketch {
    let Provenance { product, category, service } = owned.context.provenance;
    let mut tags: Vec<String> = owned.context.tags.tags.iter().map(ToString::to_string).collect();
    tags.sort();
    ReadSketch {
        name: owned.context.name.to_string(),
        tags,
        host: owned.context.host.to_string(),
        origin: (product, category, service),
        points: owned
            .points
            .iter()
            .map(|(timestamp, sketch)| SketchPoint {
                timestamp: *timestamp,
                count: sketch.count(),
                sum: sketch.sum(),
                min: sketch.min(),
                max: sketch.max(),
                avg: (form == SketchesForm::V2).then(|| sketch.avg()),
                bins: sketch.bins().iter().map(|bin| (i32::from(bin.key), bin.count)).collect(),
            })
            .collect(),
    }
}

fn any_encoding() -> impl Strategy<Value = Encoding> {
    prop_oneof![
        3 => Just(Encoding::Zstd),
        1 => Just(Encoding::Deflate),
        1 => Just(Encoding::Gzip),
        1 => Just(Encoding::Identity),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn what_is_sent_is_what_was_given(
        series in prop::collection::vec(any_series(), 0..60),
        sketches in prop::collection::vec(any_sketch(), 0..30),
        compression in any_encoding(),
        compressed in prop_oneof![1 => 100_usize..600, 1 => 600_usize..6000, 1 => Just(512_000)],
        uncompressed in prop_oneof![1 => 100_usize..1000, 1 => 1000_usize..6000, 2 => Just(5_242_880)],
        points_max in prop_oneof![1 => 0_u64..20, 1 => Just(10_000)],
    ) {
        let limits =
            Limits { compressed_bytes_max: compressed, uncompressed_bytes_max: uncompressed };
        for (series_form, sketches_form) in
            [(SeriesForm::V2, SketchesForm::V2), (SeriesForm::V3, SketchesForm::V3)]
        {
            let settings = Settings {
                compression,
                limits,
                series_limits: limits,
                series_points_max: points_max,
                series_form,
                sketches_form,
                ..Settings::default()
            };
            let (payloads, stats) = encode(&settings, &series, &sketches);
            let (mut read_series, mut read_sketches) = (Vec::new(), Vec::new());
            for payload in &payloads {
                prop_assert!(payload.body.len() <= compressed);
                prop_assert!(payload.uncompressed_bytes <= uncompressed as u64);
                let (series, sketches) = read::metrics(payload);
                prop_assert!(series.is_empty() || payload.points <= points_max);
                read_series.extend(series);
                read_sketches.extend(sketches);
            }
            read_series.iter_mut().for_each(|series| series.tags.sort());
            read_sketches.iter_mut().for_each(|sketch| sketch.tags.sort());
            let expected_series = series
                .iter()
                .map(|series| expected_series(series, series_form))
                .filter(|series| !series.points.is_empty());
            let expected_sketches =
                sketches.iter().map(|sketch| expected_sketch(sketch, sketches_form));
            if stats.items_too_big == 0 {
                prop_assert_eq!(read_series, expected_series.collect::<Vec<_>>());
                prop_assert_eq!(read_sketches, expected_sketches.collect::<Vec<_>>());
            } else {
                prop_assert!(is_subsequence(&read_series, expected_series));
                prop_assert!(is_subsequence(&read_sketches, expected_sketches));
            }
        }
    }

    #[test]
    fn v1_is_json_within_its_limits(
        series in prop::collection::vec(any_series(), 0..40),
        compression in any_encoding(),
        max in 150_usize..5000,
    ) {
        let settings = Settings {
            compression,
            limits: Limits { compressed_bytes_max: max, uncompressed_bytes_max: 2 * max },
            series_form: SeriesForm::V1,
            ..Settings::default()
        };
        let (payloads, stats) = encode(&settings, &series, &[]);
        let mut points = 0;
        for payload in &payloads {
            prop_assert!(payload.body.len() <= max);
            let value: serde_json::Value = serde_json::from_slice(&read::body(payload)).unwrap();
            let series = value["series"].as_array().unwrap();
            prop_assert_eq!(series.len() as u64, payload.items);
            points += series.iter().map(|s| s["points"].as_array().unwrap().len() as u64).sum::<u64>();
        }
        prop_assert_eq!(points, stats.points_out);
    }
}

fn is_subsequence<T: PartialEq>(some: &[T], all: impl Iterator<Item = T>) -> bool {
    let mut left = some.iter().peekable();
    for item in all {
        if left.peek() == Some(&&item) {
            left.next();
        }
    }
    left.peek().is_none()
}
