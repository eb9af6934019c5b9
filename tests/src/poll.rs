//! Waiting for a condition that nothing announces.

use std::thread;
use std::time::{Duration, Instant};

/// Limit of every wait. Nothing takes this long unless it is broken or the machine is overloaded.
pub const WAIT_MAX: Duration = Duration::from_secs(30);
/// Between two looks: short against everything that is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Looks until `find` gives something; `None` after `time_max`.
///
/// Another process is looked at from outside, and it tells nobody when it changes: looking again
/// and again is the only way.
pub fn wait_for<T>(time_max: Duration, mut find: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + time_max;
    loop {
        if let Some(found) = find() {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        thread::sleep(LOOK_EVERY);
    }
}
