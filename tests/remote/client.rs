//! A tracer whose every byte is chosen.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bed::{Bed, WAIT_MAX};
use serde_json::Value;

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Answer {
    /// The body as JSON.
    pub(super) fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        serde_json::from_str(&self.body).expect("a body of JSON")
    }

    /// The content of a file in it.
    pub(super) fn file(&self, path: &str) -> Option<String> {
        let json = self.json();
        let files = json["target_files"].as_array()?;
        let file = files.iter().find(|file| file["path"] == path)?;
        Some(decoded(&file["raw"]))
    }

    /// Paths of the configurations that are the client's.
    pub(super) fn paths(&self) -> Vec<String> {
        let paths = self.json()["client_configs"].clone();
        serde_json::from_value(paths).unwrap_or_default()
    }
}

/// Text behind base64.
pub(super) fn decoded(value: &Value) -> String {
    let bytes = STANDARD.decode(value.as_str().expect("a text")).expect("base64");
    String::from_utf8(bytes).expect("a text")
}

/// One request on a connection of its own.
pub(super) fn send(bed: &Bed, method: &str, path: &str, body: &[u8]) -> Answer {
    let address = bed.trace_url(false).replace("http://", "");
    let mut stream = TcpStream::connect(address).expect("a listening agent");
    stream.set_read_timeout(Some(WAIT_MAX)).expect("a socket");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/msgpack\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).expect("written");
    let mut all = String::new();
    stream.read_to_string(&mut all).expect("an answer");
    let (head, body) = all.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

/// A request for configurations.
pub(super) fn ask(bed: &Bed, request: &Value) -> Answer {
    send(bed, "POST", "/v0.7/config", request.to_string().as_bytes())
}
