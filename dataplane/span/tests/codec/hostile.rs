//! Bodies that no tracer sends.

use corelane_span::decode::{DecodeError, decode};
use corelane_span::{
    Batch, Format, Key, Value, check_json, check_v1, check_v04, check_v05, check_v07,
};
use proptest::prelude::*;

use crate::decode::{FORMATS, body};

/// The checks that fuzz targets call.
const CHECKS: [fn(&[u8]); 5] = [check_json, check_v04, check_v05, check_v07, check_v1];

fn decoded(format: Format, body: &[u8]) -> Result<Batch, DecodeError> {
    let mut batch = Batch::default();
    decode(format, true, body.to_vec(), &mut batch).map(|()| batch)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_panics_on_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        CHECKS.iter().for_each(|check| check(&bytes));
    }

    #[test]
    fn nothing_panics_on_damaged_bodies(
        seed: u64,
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
    ) {
        for (format, is_json) in FORMATS {
            let (_, mut body) = body(seed, format, is_json, true);
            for (at, byte) in &damage {
                if !body.is_empty() {
                    let at = at.index(body.len());
                    body[at] = *byte;
                }
            }
            CHECKS.iter().for_each(|check| check(&body));
        }
    }

    #[test]
    fn json_agrees_with_an_independent_reader(text in "[\\[\\]{}\",:0-9a-u \\\\eE.+-]{0,24}") {
        let body = format!("[[{{\"unknown\": {text}}}]]");
        if serde_json::from_str::<serde_json::Value>(&body).is_ok() {
            prop_assert!(decoded(Format::V02, body.as_bytes()).is_ok(), "{}", body);
        }
    }
}

#[test]
fn errors_name_their_cause() {
    let nested = |depth: usize| {
        let mut body = b"\x81\x0a\x93\xa1k".to_vec();
        body.extend(b"\x06\x92".repeat(depth));
        body.extend(b"\x02\xc3");
        body
    };
    let deep_json = format!("[[{{\"unknown\": {}", "[".repeat(1000));
    let cases: &[(Format, &[u8], DecodeError)] = &[
        (Format::V04, b"", DecodeError::UnexpectedEof),
        (Format::V04, b"[[{}", DecodeError::UnexpectedEof),
        (Format::V04, b"[[{\"service\":\"a", DecodeError::UnexpectedEof),
        (Format::V04, b"[[{\"service\":tru", DecodeError::WrongType),
        (Format::V04, b"[[{\"error\":nul", DecodeError::UnexpectedEof),
        (Format::V04, b"[[{\"error\":\"1\"}]]", DecodeError::WrongType),
        (Format::V04, b"[[{\"error\":1.5}]]", DecodeError::OutOfRange),
        (Format::V04, b"[[{\"start\":18446744073709551615}]]", DecodeError::OutOfRange),
        (Format::V04, b"[[{\"error\" 1}]]", DecodeError::BadJson),
        (Format::V04, b"[[{} {}]]", DecodeError::BadJson),
        (Format::V04, b"[[{\"meta_struct\":{\"a\":\"?\"}}]]", DecodeError::BadBase64),
        (Format::V04, b"\x91", DecodeError::ShortMsgpack),
        (
            Format::V04,
            b"\x91\x91\x81\xa5error\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
            DecodeError::OutOfRange,
        ),
        (Format::V04, b"\x91\x91\x81\xa5error\xa11", DecodeError::WrongType),
        (Format::V04, b"\x91\xdd\x01\x7d\x78\x41", DecodeError::TooLong),
        (Format::V04, b"\x91\x91\x81\xa1x\xc1", DecodeError::BadMarker),
        (Format::V05, b"\x91\x90", DecodeError::WrongType),
        (Format::V05, b"\x92\x91\xa0\x91\x91\x9b", DecodeError::SpanLength),
        (Format::V05, b"\x92\x91\xa0\x91\x91\x9c\x01", DecodeError::DictionaryIndex),
        (Format::V1, b"\x81\x07\x01", DecodeError::UnseenString),
        (Format::V1, b"\x82\x07\xa1a\x01\x90", DecodeError::LateStrings),
        (Format::V1, b"\x81\x0a\x92\x00\x01", DecodeError::AttributeCount),
        (Format::V1, b"\x81\x0a\x93\x00\x08\x00", DecodeError::AttributeType),
        (Format::V1, b"\x81\x0b\x91\x81\x06\xc4\x02ab", DecodeError::TraceIdLength),
        (Format::V1, &nested(65), DecodeError::TooDeep),
        (Format::V02, deep_json.as_bytes(), DecodeError::TooDeep),
    ];
    for (format, body, error) in cases {
        let found = decoded(*format, body).map(|_| ());
        assert_eq!(found, Err(*error), "{format:?} {}", body.escape_ascii());
    }
    assert!(decoded(Format::V1, &nested(64)).is_ok());
    assert_eq!(DecodeError::UnexpectedEof.to_string(), "unexpected-eof");
}

#[test]
fn a_byte_for_each_span_does_not_become_a_hundred() {
    let mut body = b"\x91\xdd\x00\x20\x00\x00".to_vec();
    body.resize(body.len() + (2 << 20), 0x80);
    assert_eq!(decoded(Format::V04, &body).map(|_| ()), Err(DecodeError::TooMany));
}

#[test]
fn the_smallest_dictionary_body() {
    let body = b"\x92\x91\xa0\x91\x91\x9c\x00\x00\x00\x01\x02\x00\x00\x00\x00\x80\x80\x00";
    let batch = decoded(Format::V05, body).unwrap();
    let span = batch.spans[0];
    assert_eq!((batch.spans.len(), span.trace_id, span.span_id), (1, 1, 2));
}

#[test]
fn the_example_of_the_numbered_format() {
    let mut body = b"\x82\x07\xa4prod\x0b\x91\x83\x01\x01\x06\xc4\x10".to_vec();
    body.extend(1u128.to_be_bytes());
    body.extend(b"\x04\x91\x88\x01\xa3web\x02\xabweb.request\x03\x03\x04\x0a");
    body.extend(b"\x06\xcf\x17\x97\x9c\xfe\x36\x2a\x00\x00\x07\xce\x05\xf5\xe1\x00");
    body.extend(b"\x09\x96\xa3foo\x01\xa3bar\xac_dd.measured\x03\xcb\x3f\xf0\0\0\0\0\0\0\x0d\x01");
    let batch = decoded(Format::V1, &body).unwrap();
    let (chunk, span) = (batch.chunks[0], batch.spans[0]);
    assert_eq!((chunk.priority, chunk.trace_id, chunk.trace_id_high), (1, 1, 0));
    let text = |of| batch.strings.text(of);
    assert_eq!((text(span.service), text(span.name)), ("web", "web.request"));
    assert_eq!((text(span.resource), text(span.env)), ("web.request", "prod"));
    assert_eq!((span.trace_id, span.span_id, span.duration_ns), (1, 10, 100_000_000));
    assert_eq!(batch.metric(&span, Key::DdMeasured), Some(1.0));
    let foo = batch.attributes.get(span.attributes)[0];
    assert!(matches!(foo.value(), Value::Text(bar) if text(bar) == "bar"));
}

#[test]
fn broken_text_is_repaired_byte_by_byte() {
    let body = b"\x91\x91\x82\xa7service\xa4a\xe2\x82b\xa4meta\x81\xc4\x01\xff\xa1\xc3";
    let batch = decoded(Format::V04, body).unwrap();
    let span = batch.spans[0];
    assert_eq!(batch.strings.text(span.service), "a\u{fffd}\u{fffd}b");
    let attribute = batch.attributes.get(span.attributes)[0];
    assert_eq!(batch.strings.text(attribute.key), "\u{fffd}");
    let batch = decoded(Format::V04, b"[[{\"service\":\"a\xe2\x82b\"}]]").unwrap();
    assert_eq!(batch.strings.text(batch.spans[0].service), "a\u{fffd}\u{fffd}b");
}

#[test]
fn strings_may_be_sent_ahead_and_by_number() {
    let body = b"\x82\x01\x93\xa0\xa3web\xa3web\x0b\x91\x81\x04\x91\x82\x01\x02\x02\xa3new";
    let batch = decoded(Format::V1, body).unwrap();
    let span = batch.spans[0];
    assert_eq!(batch.strings.text(span.service), "web");
    assert_eq!(batch.strings.text(span.name), "new");
    assert_eq!(batch.chunks[0].priority, 0);
}
