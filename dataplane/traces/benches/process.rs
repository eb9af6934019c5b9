//! Time per span of processing, without decoding and encoding: a trace of 50 spans as tracers send
//! it, by stage.
//!
//! Stages are measured by difference: each variant leaves something out. Each round decodes the
//! body anew into the memory of the last, outside of the measured time.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    reason = "small numbers of a bench, which takes the time itself"
)]

#[path = "../tests/support/body.rs"]
mod body;
#[path = "../tests/support/batch.rs"]
mod support;
#[path = "../tests/support/workload.rs"]
mod workload;

use std::sync::Arc;
use std::time::Instant;

use body::body;

use corelane_traces::{Obfuscation, PayloadHead, Processor, ReplaceRule, Settings};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sampling::SamplingSettings;
use span::decode::{Decoder, Progress};
use span::{Batch, Format};
use stats::{Concentrator, ConcentratorSettings};
use support::{NOW_NS, samplers};
use workload::{CHUNKS, SPANS, traces};

fn processor(settings: Settings) -> Processor {
    let concentrator = Concentrator::new(ConcentratorSettings::default(), NOW_NS);
    let samplers = samplers(SamplingSettings::default());
    Processor::new(Arc::new(settings), samplers, concentrator, 7)
}

fn settings() -> Settings {
    Settings { peer_tags: corelane_traces::peer_tag_keys(&[]), ..Settings::default() }
}

fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("process");
    group.throughput(Throughput::Elements(SPANS * CHUNKS));
    let without_sql = Obfuscation { cards: None, ..Obfuscation::default() };
    let all = PayloadHead { language: "python", ..PayloadHead::default() };
    let no_stats = PayloadHead { is_stats_by_client: true, ..all };
    let client = PayloadHead { is_top_level_by_client: true, ..no_stats };
    let rules = [("*", "token=[^&]*", "token=?"), ("http.url", "/[0-9]+", "/?")];
    let rules = rules.iter().enumerate();
    let rules = rules.map(|(n, (name, from, to))| ReplaceRule::new(n, name, from, to).unwrap());
    let with_rules = Settings { replace_rules: rules.collect(), ..settings() };
    let variants = [
        ("all", Format::V04, settings(), all),
        ("all, v1", Format::V1, settings(), all),
        ("without statistics", Format::V04, settings(), no_stats),
        ("without statistics, top-level", Format::V04, settings(), client),
        (
            "without statistics, top-level, cards",
            Format::V04,
            Settings { obfuscation: without_sql, ..settings() },
            client,
        ),
        ("all, and two replace rules", Format::V04, with_rules, all),
    ];
    for (name, format, settings, head) in variants {
        let made = body(format, &traces());
        let mut processor = processor(settings);
        let mut pieces = Vec::new();
        let mut decoder = Decoder::default();
        let mut batch = Batch::default();
        let mut spare = Vec::new();
        let mut round = || {
            spare.extend_from_slice(&made);
            spare = decoder.start(format, false, std::mem::take(&mut spare), &mut batch);
            while decoder.step(&mut batch, 64 << 10) == Ok(Progress::More) {}
            assert_eq!(batch.spans.len() as u64, SPANS * CHUNKS);
            let start = Instant::now();
            processor.begin(std::mem::take(&mut batch), &head, NOW_NS);
            while processor.step(200_000) {}
            batch = processor.finish(&mut pieces);
            let passed = start.elapsed();
            assert_eq!(batch.chunks.len(), 1);
            passed
        };
        // The first rounds size the arenas and make the groups of the statistics.
        for _ in 0..3 {
            round();
        }
        group.bench_function(name, |b| b.iter_custom(|n| (0..n).map(|_| round()).sum()));
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
