//! The commands' end of the API: one blocking request over the Unix socket.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody listens.
    #[error("no agent answers on {}: {source}; is it running (`corelane run`), and with this \
             corelane.api_socket?", path.display())]
    Unreachable {
        /// The socket.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The socket belongs to another user.
    #[error("{} may be used by the user of the agent and by root only; use `sudo`",
        path.display())]
    Denied {
        /// The socket.
        path: PathBuf,
    },
    /// The connection broke, or the answer took too long.
    #[error("the agent on {} did not answer in full: {source}", path.display())]
    Broken {
        /// The socket.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The answer is not HTTP.
    #[error("what answers on {} is not an agent", path.display())]
    Malformed {
        /// The socket.
        path: PathBuf,
    },
}

/// What the agent answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Status code.
    pub status: u16,
    /// Body.
    pub body: Vec<u8>,
}

impl Reply {
    /// Whether the agent did what was asked.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// The body as text; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The sentence of an error answer.
    #[must_use]
    pub fn error(&self) -> String {
        let value: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        match value.get("error").or_else(|| value.get("reason")).and_then(|error| error.as_str()) {
            Some(error) => error.to_owned(),
            None => format!("the agent answered with status {}", self.status),
        }
    }
}

/// Largest answer that is read.
const REPLY_BYTES_MAX: u64 = 64 << 20;

/// Sends a request and reads the whole answer, within `time_max` for each step.
///
/// # Errors
/// When nobody answers, see [`ClientError`]. An error status is no error here.
pub fn request(
    socket: &Path,
    method: &str,
    target: &str,
    body: &[u8],
    time_max: Duration,
) -> Result<Reply, ClientError> {
    let path = || socket.to_owned();
    let mut stream = UnixStream::connect(socket).map_err(|source| {
        if source.kind() == io::ErrorKind::PermissionDenied {
            return ClientError::Denied { path: path() };
        }
        ClientError::Unreachable { path: path(), source }
    })?;
    let bytes = exchange(&mut stream, method, target, body, time_max)
        .map_err(|source| ClientError::Broken { path: path(), source })?;
    parse(&bytes).ok_or_else(|| ClientError::Malformed { path: path() })
}

fn exchange(
    stream: &mut UnixStream,
    method: &str,
    target: &str,
    body: &[u8],
    time_max: Duration,
) -> io::Result<Vec<u8>> {
    stream.set_read_timeout(Some(time_max))?;
    stream.set_write_timeout(Some(time_max))?;
    // HTTP/1.0: the end of the connection ends the answer, there are no chunks.
    let head = format!(
        "{method} {target} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut bytes = Vec::new();
    stream.take(REPLY_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn parse(bytes: &[u8]) -> Option<Reply> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let mut first = head.lines().next()?.split(' ');
    if !first.next()?.starts_with("HTTP/1.") {
        return None;
    }
    let status = first.next()?.parse().ok()?;
    Some(Reply { status, body: bytes.get(end + 4..)?.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_status_and_a_body() {
        let reply = parse(b"HTTP/1.0 400 Bad\r\na: b\r\n\r\n{\"error\":\"no\"}").expect("valid");
        assert_eq!((reply.status, reply.is_success()), (400, false));
        assert_eq!(reply.error(), "no");
        assert_eq!(parse(b"SSH-2.0\r\n\r\n"), None);
        assert_eq!(parse(b"HTTP/1.1 200"), None);
    }

    #[test]
    fn an_absent_agent_is_named_with_the_way_out() {
        let missing = Path::new("/nonexistent/corelane.sock");
        let error = request(missing, "GET", "/status", &[], Duration::from_secs(1));
        let message = error.expect_err("nobody listens").to_string();
        assert!(message.contains("corelane run"), "{message}");
    }
}
