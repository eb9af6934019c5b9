//! Unit tests of the lane half: the order of the samplers, and what they set.

use super::*;
use crate::testing::{Span, Trace, chunk, request};
use crate::{EventSettings, ProbabilisticSettings, RareSettings, Rater};

const START_MS: u64 = 1_700_000_000_000;

fn lane(settings: SamplingSettings) -> LaneSamplers {
    let settings = Arc::new(settings);
    let rater = Rater::new(Arc::clone(&settings), 1);
    let mut lane = LaneSamplers::new(settings, 0, rater.rates());
    lane.on_time(START_MS);
    lane
}

fn defaults() -> LaneSamplers {
    lane(SamplingSettings::default())
}

fn rare() -> SamplingSettings {
    let rare = RareSettings { is_enabled: true, ..RareSettings::default() };
    SamplingSettings { rare, ..SamplingSettings::default() }
}

fn with_error() -> Trace {
    Trace(request().0.into_iter().map(|span| Span { error: 1, ..span }).collect())
}

fn failed(trace_id: u64, priority: i32) -> Chunk<'static> {
    Chunk { priority, has_error: true, ..chunk(trace_id) }
}

#[test]
fn the_tracer_decides_by_priority() {
    let mut lane = defaults();
    for (priority, kept_by) in [
        (-3, None),
        (-1, None),
        (0, None),
        (1, Some(Sampler::Priority)),
        (2, Some(Sampler::Priority)),
    ] {
        let decision = lane.decide(&Chunk { priority, ..chunk(1) }, &request());
        assert_eq!(decision.kept_by, kept_by, "{priority}");
        assert_eq!(decision.is_dropped_trace, kept_by.is_none());
        assert_eq!(decision.leaving == Leaving::All, kept_by.is_some());
    }
    let counts = lane.handover(LaneCounts::default());
    let [row] = &counts.rows[..] else { panic!("one service, not {:?}", counts.rows) };
    assert_eq!((row.signature, row.weight.to_bits()), (Some(2_726_573_998), 2.0_f64.to_bits()));
    assert_eq!(counts.tallies.seen(Sampler::Priority), 3);
}

#[test]
fn weights_of_the_priority_sampler() {
    let weight = |client_rate, pre_rate, dropped_p0s_weight| {
        let mut lane = defaults();
        let chunk = Chunk { priority: 1, client_rate, pre_rate, dropped_p0s_weight, ..chunk(1) };
        lane.decide(&chunk, &request());
        lane.handover(LaneCounts::default()).rows[0].weight
    };
    let vectors = [
        ((1.0, 1.0, 0.0), 1.0),
        ((0.5, 0.25, 0.0), 8.0),
        ((0.0, 1.5, 2.5), 3.5),
        ((f64::NAN, -1.0, f64::NAN), 1.0),
        ((1e-300, 1e-300, f64::INFINITY), 2e9),
        ((1.0, 1.0, -7.0), 1.0),
    ];
    for ((client, pre, dropped), expected) in vectors {
        assert!((weight(client, pre, dropped) - expected).abs() < 1e-9, "{client} {pre} {dropped}");
    }
}

#[test]
fn the_rate_is_set_for_tracers_that_do_not_say_theirs() {
    let metric = |chunk: Chunk<'_>| defaults().decide(&chunk, &request()).root_metric;
    let kept = Chunk { priority: 1, ..chunk(1) };
    assert_eq!(metric(kept), Some((PRIORITY_RATE, 1.0)));
    assert_eq!(metric(Chunk { priority: 2, ..kept }), None);
    assert_eq!(metric(Chunk { priority: 0, ..kept }), None);
    assert_eq!(metric(Chunk { has_remote_parent: true, ..kept }), None);
    assert_eq!(metric(Chunk { has_priority_rate: true, ..kept }), None);
}

#[test]
fn an_empty_environment_is_the_agents() {
    let mut lane = lane(SamplingSettings { agent_env: "prod".into(), ..Default::default() });
    lane.decide(&Chunk { priority: 1, env: "", ..chunk(1) }, &request());
    let counts = lane.handover(LaneCounts::default());
    assert_eq!(counts.rows[0].signature, Some(2_726_573_998));
}

#[test]
fn chunks_without_priority_are_scored() {
    let mut lane = defaults();
    let decision = lane.decide(&chunk(1), &request());
    assert_eq!(decision.kept_by, Some(Sampler::NoPriority));
    assert_eq!(decision.root_metric, Some((NO_PRIORITY_RATE, 1.0)));
    assert_eq!(decision.priority, None);
    let mut lane = self::lane(SamplingSettings { target_tps: 0.0, ..Default::default() });
    assert!(!lane.decide(&chunk(1), &request()).is_kept());
}

#[test]
fn a_thousand_hits_in_the_first_bucket_make_a_default_of_a_twentieth() {
    let mut lane = defaults();
    let spans = request();
    let rates: Vec<_> = (0..1000)
        .map(|_| lane.decide(&chunk(0), &spans).root_metric.map(|(_, rate)| rate))
        .collect();
    assert_eq!(rates[49], Some(1.0));
    assert_eq!(rates[99], Some(0.5));
    assert_eq!(rates[999], Some(0.05));
}

#[test]
fn errors_have_a_second_chance() {
    let mut lane = defaults();
    let decision = lane.decide(&failed(1, 0), &with_error());
    assert_eq!(decision.kept_by, Some(Sampler::Errors));
    assert_eq!(decision.root_metric, Some((ERRORS_RATE, 1.0)));
    assert_eq!(lane.decide(&failed(1, 1), &with_error()).kept_by, Some(Sampler::Priority));
    assert!(!lane.decide(&failed(1, -1), &with_error()).is_kept());
    let mut off = self::lane(SamplingSettings { errors_tps: 0.0, ..Default::default() });
    assert!(!off.decide(&failed(1, 0), &with_error()).is_kept());
    assert_eq!(off.handover(LaneCounts::default()).tallies.seen(Sampler::Errors), 0);
}

#[test]
fn with_the_feature_only_the_user_drops_for_good() {
    let mut lane = lane(SamplingSettings { is_tracer_drop_sampled: true, ..rare() });
    let by_hand = Chunk { decision_maker: Some("-4"), ..failed(1, -1) };
    let decision = lane.decide(&by_hand, &with_error());
    assert_eq!((decision.kept_by, decision.rare_span), (None, Some(0)), "its span is marked");
    let by_tracer = Chunk { decision_maker: Some("-3"), ..by_hand };
    assert_eq!(lane.decide(&by_tracer, &with_error()).kept_by, Some(Sampler::Errors));
    assert_eq!(lane.decide(&failed(2, -2), &with_error()).kept_by, Some(Sampler::Errors));
}

#[test]
fn rare_chunks_are_kept_whatever_the_tracer_says() {
    let mut lane = lane(rare());
    let dropped = Chunk { priority: 0, ..chunk(1) };
    let decision = lane.decide(&dropped, &request());
    assert_eq!((decision.kept_by, decision.rare_span), (Some(Sampler::Rare), Some(0)));
    assert!(lane.handover(LaneCounts::default()).rows.is_empty(), "priorities are not counted");
    assert!(!lane.decide(&dropped, &request()).is_kept());
}

#[test]
fn the_probabilistic_sampler_replaces_priorities() {
    let probabilistic =
        ProbabilisticSettings { is_enabled: true, percentage: 70.0, ..Default::default() };
    let mut lane = lane(SamplingSettings { probabilistic, ..Default::default() });
    let hit = Chunk { priority: -1, ..chunk(0x090a_0b0c_0d0e_0f10) };
    let decision = lane.decide(&hit, &request());
    assert_eq!(decision.kept_by, Some(Sampler::Probabilistic));
    assert_eq!((decision.mechanism, decision.priority), (Some(9), Some(1)));
    assert_eq!(decision.root_metric.map(|(name, _)| name), Some(PROBABILISTIC_RATE));
    let none = ProbabilisticSettings { percentage: 0.0, ..probabilistic };
    let mut lane = self::lane(SamplingSettings { probabilistic: none, ..rare() });
    let decision = lane.decide(&hit, &request());
    assert_eq!((decision.kept_by, decision.priority), (Some(Sampler::Rare), Some(1)));
    assert_eq!((decision.mechanism, decision.rare_span), (None, Some(0)));
    let decision = lane.decide(&Chunk { priority: 2, ..hit }, &request());
    assert_eq!((decision.kept_by, decision.priority), (None, Some(0)));
    let decision = lane.decide(&Chunk { has_error: true, ..hit }, &request());
    assert_eq!((decision.kept_by, decision.priority), (Some(Sampler::Errors), Some(1)));
}

#[test]
fn error_tracking_keeps_errors_alone() {
    let settings = SamplingSettings { is_error_tracking_standalone: true, ..rare() };
    let mut lane = lane(settings);
    let sampled =
        Trace(vec![Span { is_sampled_alone: true, event_rate: Some(1.0), ..Span::default() }]);
    let decision = lane.decide(&Chunk { priority: 2, ..chunk(1) }, &sampled);
    assert_eq!((decision.leaving, decision.is_error_tracking), (Leaving::Nothing, false));
    assert!(lane.events().is_empty());
    let exception = Trace(vec![Span { has_exception_event: true, ..Span::default() }]);
    let decision = lane.decide(&Chunk { priority: -1, ..chunk(1) }, &exception);
    assert_eq!((decision.kept_by, decision.is_error_tracking), (Some(Sampler::Errors), true));
    assert_eq!((decision.rare_span, decision.priority), (None, None));
}

#[test]
fn sampled_spans_survive_a_drop() {
    let sampled = Trace(vec![
        Span::default(),
        Span { is_sampled_alone: true, event_rate: Some(1.0), ..Span::default() },
    ]);
    for priority in [-1, 0] {
        let decision = defaults().decide(&Chunk { priority, ..chunk(1) }, &sampled);
        assert_eq!(decision.kept_by, None);
        assert_eq!(decision.leaving, Leaving::SampledSpans);
        assert_eq!((decision.priority, decision.is_dropped_trace), (Some(2), false));
    }
    let decision = defaults().decide(&Chunk { priority: 1, ..chunk(1) }, &sampled);
    assert_eq!((decision.leaving, decision.priority), (Leaving::All, None));
}

#[test]
fn events_survive_a_drop_unless_the_user_dropped() {
    let events = Trace(vec![Span::default(), Span { event_rate: Some(1.0), ..Span::default() }]);
    let mut lane = defaults();
    let decision = lane.decide(&Chunk { priority: 0, ..chunk(1) }, &events);
    assert_eq!((decision.leaving, decision.is_dropped_trace), (Leaving::Events, true));
    assert_eq!(lane.events().iter().map(|event| event.span).collect::<Vec<_>>(), [1]);
    let decision = lane.decide(&Chunk { priority: -1, ..chunk(1) }, &events);
    assert_eq!(decision.leaving, Leaving::Nothing);
    assert!(lane.events().is_empty());
    let decision = lane.decide(&Chunk { priority: 1, ..chunk(1) }, &events);
    assert_eq!((decision.leaving, lane.events().len()), (Leaving::All, 1));
    let blind = Chunk { priority: 0, may_have_event_rates: false, ..chunk(1) };
    assert_eq!(lane.decide(&blind, &events).leaving, Leaving::Nothing);
}

#[test]
fn events_are_counted_for_the_limit() {
    let settings = EventSettings { per_sec_max: 1.0, ..EventSettings::default() };
    let mut lane = lane(SamplingSettings { events: settings, ..Default::default() });
    let spans = Trace(vec![Span { event_rate: Some(1.0), ..Span::default() }]);
    for _ in 0..20 {
        lane.decide(&Chunk { priority: 0, ..chunk(0) }, &spans);
    }
    assert!((lane.handover(LaneCounts::default()).events_seen - 20.0).abs() < f64::EPSILON);
}

#[test]
fn a_chunk_without_its_root_is_dropped() {
    let decision = defaults().decide(&Chunk { root: 2, priority: 2, ..chunk(1) }, &request());
    assert_eq!(decision.leaving, Leaving::Nothing);
    assert!(!defaults().decide(&chunk(1), &Trace(Vec::new())).is_kept());
}

#[test]
fn the_end_of_a_bucket_asks_for_a_handover() {
    let mut lane = defaults();
    assert!(!lane.on_time(START_MS + 4999));
    lane.decide(&Chunk { priority: 1, ..chunk(1) }, &request());
    assert!(lane.on_time(START_MS + 5000));
    assert!(!lane.on_time(START_MS), "time that runs backwards is ignored");
    lane.decide(&Chunk { priority: 1, ..chunk(2) }, &request());
    let counts = lane.handover(LaneCounts::default());
    let buckets: Vec<_> = counts.rows.iter().map(|row| row.bucket).collect();
    assert_eq!(buckets, [START_MS / 5000, START_MS / 5000 + 1]);
    assert!(lane.handover(counts).is_empty());
}

#[test]
fn counts_that_nobody_fetches_are_bounded() {
    let mut lane = defaults();
    for bucket in 0..20 {
        lane.on_time(START_MS + bucket * 5000);
        lane.decide(&Chunk { priority: 1, ..chunk(1) }, &request());
    }
    let counts = lane.handover(LaneCounts::default());
    assert_eq!(counts.rows.len(), 6);
    assert_eq!(counts.tallies.late, 14);
}

#[test]
fn services_beyond_the_limit_count_in_the_total() {
    let mut lane = defaults();
    let mut count = |env: &str| {
        lane.decide(&Chunk { env, priority: 1, ..chunk(1) }, &request());
    };
    (0..5010).for_each(|n| count(&format!("env-{n}")));
    lane.on_time(START_MS + 5000);
    lane.on_time(START_MS + 10_000);
    lane.decide(&Chunk { env: "new", priority: 1, ..chunk(1) }, &request());
    let counts = lane.handover(LaneCounts::default());
    assert_eq!(counts.tallies.overflowed, 10);
    let overflow: f64 =
        counts.rows.iter().filter(|row| row.signature.is_none()).map(|row| row.weight).sum();
    assert!((overflow - 10.0).abs() < f64::EPSILON);
    assert_eq!(counts.rows.len(), 5002, "an idle bucket makes room again");
}
