//! Spans that a real tracer was recorded with, see `bench/load/corpus`: captures of `ddtrace`,
//! `dd-trace`, `dd-trace-go` and `dd-java-agent` that the conformance tests of tracers leave in the
//! directory which `CORELANE_CORPUS` names.
//!
//! A trace of the load is a recorded one, with further ones below its root until it has as many
//! spans as were asked for. Names, tags, numbers and durations are those of the recording; ids,
//! start, decision and what says something about these are new.

use std::collections::HashMap;
use std::path::Path;

use capture::RequestReader;
use rmpv::Value;

use super::{Shop, Span, Text, Trace};
use crate::SpecError;

/// The traces of a recording, parents before their children.
#[derive(Clone, Debug)]
pub(in crate::traces) struct Recorded {
    /// With an error on any span.
    failed: Vec<Vec<Span>>,
    fine: Vec<Vec<Span>>,
}

/// Says of which trace a span is and what was decided about it, or makes a receiver keep it.
const OF_THE_TRACE: [&str; 9] = [
    "_sampling_priority_v1",
    "_dd.top_level",
    "_dd.p.tid",
    "_dd.p.dm",
    "_dd.agent_psr",
    "_dd.rule_psr",
    "_dd.limit_psr",
    "_dd.span_links",
    "events",
];
/// How numbers of single span sampling begin.
const SINGLE: &str = "_dd.span_sampling.";

impl Recorded {
    /// Reads the requests of v0.4 in a capture.
    pub(in crate::traces) fn read(path: &Path) -> Result<Self, SpecError> {
        let refused = |reason: String| SpecError::Corpus { path: path.to_owned(), reason };
        let mut reader = RequestReader::open(path).map_err(|error| refused(error.to_string()))?;
        let mut recorded = Self { failed: Vec::new(), fine: Vec::new() };
        while let Some(request) = reader.read().map_err(|error| refused(error.to_string()))? {
            if request.path.path() != "/v0.4/traces" {
                continue;
            }
            let body = rmpv::decode::read_value(&mut &*request.body);
            let body = body.map_err(|error| refused(error.to_string()))?;
            for trace in body.as_array().into_iter().flatten() {
                let spans = trace.as_array().map(|spans| spans.iter().filter_map(span).collect());
                recorded.add(spans.unwrap_or_default());
            }
        }
        if recorded.fine.is_empty() || recorded.failed.is_empty() {
            return Err(refused("it needs traces of v0.4 with errors and without".to_owned()));
        }
        Ok(recorded)
    }

    fn add(&mut self, spans: Vec<Span>) {
        let spans = parents_first(spans);
        let has_error = spans.iter().any(|span| span.is_error);
        match (spans.is_empty(), has_error) {
            (true, _) => {}
            (false, true) => self.failed.push(spans),
            (false, false) => self.fine.push(spans),
        }
    }

    /// Fills a trace with as many spans as the specification says.
    pub(super) fn fill(
        &self,
        shop: &mut Shop<'_>,
        trace: &mut Trace,
        start_ns: u64,
        has_error: bool,
    ) {
        let count = shop.spec.spans_per_trace as usize;
        let mut next = if has_error { &self.failed } else { &self.fine };
        let mut at_ns = start_ns;
        while trace.spans.len() < count {
            let recording = &next[index_below(shop, next.len())];
            let end_ns = append(shop, trace, recording, count, at_ns);
            (next, at_ns) = (&self.fine, end_ns);
        }
        mark_top_level(&mut trace.spans);
        let kept = trace.is_kept;
        let (id, root) = (trace.id, &mut trace.spans[0]);
        root.duration_ns = root.duration_ns.max(at_ns - start_ns);
        root.put("_dd.p.tid", format!("{:016x}", id >> 64));
        root.measure("_sampling_priority_v1", if kept { 1.0 } else { 0.0 });
        if kept {
            root.put("_dd.p.dm", "-1");
        }
    }
}

/// Marks the spans whose parent is of another service. spec: apm §6.7
fn mark_top_level(spans: &mut [Span]) {
    let services: HashMap<u64, Text> =
        spans.iter().map(|span| (span.span_id, span.service.clone())).collect();
    for span in spans {
        if services.get(&span.parent_id) != Some(&span.service) {
            span.measure("_dd.top_level", 1.0);
        }
    }
}

/// Appends a recording below the root, as much of it as there is room for. Returns when it ends.
fn append(
    shop: &mut Shop<'_>,
    trace: &mut Trace,
    recording: &[Span],
    count: usize,
    at_ns: u64,
) -> u64 {
    let begin_ns = recording[0].start_ns;
    let mut ids = HashMap::new();
    let mut end_ns = at_ns + recording[0].duration_ns;
    for old in recording.iter().take(count - trace.spans.len()) {
        let mut span = old.clone();
        span.span_id = shop.id();
        ids.insert(old.span_id, span.span_id);
        let root = trace.spans.first().map_or(0, |root| root.span_id);
        span.parent_id = ids.get(&old.parent_id).copied().unwrap_or(root);
        span.start_ns = at_ns + old.start_ns.saturating_sub(begin_ns);
        end_ns = end_ns.max(span.start_ns + span.duration_ns);
        trace.spans.push(span);
    }
    end_ns
}

/// In the order of the tree; what hangs on no span of the trace counts as a root.
fn parents_first(spans: Vec<Span>) -> Vec<Span> {
    let mut children: HashMap<u64, Vec<Span>> = HashMap::new();
    let ids: Vec<u64> = spans.iter().map(|span| span.span_id).collect();
    let mut open = Vec::new();
    for span in spans.into_iter().rev() {
        if span.parent_id != span.span_id && ids.contains(&span.parent_id) {
            children.entry(span.parent_id).or_default().push(span);
        } else {
            open.push(span);
        }
    }
    let mut ordered = Vec::new();
    while let Some(span) = open.pop() {
        open.extend(children.remove(&span.span_id).into_iter().flatten());
        ordered.push(span);
    }
    ordered
}

/// A span of v0.4; none of what is no span.
fn span(value: &Value) -> Option<Span> {
    let fields = value.as_map()?;
    let field = |name: &str| fields.iter().find(|(key, _)| key.as_str() == Some(name));
    let text = |name: &str| field(name).and_then(|(_, value)| value.as_str()).map(str::to_owned);
    let number = |name: &str| field(name).and_then(|(_, value)| whole(value)).unwrap_or(0);
    let pairs = |name: &str| field(name).and_then(|(_, value)| value.as_map().cloned());
    let is_own = |key: &str| !OF_THE_TRACE.contains(&key) && !key.starts_with(SINGLE);
    let own = |key: &Value| key.as_str().filter(|key| is_own(key)).map(|key| key.to_owned().into());
    let meta = pairs("meta").unwrap_or_default();
    let metrics = pairs("metrics").unwrap_or_default();
    Some(Span {
        service: text("service").unwrap_or_default().into(),
        name: text("name").unwrap_or_default().into(),
        resource: text("resource").unwrap_or_default().into(),
        span_type: text("type").unwrap_or_default().into(),
        span_id: number("span_id"),
        parent_id: number("parent_id"),
        start_ns: number("start"),
        duration_ns: number("duration"),
        is_error: number("error") != 0,
        meta: meta
            .iter()
            .filter_map(|(key, value)| Some((own(key)?, Text::from(value.as_str()?.to_owned()))))
            .collect(),
        metrics: metrics
            .iter()
            .filter_map(|(key, value)| Some((own(key)?, value.as_f64()?)))
            .collect(),
    })
}

fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_i64().and_then(|number| u64::try_from(number).ok()))
}

fn index_below(shop: &mut Shop<'_>, count: usize) -> usize {
    usize::try_from(shop.rng.below(count as u64)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(span_id: u64, parent_id: u64) -> Span {
        Span {
            service: "s".into(),
            name: "n".into(),
            resource: "r".into(),
            span_type: "".into(),
            span_id,
            parent_id,
            start_ns: span_id,
            duration_ns: 1,
            is_error: false,
            meta: Vec::new(),
            metrics: Vec::new(),
        }
    }

    #[test]
    fn parents_come_before_their_children() {
        let spans = [(5, 4), (2, 1), (4, 2), (1, 0), (3, 1), (9, 77)];
        let spans = spans.into_iter().map(|(id, parent)| made(id, parent)).collect();
        let ordered: Vec<u64> = parents_first(spans).iter().map(|span| span.span_id).collect();
        assert_eq!(ordered, [1, 2, 4, 5, 3, 9]);
        // A circle hangs on nothing.
        assert!(parents_first(vec![made(1, 2), made(2, 1)]).is_empty());
    }
}
