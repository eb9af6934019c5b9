use proptest::prelude::*;
use rmpv::Value;

use super::*;

fn bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, value).unwrap();
    bytes
}

fn map(entries: &[(&str, Value)]) -> Value {
    Value::Map(entries.iter().map(|(key, value)| (Value::from(*key), value.clone())).collect())
}

fn list(items: &[&str]) -> Value {
    Value::Array(items.iter().map(|item| Value::from(*item)).collect())
}

#[test]
fn every_key_has_its_field() {
    let group = map(&[
        ("Service", "s".into()),
        ("Name", "n".into()),
        ("Resource", "r".into()),
        ("HTTPStatusCode", 404.into()),
        ("Type", "t".into()),
        ("DBType", "d".into()),
        ("Hits", 1.into()),
        ("Errors", 2.into()),
        ("Duration", 3.into()),
        ("OkSummary", Value::Binary(vec![1, 2])),
        ("ErrorSummary", Value::Binary(vec![3])),
        ("Synthetics", true.into()),
        ("TopLevelHits", 4.into()),
        ("SpanKind", "k".into()),
        ("PeerTags", list(&["a:1", "b:2"])),
        ("IsTraceRoot", 2.into()),
        ("GRPCStatusCode", "5".into()),
        ("HTTPMethod", "GET".into()),
        ("HTTPEndpoint", "/x".into()),
        ("srv_src", "m".into()),
        ("SpanDerivedPrimaryTags", list(&["p:1"])),
        ("AdditionalMetricTags", list(&["m:1"])),
        ("Future", map(&[("deep", list(&["x"]))])),
    ]);
    let bucket = map(&[
        ("Start", 10.into()),
        ("Duration", 20.into()),
        ("Stats", Value::Array(vec![Value::Nil, group])),
        ("AgentTimeShift", (-5).into()),
    ]);
    let payload = map(&[
        ("Hostname", "h".into()),
        ("Env", "e".into()),
        ("Version", "v".into()),
        ("Stats", Value::Array(vec![bucket, Value::Nil])),
        ("Lang", "l".into()),
        ("TracerVersion", "tv".into()),
        ("RuntimeID", "id".into()),
        ("Sequence", 7.into()),
        ("AgentAggregation", "counts".into()),
        ("Service", "base".into()),
        ("ContainerID", "c".into()),
        ("Tags", list(&["t:1"])),
        ("GitCommitSha", "g".into()),
        ("ImageTag", "i".into()),
        ("ProcessTagsHash", u64::MAX.into()),
        ("ProcessTags", "p:1".into()),
        ("Unknown", Value::Nil),
    ]);
    let text = str::to_owned;
    let expected = ClientPayload {
        hostname: text("h"),
        env: text("e"),
        version: text("v"),
        lang: text("l"),
        tracer_version: text("tv"),
        runtime_id: text("id"),
        sequence: 7,
        agent_aggregation: text("counts"),
        service: text("base"),
        container_id: text("c"),
        tags: vec![text("t:1")],
        git_commit_sha: text("g"),
        image_tag: text("i"),
        process_tags: text("p:1"),
        buckets: vec![ClientBucket {
            start_ns: 10,
            duration_ns: 20,
            groups: vec![ClientGroup {
                service: text("s"),
                name: text("n"),
                resource: text("r"),
                http_status: 404,
                span_type: text("t"),
                db_type: text("d"),
                hits: 1,
                errors: 2,
                duration_ns: 3,
                ok_summary: vec![1, 2],
                error_summary: vec![3],
                is_synthetics: true,
                top_level_hits: 4,
                span_kind: text("k"),
                peer_tags: vec![text("a:1"), text("b:2")],
                trace_root: TraceRoot::No,
                grpc_status: text("5"),
                http_method: text("GET"),
                http_endpoint: text("/x"),
                svc_src: text("m"),
                derived_tags: vec![text("p:1")],
                additional_tags: vec![text("m:1")],
            }],
        }],
    };
    let mut body = bytes(&payload);
    body.push(0xc1);
    assert_eq!(ClientPayload::decode(&body), Ok(expected));
}

#[test]
fn all_keys_are_optional_and_nil_is_nothing() {
    assert_eq!(ClientPayload::decode(&[0x80]), Ok(ClientPayload::default()));
    let keys = ["Hostname", "Stats", "Tags", "Sequence", "ProcessTags"];
    let payload = map(&keys.map(|key| (key, Value::Nil)));
    assert_eq!(ClientPayload::decode(&bytes(&payload)), Ok(ClientPayload::default()));
}

#[test]
fn numbers_come_in_any_encoding() {
    let hits = |value: &[u8]| {
        let head =
            [&[0x81, 0xa5][..], b"Stats", &[0x91, 0x81, 0xa5], b"Stats", &[0x91, 0x81, 0xa4]];
        let body = [&head.concat()[..], b"Hits", value].concat();
        ClientPayload::decode(&body).map(|payload| payload.hits())
    };
    for seven in [
        &[7_u8] as &[u8],
        &[0xcc, 7],
        &[0xcd, 0, 7],
        &[0xce, 0, 0, 0, 7],
        &[0xcf, 0, 0, 0, 0, 0, 0, 0, 7],
        &[0xd0, 7],
        &[0xd1, 0, 7],
        &[0xd2, 0, 0, 0, 7],
        &[0xd3, 0, 0, 0, 0, 0, 0, 0, 7],
        &[0xcb, 0x40, 0x1c, 0, 0, 0, 0, 0, 0],
    ] {
        assert_eq!(hits(seven), Ok(7), "{seven:x?}");
    }
    assert_eq!(hits(&[0xff]), Err(ClientStatsError::Type));
    assert_eq!(hits(&[0xa0]), Err(ClientStatsError::Type));
    assert_eq!(hits(&[0xcd, 0]), Err(ClientStatsError::Truncated));
}

#[test]
fn counts_are_bounded() {
    let with_groups = |count: usize| {
        let groups = Value::Array(vec![map(&[]); count]);
        let bucket = map(&[("Stats", groups)]);
        ClientPayload::decode(&bytes(&map(&[("Stats", Value::Array(vec![bucket]))])))
    };
    assert!(with_groups(GROUPS_MAX).is_ok());
    assert_eq!(with_groups(GROUPS_MAX + 1), Err(ClientStatsError::TooMany));
    let tags = map(&[("Tags", Value::Array(vec!["".into(); TAGS_MAX + 1]))]);
    assert_eq!(ClientPayload::decode(&bytes(&tags)), Err(ClientStatsError::TooMany));
    let buckets = map(&[("Stats", Value::Array(vec![map(&[]); BUCKETS_MAX + 1]))]);
    assert_eq!(ClientPayload::decode(&bytes(&buckets)), Err(ClientStatsError::TooMany));
}

#[test]
fn what_is_no_map_is_refused() {
    assert_eq!(ClientPayload::decode(&[]), Err(ClientStatsError::Truncated));
    for body in [&[0xc0_u8] as &[u8], &[0x90], &[0x01], &[0x81, 0x01, 0x01]] {
        assert_eq!(ClientPayload::decode(body), Err(ClientStatsError::Type));
    }
}

/// Bytes that look like the message up to a point.
fn plausible() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec!["Stats", "Hits", "Tags", "Service", "OkSummary", "PeerTags"])
            .prop_map(|key| bytes(&Value::from(key))),
        prop::collection::vec(any::<u8>(), 1..4),
        prop::sample::select(vec![0x81_u8, 0x82, 0x91, 0x92, 0xc0, 0xdd]).prop_map(|b| vec![b]),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body in prop_oneof![plausible(), any::<Vec<u8>>()]) {
        crate::check::check_client_stats(&body);
    }
}
