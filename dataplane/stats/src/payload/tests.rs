use proptest::prelude::*;
use rmpv::Value;

use super::*;
use crate::{
    Cell, ClosedBucket, Concentrator, ConcentratorSettings, PayloadKey, Sketch, SpanStats,
};

const S: u64 = 1_000_000_000;
const T0: u64 = 1_700_000_000 * S;

const HEADER: StatsHeader<'static> =
    StatsHeader { hostname: "agent", env: "none", version: "7.0", is_client_computed: false };

const PAYLOAD: PayloadKey<'static> = PayloadKey {
    env: "prod",
    hostname: "host",
    version: "1.2",
    container_id: "c1",
    git_commit_sha: "abc",
    image_tag: "latest",
    lang: "go",
    process_tags: "b:2,a:1",
    service: "base",
};

fn span() -> SpanStats<'static> {
    SpanStats {
        service: "web",
        name: "http.request",
        resource: "GET /",
        span_type: "web",
        span_kind: "server",
        svc_src: "m",
        http_status: 200,
        grpc_status: Some(5),
        is_synthetics: true,
        is_trace_root: false,
        is_top_level: true,
        is_error: false,
        peer_tags: &[("peer.service", "db"), ("out.host", "h")],
        additional_tags: &[("tier", "gold")],
        start_ns: T0 as i64,
        duration_ns: S as i64,
        weight: 1.0,
    }
}

fn bodies(header: &StatsHeader<'_>, buckets: &[ClosedBucket], draw: f64) -> Vec<StatsBody> {
    let mut bodies = Vec::new();
    let tags_of = |id: &str| match id {
        "unknown" => ContainerTags::Failed,
        id => ContainerTags::Known(vec![format!("id:{id}")]),
    };
    encode_payloads(header, buckets, || draw, tags_of, |body| bodies.push(body));
    bodies
}

fn value(body: &StatsBody) -> Value {
    let mut rest = &*body.bytes;
    let value = rmpv::decode::read_value(&mut rest).unwrap();
    assert!(rest.is_empty(), "bytes behind the message");
    value
}

/// Value of a key that stands once.
fn at<'v>(map: &'v Value, key: &str) -> &'v Value {
    let held: Vec<_> =
        map.as_map().unwrap().iter().filter(|(name, _)| name.as_str() == Some(key)).collect();
    assert_eq!(held.len(), 1, "{key}");
    &held[0].1
}

fn keys(map: &Value) -> Vec<&str> {
    map.as_map().unwrap().iter().map(|(name, _)| name.as_str().unwrap()).collect()
}

fn items<'v>(map: &'v Value, key: &str) -> &'v [Value] {
    at(map, key).as_array().unwrap()
}

fn texts(map: &Value, key: &str) -> Vec<String> {
    items(map, key).iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_field_stands_where_the_intake_expects_it() {
    let mut concentrator = Concentrator::new(ConcentratorSettings::default(), T0);
    concentrator.add(&PAYLOAD, &span());
    concentrator.add(&PAYLOAD, &SpanStats { is_error: true, is_top_level: false, ..span() });
    let bodies = bodies(&HEADER, &concentrator.flush(T0, true), 0.0);
    assert_eq!((bodies.len(), bodies[0].group_count, bodies[0].payload_count), (1, 1, 1));
    let message = value(&bodies[0]);
    assert_eq!(
        keys(&message),
        ["AgentHostname", "AgentEnv", "Stats", "AgentVersion", "ClientComputed", "SplitPayload"]
    );
    assert_eq!(at(&message, "AgentHostname"), &Value::from("agent"));
    assert_eq!(at(&message, "ClientComputed"), &Value::from(false));
    assert_eq!(at(&message, "SplitPayload"), &Value::from(false));

    let payload = &items(&message, "Stats")[0];
    assert_eq!(
        keys(payload),
        [
            "Hostname",
            "Env",
            "Version",
            "Stats",
            "Lang",
            "TracerVersion",
            "RuntimeID",
            "Sequence",
            "AgentAggregation",
            "Service",
            "ContainerID",
            "Tags",
            "GitCommitSha",
            "ImageTag",
            "ProcessTagsHash",
            "ProcessTags"
        ]
    );
    for (key, text) in [
        ("Hostname", "host"),
        ("Env", "prod"),
        ("Version", "1.2"),
        ("Lang", "go"),
        ("Service", "base"),
        ("ContainerID", "c1"),
        ("GitCommitSha", "abc"),
        ("ImageTag", "latest"),
        ("ProcessTags", "b:2,a:1"),
    ] {
        assert_eq!(at(payload, key), &Value::from(text));
    }
    assert_eq!(at(payload, "ProcessTagsHash"), &Value::from(12_271_806_850_372_623_939_u64));
    assert_eq!(texts(payload, "Tags"), ["id:c1"]);

    let bucket = &items(payload, "Stats")[0];
    assert_eq!(keys(bucket), ["Start", "Duration", "Stats", "AgentTimeShift"]);
    assert_eq!(at(bucket, "Start"), &Value::from(T0));
    assert_eq!(at(bucket, "Duration"), &Value::from(10 * S));

    let group = &items(bucket, "Stats")[0];
    assert_eq!(
        keys(group),
        [
            "Service",
            "Name",
            "Resource",
            "HTTPStatusCode",
            "Type",
            "DBType",
            "Hits",
            "Errors",
            "Duration",
            "OkSummary",
            "ErrorSummary",
            "Synthetics",
            "TopLevelHits",
            "SpanKind",
            "PeerTags",
            "IsTraceRoot",
            "GRPCStatusCode",
            "HTTPMethod",
            "HTTPEndpoint",
            "srv_src",
            "SpanDerivedPrimaryTags",
            "AdditionalMetricTags"
        ]
    );
    for (key, text) in [
        ("Service", "web"),
        ("Name", "http.request"),
        ("Resource", "GET /"),
        ("Type", "web"),
        ("SpanKind", "server"),
        ("GRPCStatusCode", "5"),
        ("HTTPMethod", ""),
        ("srv_src", "m"),
    ] {
        assert_eq!(at(group, key), &Value::from(text));
    }
    for (key, number) in [
        ("HTTPStatusCode", 200),
        ("Hits", 2),
        ("Errors", 1),
        ("TopLevelHits", 1),
        ("Duration", 2 * S),
        ("IsTraceRoot", 2),
    ] {
        assert_eq!(at(group, key), &Value::from(number), "{key}");
    }
    assert_eq!(at(group, "Synthetics"), &Value::from(true));
    assert_eq!(texts(group, "PeerTags"), ["peer.service:db", "out.host:h"]);
    assert_eq!(texts(group, "AdditionalMetricTags"), ["tier:gold"]);
    for key in ["OkSummary", "ErrorSummary"] {
        let sketch = Sketch::decode(at(group, key).as_slice().unwrap()).unwrap();
        assert_eq!(sketch.bins(), (1036, [1.0].as_slice()));
    }
}

#[test]
fn an_empty_flush_writes_nothing() {
    assert!(bodies(&HEADER, &[], 0.0).is_empty());
}

/// spec: apm §9.4: 3.33 errors become 3 or, with a probability of a third, 4.
#[test]
fn counts_are_rounded_at_random() {
    assert_eq!(round_randomly(3.25, &mut || 0.24), 4);
    assert_eq!(round_randomly(3.25, &mut || 0.25), 3);
    assert_eq!(round_randomly(7.0, &mut || 0.0), 7);
    assert_eq!(round_randomly(f64::NAN, &mut || 0.0), 0);
    assert_eq!(round_randomly(1e300, &mut || 0.0), u64::MAX);
    let mut state = 0.0;
    let mut draw = || {
        state = (state + 0.618_033_988_749_895_f64).fract();
        state
    };
    let sum: u64 = (0..3000).map(|_| round_randomly(10.0 / 3.0, &mut draw)).sum();
    assert!((9990..=10010).contains(&sum), "{sum}");
}

#[test]
fn containers_are_looked_up_when_tags_are_missing() {
    let mut concentrator = Concentrator::new(ConcentratorSettings::default(), T0);
    for (container_id, tags) in [("", "a:1"), ("c2", ""), ("c3", "a:1,b:2"), ("unknown", "")] {
        let key = PayloadKey { container_id, ..PAYLOAD };
        concentrator.chunk(&key, tags).add(&span());
    }
    let message = value(&bodies(&HEADER, &concentrator.flush(T0, true), 0.0)[0]);
    let found: Vec<_> = items(&message, "Stats")
        .iter()
        .map(|payload| (at(payload, "ContainerID").as_str().unwrap(), texts(payload, "Tags")))
        .collect();
    let tags = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        found,
        [("", tags(&[])), ("c2", tags(&["id:c2"])), ("c3", tags(&["a:1", "b:2"])), ("", tags(&[]))]
    );
}

/// Buckets with `groups` groups of each payload, dealt over two buckets.
fn buckets(groups: &[usize]) -> Vec<ClosedBucket> {
    let mut concentrator = Concentrator::new(ConcentratorSettings::default(), T0);
    for (payload, count) in groups.iter().enumerate() {
        let version = payload.to_string();
        let key = PayloadKey { version: &version, container_id: "", ..PAYLOAD };
        for group in 0..*count {
            let resource = group.to_string();
            let start_ns = (T0 + (group as u64 % 2) * 10 * S) as i64;
            let span = SpanStats { resource: &resource, start_ns, duration_ns: 1, ..span() };
            concentrator.add(&key, &span);
        }
    }
    concentrator.flush(T0, true)
}

/// Groups of each payload of each message, as an independent decoder counts them.
fn shape(bodies: &[StatsBody]) -> Vec<Vec<usize>> {
    let count = |payload: &Value| {
        items(payload, "Stats").iter().map(|bucket| items(bucket, "Stats").len()).sum()
    };
    bodies.iter().map(|body| items(&value(body), "Stats").iter().map(count).collect()).collect()
}

/// spec: apm §10.2.
#[test]
fn messages_hold_at_most_4000_groups() {
    assert_eq!(shape(&bodies(&HEADER, &buckets(&[4000]), 0.0)), [[4000]]);
    assert_eq!(shape(&bodies(&HEADER, &buckets(&[8001]), 0.0)), [[2667], [2667], [2667]]);
    let bodies = bodies(&HEADER, &buckets(&[3000, 500, 600, 3400, 1]), 0.0);
    assert_eq!(shape(&bodies), [vec![3000, 500], vec![600, 3400], vec![1]]);
    assert!(bodies.iter().all(|body| at(&value(body), "SplitPayload") == &Value::from(true)));
    assert_eq!(bodies.iter().map(|body| body.group_count).sum::<usize>(), 7501);
}

proptest! {
    /// Each group leaves once, in its bucket, whatever the split is.
    #[test]
    fn groups_in_are_groups_out(
        cells in prop::collection::vec((0..3u8, 0..4u8, 0..200u32), 0..200),
        groups_max in 1..50usize,
    ) {
        let mut buckets: Vec<Bucket<Cell>> = Vec::new();
        for start_ns in 0..3 {
            buckets.push(Bucket::new(start_ns, 10, crate::bucket::KeyHash::new(0)));
        }
        let mut expected = Vec::new();
        for (bucket, payload, key) in cells {
            let key = key.to_le_bytes();
            let held = &mut buckets[usize::from(bucket)];
            let place = held.find_payload(&[payload]);
            let place = place.unwrap_or_else(|| held.add_payload(&[payload], &[0]).unwrap());
            if held.find(place, &key).is_none() {
                expected.push((payload, usize::from(bucket), held.group_count()));
                held.add(place, &key, Cell::default()).unwrap();
            }
        }
        let mut found = Vec::new();
        for part in parts_of(&buckets, groups_max) {
            prop_assert!((1..=groups_max).contains(&part.groups.len()));
            prop_assert!(part.groups.is_sorted_by_key(|(bucket, _)| *bucket));
            let payload = buckets[part.payload.0].payload_key(part.payload.1)[0];
            found.extend(part.groups.iter().map(|(bucket, group)| (payload, *bucket, *group)));
        }
        found.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(found, expected);
    }
}
