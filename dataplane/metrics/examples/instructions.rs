//! Feeds known contexts a number of rounds, to be counted by callgrind: `cargo x instructions`.
#![expect(clippy::unwrap_used, reason = "a bench may stop at the first surprise")]
#![expect(clippy::print_stdout, reason = "its output is read by the command")]

#[path = "../benches/support/workload.rs"]
mod workload;

fn main() {
    let rounds: usize = std::env::args().nth(1).map_or(1, |rounds| rounds.parse().unwrap());
    let contexts = 3_000;
    let packets = workload::packets(contexts, 8192);
    let mut shard = workload::shard();
    for _ in 0..rounds {
        workload::feed(&mut shard, &packets);
    }
    println!("lines: {}", rounds * contexts);
}
