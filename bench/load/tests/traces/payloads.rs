//! Payloads of every version and language.

use std::collections::{HashMap, HashSet};

use load::traces::{Language, TracePool, TraceSpec, TraceTally, TraceVersion};

use crate::value::Value;

/// What stats, samplers and errors are about, read from any version.
#[derive(Debug, Default)]
struct Seen {
    tally: TraceTally,
    meta_of_entries: Vec<usize>,
    statements: usize,
    stacks: usize,
}

/// One span, whatever its version.
struct Span<'a> {
    trace_id: u128,
    id: i128,
    parent: i128,
    service: &'a str,
    is_error: bool,
    duration: i128,
    kind: &'a str,
    meta: HashMap<&'a str, &'a str>,
    metrics: HashSet<&'a str>,
}

/// Of v1.0, by number.
const KINDS: [&str; 6] = ["", "internal", "server", "client", "producer", "consumer"];

impl Seen {
    fn add(&mut self, is_kept: bool, spans: &[Span<'_>]) {
        let tally = &mut self.tally;
        let count = spans.len() as u64;
        let errors = spans.iter().filter(|span| span.is_error).count() as u64;
        tally.chunks += 1;
        tally.spans += count;
        tally.error_spans += errors;
        tally.error_chunks += u64::from(errors > 0);
        tally.kept_chunks += u64::from(is_kept);
        tally.kept_spans += if is_kept { count } else { 0 };
        tally.dropped_error_chunks += u64::from(errors > 0 && !is_kept);
        let services: HashMap<i128, &str> =
            spans.iter().map(|span| (span.id, span.service)).collect();
        for span in spans {
            assert_eq!(span.trace_id, spans[0].trace_id);
            // Top-level as an agent would find it. spec: apm §6.7
            let above = services.get(&span.parent);
            let is_top_level = above.is_none_or(|above| *above != span.service);
            assert_eq!(is_top_level, span.metrics.contains("_dd.top_level"), "{}", span.service);
            let is_hit = is_top_level
                || span.metrics.contains("_dd.measured")
                || matches!(span.kind, "server" | "client" | "producer" | "consumer");
            if is_hit {
                tally.hits += 1;
                tally.hit_errors += u64::from(span.is_error);
                tally.top_level_hits += u64::from(is_top_level);
                tally.hit_duration_ns += u64::try_from(span.duration).unwrap();
            }
            if span.parent == 0 {
                self.meta_of_entries.push(span.meta.len());
            }
            self.statements += usize::from(span.meta.contains_key("db.user"));
            self.stacks += usize::from(span.meta.contains_key("error.stack"));
        }
        assert_eq!(services.len(), spans.len(), "ids are distinct");
        assert!(spans[1..].iter().all(|span| services.contains_key(&span.parent)));
    }
}

fn map_span<'a>(span: &'a Value) -> Span<'a> {
    let int = |key| span.at(key).unwrap().as_int();
    let meta: HashMap<&str, &str> =
        span.at("meta").unwrap().by_text().into_iter().map(|(k, v)| (k, v.as_text())).collect();
    let metrics = span.at("metrics").map(|metrics| metrics.by_text().into_keys().collect());
    for key in ["name", "resource", "type"] {
        assert!(matches!(span.at(key), Some(Value::Text(_))), "{key}");
    }
    assert!(int("start") > 1_600_000_000_000_000_000);
    Span {
        trace_id: u128::try_from(int("trace_id")).unwrap(),
        id: int("span_id"),
        parent: int("parent_id"),
        service: span.at("service").unwrap().as_text(),
        is_error: int("error") == 1,
        duration: int("duration"),
        kind: meta.get("span.kind").copied().unwrap_or_default(),
        meta,
        metrics: metrics.unwrap_or_default(),
    }
}

fn priority(spans: &Value) -> bool {
    let metrics = spans.items()[0].at("metrics").unwrap();
    *metrics.at("_sampling_priority_v1").unwrap() == Value::Float(1.0)
}

fn read_v04(body: &Value, seen: &mut Seen) {
    for spans in body.items() {
        let is_kept = priority(spans);
        let spans: Vec<Span<'_>> = spans.items().iter().map(map_span).collect();
        assert_eq!(spans[0].meta["_dd.p.tid"].len(), 16);
        seen.add(is_kept, &spans);
    }
}

fn read_v07(body: &Value, seen: &mut Seen) {
    assert_eq!(body.at("env").unwrap().as_text(), "production");
    for chunk in body.at("chunks").unwrap().items() {
        let spans = chunk.at("spans").unwrap();
        let is_kept = chunk.at("priority").unwrap().as_int() == 1;
        assert_eq!(is_kept, priority(spans));
        let spans: Vec<Span<'_>> = spans.items().iter().map(map_span).collect();
        seen.add(is_kept, &spans);
    }
}

fn read_v05(body: &Value, seen: &mut Seen) {
    let [strings, traces] = body.items() else { panic!("not two elements") };
    let text = |value: &Value| strings.items()[usize::try_from(value.as_int()).unwrap()].as_text();
    for spans in traces.items() {
        let mut is_kept = false;
        let mut read = Vec::new();
        for span in spans.items() {
            let fields = span.items();
            assert_eq!(fields.len(), 12);
            let meta: HashMap<&str, &str> =
                fields[9].entries().iter().map(|(k, v)| (text(k), text(v))).collect();
            let metrics = fields[10].entries().iter().map(|(key, value)| {
                is_kept |= text(key) == "_sampling_priority_v1" && *value == Value::Float(1.0);
                text(key)
            });
            let metrics = metrics.collect();
            read.push(Span {
                trace_id: u128::try_from(fields[3].as_int()).unwrap(),
                id: fields[4].as_int(),
                parent: fields[5].as_int(),
                service: text(&fields[0]),
                is_error: fields[8].as_int() == 1,
                duration: fields[7].as_int(),
                kind: meta.get("span.kind").copied().unwrap_or_default(),
                meta,
                metrics,
            });
        }
        seen.add(is_kept, &read);
    }
}

/// All strings of a payload in the order of their bytes; a string must be new where it stands.
fn table(value: &Value, strings: &mut Vec<String>) {
    match value {
        Value::Text(text) => {
            let is_known = strings.contains(text);
            assert!(!is_known, "{text} is sent twice");
            strings.push(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| table(item, strings)),
        Value::Map(entries) => entries.iter().for_each(|(_, value)| table(value, strings)),
        Value::Nil | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Bytes(_) => {}
    }
}

fn read_v10(body: &Value, seen: &mut Seen) {
    let mut strings = vec![String::new()];
    table(body, &mut strings);
    let text = |value: &Value| {
        if let Value::Text(text) = value {
            strings.iter().find(|string| *string == text).unwrap().as_str()
        } else {
            strings[usize::try_from(value.as_int()).unwrap()].as_str()
        }
    };
    assert_eq!(text(body.field(7).unwrap()), "production");
    for chunk in body.field(11).unwrap().items() {
        let Some(Value::Bytes(id)) = chunk.field(6) else { panic!("no trace id") };
        let trace_id = u128::from_be_bytes(id.as_slice().try_into().unwrap());
        let is_kept = chunk.field(1).unwrap().as_int() == 1;
        assert_eq!(is_kept, chunk.field(7).is_some());
        let mut read = Vec::new();
        for span in chunk.field(4).unwrap().items() {
            let (mut meta, mut metrics) = (HashMap::new(), HashSet::new());
            for attribute in span.field(9).unwrap().items().chunks(3) {
                match attribute[1].as_int() {
                    1 => drop(meta.insert(text(&attribute[0]), text(&attribute[2]))),
                    3 => drop(metrics.insert(text(&attribute[0]))),
                    kind => panic!("type {kind} is never written"),
                }
            }
            let int = |key| span.field(key).unwrap().as_int();
            read.push(Span {
                trace_id,
                id: int(4),
                parent: int(5),
                service: text(span.field(1).unwrap()),
                is_error: *span.field(8).unwrap() == Value::Bool(true),
                duration: int(7),
                kind: KINDS[usize::try_from(int(16)).unwrap()],
                meta,
                metrics,
            });
        }
        seen.add(is_kept, &read);
    }
}

fn read(version: TraceVersion, pool: &TracePool) -> Seen {
    let mut seen = Seen::default();
    for index in 0..pool.len() {
        let body = pool.body(index);
        seen.tally.payloads += 1;
        seen.tally.body_bytes += body.len() as u64;
        let value = Value::read(body);
        match version {
            TraceVersion::V04 => read_v04(&value, &mut seen),
            TraceVersion::V05 => read_v05(&value, &mut seen),
            TraceVersion::V07 => read_v07(&value, &mut seen),
            TraceVersion::V10 => read_v10(&value, &mut seen),
        }
    }
    seen
}

fn spec(version: TraceVersion, language: Language) -> TraceSpec {
    TraceSpec {
        version,
        language,
        payloads: 20,
        errors_per_mille: 100,
        start_unix_ns: 1_700_000_000_000_000_000,
        ..TraceSpec::default()
    }
}

#[test]
fn counts_are_what_the_payloads_hold() {
    for version in TraceVersion::ALL {
        for language in Language::ALL {
            let pool = TracePool::build(&spec(version, language)).unwrap();
            let seen = read(version, &pool);
            assert_eq!(pool.total(), seen.tally, "{version:?} {language:?}");
            let total = pool.total();
            assert_eq!((total.chunks, total.spans, total.kept_chunks), (100, 5_000, 10));
            assert!(total.error_chunks > 0 && total.error_spans > total.error_chunks);
            assert_eq!(seen.stacks as u64, total.error_spans);
            assert!(seen.statements > 1_000);
            // Ten to fourteen tags; v1.0 has some of them as fields, errors have three more.
            let least = if version == TraceVersion::V10 { 6 } else { 10 };
            assert!(seen.meta_of_entries.iter().all(|count| (least..=19).contains(count)));
            let bytes_per_span = total.body_bytes / total.spans;
            assert!((100..=900).contains(&bytes_per_span), "{version:?}: {bytes_per_span}");
        }
    }
}

/// The traces that real tracers were recorded with, as every version has them.
#[test]
fn counts_are_what_payloads_of_recorded_spans_hold() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus");
    let mut languages = 0;
    for language in Language::ALL {
        let corpus = format!("{directory}/{}.capture", name(language));
        let mut totals = Vec::new();
        for version in TraceVersion::ALL {
            let spec = TraceSpec { corpus: corpus.clone().into(), ..spec(version, language) };
            let pool = TracePool::build(&spec).unwrap();
            let seen = read(version, &pool);
            assert_eq!(pool.total(), seen.tally, "{version:?} {language:?}");
            let total = TraceTally { body_bytes: 0, ..pool.total() };
            assert_eq!((total.chunks, total.spans, total.kept_chunks), (100, 5_000, 10));
            assert!(total.error_chunks > 0 && total.top_level_hits >= 100, "{total:?}");
            totals.push(total);
        }
        assert!(totals.iter().all(|total| *total == totals[0]), "{totals:?}");
        languages += 1;
    }
    assert_eq!(languages, std::fs::read_dir(directory).unwrap().count(), "a capture is not used");
}

fn name(language: Language) -> String {
    serde_json::to_value(language).unwrap().as_str().unwrap().to_owned()
}

#[test]
fn versions_carry_the_same_traces() {
    let totals = TraceVersion::ALL.map(|version| {
        let pool = TracePool::build(&spec(version, Language::Go)).unwrap();
        TraceTally { body_bytes: 0, ..pool.total() }
    });
    assert!(totals.iter().all(|total| *total == totals[0]), "{totals:?}");
}

#[test]
fn a_pool_is_a_function_of_its_specification() {
    let spec = spec(TraceVersion::V04, Language::Node);
    let pools =
        [1, 1, 2].map(|seed| TracePool::build(&TraceSpec { seed, ..spec.clone() }).unwrap());
    let [first, same, other] = pools;
    assert!((0..first.len()).all(|index| first.request(index) == same.request(index)));
    assert_ne!(first.request(0), other.request(0));
}

#[test]
fn small_traces_and_all_shares_work() {
    for spans_per_trace in 1..10 {
        let spec = TraceSpec {
            spans_per_trace,
            kept_per_mille: 1000,
            errors_per_mille: 1000,
            ..spec(TraceVersion::V04, Language::Java)
        };
        let total = TracePool::build(&spec).unwrap().total();
        assert_eq!((total.kept_chunks, total.error_chunks), (100, 100));
        assert_eq!(total.spans, 100 * u64::from(spans_per_trace));
        assert_eq!(total.dropped_error_chunks, 0);
    }
}

#[test]
fn heads_are_those_of_tracers() {
    let spec = TraceSpec {
        is_stats_computed: true,
        container_id: "abc".into(),
        ..spec(TraceVersion::V05, Language::Node)
    };
    let pool = TracePool::build(&spec).unwrap();
    let request = pool.request(0);
    let head = &request[..request.len() - pool.body(0).len()];
    let head = std::str::from_utf8(head).unwrap();
    assert!(head.starts_with("PUT /v0.5/traces HTTP/1.1\r\nHost: 127.0.0.1:8126\r\n"), "{head}");
    for line in [
        "Datadog-Meta-Lang: nodejs",
        "X-Datadog-Trace-Count: 5",
        "Datadog-Client-Computed-Stats: yes",
        "Datadog-Container-ID: abc",
        &format!("Content-Length: {}", pool.body(0).len()),
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line} in {head}");
    }
    assert!(head.ends_with("\r\n\r\n"));
}

#[test]
fn impossible_specifications_are_refused() {
    let sound = spec(TraceVersion::V04, Language::Go);
    for (wrong, why) in [
        (TraceSpec { payloads: 0, ..sound.clone() }, "`payloads` must be at least 1"),
        (TraceSpec { kept_per_mille: 1001, ..sound.clone() }, "use at most 1000"),
        (TraceSpec { payloads: 1_000_000, ..sound.clone() }, "spans in all payloads are too many"),
        (TraceSpec { threads: 9, ..sound.clone() }, "raise `connections`"),
        (TraceSpec { rate: f64::NAN, ..sound.clone() }, "must be a number"),
        (TraceSpec { corpus: "/none".into(), ..sound.clone() }, "no traces can be made of /none"),
        (TraceSpec { container_id: "a\r\nb".into(), ..sound }, "printable"),
    ] {
        let error = TracePool::build(&wrong).unwrap_err().to_string();
        assert!(error.contains(why), "{error}, not {why}");
    }
}
