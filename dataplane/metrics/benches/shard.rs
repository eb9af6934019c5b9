//! Time per metric line of parse + resolve + record, by number of contexts.
#![expect(clippy::unwrap_used, reason = "a bench may stop at the first surprise")]

use std::hint::black_box;

use context::Keys;
use corelane_metrics::{Packet, Shard, ShardSettings};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use naming::{NamingSettings, Rules};

const PACKET_BYTES: usize = 8192;

/// Packets of lines of about 100 bytes with 4 tags, each context once, in shuffled order.
fn packets(contexts: usize, packet_bytes: usize) -> Vec<Vec<u8>> {
    let mut order: Vec<usize> = (0..contexts).collect();
    let mut state = 7u64;
    for i in (1..order.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        order.swap(i, (state >> 33) as usize % (i + 1));
    }
    let mut packets = vec![Vec::new()];
    for n in order {
        let kind = ["c", "g", "c", "c"][n % 4];
        let line = format!(
            "app.request.duration.{}:{}|{kind}|#env:production,service:checkout-{},version:1.2.{},host_id:i-{n:08}\n",
            n % 50,
            n % 1000,
            n % 20,
            n % 7,
        );
        if packets.last().is_some_and(|packet| packet.len() + line.len() > packet_bytes) {
            packets.push(Vec::new());
        }
        packets.last_mut().unwrap().extend_from_slice(line.as_bytes());
    }
    packets
}

fn shard() -> Shard {
    let settings = ShardSettings { contexts_max: 2_000_000, ..ShardSettings::default() };
    let rules = Rules::new(&NamingSettings::default()).unwrap();
    let mut shard = Shard::new(0, settings, Keys::from_seed(1), rules);
    shard.advance(1_700_000_000);
    shard
}

fn feed(shard: &mut Shard, packets: &[Vec<u8>]) {
    // A batch of 64 datagrams, as the receive path hands them over.
    for batch in packets.chunks(64) {
        shard.on_packets(batch.iter().map(|packet| Packet {
            bytes: packet,
            peer: None,
            stamp_us: 0,
            is_eol_required: false,
        }));
    }
}

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
