//! Time per span counted in a known group, per duration inserted, and per group encoded; bytes per
//! group.

#![expect(clippy::print_stdout, reason = "bytes have no place in the reports of criterion")]

use std::hint::black_box;

use corelane_stats::{
    Concentrator, ConcentratorSettings, ContainerTags, PayloadKey, Sketch, SpanStats, StatsHeader,
    encode_payloads,
};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const NOW_NS: i64 = 1_700_000_000_000_000_000;
const CHUNK_SPANS: usize = 50;

const PAYLOAD: PayloadKey<'static> = PayloadKey {
    env: "production",
    hostname: "ip-10-0-12-7.eu-west-1.compute.internal",
    version: "2026.11.3-4f2a",
    container_id: "3726184226f5d3147c25fdeab5b60097e378e8a720503a5e19ecfdf29f869860",
    git_commit_sha: "4f2a7c1d9b8e6a5f4c3d2e1f0a9b8c7d6e5f4a3b",
    image_tag: "2026.11.3",
    lang: "go",
    process_tags: "entrypoint.name:server,entrypoint.type:executable,entrypoint.workdir:app",
    service: "",
};

/// Resources of a service, as obfuscation leaves them.
fn resources(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("SELECT id, name, price FROM table_{at} WHERE id = ?")).collect()
}

fn span<'a>(resource: &'a str, at: usize) -> SpanStats<'a> {
    SpanStats {
        service: "checkout-postgres",
        name: "postgres.query",
        resource,
        span_type: "sql",
        span_kind: "client",
        svc_src: "",
        http_status: 0,
        grpc_status: None,
        is_synthetics: false,
        is_trace_root: false,
        is_top_level: true,
        is_error: at.is_multiple_of(100),
        peer_tags: &[("db.name", "orders"), ("db.system", "postgresql"), ("out.host", "pg-7")],
        additional_tags: &[],
        start_ns: NOW_NS,
        duration_ns: 1_000_000 + (at as u64 * 7919 % 9_000_000).cast_signed(),
        weight: 1.0,
    }
}

fn concentrator() -> Concentrator {
    Concentrator::new(ConcentratorSettings::default(), NOW_NS.cast_unsigned())
}

/// Counts one span of each resource, in chunks.
fn feed(concentrator: &mut Concentrator, resources: &[String]) {
    for (at, chunk) in resources.chunks(CHUNK_SPANS).enumerate() {
        let mut recorder = concentrator.chunk(&PAYLOAD, "");
        for (index, resource) in chunk.iter().enumerate() {
            black_box(recorder.add(&span(resource, at * CHUNK_SPANS + index)));
        }
    }
}

fn concentrate(c: &mut Criterion) {
    let mut group = c.benchmark_group("span of a known group");
    for count in [50, 3_000, 40_000] {
        let resources = resources(count);
        let mut concentrator = concentrator();
        feed(&mut concentrator, &resources);
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(format!("{count} groups"), |b| {
            b.iter(|| feed(&mut concentrator, black_box(&resources)));
        });
        let bytes = concentrator.heap_bytes() / count;
        println!("{count} groups: {bytes} bytes a group on the heap");
    }
    let resources = resources(3_000);
    group.throughput(Throughput::Elements(3_000));
    group.bench_function("first sight of 3000 groups", |b| {
        b.iter_batched(concentrator, |mut c| feed(&mut c, &resources), BatchSize::LargeInput);
    });
    group.finish();
}

fn sketch(c: &mut Criterion) {
    let mut group = c.benchmark_group("sketch");
    let durations: Vec<u64> = (0..1000).map(|at| 1_000_000 + (at * 7919) % 9_000_000).collect();
    let mut sketch = Sketch::default();
    group.throughput(Throughput::Elements(1000));
    group.bench_function("insert", |b| {
        b.iter(|| durations.iter().for_each(|d| sketch.insert_duration(black_box(*d))));
    });
    group.bench_function("insert with a logarithm", |b| {
        b.iter(|| durations.iter().for_each(|d| sketch.insert(black_box(*d as f64), 1.0)));
    });
    let other = sketch.clone();
    group.throughput(Throughput::Elements(1));
    group.bench_function(format!("merge of {} bins", other.bins().1.len()), |b| {
        b.iter(|| sketch.merge(black_box(&other)));
    });
    group.finish();
}

fn flush(c: &mut Criterion) {
    let mut group = c.benchmark_group("flush");
    let resources = resources(3_000);
    let buckets = |rounds: usize| {
        let mut concentrator = concentrator();
        (0..rounds).for_each(|_| feed(&mut concentrator, &resources));
        concentrator.flush(0, true)
    };
    let (first, second) = (buckets(1), buckets(1));
    group.throughput(Throughput::Elements(3_000));
    group.bench_function("merge of 3000 known groups", |b| {
        b.iter_batched(
            || (first[0].clone(), second[0].clone()),
            |(mut first, second)| {
                first.merge(second);
                first
            },
            BatchSize::LargeInput,
        );
    });
    group.bench_function("encoding of 3000 groups", |b| {
        b.iter(|| {
            let tags_of = |_: &str| ContainerTags::Failed;
            encode_payloads(
                &StatsHeader::default(),
                &first,
                || 0.5,
                tags_of,
                |body| {
                    black_box(body);
                },
            );
        });
    });
    group.finish();
}

criterion_group!(benches, concentrate, sketch, flush);
criterion_main!(benches);
