//! Captures of requests: the lane's end, and what becomes a file.

use std::fs::File;
use std::io;

use super::{RequestRecord, RequestWriter};
use crate::queue::{Offer, Queue, Room};
use crate::recorder::{Recorder, Recording, Request, StartError, Started};

/// Copies requests into a running capture. One clone for each lane; never blocks.
#[derive(Clone, Debug)]
pub struct RequestTap(Queue<CopiedRequest>);

/// Room for one request in the queue to the file.
#[derive(Debug)]
pub struct RequestPlace {
    queue: Queue<CopiedRequest>,
    room: Room,
}

/// A request on its way.
#[derive(Debug)]
pub struct CopiedRequest {
    record: RequestRecord,
    /// Free again when the request is written.
    _room: Room,
}

impl RequestTap {
    /// Takes room for a request whose body has so many bytes, before it is copied.
    ///
    /// # Errors
    /// [`Offer::Full`], counted, or [`Offer::Closed`].
    pub fn place(&self, body_bytes: usize) -> Result<RequestPlace, Offer> {
        let room = self.0.room(body_bytes as u64)?;
        Ok(RequestPlace { queue: self.0.clone(), room })
    }
}

impl RequestPlace {
    /// Offers the request.
    pub fn offer(self, record: RequestRecord) -> Offer {
        self.queue.offer(CopiedRequest { record, _room: self.room })
    }
}

impl Recorder<RequestRecording> {
    /// Starts a capture into `corelane-requests-<unix_secs>`.
    ///
    /// # Errors
    /// See [`StartError`]. A capture that ended by itself makes room for the next once it was
    /// fetched with [`Recorder::take_ended`].
    pub fn start(
        &mut self,
        request: &Request,
        unix_secs: u64,
    ) -> Result<Started<RequestTap>, StartError> {
        let compression = request.compression;
        let make = |file| RequestWriter::new(file, compression).map(RequestRecording);
        let started = self.start_into(request, &format!("corelane-requests-{unix_secs}"), make)?;
        Ok(started.map(RequestTap))
    }
}

/// A capture of requests.
#[derive(Debug)]
pub struct RequestRecording(RequestWriter<File>);

impl Recording for RequestRecording {
    type Item = CopiedRequest;

    fn write(&mut self, request: &CopiedRequest) -> io::Result<()> {
        self.0.write(&request.record)
    }

    fn bytes(&self) -> u64 {
        self.0.bytes()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }

    fn finish(self, drops: u64) -> io::Result<File> {
        self.0.finish(drops)
    }
}
