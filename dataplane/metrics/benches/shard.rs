//! Time per metric line of parse + resolve + record, by mix of types and number of contexts.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

#[path = "support/workload.rs"]
mod workload;

use workload::{Mix, Workload, shard};

const PACKET_BYTES: usize = 8192;
const UDP_PACKET_BYTES: usize = 1432;

fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("parse, resolve, record");
    for (mix, contexts, packet_bytes) in [
        (Mix::Plain, 3_000, PACKET_BYTES),
        (Mix::Plain, 3_000, UDP_PACKET_BYTES),
        (Mix::Mixed, 3_000, PACKET_BYTES),
        (Mix::Mixed, 3_000, UDP_PACKET_BYTES),
        (Mix::Plain, 100_000, PACKET_BYTES),
        (Mix::Plain, 1_000_000, PACKET_BYTES),
        (Mix::Mixed, 1_000_000, PACKET_BYTES),
    ] {
        let mut workload = Workload::new(mix, contexts, packet_bytes);
        let mut shard = shard();
        workload.feed(&mut shard);
        group.throughput(Throughput::Elements(contexts as u64));
        group.sample_size(if contexts > 100_000 { 10 } else { 50 });
        let name = format!("{mix:?}, {contexts} contexts, {packet_bytes} byte packets");
        group.bench_function(name, |b| {
            b.iter(|| black_box(&mut workload).feed(&mut shard));
        });
    }
    let mut workload = Workload::new(Mix::Plain, 3_000, PACKET_BYTES);
    group.throughput(Throughput::Elements(3_000));
    group.bench_function("first sight of 3000 contexts", |b| {
        b.iter_batched(shard, |mut shard| workload.feed(&mut shard), BatchSize::LargeInput);
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
