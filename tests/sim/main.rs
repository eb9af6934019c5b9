//! Several lanes, the merge, the encoder and a faulty way to the intake, on a fake clock, in one
//! thread. Everything that happens follows from the seed, which every failure names.

mod random;
mod world;

use world::{Faults, World};

const STEPS: u32 = 400;

/// Runs one world to its end; assertions are in it.
fn run(seed: u64, faults: Faults) {
    let mut world = World::new(seed, faults);
    for _ in 0..STEPS {
        world.step();
    }
    world.finish();
}

#[test]
fn quiet_worlds_send_one_point_for_each_context_and_bucket() {
    for seed in 0..40 {
        run(seed, Faults { has_late_lanes: false, has_restarts: false });
    }
}

#[test]
fn late_lanes_lose_nothing() {
    for seed in 100..140 {
        run(seed, Faults { has_late_lanes: true, has_restarts: false });
    }
}

#[test]
fn restarted_lanes_lose_only_what_they_held() {
    for seed in 200..240 {
        run(seed, Faults { has_late_lanes: true, has_restarts: true });
    }
}
