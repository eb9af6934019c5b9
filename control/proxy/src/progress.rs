//! Deadlines that progress renews. spec: proxies §2.1.
//!
//! The Agent gives an exchange a fixed time from its head on, so that a slow upload dies however
//! alive it is. Here the time runs anew from each piece that passes, in either direction, and a
//! second bound keeps a trickle from lasting for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// How far an exchange has come.
#[derive(Debug)]
pub(crate) struct Progress {
    started: Instant,
    /// Milliseconds from the start to the last piece.
    moved_ms: AtomicU64,
    bytes: AtomicU64,
    /// Whether the body was read to its end.
    is_read: AtomicBool,
    is_broken: AtomicBool,
    is_too_large: AtomicBool,
}

impl Progress {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            started: Instant::now(),
            moved_ms: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            is_read: AtomicBool::new(false),
            is_broken: AtomicBool::new(false),
            is_too_large: AtomicBool::new(false),
        })
    }

    /// Notes that something has passed.
    pub(crate) fn touch(&self) {
        let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved_ms.store(ms, Ordering::Relaxed);
    }

    /// Adds to the bytes that were read. Returns their sum.
    pub(crate) fn add(&self, bytes: usize) -> u64 {
        self.touch();
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn set_read(&self) {
        self.is_read.store(true, Ordering::Relaxed);
        self.touch();
    }

    pub(crate) fn set_broken(&self) {
        self.is_broken.store(true, Ordering::Relaxed);
    }

    pub(crate) fn set_too_large(&self) {
        self.is_too_large.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Relaxed)
    }

    pub(crate) fn is_too_large(&self) -> bool {
        self.is_too_large.load(Ordering::Relaxed)
    }

    /// Waits until nothing has moved for `idle_max`, or everything takes longer than `total_max`.
    /// While the body is read, `reading_max` counts instead where it is longer.
    pub(crate) async fn expired(&self, limits: TimeLimits) {
        loop {
            let moved = Duration::from_millis(self.moved_ms.load(Ordering::Relaxed));
            let is_read = self.is_read.load(Ordering::Relaxed);
            let idle_max = if is_read { limits.idle_max } else { limits.reading_max };
            let end = self.started + (moved + idle_max).min(limits.total_max);
            if Instant::now() >= end {
                return;
            }
            sleep_until(end).await;
        }
    }
}

/// How long an exchange may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeLimits {
    /// Longest time without a piece of the body.
    pub(crate) reading_max: Duration,
    /// Longest time without progress, once the body was read.
    pub(crate) idle_max: Duration,
    /// Longest time in all.
    pub(crate) total_max: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: TimeLimits = TimeLimits {
        reading_max: Duration::from_secs(5),
        idle_max: Duration::from_secs(1),
        total_max: Duration::from_secs(60),
    };

    async fn secs_until_expired(progress: &Progress) -> u64 {
        progress.expired(LIMITS).await;
        progress.started.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn progress_renews_the_deadline_within_the_whole() {
        assert_eq!(secs_until_expired(&Progress::new()).await, 5);
        let read = Progress::new();
        read.set_read();
        assert_eq!(secs_until_expired(&read).await, 1);
        let slow = Progress::new();
        let moving = async {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_secs(4)).await;
                slow.add(1);
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            secs = secs_until_expired(&slow) => assert_eq!(secs, 45),
            () = moving => {}
        }
        let endless = Progress::new();
        let moving = async {
            loop {
                tokio::time::sleep(Duration::from_secs(4)).await;
                endless.add(1);
            }
        };
        tokio::select! {
            secs = secs_until_expired(&endless) => assert_eq!(secs, 60),
            () = moving => {}
        }
    }
}
