//! A plain HTTP/1.1 client that shows exactly what came back.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use intake::{Intake, Options, Route};

pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef";

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

pub(crate) fn start() -> Intake {
    Intake::start(Options::default()).unwrap()
}

/// The head of a request as agents write it.
pub(crate) fn head(method: &str, target: &str, length: usize, more: &[(&str, &str)]) -> String {
    let mut head = format!(
        "{method} {target} HTTP/1.1\r\nHost: intake\r\nDD-API-KEY: {KEY}\r\n\
         User-Agent: datadog-agent/7.0.0\r\nDD-Agent-Version: 7.0.0\r\nContent-Length: {length}\r\n"
    );
    for (name, value) in more {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head + "\r\n"
}

/// What agents send with logs, beyond what is sent with everything.
pub(crate) const LOG_HEADERS: [(&str, &str); 5] = [
    ("DD-PROTOCOL", "agent-json"),
    ("DD-EVP-ORIGIN", "agent"),
    ("DD-EVP-ORIGIN-VERSION", "7.0.0"),
    ("dd-message-timestamp", "1700000000123"),
    ("dd-current-timestamp", "1700000000124"),
];

/// Sends a body to a route with the headers that it wants.
pub(crate) fn post(
    intake: &Intake,
    route: Route,
    body: &[u8],
    more: &[(&str, &str)],
) -> io::Result<Reply> {
    let mut headers = vec![("Content-Type", route.content_type().unwrap_or("text/plain"))];
    if route == Route::Logs {
        headers.extend(LOG_HEADERS);
    }
    headers.extend(more);
    request(intake.addr(), &head("POST", route.path(), body.len(), &headers), body)
}

pub(crate) fn get(intake: &Intake, target: &str) -> io::Result<Reply> {
    request(intake.addr(), &head("GET", target, 0, &[]), b"")
}

/// Sends one request on a connection of its own and reads the answer.
pub(crate) fn request(addr: SocketAddr, head: &str, body: &[u8]) -> io::Result<Reply> {
    let mut stream = connect(addr)?;
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    read_reply(&mut stream)
}

pub(crate) fn connect(addr: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(addr)?;
    // A test that would hang fails instead.
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    Ok(stream)
}

pub(crate) fn read_reply(stream: &mut impl Read) -> io::Result<Reply> {
    let mut seen = Vec::new();
    let head_end = loop {
        if let Some(end) = seen.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        read_more(stream, &mut seen)?;
    };
    let head = String::from_utf8_lossy(&seen[..head_end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
    while seen.len() < head_end + length {
        read_more(stream, &mut seen)?;
    }
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = String::from_utf8_lossy(&seen[head_end..]).into_owned();
    Ok(Reply { status, head, body })
}

fn read_more(stream: &mut impl Read, seen: &mut Vec<u8>) -> io::Result<()> {
    let mut piece = [0; 4096];
    match stream.read(&mut piece)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        count => {
            seen.extend_from_slice(&piece[..count]);
            Ok(())
        }
    }
}

/// A v1 body with one rate of one point.
pub(crate) fn series(name: &str, timestamp_secs: i64, value: f64) -> Vec<u8> {
    format!(
        r#"{{"series":[{{"metric":"{name}","points":[[{timestamp_secs},{value}]],
            "tags":["env:prod"],"host":"web-1","type":"rate","interval":10}}]}}"#
    )
    .into_bytes()
}
