//! One recorded request.

use std::str::FromStr as _;

use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue};

use super::format;
use crate::proto::{Fields, Malformed, put_bytes, put_int, put_item};

/// A request as the receiver took it. Every one can be sent again: its path and headers are valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// When it had arrived: Unix nanoseconds.
    pub unix_ns: i64,
    /// Where it was sent to.
    pub path: PathAndQuery,
    /// Those of its headers for which [`is_recorded`] holds.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Container of the sender, where it was known; empty otherwise.
    pub container: String,
    /// Its body.
    pub body: Vec<u8>,
}

/// What a message holds.
#[derive(Debug)]
pub(super) enum Message {
    Request(Box<RequestRecord>),
    /// The last one: how many were recorded, and how many dropped.
    End {
        requests: u64,
        drops: u64,
    },
}

/// Whether a header goes into a file: those that say what a body is and who sent it. Keys,
/// credentials and cookies do not, nor what belongs to one connection.
#[must_use]
pub fn is_recorded(name: &HeaderName) -> bool {
    let name = name.as_str();
    let is_ours = name.starts_with("datadog-") || name.starts_with("x-datadog-");
    let is_secret = ["key", "token", "auth", "secret", "cookie"].iter().any(|w| name.contains(w));
    name == "content-type" || (is_ours && !is_secret)
}

impl RequestRecord {
    /// Appends the message without the bytes of the body, which come last. Headers that are not to
    /// be recorded are left out.
    pub(super) fn encode_head(&self, out: &mut Vec<u8>) {
        put_int(out, format::UNIX_NS, self.unix_ns);
        put_bytes(out, format::PATH, self.path.as_str().as_bytes());
        for (name, value) in self.headers.iter().filter(|(name, _)| is_recorded(name)) {
            let mut header = Vec::new();
            put_bytes(&mut header, 1, name.as_str().as_bytes());
            put_bytes(&mut header, 2, value.as_bytes());
            put_item(out, format::HEADER, &header);
        }
        put_bytes(out, format::CONTAINER, self.container.as_bytes());
    }
}

impl Message {
    pub(super) fn decode(message: &[u8]) -> Result<Self, Malformed> {
        let (mut unix_ns, mut path, mut container, mut body) = (0, None, String::new(), &[][..]);
        let mut headers = Vec::new();
        for field in Fields::new(message) {
            let (number, value) = field?;
            match number {
                format::UNIX_NS => unix_ns = value.int64(),
                format::PATH => path = Some(path_of(value.bytes())?),
                format::HEADER => headers.push(header_of(value.bytes())?),
                format::CONTAINER => container = text(value.bytes())?.to_owned(),
                format::BODY => body = value.bytes(),
                format::END => return end_of(value.bytes()),
                _ => {}
            }
        }
        let path = path.ok_or(Malformed)?;
        // It is sent as a header.
        HeaderValue::from_str(&container).map_err(|_| Malformed)?;
        let record = RequestRecord { unix_ns, path, headers, container, body: body.to_vec() };
        Ok(Self::Request(Box::new(record)))
    }
}

fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed)
}

fn path_of(bytes: &[u8]) -> Result<PathAndQuery, Malformed> {
    let path = text(bytes)?;
    if !path.starts_with('/') {
        return Err(Malformed);
    }
    PathAndQuery::from_str(path).map_err(|_| Malformed)
}

fn header_of(message: &[u8]) -> Result<(HeaderName, HeaderValue), Malformed> {
    let (mut name, mut value) = (&[][..], &[][..]);
    for field in Fields::new(message) {
        match field? {
            (1, part) => name = part.bytes(),
            (2, part) => value = part.bytes(),
            _ => {}
        }
    }
    let name = HeaderName::from_bytes(name).map_err(|_| Malformed)?;
    let value = HeaderValue::from_bytes(value).map_err(|_| Malformed)?;
    if is_recorded(&name) { Ok((name, value)) } else { Err(Malformed) }
}

fn end_of(message: &[u8]) -> Result<Message, Malformed> {
    let (mut requests, mut drops) = (0, 0);
    for field in Fields::new(message) {
        let (number, value) = field?;
        let count = u64::try_from(value.int64()).map_err(|_| Malformed)?;
        match number {
            1 => requests = count,
            2 => drops = count,
            _ => {}
        }
    }
    Ok(Message::End { requests, drops })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_about_the_body_are_recorded_and_secrets_are_not() {
        for name in ["content-type", "datadog-meta-lang", "x-datadog-trace-count"] {
            assert!(is_recorded(&HeaderName::from_static(name)), "{name}");
        }
        for name in [
            "dd-api-key",
            "dd-application-key",
            "authorization",
            "cookie",
            "host",
            "content-length",
            "transfer-encoding",
            "connection",
            "datadog-api-key",
            "x-datadog-auth-token",
        ] {
            assert!(!is_recorded(&HeaderName::from_static(name)), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_sent_is_malformed() {
        let with = |path: &[u8], name: &[u8], value: &[u8]| {
            let (mut header, mut message) = (Vec::new(), Vec::new());
            put_bytes(&mut header, 1, name);
            put_bytes(&mut header, 2, value);
            put_bytes(&mut message, format::PATH, path);
            put_item(&mut message, format::HEADER, &header);
            Message::decode(&message)
        };
        assert!(with(b"/v0.4/traces", b"datadog-meta-lang", b"go").is_ok());
        assert!(with(b"v0.4/traces", b"datadog-meta-lang", b"go").is_err());
        assert!(with(b"/a b", b"datadog-meta-lang", b"go").is_err());
        assert!(with(b"/a\r\nHost: x", b"datadog-meta-lang", b"go").is_err());
        assert!(with(b"/a", b"datadog-meta-lang", b"go\r\nx: y").is_err());
        assert!(with(b"/a", b"transfer-encoding", b"chunked").is_err());
        assert!(Message::decode(b"").is_err(), "there is no path");
    }
}
