//! What holds for every batch.

use corelane_traces::{Pattern, PayloadHead, Piece, ReplaceRule, Settings, TagFilter, TagLists};
use proptest::collection::vec;
use proptest::prelude::*;
use sampling::{AnalyzedSpans, EventSettings, RareSettings, SamplingSettings};
use span::{Attribute, Batch, Format, Value};

use crate::support::{Make, MakeChunk, NOW_NS, Typed, batch, processor};

const KEYS: [&str; 20] = [
    "env",
    "version",
    "component",
    "span.kind",
    "peer.service",
    "_dd.base_service",
    "http.status_code",
    "http.url",
    "sql.query",
    "db.statement",
    "redis.raw_command",
    "memcached.command",
    "mongodb.query",
    "elasticsearch.body",
    "_dd.hostname",
    "_dd.origin",
    "_dd.p.dm",
    "out.host",
    "team",
    "_dd.long.json",
];
const METRICS: [&str; 10] = [
    "_top_level",
    "_dd.top_level",
    "_dd.measured",
    "_sampling_priority_v1",
    "_sample_rate",
    "_dd1.sr.rcusr",
    "_dd1.sr.eausr",
    "_dd.span_sampling.mechanism",
    "_dd.partial_version",
    "team",
];
const TYPES: [&str; 9] =
    ["", "web", "sql", "redis", "valkey", "memcached", "mongodb", "elasticsearch", "custom"];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-zA-Z0-9_.: /é-]{0,30}",
        1 => "\\PC{0,60}",
        1 => Just("4111 1111 1111 1111".to_owned()),
        1 => Just("SELECT a FROM b WHERE c = 'secret'".to_owned()),
        1 => Just("{\"a\": [1, \"x\"], \"b\": {}}".to_owned()),
        1 => ("é|x", 90usize..130).prop_map(|(unit, n)| unit.repeat(n)),
    ]
}

fn long_text() -> impl Strategy<Value = String> {
    prop_oneof![20 => text(), 1 => (190usize..5_200).prop_map(|n| "é".repeat(n))]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![Just(1.0), Just(0.0), Just(0.5), Just(2.0), Just(-1.0), any::<f64>()]
}

fn typed() -> impl Strategy<Value = Typed> {
    let leaf = prop_oneof![
        text().prop_map(Typed::Text),
        any::<bool>().prop_map(Typed::Bool),
        number().prop_map(Typed::Double),
        any::<i64>().prop_map(Typed::Int),
        vec(any::<u8>(), 0..12).prop_map(Typed::Bytes),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Typed::List),
            vec((text(), inner), 0..4).prop_map(Typed::Map),
        ]
    })
}

fn key(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(of).prop_map(str::to_owned),
        1 => long_text(),
    ]
}

fn make() -> impl Strategy<Value = Make> {
    let ids = (prop_oneof![20 => Just(7u64), 1 => 0..9u64], 0u64..12, 0u64..12);
    let times = (
        prop_oneof![Just(NOW_NS as i64 - 5), any::<i64>()],
        prop_oneof![0..1_000_000_000_i64, any::<i64>()],
        prop_oneof![4 => Just(0), 1 => any::<i32>()],
    );
    let texts = (text(), text(), long_text(), prop::sample::select(&TYPES[..]));
    let attributes = (
        vec((key(&KEYS), long_text()), 0..5),
        vec((key(&METRICS), number()), 0..4),
        vec((key(&METRICS), typed()), 0..3),
    );
    let lists = (
        vec(vec((text(), typed()), 0..3), 0..2),
        vec(vec((prop_oneof![Just("link.name".to_owned()), text()], text()), 0..2), 0..2),
    );
    (ids, times, texts, attributes, lists).prop_map(|(ids, times, texts, attributes, lists)| Make {
        trace_id: ids.0,
        span_id: ids.1,
        parent_id: ids.2,
        start_ns: times.0,
        duration_ns: times.1,
        error: times.2,
        service: texts.0,
        name: texts.1,
        resource: texts.2,
        span_type: texts.3.to_owned(),
        // Only kinds that exist can be fields.
        meta: attributes.0.into_iter().filter(|(key, _)| key != "span.kind").collect(),
        metrics: attributes.1,
        typed: attributes.2,
        events: lists.0,
        links: lists.1,
    })
}

fn chunks() -> impl Strategy<Value = Vec<MakeChunk>> {
    let tags = vec((key(&KEYS), text()), 0..2);
    let made = (prop_oneof![Just(-128), -2..4], text(), tags, vec(make(), 0..7));
    let made = made.prop_map(|(priority, origin, tags, spans)| MakeChunk {
        priority,
        origin,
        tags,
        spans,
    });
    vec(made, 0..6)
}

fn format() -> impl Strategy<Value = Format> {
    prop::sample::select(&[Format::V04, Format::V05, Format::V07, Format::V1][..])
}

/// Settings with something of everything.
fn settings(has_rules: bool) -> (Settings, SamplingSettings) {
    let reject = ["team:drop".to_owned()];
    let require_regex = ["_dd.origin:.".to_owned()];
    let lists = TagLists { reject: &reject, require_regex: &require_regex, ..TagLists::default() };
    let mut settings = Settings {
        ignore_resources: vec![Pattern::new("ignore", "^GET$|xxx{100}").unwrap()],
        payload_bytes_max: 3_000,
        peer_tags: corelane_traces::peer_tag_keys(&[]),
        additional_metric_tags: vec!["team".into()],
        global_tags: vec![("site".into(), "a".into()), ("version".into(), "b".into())],
        ..Settings::default()
    };
    if has_rules {
        settings.filter = TagFilter::new(&lists).unwrap();
        let rules = [("*", "(s)e(c?)", "$2$1"), ("team", "1", "x"), ("resource.name", "", "-")];
        let rules = rules.iter().enumerate();
        let rules = rules.map(|(n, (name, from, to))| ReplaceRule::new(n, name, from, to).unwrap());
        settings.replace_rules = rules.collect();
    }
    let sampling = SamplingSettings {
        rare: RareSettings { is_enabled: true, ..RareSettings::default() },
        events: EventSettings {
            analyzed_spans: vec![AnalyzedSpans {
                service: "a".into(),
                operation: "a".into(),
                rate: 1.0,
            }],
            ..EventSettings::default()
        },
        ..SamplingSettings::default()
    };
    (settings, sampling)
}

/// Processes a batch in steps of this many spans.
fn process(
    batch: Batch,
    head: &PayloadHead<'_>,
    has_rules: bool,
    step: usize,
) -> (Batch, Vec<Piece>, corelane_traces::Counts) {
    let (settings, sampling) = settings(has_rules);
    let mut processor = processor(settings, sampling);
    processor.begin(batch, head, NOW_NS);
    while processor.step(step) {
        assert!(processor.counts().is_balanced());
    }
    let mut pieces = Vec::new();
    let batch = processor.finish(&mut pieces);
    assert!(processor.counts().is_balanced(), "{:?}", processor.counts());
    (batch, pieces, *processor.counts())
}

/// Everything that leaves, as text.
fn leaving(batch: &Batch, pieces: &[Piece]) -> String {
    let text = |held: &Attribute| {
        let value = match held.value() {
            Value::Text(text) => batch.strings.text(text).to_owned(),
            Value::Bytes(bytes) => format!("{:?}", batch.strings.bytes(bytes)),
            Value::Double(number) => format!("{:x}", number.to_bits()),
            other => format!("{other:?}"),
        };
        (batch.strings.text(held.key).to_owned(), value)
    };
    let mut out = format!("{pieces:?}\n");
    for chunk in &batch.chunks {
        let tags: Vec<_> = batch.attributes.get(chunk.attributes).iter().map(text).collect();
        out += &format!("{} {} {tags:?}\n", chunk.priority, chunk.is_dropped_trace);
        for span in &batch.spans[chunk.spans.range()] {
            let texts = [span.service, span.name, span.resource, span.span_type, span.env];
            let texts = texts.map(|text| batch.strings.text(text));
            let held: Vec<_> = batch.attributes.get(span.attributes).iter().map(text).collect();
            out += &format!("{} {} {texts:?} {held:?}\n", span.span_id, span.start_ns);
        }
    }
    out
}

proptest! {
    #[test]
    fn nothing_panics_and_counts_balance(
        format in format(),
        chunks in chunks(),
        has_rules: bool,
        is_top_level_by_client: bool,
        dropped_p0_traces: u64,
    ) {
        let head = PayloadHead {
            language: "go",
            container_tags: "image_tag:1",
            is_top_level_by_client,
            dropped_p0_traces,
            ..PayloadHead::default()
        };
        let (out, pieces, counts) = process(batch(format, &chunks), &head, has_rules, usize::MAX);
        let spans: usize = chunks.iter().map(|chunk| chunk.spans.len()).sum();
        prop_assert_eq!(counts.traces_received, chunks.len() as u64);
        prop_assert_eq!(counts.spans_received, spans as u64);
        prop_assert_eq!(counts.traces_kept, out.chunks.len() as u64);
        let kept: u64 = out.chunks.iter().map(|chunk| u64::from(chunk.spans.len)).sum();
        prop_assert_eq!(counts.spans_kept, kept);
        prop_assert_eq!(pieces.iter().map(|piece| piece.spans).sum::<u64>(), kept);
        let mut next = 0;
        for piece in &pieces {
            prop_assert_eq!(piece.chunks.start, next);
            prop_assert!(!piece.chunks.is_empty());
            next = piece.chunks.end;
        }
        prop_assert_eq!(next, out.chunks.len());
    }

    #[test]
    fn limits_hold_afterwards(format in format(), chunks in chunks()) {
        let (out, _, _) = process(batch(format, &chunks), &PayloadHead::default(), false, 3);
        for span in out.chunks.iter().flat_map(|chunk| &out.spans[chunk.spans.range()]) {
            prop_assert!(out.strings.len_of(span.resource) <= 5_000);
            for (text, max) in [(span.service, 100), (span.name, 100), (span.span_type, 100)] {
                prop_assert!(!out.strings.bytes(text).is_empty() || text == span.span_type);
                prop_assert!(out.strings.len_of(text) <= max);
            }
            prop_assert!(span.start_ns >= 0 && span.duration_ns >= 0);
            for held in out.attributes.get(span.attributes) {
                let key = out.strings.text(held.key);
                let is_text = held.text().is_some();
                let is_exempt = obfuscate::normalize::is_exempt_from_cut(key);
                if !is_exempt && (is_text || held.double().is_some()) {
                    prop_assert!(key.len() <= 203, "{}", key.len());
                }
                if let Some(text) = held.text() {
                    prop_assert!(is_exempt || out.strings.len_of(text) <= 25_003);
                    prop_assert!(std::str::from_utf8(out.strings.bytes(text)).is_ok());
                }
            }
        }
    }

    #[test]
    fn slices_do_the_same_as_one_step(
        format in format(),
        chunks in chunks(),
        step in 0usize..9,
        has_rules: bool,
    ) {
        let head = PayloadHead::default();
        let (out, pieces, counts) = process(batch(format, &chunks), &head, has_rules, step);
        let (whole, whole_pieces, whole_counts) =
            process(batch(format, &chunks), &head, has_rules, usize::MAX);
        prop_assert_eq!(counts, whole_counts);
        prop_assert_eq!(leaving(&out, &pieces), leaving(&whole, &whole_pieces));
    }

    #[test]
    fn no_literal_of_a_statement_leaves(format in format(), secret in "[a-z]{8,20}") {
        let made = Make {
            span_type: "sql".into(),
            resource: format!("SELECT a FROM b WHERE c = '{secret}'"),
            ..crate::support::span(1, 0)
        };
        let made = made.meta("sql.query", &format!("DELETE FROM b WHERE c = '{secret}'"));
        let chunks = [crate::support::chunk(&[made])];
        let (out, pieces, _) = process(batch(format, &chunks), &PayloadHead::default(), false, 1);
        prop_assert_eq!(out.chunks.len(), 1);
        prop_assert!(!leaving(&out, &pieces).contains(&secret));
    }
}
