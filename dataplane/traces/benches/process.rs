//! Time per span of processing, without decoding and encoding: a trace of 50 spans as tracers send
//! it, by stage.
//!
//! Stages are measured by difference: each variant leaves something out. Each round decodes the body
//! anew into the memory of the last, outside of the measured time.

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

#[path = "support/body.rs"]
mod body;
#[path = "../tests/support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::Instant;

use body::body;

use corelane_traces::{Obfuscation, PayloadHead, Processor, ReplaceRule, Settings};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sampling::SamplingSettings;
use span::decode::{Decoder, Progress};
use span::{Batch, Format};
use stats::{Concentrator, ConcentratorSettings};
use support::{Make, MakeChunk, NOW_NS, chunk, samplers, span};

const SPANS: u64 = 50;
const CHUNKS: u64 = 10;

/// A web request with its handlers, queries, commands and calls of other services.
fn trace(id: u64) -> Vec<Make> {
    let mut spans = Vec::new();
    for n in 0..SPANS {
        let kind = n % 5;
        let mut made = span(id * 1000 + n + 1, if n == 0 { 0 } else { id * 1000 + n / 3 + 1 });
        made.trace_id = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        made.start_ns = (NOW_NS - 1_000_000_000 + n * 1_000_000) as i64;
        made.duration_ns = (1_000_000 + n * 31_337) as i64;
        made = made
            .meta("runtime-id", "f6b1b0d1c1a94a4ba0a3d8a1d0a5a9b0")
            .meta("language", "python")
            .meta("env", "production")
            .meta("version", "2024.11.3-b1")
            .meta("_dd.p.tid", "6735f9d500000000")
            .metric("process_id", 4711.0);
        let texts = match kind {
            0 => ("storefront", "web.request", "GET /checkout/{cart}", "web"),
            1 => ("orders-db", "postgres.query", STATEMENT, "sql"),
            2 => ("session-cache", "redis.command", "GET session:8812:cart", "redis"),
            3 => ("storefront", "requests.request", "GET", "http"),
            _ => ("storefront", "django.middleware", "AuthMiddleware.__call__", ""),
        };
        made.service = texts.0.into();
        made.name = texts.1.into();
        made.resource = texts.2.into();
        made.span_type = texts.3.into();
        spans.push(match kind {
            0 => made
                .meta("span.kind", "server")
                .meta("component", "django")
                .meta("http.method", "GET")
                .meta("http.url", "https://shop.example.com/checkout/77/?step=2")
                .meta("http.status_code", "200")
                .meta("http.useragent", "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101")
                .metric("_dd.measured", 1.0),
            1 => made
                .meta("span.kind", "client")
                .meta("component", "psycopg")
                .meta("db.system", "postgresql")
                .meta("db.name", "orders")
                .meta("out.host", "10.11.12.13")
                .meta("db.user", "app")
                .metric("network.destination.port", 5432.0)
                .metric("db.row_count", 3.0),
            2 => made
                .meta("span.kind", "client")
                .meta("component", "redis")
                .meta("redis.raw_command", "GET session:8812:cart")
                .meta("out.host", "cache.internal")
                .metric("redis.args_length", 2.0),
            3 => made
                .meta("span.kind", "client")
                .meta("component", "requests")
                .meta("http.method", "GET")
                .meta("http.url", "http://inventory.internal/items/1234567/stock")
                .meta("http.status_code", "200")
                .meta("out.host", "inventory.internal")
                .meta("peer.service", "inventory"),
            _ => made.meta("component", "django").meta("span.kind", "internal"),
        });
    }
    spans
}

const STATEMENT: &str = "SELECT id, customer_id, total FROM orders WHERE customer_id = 8812 AND \
                         state IN ('open', 'paid') ORDER BY created_at DESC LIMIT 20";

/// Ten traces, of which one is kept.
fn traces() -> Vec<MakeChunk> {
    (0..CHUNKS)
        .map(|id| MakeChunk { priority: i32::from(id == 3), ..chunk(&trace(id + 1)) })
        .collect()
}

fn processor(settings: Settings) -> Processor {
    let concentrator = Concentrator::new(ConcentratorSettings::default(), NOW_NS);
    let samplers = samplers(SamplingSettings::default());
    Processor::new(Arc::new(settings), samplers, concentrator, 7)
}

fn settings() -> Settings {
    Settings { peer_tags: stats::peer_tag_keys(&[]), ..Settings::default() }
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
            while decoder.step(&mut batch, 64) == Ok(Progress::More) {}
            assert_eq!(batch.spans.len() as u64, SPANS * CHUNKS);
            let start = Instant::now();
            processor.begin(std::mem::take(&mut batch), &head, NOW_NS);
            while processor.step(512) {}
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
