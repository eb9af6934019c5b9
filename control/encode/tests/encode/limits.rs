//! Limits hold, and what they cost is counted.

use corelane_encode::{
    Encoding, Limits, MetricsEncoder, Payload, PayloadKind, SeriesForm, Settings, SketchesForm, Tee,
};
use signal::SeriesKind;

use crate::build::{NOW, OwnedSeries, OwnedSketch, context, encode, feed, series, sketch_of};
use crate::read;

const FORMS: [SeriesForm; 2] = [SeriesForm::V2, SeriesForm::V3];

fn with_form(series_form: SeriesForm) -> Settings {
    Settings { series_form, ..Settings::default() }
}

/// Text that does not compress, the same for the same seed.
fn noise(len: usize, seed: u64) -> String {
    let mut state = seed | 1;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
            char::from(b'!' + (state >> 57) as u8 % 90)
        })
        .collect()
}

fn noisy(count: u64, tag_bytes: usize) -> Vec<OwnedSeries> {
    (0..count)
        .map(|i| {
            let tag = format!("t:{}", noise(tag_bytes, i * 7919 + 1));
            series(context(&format!("m{i}"), "h", &[&tag]), SeriesKind::Gauge, &[i as f64])
        })
        .collect()
}

fn names(payloads: &[Payload]) -> Vec<String> {
    payloads.iter().flat_map(|payload| read::metrics(payload).0).map(|series| series.name).collect()
}

#[test]
fn a_series_over_the_points_limit_is_dropped_and_one_at_it_stands_alone() {
    for form in FORMS {
        let big = |count| series(context("big", "h", &[]), SeriesKind::Gauge, &vec![1.5; count]);
        let small = series(context("small", "h", &[]), SeriesKind::Gauge, &[1.0]);
        let all = [small.clone(), big(10_000), small, big(10_001)];
        let (payloads, stats) = encode(&with_form(form), &all, &[]);
        let points: Vec<u64> = payloads.iter().map(|payload| payload.points).collect();
        assert_eq!(points, [1, 10_000, 1]);
        assert_eq!((stats.items_too_big, stats.points_too_big), (1, 10_001));
    }
}

#[test]
fn payloads_are_cut_at_the_points_limit() {
    for form in FORMS {
        let one = series(context("m", "h", &["a:b"]), SeriesKind::Gauge, &[1.0, 2.0, 3.0]);
        let settings = Settings { series_points_max: 10, ..with_form(form) };
        let (payloads, _) = encode(&settings, &vec![one; 8], &[]);
        let points: Vec<u64> = payloads.iter().map(|payload| payload.points).collect();
        assert_eq!(points, [9, 9, 6]);
    }
}

#[test]
fn incompressible_series_are_split_and_none_is_lost() {
    let all = noisy(6000, 200);
    for series_form in [SeriesForm::V1, SeriesForm::V2, SeriesForm::V3] {
        for compression in [Encoding::Zstd, Encoding::Deflate, Encoding::Gzip, Encoding::Identity] {
            let settings = Settings {
                compression,
                limits: Settings::default().series_limits,
                ..with_form(series_form)
            };
            let (payloads, stats) = encode(&settings, &all, &[]);
            assert!(payloads.len() > 1);
            for payload in &payloads {
                assert!(payload.body.len() <= 512_000);
                assert!(payload.uncompressed_bytes <= 5_242_880);
            }
            assert_eq!(stats.items_out, 6000);
            if series_form != SeriesForm::V1 {
                let expected: Vec<String> = (0..6000).map(|i| format!("m{i}")).collect();
                assert_eq!(names(&payloads), expected);
            }
        }
    }
}

#[test]
fn compressible_series_fill_a_payload_to_its_uncompressed_limit() {
    // A first batch of the same kind teaches the columnar encoder the ratio.
    let all: Vec<OwnedSeries> = (0..9000)
        .map(|i| {
            let tag = format!("customer:{}{i:06}", "abcdefgh".repeat(60));
            series(context("m", "h", &[&tag]), SeriesKind::Gauge, &[1.0])
        })
        .collect();
    for form in FORMS {
        let limits =
            Limits { uncompressed_bytes_max: 2_000_000, ..Settings::default().series_limits };
        let settings = Settings { series_limits: limits, ..with_form(form) };
        let (payloads, stats) = encode(&settings, &all, &[]);
        assert_eq!(stats.items_out, 9000);
        assert!(payloads.iter().any(|payload| payload.uncompressed_bytes > 1_900_000));
        assert!(payloads.iter().all(|payload| payload.uncompressed_bytes <= 2_000_000));
        assert!(payloads.len() <= 5, "{form:?}: {}", payloads.len());
    }
}

#[test]
fn a_wrong_guess_of_the_ratio_splits_the_payload() {
    // Compressible rows teach a good ratio, noise then breaks the promise.
    let mut all: Vec<OwnedSeries> = (0..4000)
        .map(|i| {
            let tag = format!("customer:{}{i:06}", "abcdefgh".repeat(40));
            series(context(&format!("c{i}"), "h", &[&tag]), SeriesKind::Gauge, &[1.0])
        })
        .collect();
    all.extend(noisy(9000, 150));
    let (payloads, stats) = encode(&with_form(SeriesForm::V3), &all, &[]);
    assert_eq!(stats.items_out, 13_000);
    assert!(payloads.iter().all(|payload| payload.body.len() <= 512_000));
    let expected: Vec<String> = all.iter().map(|series| series.context.name.to_string()).collect();
    assert_eq!(names(&payloads), expected);
}

#[test]
fn one_huge_item_is_dropped_and_its_neighbours_are_sent() {
    let tag = format!("t:{}", noise(800_000, 3));
    let huge = series(context("huge", "h", &[&tag]), SeriesKind::Gauge, &[1.0, f64::NAN, 2.0]);
    let small = |name| series(context(name, "h", &["a:b"]), SeriesKind::Gauge, &[1.0]);
    for form in FORMS {
        let all = [small("a"), huge.clone(), small("b")];
        let (payloads, stats) = encode(&with_form(form), &all, &[]);
        assert_eq!(names(&payloads), ["a", "b"], "{form:?}");
        assert_eq!((stats.items_too_big, stats.points_too_big), (1, 2));
        assert_eq!(stats.points_not_finite, 1);
    }
}

#[test]
fn limits_of_nothing_drop_everything_and_count_it() {
    let all = noisy(10, 10);
    let sketch =
        OwnedSketch { context: context("d", "h", &[]), points: vec![(NOW, sketch_of(&[1.0]))] };
    for series_form in [SeriesForm::V1, SeriesForm::V2, SeriesForm::V3] {
        for sketches_form in [SketchesForm::V2, SketchesForm::V3] {
            for compression in
                [Encoding::Zstd, Encoding::Deflate, Encoding::Gzip, Encoding::Identity]
            {
                let none = Limits { compressed_bytes_max: 0, uncompressed_bytes_max: 0 };
                let settings = Settings {
                    limits: none,
                    series_limits: none,
                    compression,
                    sketches_form,
                    ..with_form(series_form)
                };
                let (payloads, stats) = encode(&settings, &all, std::slice::from_ref(&sketch));
                assert!(payloads.is_empty());
                assert_eq!((stats.items_too_big, stats.points_too_big), (11, 11));
            }
        }
    }
}

#[test]
fn non_finite_points_are_dropped_and_counted() {
    let bad = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let some = series(context("some", "h", &[]), SeriesKind::Gauge, &[1.0, bad[0], 2.0, bad[1]]);
    let none = series(context("none", "h", &[]), SeriesKind::Gauge, &bad);
    let overflow = sketch_of(&[f64::MAX, f64::MAX]);
    let sketch = OwnedSketch {
        context: context("d", "h", &[]),
        points: vec![(NOW, overflow), (NOW + 10, sketch_of(&[1.0]))],
    };
    for (series_form, sketches_form) in
        [(SeriesForm::V2, SketchesForm::V2), (SeriesForm::V3, SketchesForm::V3)]
    {
        let settings = Settings { sketches_form, ..with_form(series_form) };
        let (payloads, stats) =
            encode(&settings, &[some.clone(), none.clone()], std::slice::from_ref(&sketch));
        assert_eq!((stats.points_not_finite, stats.items_empty, stats.points_out), (6, 1, 3));
        assert_eq!(read::metrics(&payloads[0]).0[0].points, [(NOW, 1.0), (NOW + 2, 2.0)]);
        assert_eq!(read::metrics(&payloads[1]).1[0].points[0].timestamp, NOW + 10);
    }
    let (payloads, stats) = encode(&with_form(SeriesForm::V1), &[some, none], &[]);
    let value: serde_json::Value = serde_json::from_slice(&read::body(&payloads[0])).unwrap();
    assert_eq!(value["series"][0]["points"], serde_json::json!([[NOW, 1.0], [NOW + 2, 2.0]]));
    assert_eq!((stats.points_not_finite, stats.items_empty), (5, 1));
}

#[test]
fn disabled_kinds_are_counted_and_not_sent() {
    let settings =
        Settings { series_enabled: false, sketches_enabled: false, ..Settings::default() };
    let one = series(context("m", "h", &[]), SeriesKind::Gauge, &[1.0, 2.0]);
    let (payloads, stats) = encode(&settings, &[one], &[]);
    assert!(payloads.is_empty());
    assert_eq!((stats.items_disabled, stats.points_disabled, stats.points_dropped()), (1, 2, 2));
}

#[test]
fn a_tee_feeds_two_forms() {
    let (mut new, mut old) = (Vec::new(), Vec::new());
    let mut tee = Tee(
        MetricsEncoder::new(&with_form(SeriesForm::V3), |payload| new.push(payload)),
        MetricsEncoder::new(&with_form(SeriesForm::V2), |payload| old.push(payload)),
    );
    feed(&mut tee, &noisy(3, 10), &[]);
    let (new_stats, old_stats) = (tee.0.finish(), tee.1.finish());
    assert_eq!((new_stats.points_out, old_stats.points_out), (3, 3));
    assert_eq!((new[0].kind, old[0].kind), (PayloadKind::SeriesV3, PayloadKind::SeriesV2));
    assert_eq!(names(&new), names(&old));
}

#[test]
fn an_encoder_starts_afresh_after_finish() {
    for form in FORMS {
        let mut payloads = Vec::new();
        let mut encoder = MetricsEncoder::new(&with_form(form), |payload| payloads.push(payload));
        assert_eq!(encoder.finish(), corelane_encode::EncodeStats::default());
        feed(&mut encoder, &noisy(50, 20), &[]);
        let first = encoder.finish();
        feed(&mut encoder, &noisy(50, 20), &[]);
        assert_eq!(encoder.finish(), first);
        assert_eq!(payloads.len(), 2);
        assert_eq!(payloads[0], payloads[1]);
    }
}
