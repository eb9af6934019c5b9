//! The last value of each cumulative series, from which the next is counted. spec: otlp §5.3.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

/// Tables that grow and are swept one at a time, so that no request waits for all of them.
const SHARDS: usize = 256;
/// Tables swept at most by one call: of half a million series about 30,000, in less than 1 ms.
const SWEPT_AT_ONCE_MAX: u64 = 16;

/// The last values of all series.
#[derive(Debug)]
pub(crate) struct Cumulative {
    shards: Vec<HashMap<u128, Last, BuildHasherDefault<Hashed>>>,
    len: usize,
    len_max: usize,
    ttl_secs: u64,
    swept_secs: u64,
    swept_next: usize,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    moment: Moment,
    value: f64,
    stored_secs: u64,
}

/// When a point was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Since when it counts, in nanoseconds of Unix time; 0 when that is unknown.
    pub(crate) start: u64,
    /// Nanoseconds of Unix time.
    pub(crate) time: u64,
}

/// What a value is to the last one of its series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    /// There is none, or the series began anew.
    First,
    /// It is as late or later.
    Older,
    /// There is none, and no room to remember this one.
    NoRoom,
    /// It differs by this much, after so many nanoseconds.
    Change { value: f64, nanos: u64 },
}

/// Which end of the values is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Min,
    Max,
}

impl Moment {
    /// Whether a point continues what one at `last` belongs to.
    const fn continues(self, last: Self) -> bool {
        self.start == 0 || (self.start != self.time && self.start == last.start)
    }
}

impl Cumulative {
    pub(crate) fn new(len_max: usize, ttl_secs: u32) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| HashMap::default()).collect(),
            len: 0,
            len_max,
            ttl_secs: u64::from(ttl_secs),
            swept_secs: 0,
            swept_next: 0,
        }
    }

    /// Series that are remembered.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// A value that only grows: what is smaller begins anew, and of equal times the first counts.
    pub(crate) fn monotonic(&mut self, key: u128, at: Moment, value: f64, now_secs: u64) -> Step {
        let Some((last, is_stored)) = self.replace(key, at, value, now_secs, true) else {
            return Step::NoRoom;
        };
        match last {
            Some(_) if !is_stored => Step::Older,
            Some(last) if at.continues(last.moment) && value >= last.value => {
                change(last, at, value)
            }
            Some(_) | None => Step::First,
        }
    }

    /// A value that may shrink. Of equal times both count.
    pub(crate) fn difference(&mut self, key: u128, at: Moment, value: f64, now_secs: u64) -> Step {
        let Some((last, is_stored)) = self.replace(key, at, value, now_secs, false) else {
            return Step::NoRoom;
        };
        match last {
            Some(_) if !is_stored => Step::Older,
            Some(last) if at.continues(last.moment) => change(last, at, value),
            Some(_) | None => Step::First,
        }
    }

    /// Whether the smallest or largest value of a series changed since the last point, so that it
    /// is one of the values since then. spec: otlp §5.5.
    pub(crate) fn is_new_end(
        &mut self,
        key: u128,
        at: Moment,
        value: f64,
        end: End,
        now_secs: u64,
    ) -> bool {
        let Some((Some(last), true)) = self.replace(key, at, value, now_secs, false) else {
            return false;
        };
        let (is_further, is_nearer) = match end {
            End::Min => (value < last.value, value > last.value),
            End::Max => (value > last.value, value < last.value),
        };
        // An end that comes nearer tells that the series began anew.
        (at.continues(last.moment) && is_further) || is_nearer
    }

    /// Stores a value unless there is a later one, and returns the one before and whether it was
    /// stored; none when there is no room.
    fn replace(
        &mut self,
        key: u128,
        moment: Moment,
        value: f64,
        now_secs: u64,
        is_strict: bool,
    ) -> Option<(Option<Last>, bool)> {
        let is_full = self.len >= self.len_max;
        let shard = self.shards.get_mut(shard_of(key))?;
        let new = Last { moment, value, stored_secs: now_secs };
        match shard.entry(key) {
            Entry::Vacant(_) if is_full => None,
            Entry::Vacant(place) => {
                place.insert(new);
                self.len += 1;
                Some((None, true))
            }
            Entry::Occupied(mut place) => {
                let last = *place.get();
                if now_secs.saturating_sub(last.stored_secs) > self.ttl_secs {
                    place.insert(new);
                    return Some((None, true));
                }
                let is_older = last.moment.time > moment.time
                    || (is_strict && last.moment.time == moment.time);
                if !is_older {
                    place.insert(new);
                }
                Some((Some(last), !is_older))
            }
        }
    }

    /// Forgets series without points for the time to live: a part of the tables, so that all of
    /// them have their turn in half that time. Call it every few seconds.
    pub(crate) fn sweep(&mut self, now_secs: u64) {
        let round_secs = (self.ttl_secs / 2).max(1);
        self.swept_secs = self.swept_secs.min(now_secs);
        let elapsed = now_secs - self.swept_secs;
        let due = (elapsed.saturating_mul(SHARDS as u64) / round_secs).min(SWEPT_AT_ONCE_MAX);
        if due == 0 {
            return;
        }
        self.swept_secs = now_secs;
        for _ in 0..due {
            let ttl_secs = self.ttl_secs;
            if let Some(shard) = self.shards.get_mut(self.swept_next) {
                let before = shard.len();
                shard.retain(|_, last| now_secs.saturating_sub(last.stored_secs) <= ttl_secs);
                self.len -= before - shard.len();
                if shard.capacity() / 4 > shard.len() {
                    shard.shrink_to(shard.len() * 2);
                }
            }
            self.swept_next = (self.swept_next + 1) % SHARDS;
        }
    }
}

fn change(last: Last, at: Moment, value: f64) -> Step {
    Step::Change { value: value - last.value, nanos: at.time.saturating_sub(last.moment.time) }
}

/// By other bits than those by which a table finds its places.
fn shard_of(key: u128) -> usize {
    usize::from(key.to_be_bytes()[0])
}

/// Keys are hashes already.
#[derive(Clone, Copy, Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word.iter_mut().zip(part).for_each(|(to, from)| *to = *from);
            self.0 = self.0.rotate_left(32) ^ u64::from_le_bytes(word);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "half of a hash is a hash")]
    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(start: u64, time: u64) -> Moment {
        Moment { start, time }
    }

    fn change_by(value: f64, nanos: u64) -> Step {
        Step::Change { value, nanos }
    }

    #[test]
    fn what_shrinks_begins_anew_only_where_it_should_grow() {
        let mut held = Cumulative::new(10, 60);
        assert_eq!(held.monotonic(1, at(1, 10), 5.0, 0), Step::First);
        assert_eq!(held.monotonic(1, at(1, 20), 7.0, 0), change_by(2.0, 10));
        assert_eq!(held.monotonic(1, at(1, 20), 8.0, 0), Step::Older);
        assert_eq!(held.monotonic(1, at(1, 30), 3.0, 0), Step::First);
        assert_eq!(held.difference(2, at(1, 10), 5.0, 0), Step::First);
        assert_eq!(held.difference(2, at(1, 10), 3.0, 0), change_by(-2.0, 0));
        assert_eq!(held.difference(2, at(1, 9), 3.0, 0), Step::Older);
        assert_eq!(held.difference(2, at(2, 11), 3.0, 0), Step::First);
        assert_eq!(held.len(), 2);
    }

    #[test]
    fn an_end_is_new_when_it_moved() {
        let mut held = Cumulative::new(10, 60);
        let mut is_new = |time, value| held.is_new_end(1, at(1, time), value, End::Min, 0);
        assert!(!is_new(10, 5.0));
        assert!(!is_new(20, 5.0));
        assert!(is_new(30, 4.0));
        assert!(!is_new(25, 1.0));
        assert!(is_new(40, 6.0));
        let mut is_new = |time, value| held.is_new_end(2, at(1, time), value, End::Max, 0);
        assert!(!is_new(10, 5.0));
        assert!(is_new(20, 6.0));
        assert!(is_new(30, 2.0));
    }

    #[test]
    fn series_without_points_are_forgotten_even_before_they_are_swept() {
        let mut held = Cumulative::new(10, 60);
        held.monotonic(1, at(0, 10), 5.0, 100);
        assert_eq!(held.monotonic(1, at(0, 20), 6.0, 160), change_by(1.0, 10));
        assert_eq!(held.monotonic(1, at(0, 30), 7.0, 221), Step::First);
    }

    #[test]
    fn there_is_room_again_after_all_tables_were_swept() {
        let mut held = Cumulative::new(1000, 60);
        for key in 1..=1000_u128 {
            // Spread as hashes are.
            held.monotonic(key.wrapping_mul(u128::MAX / 257 * 2), at(0, 10), 1.0, 0);
        }
        assert_eq!(held.monotonic(1, at(0, 10), 1.0, 61), Step::NoRoom);
        assert_eq!(held.difference(1, at(0, 10), 1.0, 61), Step::NoRoom);
        // Eight tables are due each second, with four series each.
        let mut lens = Vec::new();
        for now_secs in 61..=100 {
            held.sweep(now_secs);
            lens.push(held.len());
        }
        assert!(lens.windows(2).all(|pair| pair[0] - pair[1] <= 50), "{lens:?}");
        assert_eq!(lens.last(), Some(&0));
        assert_eq!(held.monotonic(1, at(0, 10), 1.0, 101), Step::First);
    }

    #[test]
    fn a_clock_that_goes_back_forgets_nothing() {
        let mut held = Cumulative::new(10, 60);
        held.monotonic(1, at(0, 10), 5.0, 1000);
        held.sweep(1000);
        held.sweep(5);
        assert_eq!(held.monotonic(1, at(0, 20), 6.0, 5), change_by(1.0, 10));
    }
}
