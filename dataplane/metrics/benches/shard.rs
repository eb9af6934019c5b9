//! Time per metric line of parse + resolve + record, by number of contexts.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

#[path = "support/workload.rs"]
mod workload;

use workload::{feed, packets, shard};

const PACKET_BYTES: usize = 8192;

fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("parse, resolve, record");
    for (contexts, packet_bytes) in
        [(3_000, PACKET_BYTES), (3_000, 1432), (100_000, PACKET_BYTES), (1_000_000, PACKET_BYTES)]
    {
        let packets = packets(contexts, packet_bytes);
        let mut shard = shard();
        feed(&mut shard, &packets);
        group.throughput(Throughput::Elements(contexts as u64));
        group.sample_size(if contexts > 100_000 { 10 } else { 50 });
        group.bench_function(format!("{contexts} contexts, {packet_bytes} byte packets"), |b| {
            b.iter(|| feed(&mut shard, black_box(&packets)));
        });
    }
    let packets = packets(3_000, PACKET_BYTES);
    group.throughput(Throughput::Elements(3_000));
    group.bench_function("first sight of 3000 contexts", |b| {
        b.iter_batched(shard, |mut shard| feed(&mut shard, &packets), BatchSize::LargeInput);
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
