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

    /// Seconds until `room_bytes` are full at the present rate; `None` without input.
    pub(crate) fn capacity_secs(&self, now_secs: u64, room_bytes: u64) -> Option<f64> {
        let newest = now_secs / BUCKET_SECS;
        let oldest = (newest + 1).saturating_sub(BUCKETS as u64);
        let recent = self.slots.iter().filter(|(number, _)| (oldest..=newest).contains(number));
        let sum_bytes: u64 = recent.map(|(_, bytes)| bytes).sum();
        let since_secs = self.first_secs?.max(oldest * BUCKET_SECS);
        let window_secs = now_secs.saturating_sub(since_secs) + 1;
        (sum_bytes > 0).then(|| room_bytes as f64 * window_secs as f64 / sum_bytes as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_is_room_over_rate() {
        let mut rate = InputRate::default();
        assert_eq!(rate.capacity_secs(1000, 5000), None);
        for second in 0..100 {
            rate.add(1000 + second, 50);
        }
        assert_eq!(rate.capacity_secs(1099, 5000), Some(100.0));
        assert_eq!(rate.capacity_secs(1099 + 2000, 5000), None, "old input no longer counts");
    }
}
