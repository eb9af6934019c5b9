//! The datagram sockets of a lane, drained the same way by every driver.

use std::os::fd::{AsFd, BorrowedFd};

use receive::{Batch, Connection, DatagramSocket, FrameTooLong, ReadOutcome};
use signal::Counter;

use crate::{Found, Lane, Now, OverflowOutlet, SubmissionInbox, Transport};

/// Sockets of one lane.
#[derive(Debug, Default)]
pub struct Sources {
    /// One for each address that is listened on.
    udp: Vec<Source>,
    uds: Option<Source>,
    /// What comes without a socket.
    submissions: Option<SubmissionInbox>,
    /// Lanes that help when the Unix datagram queue is too much for one.
    outlets: Vec<OverflowOutlet>,
    next_outlet: usize,
    /// Full looks at the Unix datagram queue in a row.
    pressure: u32,
}

#[derive(Debug)]
struct Source {
    socket: DatagramSocket,
    batch: Batch,
    transport: Transport,
    buffer_bytes: usize,
    drops_seen: u32,
    /// Whether the next look reads it.
    is_ready: bool,
}

/// Batches read from one source before the others have their turn.
const BATCHES_PER_LOOK: usize = 16;
/// Looks that found the queue filled before other lanes are asked to help.
const PRESSURE_LOOKS: u32 = 8;
/// A Unix datagram queue found so full is one.
const PRESSURE_PERCENT: u32 = 50;
/// Reads of one connection before the others have their turn.
const READS_PER_LOOK: usize = 4;
/// What the buffer of a stream sender holds at least, of the kernel's default of 212,992 bytes that
/// count its own bookkeeping too: bytes of large writes, or small ones.
const STREAM_BYTES: usize = 128 << 10;
const STREAM_FRAMES: usize = 160;

impl Sources {
    /// Adds a UDP socket of the lane, read `batch_packets` at a time.
    pub fn add_udp(&mut self, socket: DatagramSocket, batch_packets: usize) {
        self.udp.push(Source::new(socket, batch_packets, Transport::Udp));
    }

    /// Adds the Unix datagram socket.
    pub fn add_unixgram(
        &mut self,
        socket: DatagramSocket,
        batch_packets: usize,
        outlets: Vec<OverflowOutlet>,
    ) {
        let transport = Transport::Unixgram;
        self.uds = Some(Source::new(socket, batch_packets, transport));
        self.outlets = outlets;
    }

    /// Adds the lane's end of a ring that is filled without a socket.
    pub fn add_submissions(&mut self, inbox: SubmissionInbox) {
        self.submissions = Some(inbox);
    }

    /// The sockets, to be watched.
    pub fn sockets(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.udp.iter().chain(&self.uds).map(|source| source.socket.as_fd())
    }

    /// Lets the next look read the socket at this place among [`Self::sockets`].
    pub(crate) fn mark_ready(&mut self, place: usize) {
        if let Some(source) = self.udp.iter_mut().chain(&mut self.uds).nth(place) {
            source.is_ready = true;
        }
    }

    /// Lets the next look read all sockets.
    pub(crate) fn mark_all_ready(&mut self) {
        for source in self.udp.iter_mut().chain(&mut self.uds) {
            source.is_ready = true;
        }
    }

    /// Reads what the sockets that are ready hold, a bounded number of batches each.
    pub(crate) fn drain(&mut self, lane: &mut Lane, now: Now) -> Found {
        let mut found = Found::default();
        for udp in self.udp.iter_mut().filter(|udp| udp.is_ready) {
            found.add(udp.drain(lane, now, &mut |_, _| false));
        }
        let is_pressed = self.pressure >= PRESSURE_LOOKS;
        let pressure = std::mem::take(&mut self.pressure);
        if let Some(uds) = self.uds.as_mut().filter(|uds| uds.is_ready) {
            let (outlets, next) = (&mut self.outlets, &mut self.next_outlet);
            // Every other batch stays here, so that this lane works too.
            let mut hand_over = |lane: &mut Lane, batch: &mut Batch| {
                *next = (*next + 1) % (outlets.len() + 1);
                let is_sent = is_pressed
                    && outlets.get_mut(*next).is_some_and(|outlet| outlet.hand_over(batch));
                if is_sent {
                    lane.count(Counter::BatchesHandedOver, 1);
                }
                is_sent
            };
            let here = uds.drain(lane, now, &mut hand_over);
            if here.fill_percent >= PRESSURE_PERCENT {
                self.pressure = pressure.saturating_add(1);
            }
            found.add(here);
        }
        if let Some(inbox) = &mut self.submissions {
            found.add(inbox.drain(lane, now));
        }
        found
    }

    /// Hands nothing over from now on, which the lanes that helped wait for at their stop.
    pub(crate) fn work_alone(&mut self) {
        self.outlets.clear();
    }

    /// Refuses what is sent from now on, so that what is queued can be read to its end.
    pub(crate) fn refuse_more(&self) {
        for source in self.udp.iter().chain(&self.uds) {
            source.socket.refuse_more();
        }
    }

    /// Reports what the kernel dropped since the last time.
    pub(crate) fn count_kernel_drops(&mut self, lane: &mut Lane) {
        for udp in &mut self.udp {
            let drops = udp.socket.kernel_drops();
            lane.count(Counter::UdpKernelDrops, u64::from(drops.wrapping_sub(udp.drops_seen)));
            udp.drops_seen = drops;
        }
    }
}

impl Source {
    fn new(socket: DatagramSocket, batch_packets: usize, transport: Transport) -> Self {
        let batch = socket.new_batch(batch_packets);
        let buffer_bytes = socket.buffer_bytes().max(1);
        Self { socket, batch, transport, buffer_bytes, drops_seen: 0, is_ready: false }
    }

    /// Reads until the socket is empty or has had its turn. Each batch goes to `hand_over` first,
    /// which may take it away.
    ///
    /// A UDP socket that did not fill a batch is empty. A Unix socket is read once more: senders
    /// that waited for room have filled it again meanwhile, and would wait for a whole pause.
    fn drain(
        &mut self,
        lane: &mut Lane,
        now: Now,
        hand_over: &mut dyn FnMut(&mut Lane, &mut Batch) -> bool,
    ) -> Found {
        let mut found = Found::default();
        self.is_ready = false;
        let queue_packets = self.socket.queue_packets();
        if queue_packets.is_none() {
            found.fill_percent = percent(self.socket.waiting_bytes(), self.buffer_bytes);
        }
        for _ in 0..BATCHES_PER_LOOK {
            match self.socket.receive(&mut self.batch) {
                Ok(0) => {
                    found.is_backlogged = false;
                    break;
                }
                Ok(filled) => {
                    found.packets += filled;
                    found.is_backlogged = queue_packets.is_some() || self.batch.is_full();
                    if !hand_over(lane, &mut self.batch) {
                        lane.on_batch(self.transport, &self.batch, now);
                    }
                }
                Err(_) => {
                    lane.count(Counter::ReadErrors, 1);
                    break;
                }
            }
            if !found.is_backlogged {
                break;
            }
        }
        if let Some(queue_packets) = queue_packets {
            // The queue admits one more than its length.
            found.fill_percent = percent(found.packets, queue_packets + 1);
        }
        found
    }
}

impl Found {
    /// Takes in what another source found.
    pub(crate) fn add(&mut self, other: Self) {
        self.packets += other.packets;
        self.is_backlogged |= other.is_backlogged;
        self.fill_percent = self.fill_percent.max(other.fill_percent);
    }
}

pub(crate) fn percent(part: usize, whole: usize) -> u32 {
    u32::try_from(part.saturating_mul(100) / whole.max(1)).unwrap_or(u32::MAX)
}

/// What became of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConnectionState {
    /// Nothing more to read now.
    Drained,
    /// More to read.
    Backlogged,
    /// Closed, by either side.
    Closed,
}

/// Reads what a connection holds, a bounded number of reads.
pub(crate) fn drain_connection(
    connection: &mut Connection,
    lane: &mut Lane,
    now: Now,
) -> (ConnectionState, Found) {
    let (mut frames, mut bytes) = (0, 0);
    let mut state = ConnectionState::Backlogged;
    for _ in 0..READS_PER_LOOK {
        match connection.read() {
            Ok(ReadOutcome::Bytes(read)) => bytes += read,
            Ok(ReadOutcome::Waiting) => {
                state = ConnectionState::Drained;
                break;
            }
            Ok(ReadOutcome::Closed) => {
                state = ConnectionState::Closed;
                break;
            }
            Err(_) => {
                lane.count(Counter::ReadErrors, 1);
                state = ConnectionState::Closed;
                break;
            }
        }
        match take_frames(connection, lane, now) {
            Ok(taken) => frames += taken,
            Err(FrameTooLong { .. }) => {
                lane.count(Counter::StreamTooLong, 1);
                return (ConnectionState::Closed, Found::default());
            }
        }
    }
    if state == ConnectionState::Closed && connection.framer_mut().is_inside_frame() {
        lane.count(Counter::StreamCut, 1);
    }
    // What a sender blocked on counts, were its frames large or small.
    let fill_percent = percent(bytes, STREAM_BYTES).max(percent(frames, STREAM_FRAMES));
    (state, Found { packets: frames, is_backlogged: false, fill_percent })
}

fn take_frames(
    connection: &mut Connection,
    lane: &mut Lane,
    now: Now,
) -> Result<usize, FrameTooLong> {
    let (peer, mut frames) = (connection.peer(), 0);
    while let Some(frame) = connection.framer_mut().next_frame()? {
        frames += 1;
        lane.on_frame(frame, peer, now);
    }
    Ok(frames)
}

#[cfg(test)]
mod tests;
