use std::collections::HashMap;

use proptest::prelude::*;
use prost::Message;

use super::*;

/// The messages of the spec, for a decoder and an encoder that share nothing with ours.
#[derive(Clone, PartialEq, Message)]
struct DdSketch {
    #[prost(message, optional, tag = "1")]
    mapping: Option<IndexMapping>,
    #[prost(message, optional, tag = "2")]
    positive: Option<Store>,
    #[prost(message, optional, tag = "3")]
    negative: Option<Store>,
    #[prost(double, tag = "4")]
    zero_count: f64,
}

#[derive(Clone, PartialEq, Message)]
struct IndexMapping {
    #[prost(double, tag = "1")]
    gamma: f64,
    #[prost(double, tag = "2")]
    index_offset: f64,
    #[prost(int32, tag = "3")]
    interpolation: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Store {
    #[prost(map = "sint32, double", tag = "1")]
    bin_counts: HashMap<i32, f64>,
    #[prost(double, repeated, tag = "2")]
    contiguous: Vec<f64>,
    #[prost(sint32, tag = "3")]
    offset: i32,
}

fn ours() -> IndexMapping {
    IndexMapping { gamma: 1.02020202020202, index_offset: 0.0, interpolation: 0 }
}

fn encoded(sketch: &Sketch) -> Vec<u8> {
    let mut bytes = Vec::new();
    sketch.encode(&mut bytes);
    bytes
}

#[test]
fn an_empty_sketch_has_a_mapping_and_two_stores() {
    let bytes = encoded(&Sketch::default());
    assert_eq!(bytes.len(), 15);
    let message = DdSketch::decode(&*bytes).unwrap();
    assert!((message.mapping.as_ref().unwrap().gamma - 1.02020202020202).abs() < 1e-13);
    let empty = Some(Store::default());
    assert_eq!(
        (message.positive, message.negative, message.zero_count),
        (empty.clone(), empty, 0.0)
    );
}

#[test]
fn bins_lie_between_the_lowest_and_the_highest() {
    let mut sketch = Sketch::default();
    for duration in [0, 1_000_000_000, 1_000_000_000, 123_456_789] {
        sketch.insert_duration(duration);
    }
    let message = DdSketch::decode(&*encoded(&sketch)).unwrap();
    let store = message.positive.unwrap();
    assert_eq!((store.offset, store.contiguous.len()), (931, 106));
    assert_eq!((store.contiguous[0], store.contiguous[105], message.zero_count), (1.0, 2.0, 1.0));
    assert!(store.bin_counts.is_empty());
}

#[test]
fn sparse_and_contiguous_bins_add_up() {
    let store = Store {
        bin_counts: [(-3, 2.0), (5, 1.0)].into(),
        contiguous: vec![1.0, 0.0, 4.0],
        offset: 3,
    };
    let negative = Store { bin_counts: [(7, 3.0)].into(), ..Store::default() };
    let message = DdSketch {
        mapping: Some(ours()),
        positive: Some(store),
        negative: Some(negative),
        zero_count: 1.0,
    };
    let sketch = Sketch::decode(&message.encode_to_vec()).unwrap();
    assert_eq!(sketch.bins(), (-3, [2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 5.0].as_slice()));
    assert_eq!(sketch.zero_count(), 4.0);
}

/// Counted values of a foreign mapping stay within its accuracy and ours.
#[test]
fn other_mappings_are_spread() {
    let gamma: f64 = 1.015;
    let index = (1e6_f64.ln() / gamma.ln()).floor() as i32;
    let message = DdSketch {
        mapping: Some(IndexMapping { gamma, index_offset: 0.0, interpolation: 0 }),
        positive: Some(Store { contiguous: vec![8.0], offset: index, ..Store::default() }),
        ..DdSketch::default()
    };
    let sketch = Sketch::decode(&message.encode_to_vec()).unwrap();
    assert!((sketch.count() - 8.0).abs() < 1e-9);
    let (first, counts) = sketch.bins();
    assert!((689..=691).contains(&first) && counts.len() <= 3, "{first} {counts:?}");
}

#[test]
fn every_error_has_its_cause() {
    assert_eq!(Sketch::decode(&[]), Ok(Sketch::default()));
    assert_eq!(Sketch::decode(&[0x12, 0]), Err(SketchError::Mapping));
    assert_eq!(Sketch::decode(&[0x0a, 0]), Err(SketchError::Mapping));
    assert_eq!(Sketch::decode(&[0x0a, 9, 0x09, 1]), Err(SketchError::Truncated));
    assert_eq!(Sketch::decode(&[0x0b]), Err(SketchError::Malformed));
    assert_eq!(Sketch::decode(&[0xff; 11]), Err(SketchError::Malformed));
    let store = Store { contiguous: vec![1.0; BINS_MAX + 1], ..Store::default() };
    let mut message =
        DdSketch { mapping: Some(ours()), positive: Some(store), ..DdSketch::default() };
    assert_eq!(Sketch::decode(&message.encode_to_vec()), Err(SketchError::Bins));
    message.positive = Some(Store { contiguous: vec![0.0; BINS_MAX + 1], ..Store::default() });
    assert_eq!(Sketch::decode(&message.encode_to_vec()), Ok(Sketch::default()));
}

proptest! {
    #[test]
    fn a_message_reads_as_what_was_written(
        bins in prop::collection::vec((-1000..1500i32, 1..1000u32), 0..60),
        zeros in 0..5u8,
    ) {
        let mut sketch = Sketch::default();
        sketch.insert(0.0, f64::from(zeros));
        for (index, count) in bins {
            sketch.insert_at(index, f64::from(count) / 4.0);
        }
        let bytes = encoded(&sketch);
        let decoded = Sketch::decode(&bytes).unwrap();
        prop_assert_eq!(&decoded, &sketch);
        let message = DdSketch::decode(&*bytes).unwrap();
        let store = message.positive.unwrap();
        let (first, counts) = sketch.bins();
        prop_assert_eq!((store.offset, &*store.contiguous), (first, counts));
        prop_assert_eq!(message.zero_count, f64::from(zeros));
    }

    #[test]
    fn arbitrary_bytes_never_panic(mut bytes: Vec<u8>, gamma: f64, offset: f64, kind in 0..5u8) {
        crate::check::check_sketch(&bytes);
        let mapping = IndexMapping { gamma, index_offset: offset, interpolation: i32::from(kind) };
        let message = DdSketch { mapping: Some(mapping), ..DdSketch::default() };
        bytes.splice(0..0, message.encode_to_vec());
        crate::check::check_sketch(&bytes);
    }

    /// Foreign bins of any kind keep their count.
    #[test]
    fn remapping_keeps_counts(
        gamma in 1.0001..20.0f64,
        offset in -100.0..100.0f64,
        kind in prop::sample::select(vec![0, 1, 3]),
        bins in prop::collection::hash_map(any::<i32>(), 1..9u8, 0..20),
    ) {
        let total: f64 = bins.values().map(|count| f64::from(*count)).sum();
        let bin_counts = bins.into_iter().map(|(index, count)| (index, f64::from(count))).collect();
        let message = DdSketch {
            mapping: Some(IndexMapping { gamma, index_offset: offset, interpolation: kind }),
            positive: Some(Store { bin_counts, ..Store::default() }),
            ..DdSketch::default()
        };
        let sketch = Sketch::decode(&message.encode_to_vec()).unwrap();
        prop_assert!((sketch.count() - total).abs() < 1e-6 * (1.0 + total));
    }
}
