//! Buckets of 5 seconds and the arithmetic of rates over a window of six. spec: apm §7.2.

/// Length of a bucket in milliseconds.
pub const BUCKET_MS: u64 = 5000;
/// Length of a bucket in seconds.
pub(crate) const BUCKET_SECS: f64 = 5.0;
/// Buckets in the window.
pub(crate) const WINDOW: u64 = 6;

const _: () = assert!(size_of::<Buckets>() as u64 == WINDOW * 8);

/// Counts of a window; bucket `id` is at `id % 6`.
pub(crate) type Buckets = [f64; 6];

/// Id of the bucket at a time in Unix milliseconds.
pub const fn bucket_at(now_ms: u64) -> u64 {
    now_ms / BUCKET_MS
}

/// Position of a bucket in its window.
pub(crate) const fn position(bucket: u64) -> usize {
    (bucket % WINDOW) as usize
}

/// Moves a window from bucket `previous` to `new`: clears what is older than the window and the new
/// bucket, and returns the largest count that was in the window.
pub(crate) fn zero_and_max(buckets: &mut Buckets, previous: u64, new: u64) -> f64 {
    let mut max = 0.0_f64;
    for bucket in previous + 1..=previous + WINDOW {
        let count = &mut buckets[position(bucket)];
        if bucket < new {
            *count = 0.0;
            continue;
        }
        max = max.max(*count);
        if bucket == new {
            *count = 0.0;
        }
    }
    max
}

/// Shares `target` traces per second among signatures: those that stay below an equal share leave
/// the rest to the others. Sorts `seen`, the traces per second of each signature.
pub(crate) fn tps_per_signature(target: f64, seen: &mut [f64]) -> f64 {
    seen.sort_unstable_by(f64::total_cmp);
    let mut left = target;
    let mut share = left / as_f64(seen.len());
    for (position, &tps) in seen.iter().enumerate() {
        let remaining = seen.len() - position - 1;
        if tps >= share || remaining == 0 {
            break;
        }
        left -= tps;
        share = left / as_f64(remaining);
    }
    share
}

#[expect(clippy::cast_precision_loss, reason = "numbers of signatures are far below 2^52")]
const fn as_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_the_spec() {
        let vectors = [(2.0, 2.0 / 3.0), (10.0, 3.5), (23.5, 10.5), (53.5, 40.5), (0.0, 0.0)];
        for (target, share) in vectors {
            let found = tps_per_signature(target, &mut [0.0, 10.0, 100.0, 3.0, 0.0]);
            assert!((found - share).abs() < 1e-12, "{target}: {found}");
        }
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "small whole numbers are exact")]
    fn window_moves_of_the_spec() {
        let mut buckets = [10.0, 11.0, 17.0, 13.0, 14.0, 19.0];
        assert_eq!(zero_and_max(&mut buckets, 3, 7), 17.0);
        assert_eq!(buckets, [0.0, 0.0, 17.0, 13.0, 0.0, 0.0]);
        let mut buckets = [10.0, 11.0, 10.0, 13.0, 14.0, 19.0];
        assert_eq!(zero_and_max(&mut buckets, 3, 8), 13.0);
        assert_eq!(buckets, [0.0, 0.0, 0.0, 13.0, 0.0, 0.0]);
    }
}
