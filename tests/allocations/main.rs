//! Recording allocates nothing per line once contexts and cells are there, and processing nothing
//! per span once arenas and groups are. spec: style §7.

mod spans;

use context::Keys;
use metrics::{Packet, Shard, ShardSettings};
use naming::{NamingSettings, Rules};

fn shard() -> Shard {
    let rules = Rules::new(&NamingSettings::default()).expect("the default rules");
    let mut shard = Shard::new(0, ShardSettings::default(), Keys::from_seed(1), rules);
    shard.advance(1000);
    shard
}

/// Allocations that recording these packets costs.
fn cost_of(shard: &mut Shard, packets: &[String]) -> u64 {
    let allocations = allocation_counter::measure(|| {
        shard.on_packets(packets.iter().map(|packet| Packet {
            bytes: packet.as_bytes(),
            peer: None,
            stamp_us: 1_000_000_000,
            is_eol_required: false,
        }));
    });
    allocations.count_total
}

/// Packets of twenty lines over a thousand contexts, the same each time.
fn packets(symbol: &str) -> Vec<String> {
    let line = |at: usize| {
        let value = at % 7 + 1;
        format!("metric.{}:{value}|{symbol}|#host_group:{},env:prod,zone:b", at % 50, at % 20)
    };
    let lines: Vec<String> = (0..1000).map(line).collect();
    lines.chunks(20).map(|chunk| chunk.join("\n")).collect()
}

#[test]
fn known_contexts_cost_no_allocation() {
    for symbol in ["g", "c", "d", "s"] {
        let mut shard = shard();
        let packets = packets(symbol);
        assert!(cost_of(&mut shard, &packets) > 0, "the first pass makes the contexts");
        // Cells grow to their size in the second pass.
        cost_of(&mut shard, &packets);
        assert_eq!(cost_of(&mut shard, &packets), 0, "type {symbol}");
    }
}

#[test]
fn histograms_cost_as_much_as_a_growing_list() {
    let mut shard = shard();
    let packets: Vec<String> = (0..2000).map(|at| format!("one.histogram:{at}|h")).collect();
    cost_of(&mut shard, &packets);
    let cost: u64 = (0..20).map(|_| cost_of(&mut shard, &packets)).sum();
    assert!(cost <= 16, "{cost} allocations for 40,000 samples of one context");
}

#[test]
fn refused_lines_cost_no_allocation() {
    let mut shard = shard();
    let packets = vec!["no pipe\na:1|q\na:x|c\na:1|c|@x\n_e{9,9}:short\n_sc|a|9".to_owned()];
    cost_of(&mut shard, &packets);
    assert_eq!(cost_of(&mut shard, &packets), 0);
}
