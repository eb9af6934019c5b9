//! The lanes of a world, each with control's end of its rings.

use context::Keys;
use lane::{
    Command, LaneHandle, LaneSettings, Moderation, Now, Output, SimulatedLane, overflow, port,
};
use metrics::ShardSettings;
use naming::{NamingSettings, Rules};
use signal::Counter;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const LANES: usize = 3;
/// As the kernel's default for Unix datagrams.
const QUEUE_PACKETS: usize = 11;
const PAUSE_MAX: Duration = Duration::from_millis(5);

/// A lane and when it has its next turn.
pub(crate) struct Lane {
    pub(crate) simulated: SimulatedLane,
    handle: LaneHandle,
    /// When it wakes by itself.
    pub(crate) wakes_us: u64,
    /// Whether it sleeps through what comes.
    pub(crate) is_pausing: bool,
    /// It gets no turn before.
    pub(crate) stalled_until_us: u64,
    pub(crate) has_stopped: bool,
}

/// Lanes of which the second and third help the first with its Unix datagrams.
pub(crate) fn start(seed: u64, now: Now) -> Vec<Lane> {
    let mut lanes: Vec<Lane> = (0..LANES).map(|index| Lane::new(index, seed, now)).collect();
    let [first, helpers @ ..] = lanes.as_mut_slice() else { return lanes };
    for helper in helpers {
        let bell = Arc::clone(helper.handle.bell());
        let (outlet, inbox) = overflow(bell, SimulatedLane::new_batch);
        first.simulated.be_helped(outlet);
        helper.simulated.help(inbox);
    }
    lanes
}

impl Lane {
    fn new(index: usize, seed: u64, now: Now) -> Self {
        let (handle, port) = port().expect("a descriptor for the bell");
        let settings = LaneSettings {
            lane: u16::try_from(index).expect("a few lanes"),
            shard: ShardSettings { host: "sim".into(), ..ShardSettings::default() },
            keys: Keys::from_seed(seed),
            rules: Rules::new(&NamingSettings::default()).expect("the default rules"),
            is_eol_required_udp: true,
            is_eol_required_uds: true,
            timed_batch: 4,
            connections_max: 0,
            read_cgroup: |_, _| Ok(()),
        };
        let moderation = Moderation::new(PAUSE_MAX, now.instant);
        Self {
            simulated: SimulatedLane::new(settings, port, moderation, QUEUE_PACKETS, now),
            handle,
            wakes_us: 0,
            is_pausing: false,
            stalled_until_us: 0,
            has_stopped: false,
        }
    }

    /// When it has its next turn.
    pub(crate) fn due_us(&self) -> u64 {
        if self.has_stopped { u64::MAX } else { self.wakes_us.max(self.stalled_until_us) }
    }

    /// Something came, which a pause sleeps through.
    pub(crate) fn wake(&mut self, at_us: u64) {
        if !self.is_pausing {
            self.wakes_us = self.wakes_us.min(at_us);
        }
    }

    pub(crate) fn send(&mut self, command: Command) {
        self.handle.send(command).expect("a ring with room");
    }

    pub(crate) fn outputs(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.handle.receive()).collect()
    }

    pub(crate) fn counted(&self, counter: Counter) -> u64 {
        self.handle.counters.value(counter)
    }
}
