//! What requests of proxies hold.

use std::ops::Deref;

use bed::UpstreamRequest;
use serde_json::Value;

use super::multipart::{Part, parts};

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Arrived(pub(crate) UpstreamRequest);

impl Deref for Arrived {
    type Target = UpstreamRequest;

    fn deref(&self) -> &UpstreamRequest {
        &self.0
    }
}

impl Arrived {
    /// The parts of a multipart body.
    pub(crate) fn parts(&self) -> Vec<Part> {
        parts(self.header("content-type").expect("a content type"), &self.body)
    }

    /// The `ddtags` of the query, decoded.
    pub(crate) fn tags_of_query(&self) -> String {
        let pair = |pair: &str| pair.strip_prefix("ddtags=").map(str::to_owned);
        let encoded = self.query.split('&').find_map(pair).expect("ddtags");
        let mut bytes = Vec::new();
        let mut rest = encoded.as_bytes();
        while let [first, tail @ ..] = rest {
            rest = tail;
            bytes.push(match first {
                b'+' => b' ',
                b'%' => {
                    let digits = std::str::from_utf8(&tail[..2]).expect("digits");
                    rest = &tail[2..];
                    u8::from_str_radix(digits, 16).expect("hexadecimal digits")
                }
                other => *other,
            });
        }
        String::from_utf8(bytes).expect("text")
    }

    fn is_json(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.starts_with("application/json"))
    }

    /// Snapshots and lines of log probes in it.
    pub(crate) fn snapshots(&self) -> Vec<Value> {
        if self.path != DEBUGGER || !self.is_json() {
            return Vec::new();
        }
        let body: Value = serde_json::from_slice(&self.body).expect("JSON");
        body.as_array().cloned().unwrap_or_else(|| vec![body])
    }

    /// Ids and states of probes in it.
    pub(crate) fn statuses(&self) -> Vec<(String, String)> {
        if self.path != DEBUGGER || self.is_json() {
            return Vec::new();
        }
        let parts = self.parts();
        let event = parts.iter().find(|part| part.name == "event").expect("an event");
        let event: Value = serde_json::from_slice(&event.body).expect("JSON");
        let texts = |one: &Value| {
            let state = one.pointer("/debugger/diagnostics")?;
            let text = |name: &str| state[name].as_str().map(str::to_owned);
            Some((text("probeId")?, text("status")?))
        };
        event.as_array().into_iter().flatten().filter_map(texts).collect()
    }
}

const DEBUGGER: &str = "/api/v2/debugger";
