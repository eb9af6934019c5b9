//! The lane as a state machine: batches, ticks and commands in, counters and outputs out.

use std::fmt;
use std::io;
use std::iter;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Instant;

use context::Keys;
use entity::{
    CONTAINER_PREFIX, Credentials, OriginSnapshot, PidResolver, PidResolverOptions,
    container_entity,
};
use metrics::{Packet, Shard, ShardSettings};
use naming::Rules;
use receive::{Batch, PeerCredentials};
use signal::Counter;

use crate::port::{Command, LanePort, Output};
use crate::{NewConnection, OverflowInbox, RequestTap, Submitted, TraceOrders};

/// What a lane is made with.
#[derive(Clone)]
pub struct LaneSettings {
    /// Index of the lane.
    pub lane: u16,
    /// Aggregation.
    pub shard: ShardSettings,
    /// Secret of the process's hashes.
    pub keys: Keys,
    /// Names and tags.
    pub rules: Rules,
    /// `dogstatsd_eol_required` for UDP.
    pub is_eol_required_udp: bool,
    /// `dogstatsd_eol_required` for Unix sockets.
    pub is_eol_required_uds: bool,
    /// Timestamped samples that are handed over without waiting for a flush.
    pub timed_batch: usize,
    /// Most stream connections.
    pub connections_max: usize,
    /// Reads `/proc/<pid>/cgroup`, or its first bytes, into the buffer.
    pub read_cgroup: fn(i32, &mut Vec<u8>) -> io::Result<()>,
}

/// The time, told by the driver.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Microseconds of Unix time.
    pub unix_us: u64,
    /// Monotonic time.
    pub instant: Instant,
}

/// How a packet came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// UDP.
    Udp,
    /// Unix datagram.
    Unixgram,
    /// Frame of a Unix stream.
    Unixstream,
    /// Handed over without a socket.
    Submitted,
}

/// One packet for a capture.
#[derive(Clone, Copy, Debug)]
pub struct CapturedPacket<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Process that sent it, 0 when unknown.
    pub pid: i32,
    /// Receive time in microseconds of Unix time.
    pub unix_us: u64,
    /// Its container, where known.
    pub origin: Option<&'a Arc<str>>,
}

/// Takes copies of packets for a capture, without waiting.
pub struct CaptureTap {
    /// Takes one packet: whether it was kept, or `None` when the capture is over.
    pub offer: Box<dyn FnMut(CapturedPacket<'_>) -> Option<bool> + Send>,
}

impl fmt::Debug for CaptureTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CaptureTap")
    }
}

/// One lane.
pub struct Lane {
    settings: LaneSettings,
    shard: Shard,
    peers: PidResolver,
    pub(crate) port: LanePort,
    pub(crate) overflow: Vec<OverflowInbox>,
    capture: Option<CaptureTap>,
    /// Where copies of requests go, while they are captured.
    pub(crate) request_tap: Option<RequestTap>,
    forward: Option<UdpSocket>,
    /// Next chunk of a listing of contexts under way.
    top_chunk: Option<usize>,
    pub(crate) connections: Vec<NewConnection>,
    /// Orders that the trace pipeline has not obeyed yet.
    #[allow(
        clippy::vec_box,
        reason = "as they come over the ring; without traces they have no size"
    )]
    pub(crate) trace_orders: Vec<Box<TraceOrders>>,
    stop: Option<bool>,
    last_timed: Instant,
    peers_of_batch: Vec<Option<Arc<str>>>,
    /// Who handed over packets last, of those that are known.
    submitter: Option<Arc<str>>,
}

/// Slices of expiry per tick: at ten ticks a second a million contexts take some six seconds.
const SWEEP_SLICES: usize = 24;
/// Chunks of a context listing per turn.
const TOP_CHUNKS: usize = 4;

impl Lane {
    /// A lane with nothing in it.
    #[must_use]
    pub fn new(settings: LaneSettings, port: LanePort, now: Now) -> Self {
        let shard = new_shard(&settings);
        let mut lane = Self {
            shard,
            settings,
            peers: PidResolver::new(PidResolverOptions::default()),
            port,
            overflow: Vec::new(),
            capture: None,
            request_tap: None,
            forward: None,
            top_chunk: None,
            connections: Vec::new(),
            trace_orders: Vec::new(),
            stop: None,
            last_timed: now.instant,
            peers_of_batch: Vec::new(),
            submitter: None,
        };
        lane.shard.advance(now.unix_us / 1_000_000);
        lane
    }

    /// Copies every packet to this connected socket before it is parsed (`statsd_forward_host`).
    pub fn forward_to(&mut self, socket: UdpSocket) {
        self.forward = Some(socket);
    }

    /// Lets the lane help with batches of another one.
    pub fn help(&mut self, inbox: OverflowInbox) {
        self.overflow.push(inbox);
    }

    /// Starts over with empty tables after a panic. What was aggregated and not flushed is lost,
    /// and counted; events, checks and timestamped samples are handed over.
    pub fn restart(&mut self, now: Now) {
        let mut shard = new_shard(&self.settings);
        shard.set_snapshot(Arc::clone(self.shard.snapshot()));
        shard.set_contexts_max(self.shard.contexts_max());
        shard.advance(now.unix_us / 1_000_000);
        let (lost, left) = std::mem::replace(&mut self.shard, shard).abandon(&self.port.counters);
        self.port.counters.add(Counter::Restarts, 1);
        self.port.counters.add(Counter::LostInRestart, lost);
        if !left.is_empty() {
            self.port.answer(Output::Timed(Box::new(left)));
        }
    }

    /// Tells the time: closes the bucket whose end has passed. Call it before a batch.
    pub fn advance(&mut self, now: Now) {
        self.shard.advance(now.unix_us / 1_000_000);
    }

    /// Takes a batch of datagrams.
    pub fn on_batch(&mut self, transport: Transport, batch: &Batch, now: Now) {
        let (mut packets, mut bytes) = (0, 0);
        for packet in batch.packets() {
            packets += 1;
            bytes += packet.bytes.len() as u64;
            if packet.is_truncated {
                self.shard.tally_mut().add(Counter::Truncated, 1);
            }
        }
        self.count_packets(transport, packets, bytes);
        let is_copied = self.capture.is_some() || self.forward.is_some();
        let has_peers = transport != Transport::Udp && self.settings.shard.origin.is_peer_used;
        if is_copied || has_peers {
            self.on_batch_with_peers(transport, batch, now, has_peers);
            return;
        }
        let is_eol_required = self.is_eol_required(transport);
        self.shard.on_packets(batch.packets().map(|packet| Packet {
            bytes: packet.bytes,
            peer: None,
            stamp_us: if packet.stamp_us == 0 { now.unix_us } else { packet.stamp_us },
            // A cut last line says something else than was sent.
            is_eol_required: is_eol_required || packet.is_truncated,
        }));
    }

    /// Takes a batch whose senders matter, or that is copied elsewhere too.
    fn on_batch_with_peers(
        &mut self,
        transport: Transport,
        batch: &Batch,
        now: Now,
        has_peers: bool,
    ) {
        let mut peers = std::mem::take(&mut self.peers_of_batch);
        for packet in batch.packets() {
            let peer = if has_peers { self.origin_of(packet.peer, now) } else { None };
            let pid = packet.peer.map_or(0, |peer| peer.pid);
            self.copy(packet.bytes, pid, peer.as_ref(), now);
            peers.push(peer);
        }
        let is_eol_required = self.is_eol_required(transport);
        self.shard.on_packets(batch.packets().zip(&peers).map(|(packet, peer)| Packet {
            bytes: packet.bytes,
            peer: peer.as_ref(),
            stamp_us: if packet.stamp_us == 0 { now.unix_us } else { packet.stamp_us },
            is_eol_required: is_eol_required || packet.is_truncated,
        }));
        peers.clear();
        self.peers_of_batch = peers;
    }

    /// Takes one frame of a stream.
    pub fn on_frame(&mut self, bytes: &[u8], peer: Option<PeerCredentials>, now: Now) {
        self.count_packets(Transport::Unixstream, 1, bytes.len() as u64);
        let has_peers = self.settings.shard.origin.is_peer_used;
        let origin = if has_peers { self.origin_of(peer, now) } else { None };
        if self.capture.is_some() || self.forward.is_some() {
            self.copy(bytes, peer.map_or(0, |peer| peer.pid), origin.as_ref(), now);
        }
        self.shard.on_packets(std::iter::once(Packet {
            bytes,
            peer: origin.as_ref(),
            stamp_us: now.unix_us,
            is_eol_required: self.is_eol_required(Transport::Unixstream),
        }));
    }

    /// Takes packets that came without a socket. Whoever handed them over may speak for others:
    /// nothing is known of their senders but what their lines say, and the container where it is
    /// told.
    pub fn on_submitted<'p>(&mut self, packets: impl Iterator<Item = Submitted<'p>>, now: Now) {
        let (mut count, mut bytes) = (0, 0);
        let is_copied = self.capture.is_some() || self.forward.is_some();
        let mut packets = packets
            .inspect(|packet| {
                count += 1;
                bytes += packet.text.len() as u64;
            })
            .peekable();
        while let Some(container) = packets.peek().map(|first| first.container) {
            let origin = self.submitting(container);
            let packet = |bytes: &'p [u8]| Packet {
                bytes,
                peer: origin.as_ref(),
                stamp_us: now.unix_us,
                is_eol_required: false,
            };
            let of_one = iter::from_fn(|| packets.next_if(|next| next.container == container));
            if is_copied {
                for submitted in of_one {
                    self.copy(submitted.text, 0, origin.as_ref(), now);
                    self.shard.on_packets(iter::once(packet(submitted.text)));
                }
            } else {
                self.shard.on_packets(of_one.map(|submitted| packet(submitted.text)));
            }
        }
        self.count_packets(Transport::Submitted, count, bytes);
    }

    /// The origin that a container is; the last one is remembered.
    fn submitting(&mut self, container: &[u8]) -> Option<Arc<str>> {
        let id = str::from_utf8(container).ok().filter(|id| !id.is_empty())?;
        let is_same = |known: &&Arc<str>| {
            known.strip_prefix(CONTAINER_PREFIX).is_some_and(|known| known == id)
        };
        if let Some(known) = self.submitter.as_ref().filter(is_same) {
            return Some(Arc::clone(known));
        }
        self.submitter = Some(container_entity(id));
        self.submitter.clone()
    }

    pub(crate) fn origin_of(
        &mut self,
        peer: Option<PeerCredentials>,
        now: Now,
    ) -> Option<Arc<str>> {
        let found = peer.map(|peer| {
            let credentials = Credentials { pid: peer.pid, uid: peer.uid, gid: peer.gid };
            let read_cgroup = self.settings.read_cgroup;
            self.peers
                .resolve_peer(credentials, self.shard.snapshot(), now.instant, read_cgroup)
                .map(Option::<&Arc<str>>::cloned)
        });
        if let Some(Ok(origin)) = found {
            return origin;
        }
        self.shard.tally_mut().add(Counter::OriginErrors, 1);
        None
    }

    /// What is known of origins.
    pub(crate) const fn snapshot(&self) -> &Arc<OriginSnapshot> {
        self.shard.snapshot()
    }

    /// Copies a packet to the capture and to the other statsd server.
    fn copy(&mut self, bytes: &[u8], pid: i32, origin: Option<&Arc<str>>, now: Now) {
        if let Some(capture) = &mut self.capture {
            let packet = CapturedPacket { bytes, pid, unix_us: now.unix_us, origin };
            match (capture.offer)(packet) {
                Some(true) => self.shard.tally_mut().add(Counter::CapturedPackets, 1),
                Some(false) => self.shard.tally_mut().add(Counter::CaptureDrops, 1),
                None => self.capture = None,
            }
        }
        if let Some(forward) = &self.forward {
            let counter = match forward.send(bytes) {
                Ok(_) => Counter::ForwardedPackets,
                Err(_) => Counter::ForwardErrors,
            };
            self.shard.tally_mut().add(counter, 1);
        }
    }

    fn count_packets(&mut self, transport: Transport, packets: u64, bytes: u64) {
        let (packet_counter, byte_counter) = match transport {
            Transport::Udp => (Counter::UdpPackets, Counter::UdpBytes),
            Transport::Unixgram => (Counter::UdsPackets, Counter::UdsBytes),
            Transport::Unixstream => (Counter::StreamPackets, Counter::StreamBytes),
            Transport::Submitted => (Counter::SubmittedPackets, Counter::SubmittedBytes),
        };
        self.shard.tally_mut().add(packet_counter, packets);
        self.shard.tally_mut().add(byte_counter, bytes);
    }

    const fn is_eol_required(&self, transport: Transport) -> bool {
        match transport {
            Transport::Udp => self.settings.is_eol_required_udp,
            Transport::Unixgram | Transport::Unixstream => self.settings.is_eol_required_uds,
            Transport::Submitted => false,
        }
    }

    /// Counts something that happened outside.
    pub fn count(&mut self, counter: Counter, n: u64) {
        self.shard.tally_mut().add(counter, n);
    }

    /// Works on batches that another lane handed over. Returns the packets.
    pub fn work_off_overflow(&mut self, now: Now) -> usize {
        let mut packets = 0;
        let mut inboxes = std::mem::take(&mut self.overflow);
        for inbox in &mut inboxes {
            while let Some(batch) = inbox.take() {
                packets += batch.filled();
                self.on_batch(Transport::Unixgram, &batch, now);
                inbox.give_back(batch);
            }
        }
        self.overflow = inboxes;
        packets
    }

    /// Whether another lane has handed over a batch, or may still do so.
    pub(crate) fn is_helping(&self) -> bool {
        self.overflow.iter().any(OverflowInbox::is_open)
    }

    /// Obeys the commands that came, continues what takes several turns, publishes the counters.
    pub fn end_turn(&mut self, now: Now) {
        self.port.deliver();
        while let Ok(command) = self.port.commands.pop() {
            self.obey(command);
        }
        if self.port.is_orphaned() {
            self.stop.get_or_insert(false);
        }
        self.continue_top();
        self.hand_over_timed(now);
        self.shard.tally_mut().add(Counter::Turns, 1);
        self.shard.publish(&self.port.counters);
    }

    /// Some ten times a second: expiry, and gauges that are costly to take.
    pub fn on_tick(&mut self, now: Now) {
        self.advance(now);
        let mut is_swept = true;
        for _ in 0..SWEEP_SLICES {
            is_swept = !self.shard.sweep_slice();
            if is_swept {
                break;
            }
        }
        if is_swept {
            self.shard.publish_sizes(&self.port.counters);
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Flush { cutoff_secs } => {
                let flushed = self.shard.flush(cutoff_secs);
                self.port.answer(Output::Flushed(Box::new(flushed)));
            }
            Command::FlushOpen => {
                let flushed = self.shard.flush_open();
                self.port.answer(Output::Flushed(Box::new(flushed)));
            }
            Command::SetRules(rules) => {
                self.settings.rules = (*rules).clone();
                self.shard.set_rules(*rules);
            }
            Command::SetSnapshot(snapshot) => self.shard.set_snapshot(snapshot),
            Command::SetContextsMax(contexts) => self.shard.set_contexts_max(contexts),
            Command::Capture(tap) => self.capture = Some(tap),
            Command::CaptureRequests(tap) => self.request_tap = Some(tap),
            Command::Top => self.top_chunk = Some(0),
            Command::Connection(connection) => self.connections.push(connection),
            Command::Traces(orders) => self.trace_orders.push(orders),
            Command::Stop { with_open_bucket } => self.stop = Some(with_open_bucket),
            #[expect(clippy::panic, reason = "asked for by a test of the restart")]
            Command::Panic => panic!("asked to"),
        }
    }

    fn continue_top(&mut self) {
        for _ in 0..TOP_CHUNKS {
            let Some(chunk) = self.top_chunk.filter(|_| !self.port.is_behind()) else { return };
            if let Some(contexts) = self.shard.top_slice(chunk) {
                self.top_chunk = Some(chunk + 1);
                self.port.answer(Output::Top(contexts));
            } else {
                self.top_chunk = None;
                self.port.answer(Output::TopEnd);
            }
        }
    }

    /// Timestamped samples leave in batches, or when none came for a second. spec: dogstatsd §9.
    fn hand_over_timed(&mut self, now: Now) {
        let count = self.shard.timed_count();
        if count == 0 {
            self.last_timed = now.instant;
            return;
        }
        let age = now.instant.saturating_duration_since(self.last_timed);
        if (count >= self.settings.timed_batch || age.as_secs() >= 1)
            && let Some(timed) = self.shard.flush_timed()
        {
            self.last_timed = now.instant;
            self.port.answer(Output::Timed(Box::new(timed)));
        }
    }

    /// Whether the lane was told to stop.
    #[must_use]
    pub const fn is_stopping(&self) -> bool {
        self.stop.is_some()
    }

    /// Hands over what is left: the last thing a lane does.
    pub fn finish(&mut self) {
        let with_open_bucket = self.stop.unwrap_or(false);
        let flushed =
            if with_open_bucket { self.shard.flush_all() } else { self.shard.flush_closed() };
        self.shard.publish(&self.port.counters);
        self.port.answer(Output::Stopped(Box::new(flushed)));
    }

    /// Most stream connections.
    #[must_use]
    pub const fn connections_max(&self) -> usize {
        self.settings.connections_max
    }
}

fn new_shard(settings: &LaneSettings) -> Shard {
    let rules = settings.rules.clone();
    Shard::new(settings.lane, settings.shard.clone(), settings.keys.clone(), rules)
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").field("lane", &self.settings.lane).finish_non_exhaustive()
    }
}

impl fmt::Debug for LaneSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaneSettings").field("lane", &self.lane).finish_non_exhaustive()
    }
}
