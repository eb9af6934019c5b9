//! Zeros for counters that were silent. spec: dogstatsd §8.4, the way that fills every bucket.

use std::sync::Arc;

use signal::{Context, Point};

/// A counter seen lately.
#[derive(Debug)]
pub(crate) struct Tracked {
    pub(crate) key: u128,
    pub(crate) context: Arc<Context>,
    /// Start of the latest bucket with real samples, over all lanes.
    pub(crate) last_secs: u64,
}

const _: () = assert!(size_of::<Tracked>() == 32, "per counter remembered");

/// Longest time that a silent counter is filled, so that the window below stays small.
pub(crate) const EXPIRY_SECS_MAX: u64 = 86_400;

/// The buckets that this flush closes and that counters may have to be filled in.
#[derive(Debug)]
pub(crate) struct ZeroWindow {
    /// Bucket starts, ascending.
    starts: Vec<u64>,
    /// From here on there is data in this flush; a counter that is new in it is filled from here.
    data_from_secs: u64,
    expiry_secs: u64,
}

impl ZeroWindow {
    /// The buckets from `closed_secs`, up to which earlier flushes closed everything, to
    /// `cutoff_secs`. `data_secs` are the starts of the oldest and the newest bucket of this flush.
    ///
    /// After a long gap, or with a clock that jumped, only two parts of that time matter: what
    /// known counters are due after their last sample, and what the new data spans and makes due.
    /// Each is cut to the expiry, so the window is never longer than three times the expiry.
    pub(crate) fn new(
        closed_secs: Option<u64>,
        data_secs: Option<(u64, u64)>,
        cutoff_secs: u64,
        bucket_secs: u64,
        expiry_secs: u64,
    ) -> Self {
        let expiry_secs = expiry_secs.min(EXPIRY_SECS_MAX);
        let (oldest, newest) = data_secs.unwrap_or((cutoff_secs, cutoff_secs));
        let data_from_secs =
            oldest.max(closed_secs.unwrap_or(0)).max(newest.saturating_sub(expiry_secs));
        let data_until = newest.saturating_add(expiry_secs).min(cutoff_secs);
        let known_from = closed_secs.unwrap_or(data_from_secs);
        let known_until = known_from.saturating_add(expiry_secs).min(cutoff_secs);

        let step = usize::try_from(bucket_secs).unwrap_or(usize::MAX).max(1);
        let every_bucket = |from: u64, until| (align_up(from, bucket_secs)..until).step_by(step);
        let starts = every_bucket(known_from, known_until.min(data_from_secs))
            .chain(every_bucket(data_from_secs, data_until.max(known_until)))
            .collect();
        Self { starts, data_from_secs, expiry_secs }
    }

    /// Appends the zeros of one counter to `points`, not in order; the number appended.
    ///
    /// `last_before` is the last bucket with samples known from earlier flushes, `last_now` that of
    /// this flush, and `taken` are the buckets of this flush in which the context has data.
    pub(crate) fn fill(
        &self,
        last_before: Option<u64>,
        last_now: Option<u64>,
        taken: &[u64],
        points: &mut Vec<Point>,
    ) -> u64 {
        let count_before = points.len();
        for &start in &self.starts {
            let is_after_known = last_before.is_none_or(|last| start > last);
            let is_due_as_known =
                last_before.is_some_and(|last| start < last.saturating_add(self.expiry_secs));
            let is_due_as_new = start >= self.data_from_secs
                && last_now.is_some_and(|last| start < last.saturating_add(self.expiry_secs));
            if is_after_known && (is_due_as_known || is_due_as_new) && !taken.contains(&start) {
                points.push(Point { timestamp_secs: start.cast_signed(), value: 0.0 });
            }
        }
        (points.len() - count_before) as u64
    }

    /// Whether a counter last seen at `last_secs` may still be due at a flush after `cutoff_secs`.
    pub(crate) const fn is_alive(&self, last_secs: u64, cutoff_secs: u64) -> bool {
        last_secs.saturating_add(self.expiry_secs) > cutoff_secs
    }
}

const fn align_up(secs: u64, bucket_secs: u64) -> u64 {
    match secs.checked_next_multiple_of(bucket_secs) {
        Some(aligned) => aligned,
        None => secs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(window: &ZeroWindow, before: Option<u64>, now: Option<u64>, taken: &[u64]) -> Vec<i64> {
        let mut points = Vec::new();
        let count = window.fill(before, now, taken, &mut points);
        assert_eq!(count, points.len() as u64);
        points.iter().map(|point| point.timestamp_secs).collect()
    }

    #[test]
    fn a_known_counter_is_filled_in_every_closed_bucket() {
        let window = ZeroWindow::new(Some(1010), None, 1030, 10, 300);
        assert_eq!(fill(&window, Some(1000), None, &[]), [1010, 1020]);
        assert_eq!(fill(&window, Some(1000), Some(1010), &[1010]), [1020]);
        assert_eq!(fill(&window, Some(720), None, &[]), [1010], "until 300 s after its sample");
        assert_eq!(fill(&window, Some(710), None, &[]), []);
    }

    #[test]
    fn a_new_counter_is_filled_where_the_flush_has_data() {
        let window = ZeroWindow::new(Some(1010), Some((1020, 1030)), 1050, 10, 300);
        assert_eq!(fill(&window, None, Some(1030), &[1030]), [1020, 1040]);
        let first = ZeroWindow::new(None, Some((1000, 1000)), 1020, 10, 300);
        assert_eq!(fill(&first, None, Some(1000), &[1000]), [1010]);
    }

    #[test]
    fn buckets_that_were_sent_are_never_filled() {
        let window = ZeroWindow::new(Some(1010), None, 1030, 10, 300);
        assert_eq!(fill(&window, Some(1010), None, &[]), [1020]);
        assert_eq!(fill(&window, Some(5000), None, &[]), []);
    }

    #[test]
    fn long_gaps_and_bad_clocks_make_a_short_window() {
        let window = ZeroWindow::new(Some(10), Some((1_000_000, 1_000_000)), 1_000_020, 10, 300);
        assert_eq!(window.starts.len(), 30 + 2);
        assert_eq!(fill(&window, Some(0), Some(1_000_000), &[1_000_000]).len(), 29 + 1);
        for (oldest, newest) in [(0, 0), (0, 1_000_000), (1_000_000, u64::MAX)] {
            let window = ZeroWindow::new(None, Some((oldest, newest)), 1_000_000_000, 10, u64::MAX);
            assert!(window.starts.len() <= 3 * 8640);
        }
        assert!(ZeroWindow::new(Some(2000), None, 1000, 10, 300).starts.is_empty());
        assert!(ZeroWindow::new(Some(u64::MAX - 1), None, u64::MAX, 10, 300).starts.len() < 2);
        assert!(ZeroWindow::new(Some(0), Some((0, 0)), 100, 10, 0).starts.is_empty());
    }
}
