//! Feeds known contexts a number of rounds, to be counted by callgrind: `cargo x instructions`.
//!
//! Arguments: the rounds, and `mixed` for lines of all types instead of counters and gauges.
#![expect(clippy::unwrap_used, reason = "a bench may stop at the first surprise")]
#![expect(clippy::print_stdout, reason = "its output is read by the command")]

#[path = "../benches/support/workload.rs"]
mod workload;

use workload::{Mix, Workload};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let rounds: usize = arguments.next().map_or(1, |rounds| rounds.parse().unwrap());
    let is_mixed = arguments.next().is_some_and(|mix| mix == "mixed");
    let mix = if is_mixed { Mix::Mixed } else { Mix::Plain };
    let contexts = 3_000;
    let mut workload = Workload::new(mix, contexts, 8192);
    let mut shard = workload::shard();
    for _ in 0..rounds {
        workload.feed(&mut shard);
    }
    println!("lines: {}", rounds * contexts);
}
