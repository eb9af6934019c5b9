use proptest::prelude::*;

use super::*;

fn of(durations: &[u64]) -> Sketch {
    let mut sketch = Sketch::default();
    for duration in durations {
        sketch.insert_duration(*duration);
    }
    sketch
}

#[test]
fn zero_has_no_bin() {
    let sketch = of(&[0, 0, 1]);
    assert_eq!(sketch.zero_count(), 2.0);
    assert_eq!(sketch.bins(), (0, [1.0].as_slice()));
    assert_eq!(sketch.count(), 3.0);
}

#[test]
fn what_is_no_count_changes_nothing() {
    let mut sketch = Sketch::default();
    for count in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        sketch.insert(1.0, count);
        sketch.insert(0.0, count);
        sketch.insert_at(7, count);
    }
    sketch.insert(f64::NAN, 1.0);
    assert_eq!(sketch, Sketch::default());
    sketch.insert(f64::INFINITY, 2.0);
    sketch.insert(-3.0, 1.0);
    assert_eq!((sketch.bins().0, sketch.zero_count()), (index_of(f64::MAX), 1.0));
}

/// Values over the whole range, so that lowest bins collapse.
fn wide() -> impl Strategy<Value = Vec<(i32, u8)>> {
    prop::collection::vec((-3000..3000i32, 0..5u8), 0..40)
}

fn at(values: &[(i32, u8)]) -> Sketch {
    let mut sketch = Sketch::default();
    for (index, count) in values {
        sketch.insert_at(*index, f64::from(*count));
    }
    sketch
}

proptest! {
    #[test]
    fn every_value_is_counted_in_its_bin(durations in prop::collection::vec(any::<u64>(), 0..50)) {
        let sketch = of(&durations);
        prop_assert_eq!(sketch.count(), durations.len() as f64);
        let (first, counts) = sketch.bins();
        let last = first + counts.len() as i32 - 1;
        for duration in durations.iter().filter(|duration| **duration > 0) {
            let index = index_of(truncate(*duration)).max(last - 2047);
            prop_assert!(counts[(index - first) as usize] > 0.0);
        }
    }

    /// Durations and values are two doors to the same bins.
    #[test]
    fn both_inserts_agree(durations in prop::collection::vec(any::<u64>(), 0..50)) {
        let mut sketch = Sketch::default();
        for duration in &durations {
            sketch.insert(truncate(*duration), 1.0);
        }
        prop_assert_eq!(sketch, of(&durations));
    }

    #[test]
    fn merging_equals_inserting(a in wide(), b in wide(), c in wide()) {
        let all = at(&[a.clone(), b.clone(), c.clone()].concat());
        let (a, b, c) = (at(&a), at(&b), at(&c));
        let mut left = a.clone();
        left.merge(&b);
        left.merge(&c);
        let mut right = c;
        right.merge(&b);
        right.merge(&a);
        prop_assert_eq!(&left, &all);
        prop_assert_eq!(&right, &all);
    }
}
