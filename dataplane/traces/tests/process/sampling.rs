//! apm §6 step 4 m, §6.8, §7.1.

use corelane_traces::{Dropped, PayloadHead, Settings};
use sampling::{ProbabilisticSettings, RareSettings, SamplingSettings};
use span::{Format, PRIORITY_NONE};

use crate::support::{BOTH, Done, Make, MakeChunk, batch, chunk, processor, run_with, span};

fn sampled(format: Format, sampling: SamplingSettings, made: MakeChunk) -> Done {
    let settings = Settings {
        is_error_tracking_standalone: sampling.is_error_tracking_standalone,
        ..Settings::default()
    };
    let batch = batch(format, &[made]);
    run_with(processor(settings, sampling), batch, &PayloadHead::default())
}

fn with_priority(priority: i32, spans: &[Make]) -> MakeChunk {
    MakeChunk { priority, ..chunk(spans) }
}

#[test]
fn priorities_decide() {
    for format in BOTH {
        for (priority, reason) in [
            (-1, Some(Dropped::ByPriority)),
            (0, Some(Dropped::SampledOut)),
            (1, None),
            (2, None),
            (PRIORITY_NONE, None),
        ] {
            let made = with_priority(priority, &[span(1, 0), span(2, 1)]);
            let done = sampled(format, SamplingSettings::default(), made);
            assert_eq!(done.counts().traces_kept, u64::from(reason.is_none()), "{priority}");
            for other in Dropped::ALL {
                let is_reason = Some(other) == reason;
                assert_eq!(done.counts().traces_dropped(other), u64::from(is_reason));
                assert_eq!(done.counts().spans_dropped(other), 2 * u64::from(is_reason));
            }
            if reason.is_none() {
                assert!(!done.batch.chunks[0].is_dropped_trace);
            }
        }
    }
}

#[test]
fn the_rate_of_the_priority_sampler_is_noted() {
    for format in BOTH {
        let made = with_priority(1, &[span(1, 0)]);
        let done = sampled(format, SamplingSettings::default(), made);
        assert!(done.metric(0, "_sampling_priority_rate_v1").is_some());
        let made = with_priority(1, &[span(1, 0).metric("_dd.rule_psr", 0.5)]);
        let done = sampled(format, SamplingSettings::default(), made);
        assert_eq!(done.metric(0, "_sampling_priority_rate_v1"), None);
    }
}

#[test]
fn errors_are_kept_by_their_own_sampler() {
    for format in BOTH {
        let failed = Make { error: 1, ..span(2, 1) };
        let made = with_priority(0, &[span(1, 0), failed]);
        let done = sampled(format, SamplingSettings::default(), made.clone());
        assert_eq!(done.counts().traces_kept, 1);
        assert_eq!(done.metric(0, "_dd.errors_sr"), Some(1.0));
        let off = SamplingSettings { errors_tps: 0.0, ..SamplingSettings::default() };
        assert_eq!(sampled(format, off, made).counts().traces_kept, 0);
    }
}

#[test]
fn traces_without_priority_have_their_sampler() {
    for format in BOTH {
        let made = with_priority(PRIORITY_NONE, &[span(1, 0)]);
        let done = sampled(format, SamplingSettings::default(), made);
        assert_eq!(done.metric(0, "_dd.no_p_sr"), Some(1.0));
    }
}

#[test]
fn rare_spans_keep_their_trace() {
    let rare = RareSettings { is_enabled: true, ..RareSettings::default() };
    let settings = SamplingSettings { rare, ..SamplingSettings::default() };
    for format in BOTH {
        let made = with_priority(0, &[span(1, 0).metric("_dd.measured", 1.0)]);
        let done = sampled(format, settings.clone(), made);
        assert_eq!(done.metric(0, "_dd.rare"), Some(1.0));
    }
}

#[test]
fn the_probabilistic_sampler_decides_alone() {
    let share = |percentage| SamplingSettings {
        probabilistic: ProbabilisticSettings {
            is_enabled: true,
            percentage,
            ..ProbabilisticSettings::default()
        },
        ..SamplingSettings::default()
    };
    for format in BOTH {
        let made = with_priority(-1, &[Make { trace_id: 0x090a_0b0c_0d0e_0f10, ..span(1, 0) }]);
        let done = sampled(format, share(70.0), made.clone());
        assert!(done.metric(0, "_dd.prob_sr").is_some_and(|rate| (rate - 0.7).abs() < 1e-6));
        assert_eq!(done.batch.chunks[0].priority, 1);
        if format.is_v1() {
            assert_eq!(done.batch.chunks[0].sampling_mechanism, 9);
        } else {
            assert_eq!(done.chunk_tag("_dd.p.dm").as_deref(), Some("-9"));
        }
        assert_eq!(sampled(format, share(68.0), made).counts().traces_kept, 0);
    }
}

#[test]
fn spans_sampled_alone_outlive_their_trace() {
    for format in BOTH {
        let alone = |id, parent| span(id, parent).metric("_dd.span_sampling.mechanism", 8.0);
        for priority in [0, -1] {
            let made = with_priority(priority, &[span(1, 0), alone(2, 1), span(3, 1), alone(4, 1)]);
            let done = sampled(format, SamplingSettings::default(), made);
            let held = done.batch.chunks[0];
            assert_eq!((held.spans.len, held.priority, held.is_dropped_trace), (2, 2, false));
            assert_eq!((done.span(0).span_id, done.span(1).span_id), (2, 4));
            let counts = done.counts();
            assert_eq!((counts.traces_kept, counts.traces_kept_in_part), (1, 1));
            let reason = if priority < 0 { Dropped::ByPriority } else { Dropped::SampledOut };
            assert_eq!((counts.spans_kept, counts.spans_dropped(reason)), (2, 2));
        }
    }
}

#[test]
fn events_outlive_their_trace() {
    for format in BOTH {
        let event = span(2, 1).metric("_dd1.sr.eausr", 1.0);
        let made = with_priority(0, &[span(1, 0), event]);
        let done = sampled(format, SamplingSettings::default(), made);
        let held = done.batch.chunks[0];
        assert_eq!((held.spans.len, held.is_dropped_trace), (1, true));
        assert_eq!(done.span(0).span_id, 2);
        assert_eq!(done.metric(0, "_dd.analyzed"), Some(1.0));
        assert_eq!(done.metric(0, "_dd1.sr.eausr"), None, "a rate of 1 says nothing");
    }
}

#[test]
fn error_tracking_keeps_errors_alone() {
    let settings =
        || SamplingSettings { is_error_tracking_standalone: true, ..SamplingSettings::default() };
    for format in BOTH {
        let failed = Make { error: 1, ..span(2, 1) };
        let excepted = span(2, 1).meta("_dd.span_events.has_exception", "true");
        for other in [failed, excepted] {
            let made = with_priority(-1, &[span(1, 0), other]);
            let done = sampled(format, settings(), made);
            assert_eq!(done.counts().spans_kept, 2);
            let tag = done.chunk_tag("_dd.error_tracking_standalone.error");
            assert_eq!(tag.as_deref(), Some("true"));
        }
        let alone = span(1, 0).metric("_dd.span_sampling.mechanism", 8.0);
        let done = sampled(format, settings(), with_priority(2, &[alone]));
        assert_eq!(done.counts().traces_dropped(Dropped::NoError), 1);
    }
}
