//! Captures of packets: the lane's end, and what becomes a file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::Arc;

use entity::{OriginSnapshot, TaggerState};

use crate::queue::{Offer, Queue};
use crate::recorder::{Recorder, Recording, Request, StartError, Started};
use crate::{Record, Writer};

/// Processes remembered for the state of one capture.
const PIDS_MAX: usize = 65_536;

/// A packet as a lane offers it.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// What goes to the file.
    pub record: Record<'a>,
    /// Entity of the sender, when it was resolved.
    pub origin: Option<&'a Arc<str>>,
}

/// Copies packets into a running capture. One clone for each lane; never blocks.
#[derive(Clone, Debug)]
pub struct Tap(Queue<CopiedPacket>);

/// A packet on its way: one allocation holds payload and control messages.
#[derive(Debug)]
pub struct CopiedPacket {
    unix_ns: i64,
    pid: i32,
    origin: Option<Arc<str>>,
    bytes: Box<[u8]>,
    payload_len: usize,
}

impl Tap {
    /// Offers one packet.
    pub fn offer(&self, packet: Packet<'_>) -> Offer {
        if self.0.is_over() {
            return Offer::Closed;
        }
        let Record { unix_ns, pid, payload, ancillary } = packet.record;
        self.0.offer(CopiedPacket {
            unix_ns,
            pid,
            origin: packet.origin.cloned(),
            bytes: [payload, ancillary].concat().into_boxed_slice(),
            payload_len: payload.len(),
        })
    }
}

impl Recorder<PacketRecording> {
    /// Starts a capture into `datadog-capture-<unix_secs>`. `snapshot` is called at its end, for
    /// the tags of the senders that it saw.
    ///
    /// # Errors
    /// See [`StartError`]. A capture that ended by itself makes room for the next once it was
    /// fetched with [`Recorder::take_ended`].
    pub fn start(
        &mut self,
        request: &Request,
        unix_secs: u64,
        snapshot: impl FnOnce() -> Arc<OriginSnapshot> + Send + 'static,
    ) -> Result<Started<Tap>, StartError> {
        let compression = request.compression;
        let make = |file| {
            let writer = Writer::new(file, compression)?;
            let snapshot = Box::new(snapshot);
            Ok(PacketRecording { writer, pids: BTreeMap::new(), snapshot })
        };
        let started = self.start_into(request, &format!("datadog-capture-{unix_secs}"), make)?;
        Ok(started.map(Tap))
    }
}

/// A capture of packets, which ends with the tags of their senders.
pub struct PacketRecording {
    writer: Writer<File>,
    /// Entity of each process seen, for the state.
    pids: BTreeMap<i32, Arc<str>>,
    snapshot: Box<dyn FnOnce() -> Arc<OriginSnapshot> + Send>,
}

impl std::fmt::Debug for PacketRecording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PacketRecording").field("writer", &self.writer).finish_non_exhaustive()
    }
}

impl Recording for PacketRecording {
    type Item = CopiedPacket;

    fn write(&mut self, packet: &CopiedPacket) -> io::Result<()> {
        let CopiedPacket { unix_ns, pid, origin, bytes, payload_len } = packet;
        let (payload, ancillary) = bytes.split_at(*payload_len);
        self.writer.write(&Record { unix_ns: *unix_ns, pid: *pid, payload, ancillary })?;
        if let Some(origin) = origin
            && (self.pids.len() < PIDS_MAX || self.pids.contains_key(pid))
        {
            self.pids.insert(*pid, Arc::clone(origin));
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.writer.bytes()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    fn finish(self, _drops: u64) -> io::Result<File> {
        let pids = self.pids.into_iter().collect();
        self.writer.finish(&TaggerState::of(pids, &(self.snapshot)()))
    }
}
