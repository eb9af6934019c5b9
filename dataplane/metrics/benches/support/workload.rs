//! Lines and a shard, for the benches.
#![expect(clippy::unwrap_used, reason = "a bench may stop at the first surprise")]

use context::Keys;
use corelane_metrics::{Packet, Shard, ShardSettings};
use naming::{NamingSettings, Rules};

/// Packets of lines of about 100 bytes with 4 tags, each context once, in shuffled order.
pub(crate) fn packets(contexts: usize, packet_bytes: usize) -> Vec<Vec<u8>> {
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

/// An empty shard.
pub(crate) fn shard() -> Shard {
    let settings = ShardSettings { contexts_max: 2_000_000, ..ShardSettings::default() };
    let rules = Rules::new(&NamingSettings::default()).unwrap();
    let mut shard = Shard::new(0, settings, Keys::from_seed(1), rules);
    shard.advance(1_700_000_000);
    shard
}

/// Feeds all packets once.
pub(crate) fn feed(shard: &mut Shard, packets: &[Vec<u8>]) {
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
