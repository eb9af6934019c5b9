//! Lines about failures, few of each kind. spec: proxies §8.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::Kind;

/// Lets a few lines through for each proxy.
#[derive(Debug, Default)]
pub(crate) struct LogLimit {
    windows: Mutex<[Option<Window>; Kind::ALL.len()]>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    began: Instant,
    lines: u64,
}

/// Length of a window.
const WINDOW: Duration = Duration::from_secs(10);
/// Lines in a window.
const LINES_MAX: u64 = 5;

impl LogLimit {
    /// Writes a line unless there were many of late.
    pub(crate) fn warn(&self, kind: Kind, text: &str) {
        if let Some(left_out) = self.pass(kind, Instant::now()) {
            let more =
                if left_out > 0 { format!(" ({left_out} more before)") } else { String::new() };
            log::warn!("proxy {}: {text}{more}", kind.name());
        }
    }

    /// Lines that were left out, when one may be written.
    fn pass(&self, kind: Kind, now: Instant) -> Option<u64> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.get_mut(kind.index())?;
        match window {
            Some(open) if now.saturating_duration_since(open.began) < WINDOW => {
                open.lines += 1;
                (open.lines <= LINES_MAX).then_some(0)
            }
            _ => {
                let before = window.replace(Window { began: now, lines: 1 });
                Some(before.map_or(0, |window| window.lines.saturating_sub(LINES_MAX)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn five_lines_in_ten_seconds() {
        let limit = LogLimit::default();
        let now = Instant::now();
        let passed = (0..8).filter(|_| limit.pass(Kind::Evp, now).is_some()).count();
        assert_eq!(passed, 5);
        assert_eq!(limit.pass(Kind::Symdb, now), Some(0));
        assert_eq!(limit.pass(Kind::Evp, now + WINDOW), Some(3));
    }
}
