//! How much one step does: counted by what is left of the work, not by time.

use corelane_traces::{PayloadHead, Processor, ReplaceRule, Settings};
use sampling::SamplingSettings;
use span::Format;

use crate::support::{BOTH, Make, NOW_NS, batch, chunk, processor, span};

/// Work of one step.
const STEP: usize = 10_000;

/// Steps that a chunk of these spans takes.
fn steps(mut processor: Processor, format: Format, spans: &[Make]) -> usize {
    processor.begin(batch(format, &[chunk(spans)]), &PayloadHead::default(), NOW_NS);
    let mut steps = 1;
    while processor.step(STEP) {
        steps += 1;
        assert!(processor.counts().is_balanced());
        assert_eq!(processor.counts().traces_received, 0, "a chunk is received when it is decided");
    }
    assert_eq!(processor.counts().traces_received, 1);
    assert_eq!(processor.counts().spans_received, spans.len() as u64);
    steps
}

fn settings() -> Settings {
    let rule = ReplaceRule::new(0, "*", "secret", "?").expect("a rule");
    Settings { replace_rules: vec![rule], ..Settings::default() }
}

fn steps_of(format: Format, spans: &[Make]) -> usize {
    steps(processor(settings(), SamplingSettings::default()), format, spans)
}

#[test]
fn a_chunk_of_many_spans_takes_steps_in_proportion() {
    let many = |count: u64| -> Vec<Make> {
        (1..=count).map(|id| span(id, u64::from(id > 1)).meta("key", "a secret")).collect()
    };
    for format in BOTH {
        let (few, more) = (steps_of(format, &many(1000)), steps_of(format, &many(10_000)));
        // Nine passes, each of at least 4 units for a span.
        assert!(few >= 1000 * 36 / STEP, "{few} steps");
        assert!((few * 8..=few * 12).contains(&more), "{few} steps, then {more}");
    }
}

#[test]
fn a_chunk_without_a_root_is_searched_in_steps() {
    // Each span is the parent of the next, the last one that of the first.
    let made: Vec<Make> =
        (1..=5000).map(|id| span(id, if id == 1 { 5000 } else { id - 1 })).collect();
    for format in BOTH {
        assert!(steps_of(format, &made) >= 5000 * 40 / STEP);
    }
}

#[test]
fn a_span_with_many_tags_takes_more_than_one_step() {
    let mut made = span(1, 0);
    for n in 0..10_000 {
        made = made.meta(&format!("key.{n}"), "a secret of some length");
    }
    for format in BOTH {
        // The rule alone reads 23 bytes of each.
        let steps = steps_of(format, std::slice::from_ref(&made));
        assert!(steps >= 10_000 * 46 / STEP, "{steps} steps");
    }
}

#[test]
fn long_statements_take_their_share() {
    let statement = format!("SELECT {} FROM t", "a, ".repeat(2000));
    let made: Vec<Make> = (1..=20)
        .map(|id| {
            let mut span = span(id, u64::from(id > 1));
            span.span_type = "sql".into();
            span.resource = format!("{statement} WHERE id = {id}");
            span
        })
        .collect();
    for format in BOTH {
        let steps = steps_of(format, &made);
        assert!(steps >= 20 * statement.len() / STEP, "{steps} steps");
    }
}

#[test]
fn a_chunk_beyond_what_samplers_look_at_keeps_its_root() {
    // No priority: the score sampler decides, which reads all spans that it looks at. The root
    // comes last.
    let mut made: Vec<Make> = (2..=6000).map(|id| span(id, 1)).collect();
    made.push(span(1, 0));
    for format in BOTH {
        let mut chunk = chunk(&made);
        chunk.priority = span::PRIORITY_NONE;
        let mut processor = processor(Settings::default(), SamplingSettings::default());
        processor.begin(batch(format, &[chunk]), &PayloadHead::default(), NOW_NS);
        let mut pieces = Vec::new();
        let batch = processor.finish(&mut pieces);
        assert_eq!(processor.counts().spans_kept, 6000);
        let root = batch.spans.last().expect("a span");
        let rate = batch.metric(root, span::Key::of(b"_dd.no_p_sr"));
        assert!(root.span_id == 1 && rate.is_some(), "{rate:?}");
    }
}

#[test]
fn a_processor_that_is_given_up_counts_what_it_had() {
    let made: Vec<Make> = (1..=5000).map(|id| span(id, u64::from(id > 1))).collect();
    let mut processor = processor(Settings::default(), SamplingSettings::default());
    processor.begin(batch(Format::V04, &[chunk(&made)]), &PayloadHead::default(), NOW_NS);
    assert!(processor.step(STEP));
    processor.give_up();
    let counts = processor.counts();
    assert_eq!((counts.traces_received, counts.spans_received), (1, 5000));
    assert_eq!((counts.traces_kept, counts.spans_kept), (0, 0));
}
