use super::*;
use crate::BIN_LIMIT;
use proptest::prelude::*;

struct Vector {
    inserts: Vec<(f64, f64)>,
    keys: Vec<i16>,
    counts: Vec<u32>,
    summary: (i64, f64, f64, f64, f64),
    quantiles: Vec<(f64, f64)>,
}

fn of(values: &[f64]) -> Vec<(f64, f64)> {
    values.iter().map(|&v| (v, 1.0)).collect()
}

/// spec: dogstatsd §15.5.
#[expect(clippy::approx_constant, reason = "a value of the table")]
fn vectors() -> Vec<Vector> {
    vec![
        Vector {
            inserts: of(&[1.0]),
            keys: vec![1338],
            counts: vec![1],
            summary: (1, 1.0, 1.0, 1.0, 1.0),
            quantiles: vec![(0.5, 1.0), (0.99, 1.0)],
        },
        Vector {
            inserts: (0..10).map(|v| (f64::from(v), 1.0)).collect(),
            keys: vec![0, 1338, 1383, 1409, 1427, 1442, 1454, 1464, 1472, 1480],
            counts: vec![1; 10],
            summary: (10, 0.0, 9.0, 45.0, 4.5),
            quantiles: vec![
                (0.25, 2.009_103_080_990_281),
                (0.5, 3.974_395_264_043_952),
                (0.75, 7.053_525_082_284_968),
                (0.9, 7.984_969_770_063_884),
                (0.99, 9.039_415_254_787_652),
            ],
        },
        Vector {
            inserts: of(&[-50.0, -1.0, 0.0, 1.0, 50.0]),
            keys: vec![-1590, -1338, 0, 1338, 1590],
            counts: vec![1; 5],
            summary: (5, -50.0, 50.0, 0.0, 0.0),
            quantiles: vec![(0.25, -1.0), (0.5, 0.0), (0.75, 1.0), (0.99, 49.752_216_086_423_16)],
        },
        Vector {
            inserts: vec![(10.0, 0.1)],
            keys: vec![1487],
            counts: vec![10],
            summary: (10, 10.0, 10.0, 100.0, 10.0),
            quantiles: vec![
                (0.25, 10.046_620_851_460_881),
                (0.5, 10.093_241_702_921_762),
                (0.99, 10.209_793_831_573_968),
            ],
        },
        Vector {
            inserts: vec![(10.0, 0.3), (5.0, 1.0)],
            keys: vec![1442, 1487],
            counts: vec![1, 3],
            summary: (4, 5.0, 10.0, 38.333_333_333_333_336, 8.75),
            quantiles: vec![
                (0.25, 10.075_671_884_115_11),
                (0.5, 10.128_149_341_844_876),
                (0.9, 10.180_626_799_574_643),
            ],
        },
        Vector {
            inserts: of(&[1e-10, 1e-9, 1e12, 3.14159]),
            keys: vec![0, 1, 1412, 3120],
            counts: vec![1; 4],
            summary: (4, 1e-10, 1e12, 1_000_000_000_003.141_6, 250_000_000_000.785_4),
            quantiles: vec![(0.5, 3.149_708_168_614_422), (0.99, 997_442_566_979.677)],
        },
        Vector {
            inserts: of(&[21.0; 4]),
            keys: vec![1534],
            counts: vec![4],
            summary: (4, 21.0, 21.0, 84.0, 21.0),
            quantiles: vec![(0.5, 21.103_430_353_559)],
        },
        Vector {
            inserts: vec![(0.1, 1.0), (0.2, 1.0), (0.3, 1.0), (1000.0, 0.001)],
            keys: vec![1189, 1234, 1260, 1784],
            counts: vec![1, 1, 1, 1000],
            summary: (1003, 0.1, 1000.0, 1_000_000.6, 997.009_571_286_141_6),
            quantiles: vec![(0.5, 1_014.974_052_642_255_5)],
        },
    ]
}

fn assert_close(actual: f64, expected: f64, what: &str) {
    let tolerance = 1e-9 * expected.abs().max(1.0);
    assert!((actual - expected).abs() <= tolerance, "{what}: {actual} instead of {expected}");
}

fn sketch_of(samples: &[(f64, f64)]) -> Sketch {
    let mut sketch = Sketch::default();
    for &(value, rate) in samples {
        sketch.insert(value, rate);
    }
    sketch
}

#[test]
fn sketches_match_the_vectors() {
    for vector in vectors() {
        let sketch = sketch_of(&vector.inserts);
        let keys: Vec<i16> = sketch.bins().iter().map(|b| b.key).collect();
        let counts: Vec<u32> = sketch.bins().iter().map(|b| b.count).collect();
        assert_eq!(keys, vector.keys);
        assert_eq!(counts, vector.counts);
        let (count, min, max, sum, avg) = vector.summary;
        assert_eq!(sketch.count(), count);
        assert_close(sketch.min(), min, "min");
        assert_close(sketch.max(), max, "max");
        assert_close(sketch.sum(), sum, "sum");
        assert_close(sketch.avg(), avg, "avg");
        for (q, expected) in vector.quantiles {
            assert_close(sketch.quantile(q), expected, &format!("quantile {q}"));
        }
    }
}

/// spec: dogstatsd §15.5, S6.
#[test]
fn one_to_a_hundred_shares_seven_bins() {
    let sketch = sketch_of(&(1..=100).map(|v| (f64::from(v), 1.0)).collect::<Vec<_>>());
    assert_eq!(sketch.bins().len(), 93);
    let doubled: Vec<i16> = sketch.bins().iter().filter(|b| b.count == 2).map(|b| b.key).collect();
    assert_eq!(doubled, [1616, 1621, 1625, 1628, 1630, 1632, 1634]);
    for (q, expected) in [
        (0.25, 25.942_412_367_820_403),
        (0.5, 51.319_119_376_254_36),
        (0.95, 95.414_527_007_540_16),
        (0.99, 99.188_428_082_055_22),
    ] {
        assert_close(sketch.quantile(q), expected, &format!("quantile {q}"));
    }
}

#[test]
fn bins_beyond_the_limit_collapse_into_the_lowest_kept() {
    let mut sketch = Sketch::default();
    let mut inserted = 0u64;
    for exponent in -400..400 {
        for step in 0..12 {
            sketch.insert((1.0 + f64::from(step) * 0.08) * 2f64.powi(exponent / 4), 1.0);
            sketch.insert(-(1.0 + f64::from(step) * 0.08) * 2f64.powi(exponent / 4), 1.0);
            inserted += 2;
        }
    }
    assert!(sketch.bins().len() <= BIN_LIMIT);
    let mass: u64 = sketch.bins().iter().map(|b| u64::from(b.count)).sum();
    assert_eq!(mass, inserted);
}

/// spec: dogstatsd §10.5, the vectors of otlp §10.
#[test]
fn samples_of_a_bucket_are_spread_as_the_vectors_do() {
    let text = include_str!("../../../../tests/vectors/otlp_interpolate.jsonl");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!lines.is_empty());
    for line in lines {
        let number = |field: &str| line[field].as_f64().unwrap();
        let count = u32::try_from(line["count"].as_u64().unwrap()).unwrap();
        let mut sketch = Sketch::default();
        let outcome = sketch.insert_interpolate(number("lower"), number("upper"), count);
        if line["error"] == "non-monotonic" {
            assert_eq!(outcome, Err(NotMonotonic), "{line}");
            assert_eq!(sketch, Sketch::default());
            continue;
        }
        assert_eq!(outcome, Ok(()), "{line}");
        assert_eq!(Some(sketch.count()), line["cnt"].as_i64(), "{line}");
        let keys: Vec<i16> = sketch.bins().iter().map(|bin| bin.key).collect();
        let counts: Vec<u32> = sketch.bins().iter().map(|bin| bin.count).collect();
        assert_eq!(serde_json::json!(keys), line["keys"], "{line}");
        assert_eq!(serde_json::json!(counts), line["counts"], "{line}");
        assert_close(sketch.min(), number("min"), "min");
        assert_close(sketch.max(), number("max"), "max");
        assert_close(sketch.sum(), number("sum"), "sum");
        assert_close(sketch.avg(), number("sum") / f64::from(count), "avg");
    }
}

#[test]
fn a_bucket_over_all_magnitudes_leaves_the_highest_bins() {
    let mut sketch = sketch_of(&[(5.0, 1.0)]);
    sketch.insert_interpolate(1e-9, 1e300, u32::MAX / 2).unwrap();
    assert!(sketch.bins().len() <= BIN_LIMIT);
    let mass: i64 = sketch.bins().iter().map(|bin| i64::from(bin.count)).sum();
    assert_eq!(mass, sketch.count());
}

#[test]
fn bins_in_any_order_make_a_sketch_with_the_summary_that_is_given() {
    let summary = Summary { min: 1.0, max: 2.0, sum: 6.0, avg: 1.5, count: 4 };
    let bins = [(1383, 1), (1338, 2), (7, 0), (1383, 1)].map(|(key, count)| Bin { key, count });
    let mut sketch = Sketch::from_bins(bins, summary);
    let held: Vec<_> = sketch.bins().iter().map(|bin| (bin.key, bin.count)).collect();
    assert_eq!(held, [(1338, 2), (1383, 2)]);
    assert_eq!(sketch.summary(), summary);
    sketch.set_summary(Summary { max: 3.0, ..summary });
    assert_eq!((sketch.max(), sketch.bins().len()), (3.0, 2));
}

proptest! {
    #[test]
    fn merging_is_commutative_and_keeps_every_sample(
        left in prop::collection::vec((-1e12f64..1e12, 0.001f64..1.5), 0..200),
        right in prop::collection::vec((-1e12f64..1e12, 0.001f64..1.5), 0..200),
    ) {
        let (a, b) = (sketch_of(&left), sketch_of(&right));
        let mut ab = a.clone();
        ab.merge(&b);
        let mut ba = b.clone();
        ba.merge(&a);
        prop_assert_eq!(ab.bins(), ba.bins());
        prop_assert_eq!(ab.count(), a.count() + b.count());
        let all: Vec<_> = left.iter().chain(&right).copied().collect();
        let whole = sketch_of(&all);
        prop_assert_eq!(ab.bins(), whole.bins());
        let mass: i64 = ab.bins().iter().map(|bin| i64::from(bin.count)).sum();
        prop_assert_eq!(mass, ab.count());
        prop_assert!(ab.bins().iter().is_sorted_by(|a, b| a.key < b.key));
    }
}
