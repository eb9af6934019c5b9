//! Analytics events: single spans that leave although their trace does not. spec: apm §7.7.

use std::collections::HashMap;

use crate::hash::is_kept_at;
use crate::{Chunk, Event, EventSettings, PRIORITY_USER_KEEP, Spans};

/// Events per second are the score divided by this: each event adds 1, and a second divides the
/// score by 1.125.
const SCORE_PER_EPS: f64 = 8.0;
/// What a second divides the score by.
pub(crate) const SCORE_DECAY: f64 = 1.125;

/// The lane's half: extraction, and its share of the limit.
#[derive(Debug)]
pub(crate) struct Events {
    /// Rate by operation by service, in lower case.
    spans: HashMap<String, HashMap<String, f64>>,
    services: HashMap<String, f64>,
    per_sec_max: f64,
    /// Score over all lanes at the last snapshot.
    score: f64,
    /// Events of this lane since its last handover.
    since: f64,
    lower_case: [String; 2],
    /// Events of the last chunk.
    pub(crate) found: Vec<Event>,
}

impl Events {
    pub(crate) fn new(settings: &EventSettings) -> Self {
        let mut spans: HashMap<String, HashMap<String, f64>> = HashMap::new();
        for entry in &settings.analyzed_spans {
            let operations = spans.entry(entry.service.to_lowercase()).or_default();
            operations.insert(entry.operation.to_lowercase(), entry.rate);
        }
        let services = settings.analyzed_services.iter();
        let services = services.map(|(service, rate)| (service.to_lowercase(), *rate)).collect();
        Self {
            spans,
            services,
            per_sec_max: settings.per_sec_max,
            score: 0.0,
            since: 0.0,
            lower_case: Default::default(),
            found: Vec::new(),
        }
    }

    /// Takes the score that control published.
    pub(crate) const fn on_score(&mut self, score: f64) {
        self.score = score;
    }

    /// Events counted since the last call.
    pub(crate) const fn take_seen(&mut self) -> f64 {
        std::mem::replace(&mut self.since, 0.0)
    }

    /// Finds the events of a chunk; see `found`.
    pub(crate) fn extract<S: Spans>(&mut self, chunk: &Chunk<'_>, spans: &S) {
        self.found.clear();
        let has_rules = !self.spans.is_empty() || !self.services.is_empty();
        if !has_rules && !chunk.may_have_event_rates {
            return;
        }
        for span in 0..spans.count() {
            let Some(rate) = self.rate(chunk, spans, span) else { continue };
            if !is_kept_at(chunk.trace_id, rate) {
                continue;
            }
            let Some(limit_rate) = self.limit(chunk) else { continue };
            self.found.push(Event {
                span,
                limit_rate: below_one(limit_rate),
                client_rate: below_one(chunk.client_rate()),
                pre_rate: below_one(chunk.pre_rate()),
                extraction_rate: below_one(rate),
            });
        }
    }

    fn rate<S: Spans>(&mut self, chunk: &Chunk<'_>, spans: &S, span: usize) -> Option<f64> {
        let by_span = if chunk.may_have_event_rates { spans.event_rate(span) } else { None };
        let by_rule = || {
            let [service, operation] = &mut self.lower_case;
            lower_case(spans.service(span), service);
            lower_case(spans.name(span), operation);
            self.spans.get(service)?.get(operation).copied()
        };
        if let Some(rate) = by_span.or_else(by_rule) {
            let is_promoted = rate > 0.0 && chunk.priority >= PRIORITY_USER_KEEP;
            return Some(if is_promoted { 1.0 } else { rate });
        }
        if self.services.is_empty() || !self.spans.is_empty() || !spans.is_top_level(span) {
            return None;
        }
        let [service, _] = &mut self.lower_case;
        lower_case(spans.service(span), service);
        self.services.get(service).copied()
    }

    /// Rate of the limit if the event passes it.
    fn limit(&mut self, chunk: &Chunk<'_>) -> Option<f64> {
        if chunk.priority == PRIORITY_USER_KEEP {
            return Some(1.0);
        }
        self.since += 1.0;
        let per_sec = (self.score + self.since) / SCORE_PER_EPS;
        let rate = if per_sec > self.per_sec_max { self.per_sec_max / per_sec } else { 1.0 };
        is_kept_at(chunk.trace_id, rate).then_some(rate)
    }
}

fn below_one(rate: f64) -> Option<f64> {
    (rate < 1.0).then_some(rate)
}

fn lower_case(text: &str, into: &mut String) {
    into.clear();
    into.extend(text.chars().flat_map(char::to_lowercase));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AnalyzedSpans;
    use crate::testing::{Span, Trace, chunk, request};

    fn rule(service: &str, operation: &str, rate: f64) -> EventSettings {
        let entry = AnalyzedSpans { service: service.into(), operation: operation.into(), rate };
        EventSettings { analyzed_spans: vec![entry], ..EventSettings::default() }
    }

    fn found(settings: &EventSettings, chunk: &Chunk<'_>, trace: &Trace) -> Vec<Event> {
        let mut events = Events::new(settings);
        events.extract(chunk, trace);
        events.found
    }

    const PLAIN: Event = Event {
        span: 0,
        limit_rate: None,
        client_rate: None,
        pre_rate: None,
        extraction_rate: None,
    };

    #[test]
    fn the_first_source_of_a_rate_decides() {
        let span =
            Span { service: "Web", name: "HTTP.request", is_top_level: true, ..Span::default() };
        let trace = Trace(vec![span]);
        assert_eq!(found(&rule("wEb", "http.Request", 1.0), &chunk(1), &trace), [PLAIN]);
        assert_eq!(found(&rule("web", "other", 1.0), &chunk(1), &trace), []);
        let metric = Trace(vec![Span { event_rate: Some(0.0), ..span }]);
        assert_eq!(found(&rule("web", "http.request", 1.0), &chunk(1), &metric), []);
    }

    #[test]
    fn legacy_rates_are_for_top_level_spans_without_rules() {
        let legacy = vec![(String::from("DB"), 1.0)];
        let settings = EventSettings { analyzed_services: legacy, ..EventSettings::default() };
        let event = Event { span: 1, ..PLAIN };
        assert_eq!(found(&settings, &chunk(1), &request()), [event]);
        let both = EventSettings { analyzed_spans: rule("x", "y", 1.0).analyzed_spans, ..settings };
        assert_eq!(found(&both, &chunk(1), &request()), []);
    }

    #[test]
    fn user_keep_promotes_and_passes_the_limit() {
        let trace = Trace(vec![Span { event_rate: Some(0.001), ..Span::default() }]);
        let kept = Chunk { priority: 2, ..chunk(u64::MAX) };
        let settings = EventSettings { per_sec_max: 0.0, ..EventSettings::default() };
        assert_eq!(found(&settings, &kept, &trace), [PLAIN]);
        assert_eq!(found(&settings, &Chunk { priority: 1, ..kept }, &trace), []);
        let never = Trace(vec![Span { event_rate: Some(0.0), ..Span::default() }]);
        assert_eq!(found(&settings, &kept, &never), []);
    }

    #[test]
    fn rates_below_one_are_set() {
        let trace = Trace(vec![Span { event_rate: Some(0.9), ..Span::default() }]);
        let chunk = Chunk { client_rate: 0.5, pre_rate: 0.25, ..chunk(1) };
        let expected = Event {
            client_rate: Some(0.5),
            pre_rate: Some(0.25),
            extraction_rate: Some(0.9),
            ..PLAIN
        };
        assert_eq!(found(&EventSettings::default(), &chunk, &trace), [expected]);
    }

    #[test]
    fn the_limit_is_on_events_per_second() {
        let trace = Trace(vec![Span { event_rate: Some(1.0), ..Span::default() }]);
        let mut events = Events::new(&EventSettings { per_sec_max: 10.0, ..Default::default() });
        events.on_score(10.0 * SCORE_PER_EPS * 4.0 - 1.0);
        events.extract(&chunk(1), &trace);
        assert_eq!(events.found, [Event { limit_rate: Some(0.25), ..PLAIN }]);
        assert!((events.take_seen() - 1.0).abs() < f64::EPSILON);
    }
}
