//! A tracer whose every byte is chosen.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;

use bed::{Bed, WAIT_MAX};

/// One connection.
pub(super) struct Client {
    stream: Stream,
    received: Vec<u8>,
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// In lower case.
    pub(super) head: String,
    pub(super) body: String,
    /// Whether the connection ends with it.
    pub(super) is_last: bool,
}

impl Client {
    pub(super) fn tcp(bed: &Bed) -> Self {
        let stream = TcpStream::connect(super::tcp_address(bed)).expect("a listening agent");
        stream.set_read_timeout(Some(WAIT_MAX)).expect("a socket");
        stream.set_nodelay(true).expect("a socket");
        Self { stream: Stream::Tcp(stream), received: Vec::new() }
    }

    pub(super) fn unix(bed: &Bed) -> Self {
        let path = bed.trace_url(true).replace("unix://", "");
        let stream = UnixStream::connect(path).expect("a listening agent");
        stream.set_read_timeout(Some(WAIT_MAX)).expect("a socket");
        Self { stream: Stream::Unix(stream), received: Vec::new() }
    }

    /// Writes bytes as they are. An agent that refuses a request may have closed before all of it
    /// is written.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Tcp(stream) => stream.write_all(bytes),
            Stream::Unix(stream) => stream.write_all(bytes),
        }
    }

    /// Says that nothing more will be written.
    pub(super) fn end_writing(&self) {
        let ended = match &self.stream {
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Stream::Unix(stream) => stream.shutdown(Shutdown::Write),
        };
        ended.expect("an open connection");
    }

    /// Sends one request, and returns its answer.
    pub(super) fn put(&mut self, path: &str, headers: &str, body: &[u8]) -> Answer {
        let head = head(path, headers, body.len());
        let written = self.write(head.as_bytes()).and_then(|()| self.write(body));
        let answer = self.answer();
        assert!(answer.is_some(), "no answer to {} bytes for {path}: {written:?}", body.len());
        answer.expect("asserted above")
    }

    /// Reads one answer; none when the connection ends before.
    pub(super) fn answer(&mut self) -> Option<Answer> {
        let head_end = loop {
            let end = self.received.windows(4).position(|window| window == b"\r\n\r\n");
            match end {
                Some(end) => break end + 4,
                None => self.read_more()?,
            }
        };
        let head = String::from_utf8_lossy(&self.received[..head_end]).to_lowercase();
        let value = |name: &str| {
            head.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
        };
        let length = value("content-length").map_or(0, |text| text.parse().expect("a length"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let is_last = value("connection") == Some("close");
        while self.received.len() < head_end + length {
            self.read_more()?;
        }
        let body = String::from_utf8_lossy(&self.received[head_end..head_end + length]);
        let status = status.expect("a status");
        let answer = Answer { status, head: head.clone(), body: body.into_owned(), is_last };
        self.received.drain(..head_end + length);
        Some(answer)
    }

    fn read_more(&mut self) -> Option<()> {
        let mut piece = [0; 16 << 10];
        let count = match &mut self.stream {
            Stream::Tcp(stream) => stream.read(&mut piece),
            Stream::Unix(stream) => stream.read(&mut piece),
        };
        match count {
            Ok(0) => None,
            Ok(count) => {
                self.received.extend_from_slice(&piece[..count]);
                Some(())
            }
            Err(error) => {
                let kind = error.kind();
                assert_eq!(kind, io::ErrorKind::ConnectionReset, "the agent says nothing: {error}");
                None
            }
        }
    }
}

/// Head of a request. `headers` are whole lines.
pub(super) fn head(path: &str, headers: &str, length: usize) -> String {
    format!("PUT {path} HTTP/1.1\r\nHost: a\r\n{headers}Content-Length: {length}\r\n\r\n")
}

/// Header of msgpack.
pub(super) const MSGPACK: &str = "Content-Type: application/msgpack\r\n";
