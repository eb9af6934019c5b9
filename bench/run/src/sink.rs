//! A local intake that accepts everything and keeps nothing.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// The sink. Its threads end with the process.
#[derive(Debug)]
pub(crate) struct Sink {
    address: SocketAddr,
    accepted: Arc<AtomicU64>,
}

impl Sink {
    /// Listens on a free local port.
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let accepted = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&accepted);
        thread::Builder::new().name("sink".into()).spawn(move || {
            for stream in listener.incoming().flatten() {
                let counter = Arc::clone(&counter);
                let serving = thread::Builder::new().name("sink-connection".into());
                // A connection that ends in the middle is the agent stopping.
                let _thread = serving.spawn(move || serve(&stream, &counter).is_ok());
            }
        })?;
        Ok(Self { address, accepted })
    }

    /// Base URL for the agent.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests answered.
    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }
}

/// Answers requests on one connection until it ends.
fn serve(stream: &TcpStream, accepted: &AtomicU64) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(64 << 10, stream);
    let mut writer = stream;
    loop {
        let Some(body) = read_head(&mut reader)? else { return Ok(()) };
        match body {
            Body::Length(bytes) => skip(&mut reader, bytes)?,
            Body::Chunked => while skip_chunk(&mut reader)? {},
        }
        writer.write_all(ANSWER)?;
        accepted.fetch_add(1, Ordering::Relaxed);
    }
}

enum Body {
    Length(u64),
    Chunked,
}

/// Reads request line and headers; `None` at the end of the connection.
fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Body>> {
    let mut body = Body::Length(0);
    let mut is_first = true;
    let mut line = String::new();
    loop {
        line.clear();
        if reader.take(LINE_BYTES_MAX).read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let header = line.trim_end().to_ascii_lowercase();
        if header.is_empty() && !is_first {
            return Ok(Some(body));
        }
        is_first = false;
        if let Some(length) = header.strip_prefix("content-length:") {
            body = Body::Length(length.trim().parse().unwrap_or(0));
        } else if header.starts_with("transfer-encoding:") && header.contains("chunked") {
            body = Body::Chunked;
        }
    }
}

/// Skips a chunk; false after the last one.
fn skip_chunk(reader: &mut impl BufRead) -> io::Result<bool> {
    let mut line = String::new();
    reader.take(LINE_BYTES_MAX).read_line(&mut line)?;
    let size = line.split(';').next().unwrap_or("").trim();
    let bytes = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
    skip(reader, bytes + 2)?;
    Ok(bytes > 0)
}

fn skip(reader: &mut impl BufRead, bytes: u64) -> io::Result<()> {
    io::copy(&mut reader.take(bytes), &mut io::sink()).map(drop)
}

const ANSWER: &[u8] = b"HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\n\
    content-length: 15\r\n\r\n{\"status\":\"ok\"}";
const LINE_BYTES_MAX: u64 = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_both_kinds_are_skipped() {
        let sink = Sink::start().unwrap();
        let mut stream = TcpStream::connect(sink.address).unwrap();
        stream.write_all(b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc").unwrap();
        stream
            .write_all(
                b"POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
            )
            .unwrap();
        let mut answers = vec![0; 2 * ANSWER.len()];
        stream.read_exact(&mut answers).unwrap();
        assert_eq!(answers, [ANSWER, ANSWER].concat());
        // The counter is raised after the answer is written.
        while sink.accepted() < 2 {
            thread::yield_now();
        }
    }
}
