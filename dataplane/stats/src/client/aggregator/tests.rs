use proptest::prelude::*;

use super::*;
use crate::client::{ClientBucket, EncodedSketch};
use crate::sketch::Sketch;

const S: u64 = 1_000_000_000;
/// A multiple of 2 s.
const T0: u64 = 1_700_000_000 * S;

fn encoded(duration_ns: u64) -> Vec<u8> {
    let mut sketch = Sketch::default();
    sketch.insert_duration(duration_ns);
    let mut bytes = Vec::new();
    sketch.encode(&mut bytes);
    bytes
}

fn group(resource: &str, hits: u64) -> ClientGroup {
    ClientGroup {
        service: "web".to_owned(),
        resource: resource.to_owned(),
        hits,
        top_level_hits: hits,
        errors: 1,
        duration_ns: 10 * hits,
        ok_summary: encoded(S),
        ..ClientGroup::default()
    }
}

fn payload(start_ns: u64, groups: Vec<ClientGroup>) -> ClientPayload {
    ClientPayload {
        env: "prod".to_owned(),
        buckets: vec![ClientBucket { start_ns, duration_ns: 10 * S, groups }],
        ..ClientPayload::default()
    }
}

fn aggregator() -> ClientAggregator {
    ClientAggregator::new(AggregatorSettings::default(), T0)
}

fn add(aggregator: &mut ClientAggregator, now_ns: u64, payload: ClientPayload) {
    aggregator.add::<&str>(now_ns, payload, &[]);
}

fn hits(buckets: &[Bucket<ClientCell>]) -> u64 {
    buckets.iter().flat_map(|bucket| bucket.groups()).map(|group| group.cell.hits).sum()
}

#[test]
fn times_align_to_odd_seconds() {
    for (time, start) in [(0, 1), (1, 1), (2, 3), (3, 3)] {
        assert_eq!(align(T0 + time * S), T0 + start * S);
    }
    assert_eq!(align(T0 + 1), T0 + S);
}

#[test]
fn buckets_are_clamped_between_the_oldest_and_now() {
    let mut aggregator = aggregator();
    for start in [T0 - 100 * S, T0 - 18 * S, T0 - 17 * S, T0 - 16 * S, T0, T0 + 1, T0 + 100 * S] {
        add(&mut aggregator, T0 + S / 2, payload(start, vec![group("r", 1)]));
    }
    let closed = aggregator.flush(T0, true);
    let first_hits = |bucket: &Bucket<ClientCell>| bucket.groups().next().unwrap().cell.hits;
    let found: Vec<_> = closed.iter().map(|b| (b.start_ns(), first_hits(b))).collect();
    assert_eq!(found, [(T0 - 17 * S, 3), (T0 - 15 * S, 1), (T0 + S, 3)]);
    assert!(closed.iter().all(|bucket| bucket.duration_ns() == 10 * S));
}

#[test]
fn buckets_leave_18_seconds_later() {
    let mut aggregator = aggregator();
    add(&mut aggregator, T0, payload(T0, vec![group("r", 1)]));
    assert!(aggregator.flush(T0 + 19 * S, false).is_empty());
    let closed = aggregator.flush(T0 + 20 * S, false);
    assert_eq!((closed.len(), closed[0].start_ns()), (1, T0 + S));
    assert_eq!((aggregator.group_count(), aggregator.bytes()), (0, 0));
    // From now on the next bucket is the oldest one.
    add(&mut aggregator, T0 + 20 * S, payload(T0, vec![group("r", 1)]));
    assert_eq!(aggregator.flush(T0, true)[0].start_ns(), T0 + 3 * S);
}

#[test]
fn a_single_sketch_passes_untouched() {
    let mut aggregator = aggregator();
    let mut odd = group("r", 1);
    odd.ok_summary = b"whatever a client calls a sketch".to_vec();
    add(&mut aggregator, T0, payload(T0, vec![odd]));
    let closed = aggregator.flush(T0, true);
    let group = closed[0].groups().next().unwrap();
    let bytes = b"whatever a client calls a sketch".as_slice();
    assert_eq!(group.cell.ok, EncodedSketch::Encoded(bytes.into()));
    assert_eq!(group.cell.error, EncodedSketch::default());
}

/// spec: apm §9.6: also what step 4 of a request says of groups with one key.
#[test]
fn equal_keys_are_summed() {
    let mut aggregator = aggregator();
    let mut one = group("r", 2);
    one.peer_tags = vec!["b:2".to_owned(), "a:1".to_owned()];
    let mut other = group("r", 3);
    other.peer_tags = vec!["a:1".to_owned(), "b:2".to_owned()];
    other.error_summary = encoded(1000);
    other.db_type = "postgres".to_owned();
    add(&mut aggregator, T0, payload(T0, vec![one, other]));
    let mut second = payload(T0, vec![group("r", 4), group("s", 5)]);
    second.runtime_id = "other".to_owned();
    second.sequence = 9;
    second.tracer_version = "2".to_owned();
    second.service = "base".to_owned();
    add(&mut aggregator, T0, second);
    let closed = aggregator.flush(T0, true);
    assert_eq!((closed.len(), closed[0].payloads().len(), closed[0].group_count()), (1, 1, 3));
    let cell = closed[0].groups().next().unwrap().cell;
    assert_eq!((cell.hits, cell.top_level_hits, cell.errors, cell.duration_ns), (5, 5, 2, 50));
    let mut sum = Sketch::default();
    sum.insert_duration(S);
    sum.insert_duration(S);
    assert_eq!(cell.ok, EncodedSketch::Sketch(Box::new(sum)));
    assert_eq!(cell.error, EncodedSketch::Encoded(encoded(1000).into()));
    assert_eq!(closed[0].payloads().next().unwrap().key.service, "");
}

#[test]
fn every_part_of_the_key_makes_a_group() {
    let text = || "x".to_owned();
    let changes: [fn(&mut ClientGroup, String); 15] = [
        |group, text| group.service = text,
        |group, text| group.name = text,
        |group, text| group.resource = text,
        |group, text| group.span_type = text,
        |group, text| group.span_kind = text,
        |group, _| group.http_status = 1,
        |group, _| group.is_synthetics = true,
        |group, _| group.trace_root = crate::TraceRoot::Yes,
        |group, text| group.grpc_status = text,
        |group, text| group.http_method = text,
        |group, text| group.http_endpoint = text,
        |group, text| group.svc_src = text,
        |group, text| group.peer_tags = vec![text],
        |group, text| group.additional_tags = vec![text],
        |group, text| group.derived_tags = vec![text],
    ];
    let groups = || {
        changes.iter().map(|change| {
            let mut group = group("r", 1);
            change(&mut group, text());
            group
        })
    };
    let mut aggregator = aggregator();
    add(&mut aggregator, T0, payload(T0, groups().chain(groups()).collect()));
    let closed = aggregator.flush(T0, true);
    assert_eq!((closed[0].group_count(), hits(&closed)), (changes.len(), 30));
}

#[test]
fn container_tags_fill_in_what_is_missing() {
    let mut aggregator = aggregator();
    let tags = ["image_tag_x:0", "image_tag:1", "git.commit.sha:abc", "image_tag:2"];
    aggregator.add(T0, payload(T0, vec![group("r", 1)]), &tags);
    let mut told = payload(T0, vec![group("r", 1)]);
    told.image_tag = "mine".to_owned();
    aggregator.add(T0, told, &tags);
    let closed = aggregator.flush(T0, true);
    let found: Vec<_> =
        closed[0].payloads().map(|p| (p.key.image_tag, p.key.git_commit_sha)).collect();
    assert_eq!(found, [("1", "abc"), ("mine", "abc")]);
}

#[test]
fn sketches_that_cannot_be_read_are_counted() {
    let mut aggregator = aggregator();
    for bytes in [b"\xff".to_vec(), encoded(S), encoded(S)] {
        let mut group = group("r", 1);
        group.ok_summary = bytes;
        add(&mut aggregator, T0, payload(T0, vec![group]));
    }
    let closed = aggregator.flush(T0, true);
    let EncodedSketch::Sketch(sketch) = &closed[0].groups().next().unwrap().cell.ok else {
        panic!("sketches were merged")
    };
    assert_eq!((sketch.count(), aggregator.tally().unreadable_count), (2.0, 1));
}

proptest! {
    /// Hits in = hits out + dropped, and limits hold.
    #[test]
    fn every_hit_is_accounted_for(
        payloads in prop::collection::vec(
            (0..60u64, 0..3u8, prop::collection::vec((0..30u8, 0..9u64), 0..8)),
            0..40,
        ),
        groups_max in 0..40usize,
        bytes_max in 0..8000usize,
    ) {
        let settings = AggregatorSettings { groups_max, bytes_max, hash_seed: 1 };
        let mut aggregator = ClientAggregator::new(settings, T0);
        let (mut sent, mut out) = (0, 0);
        for (at, (start, version, groups)) in payloads.into_iter().enumerate() {
            let now_ns = T0 + at as u64 * S;
            let groups = groups.iter().map(|(key, hits)| group(&key.to_string(), *hits)).collect();
            let mut payload = payload(T0 - 30 * S + start * S, groups);
            payload.version = version.to_string();
            sent += payload.hits();
            add(&mut aggregator, now_ns, payload);
            prop_assert!(aggregator.group_count() <= groups_max);
            // A merged sketch may be larger than the message that joined it.
            prop_assert!(aggregator.bytes() <= bytes_max + 200);
            if at % 3 == 0 {
                out += hits(&aggregator.flush(now_ns, false));
            }
        }
        out += hits(&aggregator.flush(T0, true));
        let tally = aggregator.tally();
        prop_assert_eq!(tally.hits, sent);
        prop_assert_eq!(out + tally.dropped_hits, sent);
        prop_assert_eq!((aggregator.group_count(), aggregator.bytes()), (0, 0));
    }
}
