//! Payloads of traces and stats. spec: apm §10.1, §10.2.
//!
//! Lanes encode the spans they keep; here they get the agent's own fields around them and are
//! compressed.

use crate::body::BodyStream;
use crate::wire::{put_bytes, put_key, put_some_double, put_some_str, put_some_varint, put_varint};
use crate::{Encoding, Payload, PayloadKind, Settings};

/// What the agent says of itself beside the traces it sends.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceHeader {
    /// Host name.
    pub host: String,
    /// Environment of traces that name none.
    pub env: String,
    /// Version of the agent.
    pub agent_version: String,
    /// Target of the priority sampler, in traces per second.
    pub target_tps: f64,
    /// Target of the errors sampler, in traces per second.
    pub error_tps: f64,
    /// Whether the rare sampler is on.
    pub is_rare_sampler_enabled: bool,
    /// Tags, such as `_dd.apm_mode`.
    pub tags: Vec<(String, String)>,
}

/// Wire type of a message within a message.
const LENGTH_DELIMITED: u32 = 2;

/// The chunks of one request of a tracer that are kept, encoded by a lane.
#[derive(Clone, Copy, Debug)]
pub struct TracerPayload<'a> {
    /// Whether it has the form of v1.0.
    pub is_v1: bool,
    /// The encoded message, in two parts.
    pub parts: [&'a [u8]; 2],
}

/// Encodes the agent's payload around those of tracers, which hold `chunks` chunks.
///
/// Returns `None` when the body could not be compressed, for want of memory.
pub fn encode_traces<'a>(
    header: &TraceHeader,
    payloads: impl Iterator<Item = TracerPayload<'a>>,
    chunks: u64,
    settings: &Settings,
) -> Option<Payload> {
    let mut head = Vec::with_capacity(256);
    put_some_str(&mut head, 1, &header.host);
    put_some_str(&mut head, 2, &header.env);
    let mut tail = Vec::with_capacity(256);
    let mut entry = Vec::new();
    for (key, value) in &header.tags {
        entry.clear();
        put_bytes(&mut entry, 1, key.as_bytes());
        put_bytes(&mut entry, 2, value.as_bytes());
        put_bytes(&mut tail, 6, &entry);
    }
    put_some_str(&mut tail, 7, &header.agent_version);
    put_some_double(&mut tail, 8, header.target_tps);
    put_some_double(&mut tail, 9, header.error_tps);
    put_some_varint(&mut tail, 10, u64::from(header.is_rare_sampler_enabled));
    let settings = Settings { compression: Encoding::Zstd, ..*settings };
    let mut stream = BodyStream::new(&settings);
    stream.write(&head)?;
    for payload in payloads {
        head.clear();
        put_key(&mut head, if payload.is_v1 { 11 } else { 5 }, LENGTH_DELIMITED);
        let len: usize = payload.parts.iter().map(|part| part.len()).sum();
        put_varint(&mut head, len as u64);
        stream.write(&head)?;
        for part in payload.parts {
            stream.write(part)?;
        }
    }
    stream.write(&tail)?;
    stream.finish(PayloadKind::Traces, chunks)
}

/// Compresses an encoded payload of stats.
///
/// Returns `None` when it could not be compressed, for want of memory.
#[must_use]
pub fn encode_stats(payload: &[u8], groups: u64, settings: &Settings) -> Option<Payload> {
    let mut stream = BodyStream::new(&Settings { compression: Encoding::Gzip, ..*settings });
    stream.write(payload)?;
    stream.finish(PayloadKind::TraceStats, groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, PartialEq, prost::Message)]
    struct AgentPayload {
        #[prost(string, tag = "1")]
        host: String,
        #[prost(string, tag = "2")]
        env: String,
        #[prost(bytes = "vec", repeated, tag = "5")]
        tracer_payloads: Vec<Vec<u8>>,
        #[prost(map = "string, string", tag = "6")]
        tags: std::collections::HashMap<String, String>,
        #[prost(string, tag = "7")]
        agent_version: String,
        #[prost(double, tag = "8")]
        target_tps: f64,
        #[prost(double, tag = "9")]
        error_tps: f64,
        #[prost(bool, tag = "10")]
        is_rare_sampler_enabled: bool,
        #[prost(bytes = "vec", repeated, tag = "11")]
        idx_payloads: Vec<Vec<u8>>,
    }

    #[test]
    fn both_kinds_of_tracer_payload_share_one_message() {
        let header = TraceHeader {
            host: "web-1".into(),
            env: "prod".into(),
            agent_version: "7.82.0".into(),
            target_tps: 10.0,
            error_tps: 5.0,
            is_rare_sampler_enabled: true,
            tags: vec![("_dd.apm_mode".into(), "edge".into())],
        };
        let payloads = [
            TracerPayload { is_v1: false, parts: [b"", b"old"] },
            TracerPayload { is_v1: true, parts: [&[7; 100], &[7; 200]] },
        ];
        let payload = encode_traces(&header, payloads.into_iter(), 2, &Settings::default());
        let payload = payload.unwrap();
        assert_eq!((payload.kind, payload.items), (PayloadKind::Traces, 2));
        let body = zstd::stream::decode_all(&*payload.body).unwrap();
        assert_eq!(body.len() as u64, payload.uncompressed_bytes);
        let decoded = <AgentPayload as prost::Message>::decode(&*body).unwrap();
        assert_eq!((&*decoded.host, &*decoded.env), ("web-1", "prod"));
        assert_eq!(decoded.tracer_payloads, [b"old"]);
        assert_eq!(decoded.idx_payloads, [vec![7; 300]]);
        assert_eq!(decoded.tags["_dd.apm_mode"], "edge");
        assert_eq!((decoded.target_tps, decoded.error_tps), (10.0, 5.0));
        assert!(decoded.is_rare_sampler_enabled);
    }

    #[test]
    fn stats_are_compressed_with_gzip() {
        let payload = encode_stats(b"stats", 3, &Settings::default()).unwrap();
        assert_eq!((payload.encoding, payload.items), (Encoding::Gzip, 3));
        assert_eq!(payload.content_type(), "application/msgpack");
        let mut text = String::new();
        let mut reader = flate2::read::GzDecoder::new(&*payload.body);
        std::io::Read::read_to_string(&mut reader, &mut text).unwrap();
        assert_eq!(text, "stats");
    }
}
