//! Lines and a shard, for the benches.
#![expect(clippy::unwrap_used, reason = "a bench may stop at the first surprise")]

use context::Keys;
use corelane_metrics::{Packet, Shard, ShardSettings};
use naming::{NamingSettings, Rules};

/// Which types the lines have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mix {
    /// Counters and a quarter gauges.
    Plain,
    /// The types of the load generator in their shares, with values that change.
    Mixed,
}

/// Packets that a shard gets again and again.
pub(crate) struct Workload {
    /// Packets of several passes over all contexts, each pass with values of its own.
    passes: Vec<Vec<Vec<u8>>>,
    fed_count: u64,
}

/// Passes of a mixed load: what a pool of the load generator holds on 3,000 contexts.
const MIXED_PASSES: usize = 4;
/// Passes after which a bucket is full and handed over.
const PASSES_PER_BUCKET: u64 = 256;

impl Workload {
    /// Lines of about 100 bytes with 4 tags, each context once a pass, in shuffled order.
    pub(crate) fn new(mix: Mix, contexts: usize, packet_bytes: usize) -> Self {
        let mut random = Random(7);
        let passes = if mix == Mix::Plain { 1 } else { MIXED_PASSES };
        let passes = (0..passes).map(|_| packets(mix, contexts, packet_bytes, &mut random));
        Self { passes: passes.collect(), fed_count: 0 }
    }

    /// Feeds every context once. Buckets end now and then, so that their state stays as small as it
    /// is in a lane.
    pub(crate) fn feed(&mut self, shard: &mut Shard) {
        let pass = usize::try_from(self.fed_count).unwrap() % self.passes.len();
        // A batch of 64 datagrams, as the receive path hands them over.
        for batch in self.passes[pass].chunks(64) {
            shard.on_packets(batch.iter().map(|packet| Packet {
                bytes: packet,
                peer: None,
                stamp_us: 0,
                is_eol_required: false,
            }));
        }
        self.fed_count += 1;
        if self.fed_count.is_multiple_of(PASSES_PER_BUCKET) {
            drop(shard.flush(START_SECS + 10 * (self.fed_count / PASSES_PER_BUCKET)));
        }
    }
}

/// An empty shard.
pub(crate) fn shard() -> Shard {
    let settings = ShardSettings { contexts_max: 2_000_000, ..ShardSettings::default() };
    let rules = Rules::new(&NamingSettings::default()).unwrap();
    let mut shard = Shard::new(0, settings, Keys::from_seed(1), rules);
    shard.advance(START_SECS);
    shard
}

const START_SECS: u64 = 1_700_000_000;

fn packets(mix: Mix, contexts: usize, packet_bytes: usize, random: &mut Random) -> Vec<Vec<u8>> {
    let mut order: Vec<usize> = (0..contexts).collect();
    for i in (1..order.len()).rev() {
        order.swap(i, random.below(i + 1));
    }
    let mut packets = vec![Vec::new()];
    for n in order {
        let (kind, value) = match mix {
            Mix::Plain => (["c", "g", "c", "c"][n % 4], (n % 1000).to_string()),
            Mix::Mixed => (mixed_kind(n), mixed_value(n, random)),
        };
        let line = format!(
            "app.request.duration.{}:{value}|{kind}|#env:production,service:checkout-{},version:1.2.{},host_id:i-{n:08}\n",
            n % 100,
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

/// Half counters, 20 % gauges, 10 % histograms, 15 % distributions, 2 % sets, 3 % timings.
const fn mixed_kind(n: usize) -> &'static str {
    match n % 100 {
        0..50 => "c",
        50..70 => "g",
        70..80 => "h",
        80..95 => "d",
        95..97 => "s",
        _ => "ms",
    }
}

/// Multiples of a quarter up to 1,000; one of 1,000 members for a set.
fn mixed_value(n: usize, random: &mut Random) -> String {
    if mixed_kind(n) == "s" {
        return format!("user-{}", random.below(1000));
    }
    let quarters = random.below(4000) + 1;
    format!("{}{}", quarters / 4, ["", ".25", ".5", ".75"][quarters % 4])
}

/// A linear congruential generator: the same lines in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}
