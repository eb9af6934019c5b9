//! Bytes of statements per second, over all statements of the vectors.
//!
//! A pass takes less than a slice of the scheduler. Every sample is the best of its passes, so that
//! what else runs on a shared machine does not count.

use std::hint::black_box;
use std::time::{Duration, Instant};

use corelane_sql::{Mode, Obfuscator, Options};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::Deserialize;

const STANDARD: &str = include_str!("../../../tests/vectors/sql.jsonl");
const LEXER: &str = include_str!("../../../tests/vectors/sqllexer.jsonl");

#[derive(Deserialize)]
struct Statement {
    #[serde(rename = "in")]
    text: String,
    #[serde(default)]
    dbms: String,
}

fn statements(file: &str) -> Vec<Statement> {
    file.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn pass(obfuscator: &mut Obfuscator, statements: &[Statement]) -> Duration {
    let start = Instant::now();
    for statement in statements {
        let done = obfuscator.obfuscate(black_box(&statement.text), &statement.dbms);
        black_box(done.is_ok());
    }
    start.elapsed()
}

fn bench(c: &mut Criterion) {
    for (name, mode, file, cache_bytes) in [
        ("default", Mode::Default, STANDARD, 0),
        ("default, lexer's statements", Mode::Default, LEXER, 0),
        ("default, cached", Mode::Default, STANDARD, 5_000_000),
        ("obfuscate only", Mode::ObfuscateOnly, LEXER, 0),
        ("obfuscate and normalize", Mode::ObfuscateAndNormalize, LEXER, 0),
    ] {
        let statements = statements(file);
        let bytes: usize = statements.iter().map(|statement| statement.text.len()).sum();
        let options = Options { mode, ..Options::default() };
        let mut obfuscator = Obfuscator::with_cache(options, cache_bytes);
        let mut group = c.benchmark_group("statements");
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(name, |b| {
            b.iter_custom(|passes| {
                let best = (0..passes).map(|_| pass(&mut obfuscator, &statements)).min();
                best.unwrap_or_default().mul_f64(passes as f64)
            });
        });
        group.finish();
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
