//! One keep-alive connection: a whole request out, one answer in.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::{TraceSpec, TraceTransport};
use crate::LoadError;

/// Longest head of an answer, and longest body that is read.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// A connection, with the answer that it waits for.
#[derive(Debug)]
pub(super) struct Client {
    stream: Stream,
    /// The request on its way.
    pub(super) pending: Option<usize>,
    /// Whether the request was not written whole: the receiver may still have answered it, as with
    /// a body that it refuses to read, but nothing more can follow.
    pub(super) is_broken: bool,
    received: Vec<u8>,
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Uds(UnixStream),
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Whether the receiver closes the connection after it.
    pub(super) is_last: bool,
}

impl Client {
    pub(super) fn connect(spec: &TraceSpec) -> Result<Self, LoadError> {
        let stream = Stream::connect(spec).map_err(|source| LoadError::Connect {
            destination: spec.destination.clone(),
            source,
        })?;
        Ok(Self { stream, pending: None, is_broken: false, received: Vec::new() })
    }

    pub(super) fn send(&mut self, request: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Tcp(stream) => stream.write_all(request),
            Stream::Uds(stream) => stream.write_all(request),
        }
    }

    /// Reads one answer to its end.
    pub(super) fn answer(&mut self) -> io::Result<Answer> {
        let head_end = loop {
            if let Some(end) = find(&self.received, b"\r\n\r\n") {
                break end + 4;
            }
            self.read_more()?;
        };
        let head = std::str::from_utf8(&self.received[..head_end]).map_err(io::Error::other)?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::other("the answer has no status"))?;
        let value = |name: &str| {
            head.lines().find_map(|line| {
                let (given, value) = line.split_once(':')?;
                given.eq_ignore_ascii_case(name).then(|| value.trim())
            })
        };
        let is_last = value("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let is_chunked = value("transfer-encoding").is_some();
        let length = value("content-length").and_then(|length| length.parse().ok());
        let end = if is_chunked {
            self.end_of_chunks(head_end)?
        } else {
            head_end.saturating_add(length.unwrap_or(0))
        };
        while self.received.len() < end {
            self.read_more()?;
        }
        self.received.drain(..end);
        Ok(Answer { status, is_last })
    }

    /// Answers are short and without trailers, so the last chunk ends them.
    fn end_of_chunks(&mut self, head_end: usize) -> io::Result<usize> {
        loop {
            let body = &self.received[head_end..];
            if body.starts_with(b"0\r\n\r\n") {
                return Ok(head_end + 5);
            }
            if let Some(at) = find(body, b"\r\n0\r\n\r\n") {
                return Ok(head_end + at + 7);
            }
            self.read_more()?;
        }
    }

    fn read_more(&mut self) -> io::Result<()> {
        let mut piece = [0; 4096];
        let count = match &mut self.stream {
            Stream::Tcp(stream) => stream.read(&mut piece)?,
            Stream::Uds(stream) => stream.read(&mut piece)?,
        };
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.received.extend_from_slice(&piece[..count]);
        if self.received.len() > ANSWER_BYTES_MAX {
            return Err(io::Error::other("the answer is too long"));
        }
        Ok(())
    }
}

impl Stream {
    fn connect(spec: &TraceSpec) -> io::Result<Self> {
        let timeout = Some(Duration::from_millis(spec.answer_timeout_ms));
        match spec.transport {
            TraceTransport::Tcp => {
                let stream = TcpStream::connect(&*spec.destination)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(timeout)?;
                stream.set_write_timeout(timeout)?;
                Ok(Self::Tcp(stream))
            }
            TraceTransport::Uds => {
                let stream = UnixStream::connect(&spec.destination)?;
                stream.set_read_timeout(timeout)?;
                stream.set_write_timeout(timeout)?;
                Ok(Self::Uds(stream))
            }
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
