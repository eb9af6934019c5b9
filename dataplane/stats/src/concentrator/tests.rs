use proptest::prelude::*;

use super::*;

const S: u64 = 1_000_000_000;
const T0: u64 = 1_700_000_000 * S;

const PAYLOAD: PayloadKey<'static> = PayloadKey {
    env: "prod",
    hostname: "host",
    version: "",
    container_id: "",
    git_commit_sha: "",
    image_tag: "",
    lang: "go",
    process_tags: "",
    service: "",
};

fn span(start_ns: u64, duration_ns: u64) -> SpanStats<'static> {
    SpanStats {
        service: "web",
        name: "http.request",
        resource: "GET /",
        span_type: "web",
        span_kind: "server",
        svc_src: "",
        http_status: 200,
        grpc_status: None,
        is_synthetics: false,
        is_trace_root: true,
        is_top_level: true,
        is_error: false,
        peer_tags: &[],
        additional_tags: &[],
        start_ns: start_ns as i64,
        duration_ns: duration_ns as i64,
        weight: 1.0,
    }
}

fn concentrator(settings: ConcentratorSettings) -> Concentrator {
    Concentrator::new(settings, T0 - 10 * S)
}

fn hits(buckets: &[ClosedBucket]) -> f64 {
    buckets.iter().flat_map(|bucket| bucket.groups()).map(|group| group.cell.hits).sum()
}

/// spec: apm §9.4, the worked example.
#[test]
fn late_spans_go_to_the_oldest_open_bucket() {
    let mut concentrator = concentrator(ConcentratorSettings::default());
    assert!(concentrator.flush(T0, false).is_empty());
    concentrator.add(&PAYLOAD, &span(T0 - 32 * S, S));
    concentrator.add(&PAYLOAD, &span(T0 + S, S / 2));
    let closed = concentrator.flush(T0 + 10 * S, false);
    assert_eq!(closed.len(), 1);
    assert_eq!((closed[0].start_ns(), closed[0].duration_ns()), (T0 - 10 * S, 10 * S));
    concentrator.add(&PAYLOAD, &span(T0 - 32 * S, S));
    let closed = concentrator.flush(T0 + 20 * S, false);
    assert_eq!(closed.len(), 1);
    assert_eq!((closed[0].start_ns(), hits(&closed)), (T0, 2.0));
    assert!(concentrator.flush(T0 + 30 * S, false).is_empty());
}

/// spec: apm §9.4, the worked example of weights.
#[test]
fn counts_are_weighted_and_sketches_are_not() {
    let mut concentrator = concentrator(ConcentratorSettings::default());
    let ok = SpanStats { weight: 1.0 / 0.3, ..span(T0, S / 10) };
    concentrator.add(&PAYLOAD, &ok);
    concentrator.add(&PAYLOAD, &ok);
    concentrator.add(&PAYLOAD, &SpanStats { is_error: true, ..ok });
    let closed = concentrator.flush(T0, true);
    let group = closed[0].groups().next().unwrap();
    assert!((group.cell.hits - 10.0).abs() < 1e-9);
    assert!((group.cell.top_level_hits - 10.0).abs() < 1e-9);
    assert!((group.cell.errors - 10.0 / 3.0).abs() < 1e-9);
    assert!((group.cell.duration_ns - 1e9).abs() < 1e-3);
    assert_eq!((group.cell.ok.count(), group.cell.error.count()), (2.0, 1.0));
}

#[test]
fn every_part_of_the_key_makes_a_group() {
    let base = span(T0, S);
    let peer = [("peer.service", "db")];
    let variants = [
        base,
        SpanStats { service: "api", ..base },
        SpanStats { name: "other", ..base },
        SpanStats { resource: "POST /", ..base },
        SpanStats { span_type: "http", ..base },
        SpanStats { span_kind: "client", ..base },
        SpanStats { svc_src: "m", ..base },
        SpanStats { http_status: 404, ..base },
        SpanStats { grpc_status: Some(0), ..base },
        SpanStats { is_synthetics: true, ..base },
        SpanStats { is_trace_root: false, ..base },
        SpanStats { peer_tags: &peer, ..base },
        SpanStats { additional_tags: &peer, ..base },
    ];
    let mut concentrator = concentrator(ConcentratorSettings::default());
    for span in variants.iter().chain(&variants) {
        assert_eq!(concentrator.add(&PAYLOAD, span), Recorded::Grouped);
    }
    // What is no part of the key.
    concentrator
        .add(&PAYLOAD, &SpanStats { is_error: true, is_top_level: false, duration_ns: 0, ..base });
    assert_eq!(concentrator.group_count(), variants.len());
    concentrator.add(&PayloadKey { version: "2", ..PAYLOAD }, &base);
    let closed = concentrator.flush(T0, true);
    assert_eq!((closed[0].group_count(), closed[0].payloads().len()), (variants.len() + 1, 2));
    assert_eq!(hits(&closed), 28.0);
}

#[test]
fn a_payload_keeps_its_container_tags() {
    let mut concentrator = concentrator(ConcentratorSettings::default());
    concentrator.chunk(&PAYLOAD, "image_tag:1,,pod:x").add(&span(T0, S));
    concentrator.chunk(&PAYLOAD, "image_tag:2").add(&span(T0, S));
    let closed = concentrator.flush(T0, true);
    let payload = closed[0].payloads().next().unwrap();
    assert_eq!(payload.key, PAYLOAD);
    assert!(payload.tags.iter().eq(["image_tag:1", "pod:x"]));
}

#[test]
fn beyond_the_limit_resources_collapse_and_then_spans_are_dropped() {
    let settings = ConcentratorSettings { lane_groups_max: 8, ..Default::default() };
    let mut concentrator = concentrator(settings);
    let names: Vec<String> = (0..20).map(|at| at.to_string()).collect();
    let add = |concentrator: &mut Concentrator, service: &'static str, resource: &str| {
        concentrator.add(&PAYLOAD, &SpanStats { service, resource, ..span(T0, S) })
    };
    for name in &names[..8] {
        assert_eq!(add(&mut concentrator, "web", name), Recorded::Grouped);
    }
    for name in &names[8..] {
        assert_eq!(add(&mut concentrator, "web", name), Recorded::Collapsed);
    }
    assert_eq!(add(&mut concentrator, "web", &names[0]), Recorded::Grouped);
    assert_eq!(add(&mut concentrator, "api", &names[0]), Recorded::Dropped);
    let other = PayloadKey { version: "2", ..PAYLOAD };
    assert_eq!(concentrator.add(&other, &span(T0, S)), Recorded::Dropped);
    assert_eq!(concentrator.add(&PAYLOAD, &span(T0 + 50 * S, S)), Recorded::Dropped);
    assert_eq!((concentrator.bucket_count(), concentrator.group_count()), (1, 9));
    let tally = Tally { span_count: 24, collapsed_count: 12, dropped_count: 3, coarse_count: 0 };
    assert_eq!(concentrator.tally(), tally);
    let closed = concentrator.flush(T0, true);
    assert_eq!(hits(&closed), 21.0);
    let overflow = closed[0].groups().find(|group| group.key.resource == OVERFLOW_RESOURCE);
    assert_eq!(overflow.unwrap().cell.hits, 12.0);
    assert_eq!((concentrator.group_count(), concentrator.key_bytes()), (0, 0));
}

#[test]
fn sketches_stop_growing_at_their_limit() {
    let settings = ConcentratorSettings { lane_sketch_bytes_max: 1000, ..Default::default() };
    let mut concentrator = concentrator(settings);
    for exponent in 0..40 {
        concentrator.add(&PAYLOAD, &span(T0 - 10_000 * S, 1 << exponent));
    }
    assert!(concentrator.sketch_bytes() < 3000);
    let coarse_count = concentrator.tally().coarse_count;
    assert!((20..40).contains(&coarse_count), "{coarse_count}");
    // A new group has a first window all the same.
    let other = SpanStats { resource: "other", ..span(T0 - 10_000 * S, 7) };
    concentrator.add(&PAYLOAD, &other);
    assert_eq!(concentrator.tally().coarse_count, coarse_count);
    let closed = concentrator.flush(T0, true);
    let counts: Vec<f64> = closed[0].groups().map(|group| group.cell.ok.count()).collect();
    assert_eq!(counts, [40.0, 1.0]);
    assert_eq!(concentrator.sketch_bytes(), 0);
}

#[test]
fn spans_of_the_far_future_hold_no_memory() {
    let mut concentrator = concentrator(ConcentratorSettings::default());
    for minute in 0..100 {
        concentrator.add(&PAYLOAD, &span(T0 + minute * 60 * S, 0));
    }
    concentrator
        .add(&PAYLOAD, &SpanStats { start_ns: i64::MAX, duration_ns: i64::MAX, ..span(0, 0) });
    let closed = concentrator.flush(T0, false);
    assert_eq!((closed.len(), concentrator.bucket_count()), (98, 3));
    assert!(closed.is_sorted_by_key(ClosedBucket::start_ns));
}

proptest! {
    /// Weights of 1: hits in = hits out + dropped, whatever the limits and flushes are.
    #[test]
    fn every_span_is_accounted_for(
        spans in prop::collection::vec((0..200u64, 0..30u64, 0..40usize, 0..3usize), 0..200),
        lane_groups_max in 0..30usize,
        bucket_groups_max in 0..20usize,
        lane_key_bytes_max in 0..8000usize,
        lane_sketch_bytes_max in 0..3000usize,
    ) {
        let settings = ConcentratorSettings {
            lane_groups_max,
            bucket_groups_max,
            lane_key_bytes_max,
            lane_sketch_bytes_max,
            ..Default::default()
        };
        let mut concentrator = concentrator(settings);
        let names: Vec<String> = (0..40).map(|at| format!("resource {at}")).collect();
        let mut out = 0.0;
        for (at, (start, duration, resource, payload)) in spans.iter().enumerate() {
            let payload = PayloadKey { version: ["1", "2", "3"][*payload], ..PAYLOAD };
            let span = SpanStats {
                resource: &names[*resource],
                ..span(T0 + start * S, duration * S)
            };
            concentrator.add(&payload, &span);
            if at % 37 == 0 {
                out += hits(&concentrator.flush(T0 + at as u64 * S, false));
            }
        }
        prop_assert!(concentrator.group_count() <= lane_groups_max + lane_groups_max / 8);
        prop_assert!(concentrator.key_bytes() <= lane_key_bytes_max);
        out += hits(&concentrator.flush(T0, true));
        let tally = concentrator.tally();
        prop_assert_eq!(tally.span_count as usize, spans.len());
        prop_assert_eq!(out as u64 + tally.dropped_count, tally.span_count);
        prop_assert_eq!((concentrator.group_count(), concentrator.key_bytes()), (0, 0));
        prop_assert_eq!(concentrator.sketch_bytes(), 0);
    }
}
