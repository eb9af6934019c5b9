//! The simulated driver: a lane whose clock and sockets are plain data, for tests.
//!
//! It takes the same turns as the others, look, commands, tick, moderation, and starts the lane
//! over after a panic as its thread does. What it lacks are readiness, the bell and HTTP.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use receive::Batch;
use signal::Counter;

use super::Drive;
use crate::sources::percent;
use crate::{
    Found, Lane, LanePort, LaneSettings, Moderation, Now, OverflowInbox, OverflowOutlet, Sources,
    Submitted, Transport, Wait,
};

/// A lane without a thread. It owns the queues of its sockets.
pub struct SimulatedLane {
    drive: Drive,
    udp: Queue,
    unixgram: Queue,
    /// Frames of stream connections, whose senders wait.
    frames: VecDeque<Vec<u8>>,
    /// What comes without a socket.
    submitted: VecDeque<Vec<u8>>,
    batch: Batch,
    /// Lanes that help with Unix datagrams.
    outlets: Vec<OverflowOutlet>,
    /// Batches of Unix datagrams so far: every other one is offered to the helpers.
    batches: usize,
}

/// What a turn came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What a driver does next.
    Waits(Wait),
    /// The lane panicked and was started over.
    Restarted,
    /// The lane has handed everything over.
    Stopped,
}

/// Datagrams that wait, with their times, and how many may.
#[derive(Debug)]
struct Queue {
    packets: VecDeque<(Vec<u8>, u64)>,
    packets_max: usize,
}

/// Datagrams read at once, and the longest.
const BATCH_PACKETS: usize = 4;
const PACKET_BYTES_MAX: usize = 8192;

impl SimulatedLane {
    /// A lane whose datagram queues hold `queue_packets` each.
    #[must_use]
    pub fn new(
        settings: LaneSettings,
        port: LanePort,
        moderation: Moderation,
        queue_packets: usize,
        now: Now,
    ) -> Self {
        let lane = Lane::new(settings, port, now);
        let queue = || Queue { packets: VecDeque::new(), packets_max: queue_packets };
        Self {
            drive: Drive::new(lane, Sources::default(), None, moderation, now),
            udp: queue(),
            unixgram: queue(),
            frames: VecDeque::new(),
            submitted: VecDeque::new(),
            batch: Self::new_batch(),
            outlets: Vec::new(),
            batches: 0,
        }
    }

    /// A batch of the shape that its socket fills, for [`crate::overflow`].
    #[must_use]
    pub fn new_batch() -> Batch {
        Batch::new(BATCH_PACKETS, PACKET_BYTES_MAX, PACKET_BYTES_MAX)
    }

    /// Hands every other batch of Unix datagrams to this lane, while it has room.
    pub fn be_helped(&mut self, outlet: OverflowOutlet) {
        self.outlets.push(outlet);
    }

    /// Works on batches of another lane.
    pub fn help(&mut self, inbox: OverflowInbox) {
        self.drive.lane.help(inbox);
    }

    /// A client sends at this time. Whether its socket had room.
    pub fn deliver(&mut self, transport: Transport, bytes: &[u8], unix_us: u64) -> bool {
        match transport {
            Transport::Udp => self.udp.push(bytes, unix_us),
            Transport::Unixgram => self.unixgram.push(bytes, unix_us),
            Transport::Unixstream => {
                self.frames.push_back(bytes.to_owned());
                true
            }
            Transport::Submitted => {
                self.submitted.push_back(bytes.to_owned());
                true
            }
        }
    }

    /// Packets and frames that wait to be read.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.udp.packets.len()
            + self.unixgram.packets.len()
            + self.frames.len()
            + self.submitted.len()
    }

    /// One turn, as a driver takes it when a socket is ready, the bell rang, a pause or a tick is
    /// over.
    pub fn turn(&mut self, now: Now) -> Outcome {
        let Ok(found) = catch_unwind(AssertUnwindSafe(|| self.receive(now))) else {
            self.drive.restart(now);
            return Outcome::Restarted;
        };
        if self.drive.lane.is_stopping() {
            // From now on this lane works alone, which those that help it wait for.
            self.outlets.clear();
            while self.waiting() > 0 {
                self.receive(now);
            }
            if !self.drive.lane.is_helping() {
                self.drive.finish(now);
                return Outcome::Stopped;
            }
        }
        Outcome::Waits(self.drive.moderation.next(found, now.instant))
    }

    fn receive(&mut self, now: Now) -> Found {
        let mut found = self.drive.look(now);
        let lane = &mut self.drive.lane;
        found.add(self.udp.drain(&mut self.batch, |batch| {
            lane.on_batch(Transport::Udp, batch, now);
        }));
        let (outlets, batches) = (&mut self.outlets, &mut self.batches);
        found.add(self.unixgram.drain(&mut self.batch, |batch| {
            *batches += 1;
            let next = *batches % (outlets.len() + 1);
            let outlet = outlets.get_mut(next);
            if outlet.is_some_and(|outlet| outlet.hand_over(batch)) {
                lane.count(Counter::BatchesHandedOver, 1);
            } else {
                lane.on_batch(Transport::Unixgram, batch, now);
            }
        }));
        found.packets += self.frames.len() + self.submitted.len();
        for frame in self.frames.drain(..) {
            lane.on_frame(&frame, None, now);
        }
        let packets = self.submitted.iter();
        lane.on_submitted(packets.map(|text| Submitted { container: &[], text }), now);
        self.submitted.clear();
        self.drive.end_turn(now);
        found
    }
}

impl Queue {
    fn push(&mut self, bytes: &[u8], unix_us: u64) -> bool {
        let has_room = self.packets.len() < self.packets_max;
        if has_room {
            self.packets.push_back((bytes.to_owned(), unix_us));
        }
        has_room
    }

    /// Reads batch after batch until nothing is left.
    fn drain(&mut self, batch: &mut Batch, mut take: impl FnMut(&mut Batch)) -> Found {
        let packets = self.packets.len();
        while batch.fill(self.packets.iter().map(|(bytes, stamp)| (bytes.as_slice(), *stamp))) > 0 {
            self.packets.drain(..batch.filled());
            take(batch);
        }
        Found { packets, is_backlogged: false, fill_percent: percent(packets, self.packets_max) }
    }
}

impl fmt::Debug for SimulatedLane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedLane").field("lane", &self.drive.lane).finish_non_exhaustive()
    }
}
