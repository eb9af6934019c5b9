//! What one thread of a load has of the whole.

use std::io;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use crate::{LoadError, pin_to_cpu, sys};

/// A load that threads share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole<'a> {
    /// Threads.
    pub(crate) threads: u32,
    /// Items of the pool, which the threads deal out among them.
    pub(crate) pool_len: usize,
    /// Units a second; 0 sets no pace.
    pub(crate) rate: f64,
    /// Units to send; 0 sets no limit.
    pub(crate) units_max: u64,
    /// Milliseconds to send for; 0 sets no limit.
    pub(crate) duration_ms: u64,
    /// Processors to pin to, in turn.
    pub(crate) cpus: &'a [usize],
}

/// The part of one thread.
#[derive(Clone, Debug)]
pub(crate) struct Share {
    /// First item of the pool.
    pub(crate) first: usize,
    /// After its last one.
    pub(crate) end: usize,
    /// Units a second; 0 sets no pace.
    pub(crate) rate: f64,
    /// Units to send.
    pub(crate) units_max: Option<u64>,
    duration_ms: u64,
    cpu: Option<usize>,
}

impl Share {
    fn of(whole: &Whole<'_>, index: u32) -> Self {
        let threads = whole.threads;
        let (index_wide, threads_wide) = (index as usize, threads as usize);
        let rest = whole.units_max % u64::from(threads);
        let units = whole.units_max / u64::from(threads) + u64::from(u64::from(index) < rest);
        Self {
            first: whole.pool_len * index_wide / threads_wide,
            end: whole.pool_len * (index_wide + 1) / threads_wide,
            rate: whole.rate / f64::from(threads),
            units_max: (whole.units_max > 0).then_some(units),
            duration_ms: whole.duration_ms,
            cpu: whole.cpus.get(index_wide % whole.cpus.len().max(1)).copied(),
        }
    }

    /// Sleeps until the unit after `units` is due; returns nanoseconds since the start, and keeps
    /// how late the latest was.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a due time in nanoseconds is positive and far below 2^53"
    )]
    pub(crate) fn wait_for_pace(&self, started: Instant, units: u64, lag_max_ns: &mut u64) -> u64 {
        let now_ns = nanoseconds(started.elapsed());
        if self.rate <= 0.0 {
            return now_ns;
        }
        let due_ns = (units as f64 * 1e9 / self.rate) as u64;
        if due_ns > now_ns {
            thread::sleep(Duration::from_nanos(due_ns - now_ns));
        }
        let now_ns = nanoseconds(started.elapsed());
        *lag_max_ns = (*lag_max_ns).max(now_ns.saturating_sub(due_ns));
        now_ns
    }

    /// Whether a limit is reached.
    pub(crate) fn is_over(&self, offset_ns: u64, units: u64) -> bool {
        (self.duration_ms > 0 && offset_ns >= self.duration_ms * 1_000_000)
            || self.units_max.is_some_and(|units_max| units >= units_max)
    }
}

/// Opens `sockets` sockets, runs `work` on each thread with its share and its sockets, and returns
/// what each came to.
///
/// # Errors
/// When a socket cannot be opened; no thread was started then. An error of a thread is its outcome.
pub(crate) fn run<Socket: Send, Outcome: Send>(
    name: &str,
    whole: &Whole<'_>,
    sockets: u32,
    mut open: impl FnMut() -> Result<Socket, LoadError>,
    work: impl Fn(Share, Vec<Socket>) -> Outcome + Sync,
) -> Result<Vec<Result<Outcome, LoadError>>, LoadError> {
    let mut parts = Vec::new();
    for index in 0..whole.threads {
        let own = (0..sockets).filter(|socket| socket % whole.threads == index);
        parts.push((index, own.map(|_| open()).collect::<Result<Vec<_>, _>>()?));
    }
    let work = &work;
    Ok(thread::scope(|scope| {
        // All run before the first is waited for.
        let mut running = Vec::new();
        for (index, sockets) in parts {
            let share = Share::of(whole, index);
            let run = move || {
                if let Some(cpu) = share.cpu {
                    pin_to_cpu(cpu).map_err(|source| LoadError::Pin { cpu, source })?;
                }
                sys::set_timer_slack_ns(1);
                Ok(work(share, sockets))
            };
            let name = format!("{name}-{index}");
            running.push(thread::Builder::new().name(name).spawn_scoped(scope, run));
        }
        let outcome = |spawned: io::Result<ScopedJoinHandle<'_, _>>| {
            let joined = spawned.map_err(|error| LoadError::Thread(error.to_string()))?;
            joined.join().map_err(|_| LoadError::Thread("it panicked".into()))?
        };
        running.into_iter().map(outcome).collect()
    }))
}

/// A span of time for the counts.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
