//! Traffic on a fake clock, as a queue of 11 packets shows it.

use super::*;
use crate::driver::clock;

const PAUSE_MAX: Duration = Duration::from_millis(5);
const QUEUE_PACKETS: u32 = 11;

/// A lane, its queue, and senders that do not wait.
struct Bed {
    moderation: Moderation,
    now: Instant,
    queued: u32,
    turned_away: u32,
    looks: u32,
    pauses: Vec<Duration>,
    /// How much longer than asked for a pause lasts.
    oversleep: Duration,
}

impl Bed {
    fn new(pause_max: Duration) -> Self {
        let now = clock().instant;
        Self {
            moderation: Moderation::new(pause_max, now),
            now,
            queued: 0,
            turned_away: 0,
            looks: 0,
            pauses: Vec::new(),
            oversleep: Duration::ZERO,
        }
    }

    /// Packets come `every` so often, `burst` at once, for `time`.
    fn run(&mut self, every: Duration, burst: u32, time: Duration) {
        let end = self.now + time;
        let (mut next_arrival, mut next_look) = (self.now + every, None);
        while next_arrival < end {
            if let Some(at) = next_look.filter(|&at| at <= next_arrival) {
                self.now = at;
                next_look = self.look();
            } else {
                self.now = next_arrival;
                let room = QUEUE_PACKETS - self.queued;
                self.queued += burst.min(room);
                self.turned_away += burst.saturating_sub(room);
                next_arrival += every;
                next_look = next_look.or(Some(self.now));
            }
        }
    }

    /// Looks, and says when to look again by itself.
    fn look(&mut self) -> Option<Instant> {
        self.looks += 1;
        let packets = std::mem::take(&mut self.queued);
        let found = Found {
            packets: packets as usize,
            is_backlogged: false,
            fill_percent: packets * 100 / QUEUE_PACKETS,
        };
        match self.moderation.next(found, self.now) {
            Wait::Again => Some(self.now),
            Wait::Pause(pause) => {
                self.pauses.push(pause);
                Some(self.now + pause + self.oversleep)
            }
            Wait::Ready => None,
        }
    }
}

const fn packets_a_second(n: u32) -> Duration {
    Duration::from_micros(1_000_000 / n as u64)
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn steady_traffic_is_read_in_batches_that_leave_the_queue_room() {
    let mut bed = Bed::new(PAUSE_MAX);
    bed.run(packets_a_second(1235), 1, SECOND);
    assert_eq!(bed.turned_away, 0);
    assert!((200..330).contains(&bed.looks), "{} looks", bed.looks);
    assert!(bed.pauses.iter().all(|pause| *pause <= PAUSE_MAX));
}

#[test]
fn the_pause_shortens_with_the_rate_and_ends_where_it_would_be_too_short() {
    let mut bed = Bed::new(PAUSE_MAX);
    bed.run(packets_a_second(3000), 1, SECOND);
    assert_eq!(bed.turned_away, 0);
    let last = bed.pauses.pop().unwrap();
    assert!(last > Duration::from_millis(1) && last < Duration::from_millis(2), "{last:?}");
    let pauses = bed.pauses.len();
    bed.run(packets_a_second(20_000), 1, SECOND);
    assert!(bed.pauses.len() - pauses < 40, "{} pauses", bed.pauses.len() - pauses);
    assert!(bed.turned_away < 600, "{} turned away", bed.turned_away);
}

#[test]
fn sparse_packets_are_waited_for() {
    let mut bed = Bed::new(PAUSE_MAX);
    bed.run(packets_a_second(100), 1, SECOND);
    assert!(bed.pauses.is_empty());
    assert!((98..=100).contains(&bed.looks), "one look for each: {}", bed.looks);
}

#[test]
fn no_latency_means_no_pause() {
    let mut bed = Bed::new(Duration::ZERO);
    bed.run(packets_a_second(1235), 1, SECOND);
    assert!(bed.pauses.is_empty());
}

/// A burst comes upon a steady stream, which fills the queue if a pause has half filled it.
fn burst(bed: &mut Bed) {
    bed.queued = if bed.moderation.has_paused { QUEUE_PACKETS } else { QUEUE_PACKETS * 2 / 3 };
    bed.now += SECOND / 1000;
    bed.look();
}

#[test]
fn bursts_suspend_pausing_for_as_long_as_they_go_on() {
    let mut bed = Bed::new(PAUSE_MAX);
    bed.run(packets_a_second(1000), 1, SECOND);
    bed.pauses.clear();
    for _ in 0..100 {
        bed.run(packets_a_second(1000), 1, SECOND / 10);
        burst(&mut bed);
    }
    assert!(bed.pauses.len() < 50, "{} pauses in ten seconds", bed.pauses.len());
    bed.run(packets_a_second(1000), 1, 10 * SECOND);
    assert!(bed.pauses.len() > 1000, "they come back: {}", bed.pauses.len());
}

#[test]
fn a_burst_alone_suspends_pausing_for_a_moment() {
    let mut bed = Bed::new(PAUSE_MAX);
    bed.run(packets_a_second(1000), 1, SECOND);
    burst(&mut bed);
    bed.pauses.clear();
    bed.run(packets_a_second(1000), 1, SECOND / 5);
    assert!(bed.pauses.is_empty());
    bed.run(packets_a_second(1000), 1, SECOND / 5);
    assert!(!bed.pauses.is_empty());
}

#[test]
fn oversleeping_is_no_burst() {
    let mut bed = Bed::new(PAUSE_MAX);
    bed.run(packets_a_second(1235), 1, SECOND);
    bed.oversleep = Duration::from_millis(6);
    let before = bed.looks;
    bed.run(packets_a_second(1235), 1, SECOND);
    assert!(bed.looks - before < 300, "{} looks", bed.looks - before);
}

/// Who lets go of the processor for a pause gets it back late, while the senders wait.
#[test]
fn senders_that_wait_are_not_paused_for_on_a_busy_machine() {
    let mut bed = Bed::new(PAUSE_MAX);
    let (late, soon) = (Duration::from_millis(50), Duration::from_micros(100));
    let end = bed.now + SECOND;
    while bed.now < end {
        // What was read while the last packets were worked on.
        bed.queued = if bed.looks.is_multiple_of(3) { QUEUE_PACKETS } else { QUEUE_PACKETS / 2 };
        let is_pause = bed.look().is_some();
        bed.now += if is_pause { late } else { soon };
    }
    assert!(bed.looks > 8000, "{} looks", bed.looks);
}

#[test]
fn a_backlog_is_read_at_once() {
    let mut bed = Bed::new(PAUSE_MAX);
    let found = Found { packets: 64, is_backlogged: true, fill_percent: 5 };
    assert_eq!(bed.moderation.next(found, bed.now), Wait::Again);
}
