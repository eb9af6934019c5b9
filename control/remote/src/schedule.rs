//! When the backend is asked. spec: remote-config §3.3, §6.4
//!
//! Knows no clock and no random source: both are handed in.

use std::time::{Duration, Instant};

/// Base of the backoff.
const BACKOFF_BASE: Duration = Duration::from_secs(30);
/// Interval unless something says otherwise.
pub(crate) const INTERVAL: Duration = Duration::from_secs(60);
/// Intervals that the backend may choose.
const OVERRIDE_SECS: std::ops::RangeInclusive<u64> = 1..=60;

/// The times of the polls.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    interval: Duration,
    /// Whether the backend may choose the interval.
    is_overridable: bool,
    backoff_max: Duration,
    errors: u32,
    next: Instant,
}

impl Schedule {
    /// A first poll at once. `interval` is fixed if given.
    pub(crate) const fn new(
        interval: Option<Duration>,
        backoff_max: Duration,
        now: Instant,
    ) -> Self {
        let (interval, is_overridable) = match interval {
            Some(interval) => (interval, false),
            None => (INTERVAL, true),
        };
        Self { interval, is_overridable, backoff_max, errors: 0, next: now }
    }

    /// When to ask next.
    pub(crate) const fn next(&self) -> Instant {
        self.next
    }

    /// The interval, which is the window of the cache bypass too.
    pub(crate) const fn interval(&self) -> Duration {
        self.interval
    }

    /// Failures that are not made up for yet.
    pub(crate) const fn errors(&self) -> u32 {
        self.errors
    }

    /// An update went well; `wished_secs` is the interval that the backend wants.
    pub(crate) fn succeeded(&mut self, now: Instant, wished_secs: Option<u64>, random: f64) {
        self.errors = self.errors.saturating_sub(2);
        if let Some(secs) = wished_secs.filter(|secs| OVERRIDE_SECS.contains(secs))
            && self.is_overridable
        {
            self.interval = Duration::from_secs(secs);
        }
        self.plan(now, random);
    }

    /// An update failed.
    pub(crate) fn failed(&mut self, now: Instant, random: f64) {
        self.errors = (self.errors + 1).min(self.errors_max());
        self.plan(now, random);
    }

    fn plan(&mut self, now: Instant, random: f64) {
        self.next = now + self.interval + self.backoff(random);
    }

    /// `random` is from 0 to 1.
    fn backoff(&self, random: f64) -> Duration {
        if self.errors == 0 {
            return Duration::ZERO;
        }
        let most = BACKOFF_BASE.saturating_mul(1 << self.errors.min(20));
        if most > self.backoff_max {
            return self.backoff_max;
        }
        let least = most / 2;
        least + (most - least).mul_f64(random.clamp(0.0, 1.0))
    }

    /// `floor(log2(max / base)) + 1`.
    fn errors_max(&self) -> u32 {
        let ratio = self.backoff_max.as_secs() / BACKOFF_BASE.as_secs();
        ratio.max(1).ilog2() + 1
    }
}

/// Refreshes that new clients may cause, in windows of fixed length.
#[derive(Clone, Debug)]
pub(crate) struct BypassLimit {
    count_max: u32,
    used: u32,
    began: Option<Instant>,
}

impl BypassLimit {
    pub(crate) const fn new(count_max: u32) -> Self {
        Self { count_max, used: 0, began: None }
    }

    /// Takes one of this window, if any is left.
    pub(crate) fn take(&mut self, now: Instant, window: Duration) -> bool {
        let is_over = |began| now.saturating_duration_since(began) >= window;
        if self.began.is_none_or(is_over) {
            self.began = Some(now);
            self.used = 0;
        }
        let is_left = self.used < self.count_max;
        self.used += u32::from(is_left);
        is_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(now: Instant) -> Schedule {
        Schedule::new(None, Duration::from_secs(300), now)
    }

    /// spec: remote-config §3.3, table.
    #[test]
    fn backoff_of_the_spec() {
        let now = Instant::now();
        let mut schedule = schedule(now);
        for (least, most) in [(30, 60), (60, 120), (120, 240), (300, 300), (300, 300)] {
            schedule.failed(now, 0.0);
            let wait = |schedule: &Schedule| (schedule.next() - now - INTERVAL).as_secs();
            assert_eq!(wait(&schedule), least);
            let mut other = schedule.clone();
            other.plan(now, 1.0);
            assert_eq!(wait(&other), most);
        }
        assert_eq!(schedule.errors(), 4);
        schedule.succeeded(now, None, 0.0);
        assert_eq!((schedule.errors(), schedule.next() - now), (2, Duration::from_secs(120)));
        schedule.succeeded(now, None, 0.0);
        assert_eq!((schedule.errors(), schedule.next() - now), (0, INTERVAL));
    }

    #[test]
    fn the_backend_chooses_within_bounds_unless_configured() {
        let now = Instant::now();
        let mut free = schedule(now);
        for (wish, expected) in
            [(Some(30), 30), (Some(0), 30), (Some(61), 30), (None, 30), (Some(1), 1)]
        {
            free.succeeded(now, wish, 0.5);
            assert_eq!(free.interval().as_secs(), expected, "{wish:?}");
        }
        let mut fixed = Schedule::new(Some(Duration::from_secs(5)), INTERVAL, now);
        fixed.succeeded(now, Some(30), 0.5);
        assert_eq!(fixed.interval().as_secs(), 5);
    }

    #[test]
    fn bypasses_are_limited_per_window() {
        let start = Instant::now();
        let window = Duration::from_secs(60);
        let mut limit = BypassLimit::new(5);
        let taken = (0..7).filter(|secs| limit.take(start + Duration::from_secs(*secs), window));
        assert_eq!(taken.count(), 5);
        assert!(!limit.take(start + Duration::from_secs(59), window));
        assert!(limit.take(start + window, window));
    }
}
