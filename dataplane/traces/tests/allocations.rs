//! Counts allocations: with warm memory, processing makes none for a span.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a test fails by panicking, and makes small numbers"
)]

#[path = "support/body.rs"]
mod body;
#[path = "support/batch.rs"]
mod support;
#[path = "support/workload.rs"]
mod workload;

use corelane_traces::{PayloadHead, ReplaceRule, Settings};
use sampling::SamplingSettings;
use span::decode::{Decoder, Progress};
use span::{Batch, Format};
use support::{BOTH, NOW_NS};
use workload::{CHUNKS, SPANS, traces};

/// Allocations of a payload of 500 spans: a batch without memory, when the full one is handed over.
const PAYLOAD_MAX: u64 = 2;

fn allocations(format: Format) -> u64 {
    let rules = [("*", "tok(e)n=[^&]*", "tok${1}n=?"), ("http.url", "/[0-9]+", "/?")];
    let rules = rules.iter().enumerate();
    let rules = rules.map(|(n, (name, from, to))| ReplaceRule::new(n, name, from, to).unwrap());
    let settings = Settings {
        peer_tags: corelane_traces::peer_tag_keys(&[]),
        additional_metric_tags: vec!["db.user".into()],
        replace_rules: rules.collect(),
        global_tags: vec![("site".into(), "a".into())],
        ..Settings::default()
    };
    let mut processor = support::processor(settings, SamplingSettings::default());
    let head = PayloadHead { language: "python", ..PayloadHead::default() };
    let (mut decoder, mut batch) = (Decoder::default(), Batch::default());
    let mut pieces = Vec::new();
    let mut last = 0;
    // The first rounds size the arenas and make the groups of the statistics.
    for _ in 0..8 {
        decoder.start(format, false, body::body(format, &traces()), &mut batch);
        while decoder.step(&mut batch, 64 << 10) == Ok(Progress::More) {}
        assert_eq!(batch.spans.len() as u64, SPANS * CHUNKS);
        let made = allocation_counter::measure(|| {
            processor.begin(std::mem::take(&mut batch), &head, NOW_NS);
            while processor.step(10_000) {}
            batch = processor.finish(&mut pieces);
        });
        last = made.count_total;
        assert_eq!(batch.chunks.len(), 1);
    }
    last
}

#[test]
fn nothing_is_allocated_for_a_span() {
    for format in BOTH {
        let count = allocations(format);
        assert!(count <= PAYLOAD_MAX, "{count} for a payload of {format:?}");
    }
}
