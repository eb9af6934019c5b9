//! Writes a file of requests.

use std::io::{self, Write};

use crc32fast::Hasher;

use super::RequestRecord;
use super::format::{self, MESSAGE_BYTES_MAX, REQUESTS_VERSION, frame_head, header};
use crate::proto::{put_int, put_item, put_size};
use crate::sink::{Compression, Sink};

/// Writes requests in the newest version of the format. Call [`RequestWriter::finish`]: a file
/// without its end counts as cut.
#[derive(Debug)]
pub struct RequestWriter<W: Write> {
    sink: Sink<W>,
    head: Vec<u8>,
    requests: u64,
}

impl<W: Write> RequestWriter<W> {
    /// Starts a file with its header.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(out: W, compression: Compression) -> io::Result<Self> {
        let mut sink = Sink::new(out, compression)?;
        sink.put(&header(REQUESTS_VERSION))?;
        Ok(Self { sink, head: Vec::new(), requests: 0 })
    }

    /// Appends a request.
    ///
    /// # Errors
    /// Those of the file; [`io::ErrorKind::InvalidInput`] for one of more than 256 MiB.
    pub fn write(&mut self, record: &RequestRecord) -> io::Result<()> {
        self.head.clear();
        record.encode_head(&mut self.head);
        if !record.body.is_empty() {
            put_size(&mut self.head, format::BODY, record.body.len());
        }
        self.frame(&record.body)?;
        self.requests += 1;
        Ok(())
    }

    /// Bytes written so far, before compression.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.sink.bytes()
    }

    /// Gives what was written to the file.
    ///
    /// # Errors
    /// Those of the file.
    pub fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }

    /// Ends the file; `drops` requests came and are not in it.
    ///
    /// # Errors
    /// Those of the file.
    pub fn finish(mut self, drops: u64) -> io::Result<W> {
        let mut end = Vec::new();
        put_int(&mut end, 1, i64::try_from(self.requests).unwrap_or(i64::MAX));
        put_int(&mut end, 2, i64::try_from(drops).unwrap_or(i64::MAX));
        self.head.clear();
        put_item(&mut self.head, format::END, &end);
        self.frame(&[])?;
        self.sink.finish()
    }

    /// Writes a frame of `self.head` and `body`.
    fn frame(&mut self, body: &[u8]) -> io::Result<()> {
        let length = u32::try_from(self.head.len() + body.len()).ok();
        let Some(length) = length.filter(|length| *length <= MESSAGE_BYTES_MAX) else {
            let message = "a recorded request is limited to 256 MiB";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        };
        let mut hasher = Hasher::new();
        hasher.update(&self.head);
        hasher.update(body);
        self.sink.put(&frame_head(length, hasher.finalize()))?;
        self.sink.put(&self.head)?;
        self.sink.put(body)
    }
}
