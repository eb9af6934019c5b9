//! Keeps repeated log lines apart in time and says how many were left out.

use std::time::Duration;

use tokio::time::Instant;

/// One line a minute tells as much as a thousand.
const INTERVAL: Duration = Duration::from_secs(60);

/// Lets one line through per minute.
#[derive(Clone, Debug, Default)]
pub struct LogGate {
    last: Option<Instant>,
    left_out: u64,
}

impl LogGate {
    /// `Some(n)` if a line may be written now; `n` lines were left out since the last one.
    pub fn pass(&mut self, now: Instant) -> Option<u64> {
        if self.last.is_some_and(|last| now.saturating_duration_since(last) < INTERVAL) {
            self.left_out += 1;
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_line_a_minute_with_a_count() {
        let mut gate = LogGate::default();
        let now = Instant::now();
        assert_eq!(gate.pass(now), Some(0));
        assert_eq!(gate.pass(now), None);
        assert_eq!(gate.pass(now + Duration::from_secs(59)), None);
        assert_eq!(gate.pass(now + Duration::from_secs(60)), Some(2));
    }
}
