//! Encoded payloads, read by an independent library, give back the model.

use corelane_span::decode::decode;
use corelane_span::encode::{chunk_bytes, payload as encode};
use corelane_span::{Batch, Format};
use proptest::prelude::*;
use prost::Message;

use crate::decode::{FORMATS, body};
use crate::model::Payload;
use crate::{idx, proto};

/// What an encoded batch means.
fn encoded(batch: &Batch) -> Payload {
    let mut out = b"before".to_vec();
    encode(batch, 0..batch.chunks.len(), &mut out);
    model(&out[6..], batch.format)
}

fn model(payload: &[u8], format: Format) -> Payload {
    if format.is_v1() {
        idx::TracerPayload::decode(payload).expect("a payload of v1.0").model()
    } else {
        proto::TracerPayload::decode(payload).expect("a payload").model()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_was_decoded_is_encoded(seed: u64) {
        let mut batch = Batch::default();
        for (format, is_json) in FORMATS {
            let (payload, body) = body(seed, format, is_json, true);
            decode(format, is_json, body, &mut batch).unwrap();
            prop_assert_eq!(encoded(&batch), payload, "{:?}", format);
        }
    }

    #[test]
    fn removed_chunks_leave_nothing_behind(seed: u64) {
        for format in [Format::V07, Format::V1] {
            let (mut payload, body) = body(seed, format, false, true);
            let mut batch = Batch::default();
            decode(format, false, body, &mut batch).unwrap();
            if !payload.chunks.is_empty() {
                payload.chunks.swap_remove(0);
                batch.chunks.swap_remove(0);
            }
            prop_assert_eq!(encoded(&batch), payload);
        }
    }

    #[test]
    fn the_parts_of_a_payload_are_the_payload(seed: u64) {
        for format in [Format::V07, Format::V1] {
            let (payload, body) = body(seed, format, false, true);
            let mut batch = Batch::default();
            decode(format, false, body, &mut batch).unwrap();
            for (at, expected) in payload.chunks.into_iter().enumerate() {
                let mut out = Vec::new();
                encode(&batch, at..at + 1, &mut out);
                let part = model(&out, format);
                prop_assert_eq!(&part.header, &payload.header);
                prop_assert_eq!(part.chunks, [expected]);
            }
        }
    }

    #[test]
    fn the_estimate_is_at_least_the_size(seed: u64) {
        for (format, is_json) in FORMATS {
            let (_, body) = body(seed, format, is_json, false);
            let mut batch = Batch::default();
            decode(format, is_json, body, &mut batch).unwrap();
            (batch.header, batch.tags) = Default::default();
            for (at, chunk) in batch.chunks.iter().enumerate() {
                let mut out = Vec::new();
                encode(&batch, at..at + 1, &mut out);
                prop_assert!(out.len() <= chunk_bytes(&batch, chunk));
            }
        }
    }
}

#[test]
fn a_text_that_was_written_twice_is_in_the_table_once() {
    let (_, body) = body(1, Format::V1, false, true);
    let mut batch = Batch::default();
    decode(Format::V1, false, body, &mut batch).unwrap();
    let written = [0, 1].map(|_| batch.strings.add("SELECT ?"));
    assert_ne!(written[0], written[1]);
    batch.header.env = written[0];
    batch.header.hostname = written[1];
    let mut out = Vec::new();
    encode(&batch, 0..batch.chunks.len(), &mut out);
    let payload = idx::TracerPayload::decode(&*out).expect("a payload of v1.0");
    assert_eq!(payload.strings.iter().filter(|text| *text == "SELECT ?").count(), 1);
    let model = payload.model();
    assert_eq!(model.header[5..7], ["SELECT ?", "SELECT ?"]);
}
