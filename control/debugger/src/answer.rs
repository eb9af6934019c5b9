//! Reads what an endpoint answers.

use http_body_util::BodyExt as _;
use hyper::body::Incoming;

/// Bytes of an answer that are kept for the caller.
const EXCERPT_BYTES_MAX: usize = 16 * 1024;

/// Bytes of an answer that are read so that its connection can be used again.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// The beginning of a body as text, with the key taken out should the server echo it. Once the
/// status is known, a body that breaks off changes nothing.
pub(crate) async fn read_answer(mut body: Incoming, key: Option<&str>) -> String {
    let mut excerpt = Vec::new();
    let mut read_bytes = 0;
    while read_bytes <= ANSWER_BYTES_MAX {
        let Some(Ok(frame)) = body.frame().await else { break };
        let Some(data) = frame.data_ref() else { continue };
        read_bytes += data.len();
        let room = EXCERPT_BYTES_MAX - excerpt.len();
        excerpt.extend(data.iter().take(room));
    }
    let text = String::from_utf8_lossy(&excerpt).into_owned();
    match key {
        Some(key) => text.replace(key, "***"),
        None => text,
    }
}
