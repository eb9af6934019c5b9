//! Costs of single records. The figures of the crate's documentation come from here.

use std::hint::black_box;
use std::time::Duration;

use corelane_logs::{
    Batch, BatchLimits, Defaults, Entry, Push, RuleConfig, Rules, Settings, encode_entry,
    parse_entries, parse_lines, prepare,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// A usual line of an access log, about 170 bytes, which has four quotes.
const LINE: &str = "10.20.30.40 - frank [30/Nov/2026:11:42:22 +0000] \"GET /orders/1234/items?\
page=2 HTTP/1.1\" 200 5316 \"https://shop.example.com/\" Mozilla/5.0 (X11; Linux x86_64) 0.042 ms";

/// Records of a request.
const COUNT: usize = 100;

fn entry(message: String) -> Entry {
    Entry {
        message,
        status: "info".to_owned(),
        timestamp_ms: 1_700_000_000_123,
        hostname: "web-17.example.com".to_owned(),
        service: "shop".to_owned(),
        source: "nginx".to_owned(),
        tags: "env:prod,version:1.2.3,team:orders".to_owned(),
        ..Entry::default()
    }
}

fn rules(kind: &str, pattern: &str) -> Rules {
    let rule = RuleConfig {
        kind: kind.to_owned(),
        name: "r".to_owned(),
        pattern: pattern.to_owned(),
        replace_placeholder: "$1***".to_owned(),
    };
    Rules::new(&[rule]).expect("a valid rule")
}

fn body(member: &str) -> Vec<u8> {
    let mut encoded = Vec::new();
    encode_entry(&entry(LINE.to_owned()), &mut encoded);
    encoded.pop();
    encoded.extend_from_slice(member.as_bytes());
    encoded.push(b'}');
    let array = vec![encoded; COUNT].join(&b","[..]);
    [b"[", &*array, b"]"].concat()
}

fn records(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("logs");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));

    let dense = "{\"a\":\"b\",\"c\":\"<d>\"}\n".repeat(10);
    let plain = LINE.replace('"', "'");
    for (name, message) in [
        ("encode/plain", plain.clone()),
        ("encode/line", LINE.to_owned()),
        ("encode/json", dense),
        ("encode/10k", plain.repeat(50)),
    ] {
        let entry = entry(message);
        let mut out = Vec::new();
        group.throughput(Throughput::Bytes(entry.message.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                encode_entry(black_box(&entry), &mut out);
            });
        });
    }

    let whole = "a".repeat(1_000);
    for (name, rules, message) in [
        ("rules/exclude", rules("exclude_at_match", "healthcheck"), LINE),
        ("rules/mask_none", rules("mask_sequences", r"(api_key=)\w{32}"), LINE),
        ("rules/mask_digits", rules("mask_sequences", r"(\d+\.)\d+"), LINE),
        ("rules/mask_card_none", rules("mask_sequences", r"(\b4)\d{12}(?:\d{3})?\b"), LINE),
        ("rules/exclude_1k", rules("exclude_at_match", "healthcheck"), &whole),
    ] {
        group.throughput(Throughput::Bytes(message.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                || message.to_owned(),
                |message| rules.apply(message, false, 1_000_000),
                criterion::BatchSize::SmallInput,
            );
        });
    }

    group.throughput(Throughput::Elements(1));
    let settings = Settings {
        defaults: Defaults { tags: "env:prod,team:orders".to_owned(), ..Defaults::default() },
        ..Settings::default()
    };
    let bare = Entry { message: LINE.to_owned(), timestamp_ms: 1, ..Entry::default() };
    let mut out = Vec::new();
    group.bench_function("prepare/line", |bencher| {
        bencher.iter_batched_ref(
            || bare.clone(),
            |entry| {
                out.clear();
                prepare(entry, &settings, &mut out)
            },
            criterion::BatchSize::SmallInput,
        );
    });

    let mut batch = Batch::new(BatchLimits::default());
    let encoded = vec![b'x'; 400];
    group.bench_function("push/400", |bencher| {
        bencher.iter(|| {
            if batch.push(black_box(&encoded), 0) != Push::Added {
                drop(black_box(batch.take()));
            }
        });
    });

    group.throughput(Throughput::Elements(COUNT as u64));
    for (name, body) in [
        ("parse/entries", body("")),
        ("parse/extra", body(",\"lambda\":{\"arn\":\"a\",\"request_id\":\"r\"}")),
    ] {
        group.bench_function(name, |bencher| bencher.iter(|| parse_entries(black_box(&body))));
    }
    let lines = vec![LINE; COUNT].join("\n");
    group.bench_function("parse/lines", |bencher| {
        bencher.iter(|| parse_lines(black_box(lines.as_bytes()), 1));
    });
    group.finish();
}

criterion_group!(benches, records);
criterion_main!(benches);
