//! Traces and trace stats.

use std::sync::Arc;

use super::{NOW, Report, Rule, Rules, broken, check_headers, check_payload};
use crate::acceptance::check_exchange;
use crate::{
    AgentHead, AgentTraces, ChunkHead, ClientStats, LatencySketch, Payload, ReceivedChunk,
    ReceivedSpan, Request, Route, StatsBucket, StatsGroup, StatsKey, StatsPayload, TracerHead,
    TracerPayload,
};

fn span() -> ReceivedSpan {
    ReceivedSpan {
        trace_id: 7,
        span_id: 8,
        service: "web".into(),
        name: "web.request".into(),
        resource: "GET /".into(),
        start_ns: NOW * 1_000_000_000,
        duration_ns: 1_000,
        ..ReceivedSpan::default()
    }
}

fn traces(spans: Vec<ReceivedSpan>) -> AgentTraces {
    let agent = AgentHead {
        host: "web-1".into(),
        env: "prod".into(),
        version: "7.79.0".into(),
        ..AgentHead::default()
    };
    let head = Arc::new(ChunkHead { trace_id: 7, encoded_bytes: 1_000, ..ChunkHead::default() });
    let tracer = TracerHead { language: "go".into(), ..TracerHead::default() };
    let chunks = vec![ReceivedChunk { head, spans }];
    let payloads = vec![TracerPayload { head: Arc::new(tracer), chunks }];
    AgentTraces { agent: Arc::new(agent), payloads }
}

fn of_traces(traces: AgentTraces) -> Vec<Rule> {
    broken(&Payload { traces: Some(traces), ..Payload::default() }, Route::Traces)
}

fn of_span(span: ReceivedSpan) -> Vec<Rule> {
    of_traces(traces(vec![span]))
}

fn group() -> StatsGroup {
    let sketch = |count| LatencySketch {
        gamma: 1.01 / 0.99,
        bins: vec![(690, count)],
        has_stores: true,
        ..LatencySketch::default()
    };
    let key = StatsKey {
        service: "web".into(),
        name: "web.request".into(),
        resource: "GET /".into(),
        ..StatsKey::default()
    };
    StatsGroup {
        key,
        hits: 3,
        errors: 1,
        top_level_hits: 3,
        duration_ns: 3_000,
        ok: Some(sketch(2.0)),
        error: Some(sketch(1.0)),
    }
}

fn stats(groups: Vec<StatsGroup>) -> StatsPayload {
    let start_ns = u64::try_from(NOW).unwrap() * 1_000_000_000;
    let bucket =
        StatsBucket { start_ns, duration_ns: 10_000_000_000, groups, ..StatsBucket::default() };
    let client = ClientStats {
        hostname: "web-1".into(),
        env: "prod".into(),
        buckets: vec![bucket],
        ..ClientStats::default()
    };
    StatsPayload {
        agent_host: "web-1".into(),
        agent_env: "prod".into(),
        agent_version: "7.79.0".into(),
        clients: vec![client],
        ..StatsPayload::default()
    }
}

fn of_stats(stats: StatsPayload) -> Vec<Rule> {
    broken(&Payload { stats: Some(stats), ..Payload::default() }, Route::TraceStats)
}

#[test]
fn sound_traces_and_stats_are_accepted() {
    assert_eq!(of_span(span()), []);
    assert_eq!(of_stats(stats(vec![group()])), []);
}

#[test]
fn each_defect_of_a_span_is_named() {
    let meta = |key: &str, value: &str| [(key.into(), value.into())].into();
    let long = "v".repeat(25_004);
    for (span, rule) in [
        (ReceivedSpan { span_id: 0, ..span() }, Rule::SpanId),
        (ReceivedSpan { parent_id: 8, ..span() }, Rule::SpanId),
        (ReceivedSpan { trace_id: 6, ..span() }, Rule::TraceId),
        (ReceivedSpan { service: "Web".into(), ..span() }, Rule::SpanText),
        (ReceivedSpan { name: "a b".into(), ..span() }, Rule::SpanText),
        (ReceivedSpan { resource: "".into(), ..span() }, Rule::SpanText),
        (ReceivedSpan { resource: "r".repeat(5_001).into(), ..span() }, Rule::SpanText),
        (ReceivedSpan { span_type: "t".repeat(101).into(), ..span() }, Rule::SpanText),
        (ReceivedSpan { meta: meta("k", &long), ..span() }, Rule::SpanText),
        (ReceivedSpan { meta: meta(&"k".repeat(204), ""), ..span() }, Rule::SpanText),
        (ReceivedSpan { metrics: [("m".into(), f64::NAN)].into(), ..span() }, Rule::NotFinite),
        (ReceivedSpan { start_ns: 1, ..span() }, Rule::SpanTime),
        (ReceivedSpan { start_ns: i64::MAX, ..span() }, Rule::SpanTime),
        (ReceivedSpan { duration_ns: -1, ..span() }, Rule::SpanTime),
        (ReceivedSpan { duration_ns: i64::MAX, ..span() }, Rule::SpanTime),
    ] {
        assert_eq!(of_span(span.clone()), [rule], "{span:?}");
    }
    let exempt = ReceivedSpan { meta: meta("_dd.appsec.json", &long), ..span() };
    assert_eq!(of_span(exempt), []);
}

#[test]
fn chunks_and_payloads_are_checked() {
    assert_eq!(of_traces(traces(vec![])), [Rule::EmptyChunk]);
    let mut headless = traces(vec![span()]);
    headless.agent = Arc::new(AgentHead::default());
    assert_eq!(of_traces(headless), [Rule::AgentHead]);
    let mut strange = traces(vec![span()]);
    strange.payloads[0].chunks[0].head =
        Arc::new(ChunkHead { trace_id: 7, priority: 9, ..ChunkHead::default() });
    assert_eq!(of_traces(strange), [Rule::Priority]);
    let mut empty = traces(vec![span()]);
    empty.payloads.push(TracerPayload::default());
    assert_eq!(of_traces(empty), [Rule::EmptyChunk]);
}

#[test]
fn a_payload_exceeds_the_size_only_alone_and_by_one_chunk() {
    for (payload_count, decoded_bytes, is_clean) in
        [(1, 3_200_000, true), (1, 3_201_000, true), (1, 3_201_001, false), (2, 3_200_001, false)]
    {
        let mut traces = traces(vec![span()]);
        traces.payloads = vec![traces.payloads[0].clone(); payload_count];
        let payload = Payload { traces: Some(traces), ..Payload::default() };
        let mut report = Report::default();
        let rules = Rules::default();
        check_payload(Route::Traces, 1, decoded_bytes, &payload, &rules, NOW, &mut report);
        assert_eq!(report.is_clean(), is_clean, "{payload_count} of {decoded_bytes}");
    }
}

#[test]
fn each_defect_of_stats_is_named() {
    let key = |change: fn(&mut StatsKey)| {
        let mut group = group();
        change(&mut group.key);
        group
    };
    let ok = |change: fn(&mut LatencySketch)| {
        let mut group = group();
        change(group.ok.as_mut().unwrap());
        group
    };
    for (group, rule) in [
        (key(|key| key.service = "Web".into()), Rule::SpanText),
        (key(|key| key.resource = "".into()), Rule::SpanText),
        (key(|key| key.trace_root = 3), Rule::StatsGroup),
        (key(|key| key.peer_tags = vec!["peer".into()]), Rule::StatsGroup),
        (StatsGroup { hits: 2, ..group() }, Rule::StatsGroup),
        (StatsGroup { errors: 0, ..group() }, Rule::StatsGroup),
        (StatsGroup { errors: 5, ..group() }, Rule::StatsGroup),
        (StatsGroup { ok: None, ..group() }, Rule::Sketch),
        (ok(|sketch| sketch.gamma = 1.5), Rule::Sketch),
        (ok(|sketch| sketch.has_stores = false), Rule::Sketch),
        (ok(|sketch| sketch.bins = vec![(1, 0.5), (2, 0.5)]), Rule::Sketch),
        (ok(|sketch| sketch.bins = vec![(1, 0.0), (2, 1.0)]), Rule::Sketch),
        (ok(|sketch| sketch.bins = vec![(1, 1.0), (2_049, 1.0)]), Rule::Sketch),
        (ok(|sketch| sketch.negative_bins = vec![(1, 0.0)]), Rule::Sketch),
    ] {
        assert_eq!(of_stats(stats(vec![group.clone()])), [rule], "{group:?}");
    }
    assert_eq!(of_stats(stats(vec![group(), group()])), [Rule::StatsGroup]);
    let many = (0..4_001).map(|index: u32| {
        let mut group = group();
        group.key.http_status = index;
        group
    });
    assert_eq!(of_stats(stats(many.collect())), [Rule::TooManyItems]);
    let mut short = stats(vec![group()]);
    short.clients[0].buckets[0].duration_ns = 2_000_000_000;
    assert_eq!(of_stats(short), [Rule::StatsBucket]);
    let mut nameless = stats(vec![group()]);
    nameless.agent_env = "".into();
    nameless.clients[0].env = "".into();
    assert_eq!(of_stats(nameless), [Rule::AgentHead, Rule::StatsBucket]);
}

#[test]
fn weights_are_allowed_unless_the_rules_say_otherwise() {
    let weighted = StatsGroup { hits: 10, errors: 4, top_level_hits: 11, ..group() };
    let payload = Payload { stats: Some(stats(vec![weighted])), ..Payload::default() };
    for (are_stats_unweighted, is_clean) in [(false, true), (true, false)] {
        let rules = Rules { are_stats_unweighted, ..Rules::default() };
        let mut report = Report::default();
        check_payload(Route::TraceStats, 1, 1, &payload, &rules, NOW, &mut report);
        assert_eq!(report.is_clean(), is_clean);
    }
}

#[test]
fn stats_of_tracers_keep_their_sketches_and_odd_seconds() {
    let mut from_client = stats(vec![group()]);
    from_client.is_client_computed = true;
    assert_eq!(of_stats(from_client.clone()), [Rule::StatsBucket]);
    let bucket = &mut from_client.clients[0].buckets[0];
    bucket.start_ns += 1_000_000_000;
    bucket.groups[0].error = None;
    bucket.groups[0].ok.as_mut().unwrap().gamma = 1.015;
    assert_eq!(of_stats(from_client), []);
}

#[test]
fn headers_of_both_routes_are_checked() {
    let headers = |route: Route, encoding: &str, languages: &str| {
        let headers = [
            ("content-type", route.content_type().unwrap()),
            ("content-encoding", encoding),
            ("content-length", "3"),
            ("user-agent", "Datadog Trace Agent/7.79.0/abc"),
            ("x-datadog-reported-languages", languages),
        ];
        headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    };
    let payload = Payload { traces: Some(traces(vec![span()])), ..Payload::default() };
    for (route, encoding, languages, count) in [
        (Route::Traces, "zstd", "go|python", 0),
        (Route::Traces, "gzip", "go", 0),
        (Route::TraceStats, "gzip", "go", 0),
        (Route::TraceStats, "zstd", "go", 1),
        (Route::Traces, "identity", "go", 1),
        (Route::Traces, "zstd", "python|go", 1),
        (Route::Traces, "zstd", "go|go", 1),
        (Route::Traces, "zstd", "", 1),
    ] {
        let headers = headers(route, encoding, languages);
        let request =
            Request { route: Some(route), headers, encoded_bytes: 3, ..Request::default() };
        let mut report = Report::default();
        check_headers(&request, &mut report);
        check_exchange(&request, &payload, &mut report);
        assert_eq!(report.violations().len(), count, "{route:?} {encoding} {languages}");
    }
    let bare = Request { route: Some(Route::Traces), ..Request::default() };
    let mut report = Report::default();
    check_headers(&bare, &mut report);
    assert_eq!(report.counts()[&Rule::Header], 5);
}
