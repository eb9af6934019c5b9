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
/// A look that found something is followed by a pause, during which nothing is watched; one that
/// found nothing is followed by a sleep until something comes. The pause halves when a queue was
/// found 40 % full and grows again, up to its maximum, while queues are found less than a quarter
/// full: the queue of a Unix datagram socket holds 11 packets by default, a few milliseconds of
/// traffic. A queue found 60 % full suspends pausing for [`CALM_LOOKS`] looks that found little, so
/// that senders that do not wait lose as little as possible to a pause.
#[derive(Clone, Copy, Debug)]
pub struct Moderation {
    pause_max: Duration,
    pause: Duration,
    calm_looks: u32,
}

/// Looks at calm queues after which pausing is tried again.
const CALM_LOOKS: u32 = 4096;
const FULL_PERCENT: u32 = 60;
const HIGH_PERCENT: u32 = 40;
const LOW_PERCENT: u32 = 25;
/// A shorter pause costs more than it saves: programming the timer is most of a wake-up.
const PAUSE_MIN: Duration = Duration::from_millis(1);

impl Moderation {
    /// Pauses of at most `pause_max`; less than a millisecond never pauses.
    #[must_use]
    pub const fn new(pause_max: Duration) -> Self {
        Self { pause_max, pause: PAUSE_MIN, calm_looks: CALM_LOOKS }
    }

    /// What to do after a look.
    pub fn next(&mut self, found: Found) -> Wait {
        match found.fill_percent {
            FULL_PERCENT.. => {
                self.calm_looks = 0;
                self.pause = PAUSE_MIN;
            }
            HIGH_PERCENT.. => self.pause /= 2,
            LOW_PERCENT.. => {}
            _ if found.packets > 0 => {
                self.calm_looks = self.calm_looks.saturating_add(1);
                let longer = (self.pause + self.pause / 4).max(PAUSE_MIN / 2);
                self.pause = longer.min(self.pause_max);
            }
            _ => {}
        }
        if found.is_backlogged {
            Wait::Again
        } else if found.packets > 0 && self.calm_looks >= CALM_LOOKS && self.pause >= PAUSE_MIN {
            Wait::Pause(self.pause)
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

    fn settled() -> Moderation {
        let mut moderation = Moderation::new(PAUSE);
        for _ in 0..20 {
            moderation.next(found(1, 5));
        }
        moderation
    }

    #[test]
    fn a_look_that_found_something_is_followed_by_a_pause() {
        let mut moderation = settled();
        assert_eq!(moderation.next(found(3, 5)), Wait::Pause(PAUSE));
        assert_eq!(moderation.next(found(0, 0)), Wait::Ready);
        let backlogged = Found { is_backlogged: true, ..found(64, 5) };
        assert_eq!(moderation.next(backlogged), Wait::Again);
        let mut never = Moderation::new(Duration::ZERO);
        assert_eq!(never.next(found(3, 5)), Wait::Ready);
        assert_eq!(never.next(found(3, 5)), Wait::Ready);
    }

    #[test]
    fn the_pause_follows_the_fill_of_the_queue() {
        let mut moderation = settled();
        assert_eq!(moderation.next(found(6, 55)), Wait::Pause(PAUSE / 2));
        assert_eq!(moderation.next(found(3, 30)), Wait::Pause(PAUSE / 2));
        let Wait::Pause(longer) = moderation.next(found(2, 20)) else { panic!("no pause") };
        assert!(longer > PAUSE / 2 && longer < PAUSE);
        moderation.next(found(6, 55));
        assert_eq!(moderation.next(found(6, 55)), Wait::Ready, "too short to be worth it");
    }

    #[test]
    fn a_full_queue_suspends_pausing_until_it_is_calm() {
        let mut moderation = settled();
        assert_eq!(moderation.next(found(11, 100)), Wait::Ready);
        for _ in 1..CALM_LOOKS {
            assert_eq!(moderation.next(found(1, 10)), Wait::Ready);
            assert_eq!(moderation.next(found(0, 0)), Wait::Ready, "empty looks prove nothing");
        }
        assert!(matches!(moderation.next(found(1, 10)), Wait::Pause(_)));
    }
}
