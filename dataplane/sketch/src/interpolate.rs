//! Samples of which only the bounds of their bucket are known, spread over it.
//! spec: dogstatsd §10.5.

use crate::key::{key_of, lower_bound};

/// The bounds of a bucket come in falling order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotMonotonic;

/// Hands out the keys over which `count` samples spread evenly between two bounds, in ascending
/// order, with at least one sample each.
///
/// A key gets samples once its bound is as far from that of the key before as the share of one
/// sample. Keys that lie nearer are leapt over, so that a wide bucket with few samples costs no
/// more than its samples.
pub(crate) fn interpolate(
    lower: f64,
    upper: f64,
    count: u32,
    add: &mut impl FnMut(i16, u32),
) -> Result<(), NotMonotonic> {
    let (mut key, last) = (key_of(lower), key_of(upper));
    if key > last {
        return Err(NotMonotonic);
    }
    let (distance, samples) = (upper - lower, f64::from(count));
    let (mut left, mut bound, mut carry) = (count, lower_bound(key), 0.0);
    let mut next = key;
    while left > 0 && next < last {
        next += 1;
        let next_bound = lower_bound(next);
        let share = (next_bound - bound) / distance * samples;
        let mut given = whole(share);
        if share > 1.0 {
            carry += share - share.trunc();
        }
        if carry > 1.0 {
            given = given.saturating_add(1);
            carry -= 1.0;
        }
        if given > 0 {
            given = given.min(left);
            add(key, given);
            left -= given;
            (key, bound) = (next, next_bound);
        } else {
            // The bound of a key is within 0.8 % of what maps to it, that of the key before it is
            // 1.6 % smaller. `carry` cannot exceed 1 on the way: small shares do not add to it.
            let reached = key_of(bound + distance / samples).saturating_sub(2);
            next = next.max(reached.min(last - 1));
        }
    }
    if left > 0 {
        add(key, left);
    }
    Ok(())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
const fn whole(share: f64) -> u32 {
    share as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The walk without leaps.
    fn slowly(lower: f64, upper: f64, count: u32) -> Vec<(i16, u32)> {
        let keys: Vec<i16> = (key_of(lower)..=key_of(upper)).collect();
        let (mut at, mut left, mut carry, mut spread) = (0, count, 0.0, Vec::new());
        for next in 1..keys.len() {
            let width = lower_bound(keys[next]) - lower_bound(keys[at]);
            let share = width / (upper - lower) * f64::from(count);
            if share > 1.0 {
                carry += share - share.trunc();
            }
            let mut given = whole(share);
            if carry > 1.0 {
                given = given.saturating_add(1);
                carry -= 1.0;
            }
            let given = given.min(left);
            if given > 0 {
                spread.push((keys[at], given));
                left -= given;
                at = next;
            }
        }
        if left > 0 {
            spread.push((keys[at], left));
        }
        spread
    }

    fn spread(lower: f64, upper: f64, count: u32) -> Result<Vec<(i16, u32)>, NotMonotonic> {
        let mut spread = Vec::new();
        interpolate(lower, upper, count, &mut |key, count| spread.push((key, count)))?;
        Ok(spread)
    }

    #[test]
    fn any_bounds_end() {
        let odd = [f64::NEG_INFINITY, f64::MIN, -1.0, 0.0, 1e-300, 1.0, 1e300, f64::INFINITY];
        for lower in odd.into_iter().chain([f64::NAN]) {
            for upper in odd.into_iter().chain([f64::NAN]) {
                for count in [0, 1, 1000, u32::MAX] {
                    let Ok(spread) = spread(lower, upper, count) else { continue };
                    let sum: u64 = spread.iter().map(|(_, count)| u64::from(*count)).sum();
                    assert_eq!(sum, u64::from(count), "{lower} to {upper}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn leaps_change_nothing(
            bounds in (-1e9f64..1e9, -1e9f64..1e9),
            scale in 0i32..30,
            count in prop_oneof![1u32..20, 1u32..1_000_000],
        ) {
            let scale = 10f64.powi(-scale);
            let (lower, upper) = (bounds.0.min(bounds.1) * scale, bounds.0.max(bounds.1) * scale);
            prop_assert_eq!(spread(lower, upper, count), Ok(slowly(lower, upper, count)));
            prop_assert_eq!(spread(0.0, upper.abs(), count), Ok(slowly(0.0, upper.abs(), count)));
        }
    }
}
