//! How long the queues could hold the present input: the retry capacity gauges.
//!
//! Spec: metrics-intake §10.9: a window of ten-second buckets, 900 s by default.

const BUCKET_SECS: u64 = 10;
const BUCKETS: usize = 90;

/// Incoming bytes over the last 900 s.
#[derive(Clone, Debug)]
pub(crate) struct InputRate {
    /// `(bucket number, bytes)`; a slot is stale if its number is not the expected one.
    slots: [(u64, u64); BUCKETS],
    first_secs: Option<u64>,
}

impl Default for InputRate {
    fn default() -> Self {
        Self { slots: [(0, 0); BUCKETS], first_secs: None }
    }
}

impl InputRate {
    /// Notes incoming bytes at a Unix time.
    pub(crate) fn add(&mut self, now_secs: u64, bytes: u64) {
        self.first_secs.get_or_insert(now_secs);
        let number = now_secs / BUCKET_SECS;
        let index = usize::try_from(number % BUCKETS as u64).unwrap_or_default();
        if let Some(slot) = self.slots.get_mut(index) {
            if slot.0 != number {
                *slot = (number, 0);
            }
            slot.1 += bytes;
        }
    }

    /// The present rate; `None` without input.
    pub(crate) fn bytes_per_sec(&self, now_secs: u64) -> Option<f64> {
        let newest = now_secs / BUCKET_SECS;
        let oldest = (newest + 1).saturating_sub(BUCKETS as u64);
        let recent = self.slots.iter().filter(|(number, _)| (oldest..=newest).contains(number));
        let sum_bytes: u64 = recent.map(|(_, bytes)| bytes).sum();
        let since_secs = self.first_secs?.max(oldest * BUCKET_SECS);
        let window_secs = now_secs.saturating_sub(since_secs) + 1;
        (sum_bytes > 0).then(|| sum_bytes as f64 / window_secs as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_window() {
        let mut rate = InputRate::default();
        assert_eq!(rate.bytes_per_sec(1000), None);
        for second in 0..100 {
            rate.add(1000 + second, 50);
        }
        assert_eq!(rate.bytes_per_sec(1099), Some(50.0));
        assert_eq!(rate.bytes_per_sec(1099 + 2000), None, "old input no longer counts");
    }
}
