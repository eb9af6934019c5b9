use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

type Counted = BTreeMap<(Vec<u8>, Vec<u8>), Cell>;

/// Groups as (payload, key, hits in quarters, duration, is an error).
type Recipe = Vec<(u8, u8, u8, u64, bool)>;

fn bucket(recipe: &Recipe, seed: u64) -> ClosedBucket {
    let mut bucket = ClosedBucket::new(10, 10, KeyHash::new(seed));
    for (payload, key, quarters, duration_ns, is_error) in recipe {
        let mut cell = Cell { hits: f64::from(*quarters) / 4.0, ..Cell::default() };
        let sketch = if *is_error { &mut cell.error } else { &mut cell.ok };
        sketch.insert_duration(*duration_ns);
        let payload = match bucket.find_payload(&[*payload]) {
            Some(payload) => payload,
            None => bucket.add_payload(&[*payload], &[0]).unwrap(),
        };
        match bucket.find(payload, &[*key]) {
            Some(held) => held.merge(cell),
            None => {
                bucket.add(payload, &[*key], cell).unwrap();
            }
        }
    }
    bucket
}

fn counted(bucket: &ClosedBucket) -> Counted {
    let groups = bucket.groups.iter().map(|group| {
        let payload = bucket.payload_key(group.payload as usize).to_vec();
        ((payload, bucket.bytes(group.key).to_vec()), group.cell.clone())
    });
    let all: Counted = groups.collect();
    assert_eq!(all.len(), bucket.group_count(), "a key stands twice");
    all
}

fn merged(buckets: impl IntoIterator<Item = ClosedBucket>) -> Counted {
    let mut set = BucketSet::default();
    for bucket in buckets {
        set.add(bucket);
    }
    set.buckets().first().map(counted).unwrap_or_default()
}

fn recipe() -> impl Strategy<Value = Recipe> {
    prop::collection::vec((0..4u8, 0..20u8, 0..9u8, any::<u64>(), any::<bool>()), 0..40)
}

proptest! {
    #[test]
    fn merging_is_commutative_and_associative(a in recipe(), b in recipe(), c in recipe()) {
        let whole = counted(&bucket(&[a.clone(), b.clone(), c.clone()].concat(), 1));
        let [a, b, c] = [(a, 1), (b, 2), (c, 1)].map(|(recipe, seed)| bucket(&recipe, seed));
        prop_assert_eq!(&merged([a.clone(), b.clone(), c.clone()]), &whole);
        prop_assert_eq!(&merged([c.clone(), a.clone(), b.clone()]), &whole);
        let mut right = b;
        right.merge(c);
        let mut left = a;
        left.merge(right);
        prop_assert_eq!(&counted(&left), &whole);
    }
}

#[test]
fn buckets_of_other_times_stay_apart() {
    let mut set = BucketSet::<Cell>::default();
    for (start_ns, duration_ns) in [(20, 10), (10, 10), (20, 10), (20, 2)] {
        set.add(Bucket::new(start_ns, duration_ns, KeyHash::new(0)));
    }
    let times: Vec<_> = set.buckets().iter().map(|b| (b.start_ns(), b.duration_ns())).collect();
    assert_eq!(times, [(10, 10), (20, 2), (20, 10)]);
}

#[test]
fn container_tags_do_not_depend_on_the_order() {
    let with = |tags: &str| {
        let mut list = Vec::new();
        crate::key::write_list(&mut list, tags.split(',').filter(|tag| !tag.is_empty()));
        let mut bucket = Bucket::<Cell>::new(10, 10, KeyHash::new(0));
        bucket.add_payload(b"key", &list).unwrap();
        bucket
    };
    for (a, b) in [("", "a:1"), ("a:1", ""), ("a:1,b:2", "a:1"), ("a:2,b:2", "a:1,b:2")] {
        let mut bucket = with(a);
        bucket.merge(with(b));
        let other = {
            let mut bucket = with(b);
            bucket.merge(with(a));
            bucket
        };
        let tags = |bucket: &ClosedBucket| -> Vec<String> {
            bucket.payloads().next().unwrap().tags.iter().map(str::to_owned).collect()
        };
        assert_eq!(tags(&bucket), tags(&other));
        assert!(!tags(&bucket).is_empty());
    }
}
