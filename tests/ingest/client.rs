//! A client that posts bytes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// Sends a request and reads the answer: its status and its body.
pub(crate) fn send(
    address: &str,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &[u8],
) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("the agent listens");
    stream.set_read_timeout(Some(bed::WAIT_MAX)).expect("a timeout");
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: agent\r\nconnection: close\r\n{headers}\
         content-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("a head is taken");
    // An early answer may end the upload.
    drop(stream.write_all(body));
    let mut answer = Vec::new();
    // What was not read of an upload resets the connection behind the answer.
    drop(stream.read_to_end(&mut answer));
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").expect("an answer with a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), body.to_owned())
}

/// Posts logs.
pub(crate) fn post_logs(address: &str, body: &str) -> (u16, String) {
    send(address, "POST", "/v1/input", &["content-type: application/json"], body.as_bytes())
}
