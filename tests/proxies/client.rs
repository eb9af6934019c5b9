//! A client of the agent that writes and reads bytes.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bed::Bed;

/// An answer of the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Connects to the agent.
pub(crate) fn connect(bed: &Bed) -> TcpStream {
    let address = bed.trace_url(false).replace("http://", "");
    let stream = TcpStream::connect(address).expect("the agent listens");
    stream.set_read_timeout(Some(bed::WAIT_MAX)).expect("a timeout");
    stream
}

/// Head of a request with a body of this length.
pub(crate) fn head(path: &str, headers: &[&str], bytes: usize) -> String {
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {bytes}\r\n\r\n")
}

/// Sends a request and reads the answer.
pub(crate) fn ask(bed: &Bed, path: &str, headers: &[&str], body: &[u8]) -> Said {
    let mut stream = connect(bed);
    stream.write_all(head(path, headers, body.len()).as_bytes()).expect("a head is taken");
    // An early answer may end the upload.
    drop(stream.write_all(body));
    said(&mut stream).expect("an answer")
}

/// Reads an answer, of a length that it says or until the connection ends.
pub(crate) fn said(stream: &mut TcpStream) -> io::Result<Said> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        read_some(stream, &mut bytes)?;
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut body = bytes.split_off(head_end);
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    match length.and_then(|length| length.parse::<usize>().ok()) {
        Some(length) => {
            while body.len() < length {
                read_some(stream, &mut body)?;
            }
        }
        None if head.contains("Transfer-Encoding: chunked") => {
            while !body.ends_with(b"0\r\n\r\n") {
                read_some(stream, &mut body)?;
            }
        }
        None => {}
    }
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Said { status: status.unwrap_or(0), head, body })
}

fn read_some(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let read = stream.read(&mut buffer)?;
    if read == 0 {
        let text = String::from_utf8_lossy(bytes).into_owned();
        return Err(io::Error::other(format!("closed after {text:?}")));
    }
    bytes.extend_from_slice(&buffer[..read]);
    Ok(())
}

/// Time that a stall must have lasted before it counts as one.
pub(crate) const MOMENT: Duration = Duration::from_millis(200);
