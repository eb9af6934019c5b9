//! When to look again: receive moderation.

use std::time::Duration;

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
/// A look that found something is followed by a pause of at most `pause_max`, during which nothing is
/// watched; one that found nothing is followed by a sleep until something comes. A queue that was
/// found more than half full suspends pausing until it has been found below an eighth for
/// [`CALM_LOOKS`] looks: senders that do not wait lose nothing to a pause that they did not lose to
/// the length of their queue.
#[derive(Clone, Copy, Debug)]
pub struct Moderation {
    pause_max: Duration,
    calm_looks: u32,
}

/// Looks at calm queues after which pausing is tried again.
const CALM_LOOKS: u32 = 256;
const FILL_ALARM_PERCENT: u32 = 60;
const FILL_CALM_PERCENT: u32 = 15;

impl Moderation {
    /// Pauses of at most `pause_max`; zero never pauses.
    #[must_use]
    pub const fn new(pause_max: Duration) -> Self {
        Self { pause_max, calm_looks: CALM_LOOKS }
    }

    /// What to do after a look.
    pub fn next(&mut self, found: Found) -> Wait {
        if found.fill_percent >= FILL_ALARM_PERCENT {
            self.calm_looks = 0;
        } else if found.fill_percent <= FILL_CALM_PERCENT && found.packets > 0 {
            self.calm_looks = self.calm_looks.saturating_add(1);
        }
        if found.is_backlogged {
            Wait::Again
        } else if found.packets > 0 && self.calm_looks >= CALM_LOOKS && !self.pause_max.is_zero() {
            Wait::Pause(self.pause_max)
        } else {
            Wait::Ready
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_millis(5);

    fn found(packets: usize, fill_percent: u32) -> Found {
        Found { packets, is_backlogged: false, fill_percent }
    }

    #[test]
    fn a_look_that_found_something_is_followed_by_a_pause() {
        let mut moderation = Moderation::new(PAUSE);
        assert_eq!(moderation.next(found(3, 5)), Wait::Pause(PAUSE));
        assert_eq!(moderation.next(found(0, 0)), Wait::Ready);
        let backlogged = Found { is_backlogged: true, ..found(64, 5) };
        assert_eq!(moderation.next(backlogged), Wait::Again);
        assert_eq!(Moderation::new(Duration::ZERO).next(found(3, 5)), Wait::Ready);
    }

    #[test]
    fn a_filling_queue_suspends_pausing_until_it_is_calm() {
        let mut moderation = Moderation::new(PAUSE);
        assert_eq!(moderation.next(found(8, 80)), Wait::Ready);
        for _ in 1..CALM_LOOKS {
            assert_eq!(moderation.next(found(1, 10)), Wait::Ready);
            assert_eq!(moderation.next(found(0, 0)), Wait::Ready, "empty looks prove nothing");
        }
        assert_eq!(moderation.next(found(1, 10)), Wait::Pause(PAUSE));
    }
}
