//! When to look again: receive moderation.

use std::time::{Duration, Instant};

/// What the last look at the sockets found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Datagrams and frames.
    pub packets: usize,
    /// Whether a source was left with more to read.
    pub is_backlogged: bool,
    /// Largest share of a bounded queue that was found filled, in percent.
    pub fill_percent: u32,
}

/// What a driver does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Looks again at once.
    Again,
    /// Lets the queues fill for this long, then looks again.
    Pause(Duration),
    /// Sleeps until a socket has something.
    Ready,
}

/// Decides between latency and the cost of waking up.
///
/// A look that found something is followed by a pause, during which nothing is watched, if several
/// packets are expected to come in it; else by a sleep until something comes. The pause is as long
/// as the fullest queue takes to fill to [`FILL_PERCENT`] at the rate last seen, within its
/// maximum: the queue of a Unix datagram socket holds 11 packets by default, at 100,000 lines a
/// second those of 9 ms. No pause follows a look that found a queue full.
///
/// A queue found nearly full although the rate did not foretell it means senders that come in
/// bursts, which may not wait. Pausing is then suspended for a spell, and for twice as long with
/// every burst that the spell let pass. A lane that overslept finds full queues too, but would have
/// been as late without a pause.
#[derive(Clone, Copy, Debug)]
pub struct Moderation {
    pause_max: Duration,
    window: Window,
    rate: Rate,
    looked_at: Instant,
    /// Whether the last look was followed by a pause.
    has_paused: bool,
    suspended_until: Instant,
    spell: Duration,
}

/// What was found since a time.
#[derive(Clone, Copy, Debug)]
struct Window {
    since: Instant,
    packets: u64,
    fill_percent: u64,
}

/// What comes in a second.
#[derive(Clone, Copy, Debug, Default)]
struct Rate {
    packets: u64,
    fill_percent: u64,
}

/// Fill of a queue at the end of a pause. The rest is room for whoever sends more than usual, and
/// for a lane that oversleeps.
const FILL_PERCENT: u64 = 45;
/// A queue found so full may have turned packets away.
const FULL_PERCENT: u32 = 80;
/// So much more than the rate foretold is a burst.
const BURST_PERCENT: u64 = 35;
/// A pause for fewer packets costs more wake-ups than it saves.
const PACKETS_MIN: u64 = 2;
/// Shorter pauses save little: programming the timer is most of a wake-up.
const PAUSE_MIN: Duration = Duration::from_millis(1);
/// Time over which rates are taken.
const WINDOW: Duration = Duration::from_millis(20);
/// Times for which pausing is suspended.
const SPELL_MIN: Duration = Duration::from_millis(250);
const SPELL_MAX: Duration = Duration::from_secs(4);

impl Moderation {
    /// Pauses of at most `pause_max`; less than a millisecond never pauses.
    #[must_use]
    pub const fn new(pause_max: Duration, now: Instant) -> Self {
        Self {
            pause_max,
            window: Window { since: now, packets: 0, fill_percent: 0 },
            rate: Rate { packets: 0, fill_percent: 0 },
            looked_at: now,
            has_paused: false,
            suspended_until: now,
            spell: SPELL_MIN,
        }
    }

    /// What to do after a look.
    pub fn next(&mut self, found: Found, now: Instant) -> Wait {
        self.note_burst(found, now);
        let rate = Rate::of(found, now.saturating_duration_since(self.looked_at));
        self.looked_at = now;
        if let Some(rate) = self.window.add(found, now) {
            self.rate = rate;
        }
        let wait = if found.is_backlogged {
            Wait::Again
        } else if found.packets == 0 || is_full(found) || now < self.suspended_until {
            // Behind a full queue senders may wait: how many come is not known then.
            Wait::Ready
        } else {
            let fill_percent = self.rate.fill_percent.max(rate.fill_percent);
            let rate = Rate { fill_percent, ..self.rate };
            rate.pause(self.pause_max).map_or(Wait::Ready, Wait::Pause)
        };
        self.has_paused = matches!(wait, Wait::Pause(_));
        wait
    }

    /// Suspends pausing when a pause let a burst fill a queue, and goes on with that when the next
    /// burst shows that it was right.
    fn note_burst(&mut self, found: Found, now: Instant) {
        let foretold = self.rate.fill_in(now.saturating_duration_since(self.looked_at));
        if u64::from(found.fill_percent) < foretold.saturating_add(BURST_PERCENT) {
            return;
        }
        if self.has_paused && is_full(found) {
            self.spell = SPELL_MIN;
        } else if now < self.suspended_until {
            self.spell = (self.spell * 2).min(SPELL_MAX);
        } else {
            return;
        }
        self.suspended_until = now + self.spell;
    }
}

const fn is_full(found: Found) -> bool {
    found.fill_percent >= FULL_PERCENT
}

impl Window {
    /// Adds a look. Returns the rate when the window is long enough, and begins another.
    fn add(&mut self, found: Found, now: Instant) -> Option<Rate> {
        self.packets += found.packets as u64;
        self.fill_percent += u64::from(found.fill_percent);
        let elapsed = now.saturating_duration_since(self.since);
        if elapsed < WINDOW {
            return None;
        }
        let rate = Rate::per_second(self.packets, self.fill_percent, elapsed);
        *self = Self { since: now, packets: 0, fill_percent: 0 };
        Some(rate)
    }
}

impl Rate {
    /// That of one look.
    fn of(found: Found, elapsed: Duration) -> Self {
        Self::per_second(found.packets as u64, u64::from(found.fill_percent), elapsed)
    }

    fn per_second(packets: u64, fill_percent: u64, elapsed: Duration) -> Self {
        let per_second = |n: u64| n.saturating_mul(1_000_000) / micros(elapsed).max(1);
        Self { packets: per_second(packets), fill_percent: per_second(fill_percent) }
    }

    /// How long to pause at this rate, if a pause pays.
    fn pause(self, pause_max: Duration) -> Option<Duration> {
        let filled_in = Duration::from_micros(FILL_PERCENT * 1_000_000 / self.fill_percent.max(1));
        let pause = filled_in.min(pause_max);
        let packets = self.packets.saturating_mul(micros(pause)) / 1_000_000;
        (pause >= PAUSE_MIN && packets >= PACKETS_MIN).then_some(pause)
    }

    /// Percent of the fullest queue that come in `time`.
    fn fill_in(self, time: Duration) -> u64 {
        self.fill_percent.saturating_mul(micros(time)) / 1_000_000
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
