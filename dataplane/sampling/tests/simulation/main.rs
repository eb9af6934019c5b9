//! Lanes and control together, on a simulated clock: the targets hold over any number of lanes and
//! any skew, and rates are those of one lane.

mod bounded;
mod fleet;
mod priority;
mod reference;
mod scores;
mod traffic;

/// Numbers of lanes under test.
const LANES: [usize; 4] = [1, 2, 8, 64];
/// A multiple of the bucket length, in Unix milliseconds.
const START_MS: u64 = 1_700_000_000_000;
/// Seconds until all rates follow the traffic: the first bucket and the tick after it.
const WARM_UP_SECS: u64 = 10;
/// Kept traces per second may be off the target by this share: over 70 s some 700 traces are
/// kept, and hash sampling spreads their number by 4 % (one standard deviation).
const TOLERANCE: f64 = 0.10;

/// Asserts that `kept` traces in `secs` seconds are as many as `target` per second allows.
fn assert_rate(kept: u64, secs: u64, target: f64, what: &str) {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let tps = kept as f64 / secs as f64;
    assert!((tps / target - 1.0).abs() <= TOLERANCE, "{what}: {tps} a second, target {target}");
}
