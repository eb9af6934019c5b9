//! Drivers: they wait, and tell the lane what came.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use signal::Counter;

use crate::http::Http;
use crate::{Found, Lane, Moderation, Now, Sources};

mod connections;
mod epoll;
pub(crate) mod simulated;
mod turns;
#[cfg_attr(any(not(feature = "io-uring"), target_env = "musl"), path = "without/uring.rs")]
mod uring;

/// Which driver runs a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriverKind {
    /// glommio over io_uring.
    IoUring,
    /// epoll, for hosts and containers that refuse io_uring.
    Epoll,
}

impl DriverKind {
    /// Name in the configuration and in `status`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IoUring => "io_uring",
            Self::Epoll => "epoll",
        }
    }
}

/// A lane with everything its driver needs.
#[derive(Debug)]
pub(crate) struct Drive {
    pub(crate) lane: Lane,
    pub(crate) sources: Sources,
    pub(crate) moderation: Moderation,
    pub(crate) http: Option<Http>,
    pub(crate) last_tick: Instant,
    turn_started: Instant,
}

/// Time between two ticks, and the longest sleep.
pub(crate) const TICK: Duration = Duration::from_millis(100);
/// A turn that takes longer is a stall.
const STALL: Duration = Duration::from_millis(5);
/// Looks at the sockets at stop: a sender that never ends must not hold us.
const LAST_LOOKS: usize = 4096;

impl Drive {
    pub(crate) fn new(
        lane: Lane,
        sources: Sources,
        http: Option<Http>,
        moderation: Moderation,
        now: Now,
    ) -> Self {
        let (last_tick, turn_started) = (now.instant, now.instant);
        Self { lane, sources, moderation, http, last_tick, turn_started }
    }

    /// Looks at the datagram sockets and at what other lanes handed over.
    pub(crate) fn look(&mut self, now: Now) -> Found {
        self.turn_started = now.instant;
        self.lane.advance(now);
        let mut found = self.sources.drain(&mut self.lane, now);
        found.packets += self.lane.work_off_overflow(now);
        if let Some(http) = &mut self.http {
            found.is_backlogged |= http.feed(&mut self.lane);
        }
        found
    }

    /// Takes commands, and ticks when it is time.
    pub(crate) fn end_turn(&mut self, now: Now) {
        if now.instant.saturating_duration_since(self.last_tick) >= TICK {
            self.last_tick = now.instant;
            self.sources.count_kernel_drops(&mut self.lane);
            self.lane.on_tick(now);
            if let Some(http) = &mut self.http {
                http.on_tick(&self.lane);
            }
        }
        self.lane.end_turn(now);
        if let Some(http) = &mut self.http {
            http.obey_orders(&mut self.lane, now);
        }
    }

    /// Starts over with empty tables after a panic.
    pub(crate) fn restart(&mut self, now: Now) {
        self.lane.restart(now);
        if let Some(http) = &mut self.http {
            http.restart(now);
        }
    }

    /// Hands everything over, at the end.
    pub(crate) fn finish(&mut self, now: Now) {
        if let Some(http) = &mut self.http {
            http.finish(&mut self.lane, now);
        }
        self.lane.finish();
    }

    /// Counts a turn that took too long. What is counted is published with the next one.
    pub(crate) fn check_stall(&mut self) {
        if self.turn_started.elapsed() > STALL {
            self.lane.count(Counter::Stalls, 1);
        }
    }

    /// Reads what the sockets still hold when the lane stops.
    pub(crate) fn drain_for_stop(&mut self) {
        self.sources.refuse_more();
        for _ in 0..LAST_LOOKS {
            let now = clock();
            self.sources.mark_all_ready();
            let found = self.look(now);
            if found.packets == 0 && !found.is_backlogged {
                break;
            }
            self.lane.end_turn(now);
        }
        self.sources.count_kernel_drops(&mut self.lane);
    }
}

/// Runs a driver until the lane was told to stop and its sockets are empty.
pub(crate) fn run(kind: DriverKind, drive: &Rc<RefCell<Drive>>) -> io::Result<()> {
    match kind {
        DriverKind::Epoll => epoll::run(drive),
        DriverKind::IoUring => uring::run(Rc::clone(drive)),
    }
}

/// Sleeps by a timer: a pause that runs from the scheduler's tick costs half as much but lasts up
/// to 12 ms, more than the queue of a Unix datagram socket holds.
#[expect(clippy::disallowed_methods, reason = "a driver is what waits")]
fn pause(pause: Duration) {
    std::thread::sleep(pause);
}

/// The time, for drivers alone.
#[expect(clippy::disallowed_methods, reason = "a driver is where time comes from")]
pub(crate) fn clock() -> Now {
    use std::time::{SystemTime, UNIX_EPOCH};
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now { unix_us: u64::try_from(unix.as_micros()).unwrap_or(u64::MAX), instant: Instant::now() }
}
