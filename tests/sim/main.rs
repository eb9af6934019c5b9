//! Several lanes, the merge, the encoder and a faulty way to the intake, on a fake clock, in one
//! thread. The lanes are those of the product, with their rings, their moderation and the help that
//! they give each other; only their sockets and their driver are simulated. Everything that happens
//! follows from the seed, which every failure names.

#![expect(clippy::expect_used, reason = "a test")]

mod clients;
mod lanes;
mod random;
mod world;

use std::time::Instant;

use world::{Faults, World};

const STEPS: u32 = 200;

/// Runs one world to its end; assertions are in it.
fn run(seed: u64, faults: Faults) {
    // Only what passes since is seen.
    let mut world = World::new(seed, faults, Instant::now());
    for _ in 0..STEPS {
        world.step();
    }
    world.finish();
}

#[test]
fn quiet_worlds_send_one_point_for_each_context_and_bucket() {
    for seed in 0..20 {
        run(seed, Faults::default());
    }
}

#[test]
fn late_lanes_lose_nothing() {
    for seed in 100..120 {
        run(seed, Faults { has_late_lanes: true, ..Faults::default() });
    }
}

#[test]
fn restarted_lanes_lose_only_what_they_held() {
    for seed in 200..220 {
        run(seed, Faults { has_late_lanes: true, has_restarts: true, ..Faults::default() });
    }
}

#[test]
fn full_sockets_turn_away_whole_packets() {
    for seed in 300..320 {
        run(seed, Faults { has_late_lanes: true, has_restarts: true, has_full_sockets: true });
    }
}
