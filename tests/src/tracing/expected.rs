//! What must arrive for traces that were made.

use std::collections::BTreeMap;

use intake::{Contents, ReceivedSpan};

use super::arrived::{Event, Link, events_of, links_of};
use super::shapes::SECRET;
use super::{Decision, Made, PlannedSpan, TracePlan};
use crate::assert_same;

/// Metric of a span that single span sampling kept.
const SINGLE_METRIC: &str = "_dd.span_sampling.mechanism";
/// Priority and mechanism of what the program decided.
const USER_KEEP: (i32, Option<u32>) = (2, Some(4));

/// Asserts that everything arrived as it was made, and nothing else.
///
/// # Panics
/// When something is missing, there twice, or different.
pub fn check_traces(plan: &TracePlan, made: &Made, contents: &Contents) {
    let mut arrived = BTreeMap::new();
    for span in contents.spans() {
        let ids = (low(span.trace_id), span.span_id);
        assert!(arrived.insert(ids, span).is_none(), "a span arrived twice: {span:#?}");
    }
    for (trace, span, planned) in plan.spans() {
        let ids = made.ids(trace, span);
        let found = match ids {
            (trace_id, 0) => {
                let is_it = |_: &_, found: &mut &ReceivedSpan| {
                    found.trace_id == trace_id && *found.name == *planned.name
                };
                arrived.extract_if(.., is_it).map(|(_, found)| found).next()
            }
            (trace_id, span_id) => arrived.remove(&(low(trace_id), span_id)),
        };
        if !plan.traces[trace].is_kept(planned) {
            assert!(found.is_none(), "a span of a dropped trace arrived: {found:#?}");
            continue;
        }
        let Some(found) = found else {
            let requests = &contents.totals.requests;
            unreachable!("{ids:x?} did not arrive: {planned:#?}\n{requests:?}");
        };
        let what = format!("span {:?} of trace {trace}", planned.name);
        assert_same(&what, &given(planned, found), &wanted(plan, made, (trace, span)));
    }
    assert!(arrived.is_empty(), "nobody made these: {arrived:#?}");
    check_stats(plan, contents);
    let everything = format!("{:?} {:?}", contents.traces, contents.stats);
    let at = everything.find(SECRET);
    let around =
        at.map(|at| String::from_utf8_lossy(&everything.as_bytes()[at.max(300) - 300..][..600]));
    assert_eq!(around, None, "a literal arrived");
}

/// A span, reduced to what the program said.
#[derive(Debug, PartialEq)]
struct Span {
    trace_id: u128,
    parent_id: u64,
    service: String,
    name: String,
    resource: String,
    span_type: String,
    has_error: bool,
    meta: BTreeMap<String, Option<String>>,
    metrics: BTreeMap<String, Option<f64>>,
    links: Vec<Link>,
    events: Vec<Event>,
    decision: Option<(i32, Option<u32>)>,
    is_dropped: bool,
    is_single: bool,
    env: String,
    version: String,
}

/// What must arrive for a span.
fn wanted(plan: &TracePlan, made: &Made, (trace, span): (usize, usize)) -> Span {
    let (trace_plan, planned) = (&plan.traces[trace], &plan.traces[trace].spans[span]);
    let texts = |pairs: &BTreeMap<&str, &str>| {
        pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
    };
    let mut meta: BTreeMap<String, Option<String>> = BTreeMap::new();
    for (key, value) in &planned.meta {
        meta.insert(key.clone(), Some(value.arriving.clone()));
    }
    if let Some(error) = &planned.error {
        meta.insert("error.type".to_owned(), Some(error.error_type.to_owned()));
        meta.insert("error.message".to_owned(), Some(error.message.to_owned()));
    }
    let links = planned.links.iter().map(|link| {
        let (trace_id, span_id) = made.ids(link.trace, link.span);
        (trace_id, span_id, texts(&link.attributes))
    });
    let events = planned.events.iter();
    let is_single = trace_plan.decision == Decision::Drop;
    let trace_id = made.ids(trace, span).0;
    Span {
        // The upper half is in meta of the root, which the agent drops with its trace.
        trace_id: if is_single { low(trace_id).into() } else { trace_id },
        parent_id: planned.parent.map_or(0, |parent| made.ids(trace, parent).1),
        service: planned.service.clone(),
        name: planned.name.clone(),
        resource: planned.resource.arriving.clone(),
        span_type: planned.span_type.clone(),
        has_error: planned.error.is_some(),
        meta,
        metrics: planned.metrics.iter().map(|(key, value)| (key.clone(), Some(*value))).collect(),
        links: links.collect(),
        events: events.map(|event| (event.name.to_owned(), texts(&event.attributes))).collect(),
        decision: (trace_plan.decision != Decision::Auto).then_some(USER_KEEP),
        is_dropped: false,
        is_single,
        env: "bed".to_owned(),
        version: "1.2".to_owned(),
    }
}

/// What arrived, of what the program said.
fn given(planned: &PlannedSpan, found: &ReceivedSpan) -> Span {
    let text = |key: &str| found.text(key).map(std::borrow::Cow::into_owned);
    let errors = planned.error.iter().flat_map(|_| ["error.type", "error.message"]);
    let keys = planned.meta.keys().map(String::as_str).chain(errors);
    let chunk = &found.chunk;
    let is_single = found.number(SINGLE_METRIC).is_some();
    let is_decided = chunk.priority == USER_KEEP.0;
    let mechanism = if is_single { USER_KEEP.1 } else { chunk.sampling_mechanism };
    let (env, version) = (chunk.payload.env.to_string(), chunk.payload.app_version.to_string());
    Span {
        trace_id: if is_single { low(found.trace_id).into() } else { found.trace_id },
        parent_id: found.parent_id,
        service: found.service.to_string(),
        name: found.name.to_string(),
        resource: found.resource.to_string(),
        span_type: found.span_type.to_string(),
        has_error: found.error != 0,
        meta: keys.map(|key| (key.to_owned(), text(key))).collect(),
        metrics: planned.metrics.keys().map(|key| (key.clone(), found.number(key))).collect(),
        links: links_of(found),
        events: events_of(found),
        decision: is_decided.then_some((chunk.priority, mechanism)),
        is_dropped: chunk.is_dropped,
        is_single,
        env,
        version,
    }
}

/// The lower half of a trace id.
#[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
const fn low(trace_id: u128) -> u64 {
    trace_id as u64
}

/// Sums over all buckets must be what was made, kept or not, whoever counted.
fn check_stats(plan: &TracePlan, contents: &Contents) {
    let mut wanted: BTreeMap<[&str; 3], [u64; 3]> = BTreeMap::new();
    for (trace, _, span) in plan.counted() {
        let key = [&*span.service, &*span.name, &*span.resource.arriving];
        let counts = wanted.entry(key).or_default();
        counts[0] += 1;
        counts[1] += u64::from(span.error.is_some());
        counts[2] += u64::from(plan.is_top_level(trace, span));
    }
    let wanted = wanted.into_iter().map(|(key, counts)| line(key, counts));
    let given = contents.totals.stats.by_group.iter().map(|(group, sums)| {
        let key = [&*group.service, &*group.name, &*group.resource];
        line(key, [sums.hits, sums.errors, sums.top_level_hits])
    });
    assert_same("stats", &given.collect::<Vec<_>>(), &wanted.collect::<Vec<_>>());
}

/// A group in one line.
fn line(key: [&str; 3], [hits, errors, top_level]: [u64; 3]) -> String {
    format!("{key:?}: {hits} hits, {errors} errors, {top_level} top-level")
}
